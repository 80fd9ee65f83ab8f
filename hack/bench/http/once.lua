-- Sends each body of a file once, then stops: wrk ... -s once.lua URL -- FILE
local requests, at = {}, 0

function init(arguments)
  local headers = { ["Content-Type"] = "application/json" }
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  at = at + 1
  if at > #requests then
    wrk.thread:stop()
    return requests[#requests]
  end
  return requests[at]
end
