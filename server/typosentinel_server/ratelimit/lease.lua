-- One replica settles what it used of one budget, gives back what it does not want to keep, and takes a new slice.
-- All of it or nothing: Redis runs a script without anything in between.
--
-- What counts against the limit is the log of reported uses, each until it is a window old, and every replica's slice,
-- until the replica has said what became of it or a window has passed since it ran out. So the sum over any window
-- holds whatever replicas and the network do.
--
-- KEYS: the budget's state, the budget's log, the clock that all budgets share.
-- ARGV: replica, number of its call, whether Redis should know of it (1), tokens that it keeps, tokens that it needs
--   now, the smallest number of use to it, tokens that it would like, requests, window (ms), burst, lease (ms), the
--   earliest and the latest time that it must be by the replica's own clock (ms, or empty), whether it is sure of that
--   (1), another clock than Redis' own (ms, or empty: tests), then its uses: number of the call that first reported it,
--   age (ms), how much.
-- Returns: status (0 done; 1 Redis knows nothing of this replica: tell everything; 2 the clock leapt: ask again and be
--   sure), tokens granted, tokens left for others, ms until there are more, whether others hold some, the time (ms).

local DONE, LOST, LEAPT = 0, 1, 2
local TOLERANCE_MS = 250
local replica, call, known = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local keeps, needs, least, likes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local limit, window, burst, lease = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local earliest, latest, sure = tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14] == '1'

local function whole(number)
  return string.format('%.0f', number)
end

-- Redis' clock is one for all replicas, but it may be set. Time here never goes back, and goes on from what a replica
-- measured where the clock leapt. Where they differ it goes slow: uses count a little longer then, never too short.
local function time()
  local raw = tonumber(ARGV[15])
  if not raw then
    local told = redis.call('TIME')
    raw = tonumber(told[1]) * 1000 + math.floor(tonumber(told[2]) / 1000)
  end
  local held = redis.call('HMGET', KEYS[3], 'offset', 'last')
  local offset, last = tonumber(held[1]), tonumber(held[2])
  if not offset then
    offset = earliest and earliest - raw or 0
    last = raw + offset
  end
  local now = raw + offset
  if now < last then
    now = math.max(last, earliest or last)
  elseif latest and now > math.max(last, latest) + TOLERANCE_MS then
    if not sure then
      return nil, last
    end
    now = math.max(last, earliest)
  end
  redis.call('HSET', KEYS[3], 'offset', whole(now - raw), 'last', whole(now))
  return now
end

local now, last = time()
if not now then
  return {LEAPT, 0, 0, 0, 0, whole(last)}
end

local sum, tokens, filled, burst_before = 0, burst, now, burst
local others, others_live, mine_call, mine_held = 0, 0, nil, 0
local state = redis.call('HGETALL', KEYS[1])
for i = 1, #state, 2 do
  local field, value = state[i], state[i + 1]
  if field == 'sum' then
    sum = tonumber(value)
  elseif field == 'tokens' then
    tokens = tonumber(value)
  elseif field == 'filled' then
    filled = tonumber(value)
  elseif field == 'burst' then
    burst_before = tonumber(value)
  else
    local its_call, expiry, held = string.match(value, '^(%d+) (%d+) (%d+)$')
    expiry, held = tonumber(expiry), tonumber(held)
    if field == 'r:' .. replica then
      mine_call, mine_held = tonumber(its_call), held
    elseif expiry + window <= now then
      redis.call('HDEL', KEYS[1], field)
    else
      others = others + held
      if expiry > now then
        others_live = others_live + held
      end
    end
  end
end
if filled > now then
  -- The shared clock was lost and so is the meaning of these times.
  redis.call('DEL', KEYS[1], KEYS[2])
  sum, tokens, filled, burst_before = 0, burst, now, burst
  others, others_live, mine_call, mine_held = 0, 0, nil, 0
end
if known and not mine_call then
  return {LOST, 0, 0, 0, 0, whole(now)}
end
if mine_call and call <= mine_call then
  -- A call that was held up; its replica has given it up and asked again.
  return {DONE, 0, 0, 0, 0, whole(now)}
end

-- Lines of the log: first use, last use, how much.
local function line(index)
  local found = redis.call('LINDEX', KEYS[2], index)
  if not found then
    return nil
  end
  local first, latest, count = string.match(found, '^(%-?%d+) (%-?%d+) (%d+)$')
  return tonumber(first), tonumber(latest), tonumber(count)
end

local grain, reported = window / 512, 0
for i = 16, #ARGV, 3 do
  local used = tonumber(ARGV[i + 2])
  if tonumber(ARGV[i]) > (mine_call or -1) then
    -- Both times were rounded down: so it is late rather than early.
    local at = now - tonumber(ARGV[i + 1]) + 1
    reported = reported + used
    if at + window > now then
      local first, latest, count = line(-1)
      sum = sum + used
      if first and at - first < grain and at >= first then
        redis.call('LSET', KEYS[2], -1, whole(first) .. ' ' .. whole(math.max(at, latest)) .. ' ' .. whole(count + used))
      else
        redis.call('RPUSH', KEYS[2], whole(at) .. ' ' .. whole(at) .. ' ' .. whole(used))
      end
    end
  end
end
local first, oldest, count = line(0)
while first and oldest + window <= now do
  redis.call('LPOP', KEYS[2])
  sum = sum - count
  first, oldest, count = line(0)
end
if not first then
  sum = 0
end

-- The bucket, which another configuration may have made larger or smaller: tokens left it when they were granted, come back when they are returned, and go when more was used.
local pace = limit / window
tokens = math.max(0, tokens + burst - burst_before) + (now - filled) * pace + mine_held - reported - keeps
tokens = math.max(0, math.min(burst - others_live - keeps, tokens))

local free = math.max(0, math.min(limit - sum - others - keeps, math.floor(tokens + 1e-6)))
local granted = math.min(free, math.max(needs, math.min(likes, math.floor(free / 4))))
if needs > 0 and granted < least then
  granted = 0
end
tokens, free = tokens - granted, free - granted

-- When there will be so much as is of use.
local wait = 0
if granted < needs then
  local wanted = math.max(1, least)
  wait = math.max(0, (wanted - tokens) / pace)
  local missing = sum + others + keeps + granted + wanted - limit
  if missing > 0 then
    local until_free = window
    for _, text in ipairs(redis.call('LRANGE', KEYS[2], 0, 127)) do
      local latest, used = string.match(text, ' (%-?%d+) (%d+)$')
      missing = missing - tonumber(used)
      if missing <= 0 then
        until_free = tonumber(latest) + window - now
        break
      end
    end
    wait = math.max(wait, until_free)
  end
end

redis.call('HSET', KEYS[1], 'sum', whole(sum), 'tokens', string.format('%.6f', tokens), 'filled', whole(now),
  'burst', whole(burst), 'r:' .. replica, whole(call) .. ' ' .. whole(now + lease + 1) .. ' ' .. whole(keeps + granted))
local stay = whole(window + lease + 1000)
redis.call('PEXPIRE', KEYS[1], stay)
redis.call('PEXPIRE', KEYS[2], stay)
return {DONE, granted, free, math.ceil(wait), others > 0 and 1 or 0, whole(now)}
