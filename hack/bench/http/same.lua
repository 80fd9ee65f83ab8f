-- Sends one body again and again: wrk ... -s same.lua URL -- FILE
function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = io.open(arguments[1]):read("*l")
end
