-- A key of its own for each request.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "common.lua")

function key_field(number)
  return "Idempotency-Key: " .. nonce .. "-" .. thread_number .. "-" .. number .. "\r\n"
end
