-- Sends each body of a file once, then the last one over and over, which the caller notices: wrk ... -s once.lua URL -- FILE
local requests, at = {}, 0

function init(arguments)
  local headers = { ["Content-Type"] = "application/json" }
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  at = math.min(at + 1, #requests)
  return requests[at]
end
