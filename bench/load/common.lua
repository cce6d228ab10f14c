-- What all scripts share: the request before and behind its key, and the totals as one line of JSON at the end.
--
-- A script sets `key_field(number)`, which gives the field line of the key, or "" for none. wrk runs one copy of it in
-- each of its threads; setup() numbers them.

local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function init(args)
  nonce = args[1]
  local body = '{"note":"' .. string.rep("x", tonumber(args[2]) - 11) .. '"}'
  before = "POST " .. args[3] .. " HTTP/1.1\r\nHost: bench.test\r\nContent-Type: application/json\r\n" ..
      "Authorization: Bearer bench\r\nContent-Length: " .. #body .. "\r\n"
  behind = "\r\n" .. body
  number = 0
end

function request()
  number = number + 1
  return before .. key_field(number) .. behind
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
      '\n{"requests":%d,"duration_us":%d,"errors":%d,"latency_us_p50":%d,"latency_us_p99":%d}\n', summary.requests,
      summary.duration, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50),
      latency:percentile(99)))
end
