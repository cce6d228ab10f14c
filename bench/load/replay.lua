-- A thousand keys, again and again.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "common.lua")

function key_field(number)
  return "Idempotency-Key: " .. nonce .. "-" .. number % 1000 .. "\r\n"
end
