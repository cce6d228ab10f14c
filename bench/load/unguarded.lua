-- Without a key.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "common.lua")

function key_field(number)
  return ""
end
