-- Health of a Typosentinel object for Argo CD, by the conditions that kstatus reads, in the operator's own words.
-- It needs nothing but the language: scripts in argocd-cm get neither string nor math.
-- The same script serves all three kinds; `make generate` copies it from ScanService.

local function health(status, message)
  return { status = status, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "Being deleted")
end

-- The operator's word about an older version of the object says nothing about this one; -1: it has not looked yet.
local seen = obj.status or {}
if seen.observedGeneration ~= obj.metadata.generation or seen.conditions == nil then
  return health("Progressing", "The operator has not looked at this version yet")
end

local conditions = {}
for _, condition in ipairs(seen.conditions) do
  conditions[condition.type] = condition
end

local function is_true(name)
  return conditions[name] ~= nil and conditions[name].status == "True"
end

if is_true("Paused") then
  return health("Suspended", conditions.Paused.message)
end
if is_true("Stalled") then
  return health("Degraded", conditions.Stalled.message)
end
if is_true("Reconciling") then
  return health("Progressing", conditions.Reconciling.message)
end
if conditions.Ready == nil then
  return health("Progressing", "The operator has not said yet whether it is ready")
end
if conditions.Ready.status ~= "True" then
  return health("Progressing", conditions.Ready.message)
end

-- Trouble at run time is told, and no more: Degraded would fail a sync that has done what it should.
local trouble = {
  Available = "False",
  ConfigurationCurrent = "False",
  FailoverActive = "True",
  FallbackActive = "True",
  ScalingActive = "False",
}
local message = conditions.Ready.message
for _, condition in ipairs(seen.conditions) do
  if trouble[condition.type] == condition.status and condition.reason ~= "NoScalingPolicy" then
    message = message .. "; " .. condition.message
  end
end
return health("Healthy", message)
