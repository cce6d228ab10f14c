-- The job of onceward as a script of nginx, with the records in Redis: what a careful operator would write. It is tuned:
-- claims are one native command of Redis (SET NX GET), outcomes one script; connections are kept; a record is one string.
--
-- A claim is durable, as far as Redis is told to, before the request is forwarded, and the outcome before it is answered.
-- Simpler than onceward: duplicates of a request that is in flight get a 409 instead of waiting; a lease is not renewed;
-- answers with 5xx leave the key unknown until it expires; the digests are SHA-1 and not keyed.
--
-- A record is `C` claim id (16) lease end in ms (13) fingerprint (20), or `R` fingerprint (20) status (3) type `\n` body.

local redis_port = ...

local lease_ms = 30000
local retention_ms = 24 * 3600 * 1000
local complete_script = [[
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1]]
local complete_digest  -- Known since the first time.

local M = {}

local function digest(...)
  local parts = {...}
  for i = 1, #parts do parts[i] = #parts[i] .. ":" .. parts[i] end
  return ngx.sha1_bin(table.concat(parts))
end

local function resp(...)
  local parts = {"*" .. select("#", ...)}
  for i = 1, select("#", ...) do
    local part = tostring((select(i, ...)))
    parts[#parts + 1] = "$" .. #part
    parts[#parts + 1] = part
  end
  parts[#parts + 1] = ""
  return table.concat(parts, "\r\n")
end

-- nil for null; raises what goes wrong.
local function ask(command)
  local socket = ngx.socket.tcp()
  socket:settimeout(5000)
  assert(socket:connect("127.0.0.1", redis_port, {pool_size = 1024}))
  assert(socket:send(command))
  local line = assert(socket:receive())
  local kind, rest = line:sub(1, 1), line:sub(2)
  local value
  if kind == "$" and rest ~= "-1" then
    value = assert(socket:receive(tonumber(rest) + 2)):sub(1, -3)
  elseif kind == "$" or kind == "_" then
    value = nil
  elseif kind == "-" then
    socket:setkeepalive()
    error(rest, 0)
  else
    value = rest
  end
  socket:setkeepalive(60000, 1024)
  return value
end

local function complete(key, claim, record)
  if complete_digest then
    local asked, value = pcall(ask, resp("EVALSHA", complete_digest, 1, key, claim, record, retention_ms))
    if asked then return value end
    if not value:find("NOSCRIPT", 1, true) then error(value, 0) end
  end
  complete_digest = ask(resp("SCRIPT", "LOAD", complete_script))
  return ask(resp("EVALSHA", complete_digest, 1, key, claim, record, retention_ms))
end

local function refuse(status, reason)
  ngx.status = status
  ngx.header["Content-Type"] = "application/problem+json"
  ngx.print('{"title":"' .. reason .. '","status":' .. status .. "}")
end

local function answer_from(record, fingerprint)
  local is_claim = record:byte() == 67
  if (is_claim and record:sub(31) or record:sub(2, 21)) ~= fingerprint then return refuse(422, "mismatch") end
  if is_claim then
    return refuse(409, tonumber(record:sub(18, 30)) > ngx.now() * 1000 and "in flight" or "outcome unknown")
  end
  local type_end = record:find("\n", 25, true)
  local body = record:sub(type_end + 1)
  ngx.status = tonumber(record:sub(22, 24))
  ngx.header["Content-Type"] = record:sub(25, type_end - 1)
  ngx.header["Content-Length"] = #body
  ngx.header["Idempotency-Replayed"] = "true"
  ngx.print(body)
end

function M.serve()
  local fields = ngx.var
  local idempotency_key = fields.http_idempotency_key
  if not idempotency_key then return ngx.exec("/forward" .. ngx.var.request_uri) end
  ngx.req.read_body()
  local body = ngx.req.get_body_data() or ""
  local method, target = ngx.req.get_method(), fields.request_uri
  local key = digest(fields.http_authorization or "", method, fields.uri, idempotency_key)
  local fingerprint = digest(method, target, fields.http_content_type or "", body)
  local claim = "C" .. fields.request_id:sub(1, 16) .. string.format("%013.0f", ngx.now() * 1000 + lease_ms) ..
      fingerprint

  local asked, record = pcall(ask, resp("SET", key, claim, "NX", "GET", "PX", retention_ms))
  if not asked then return refuse(503, "store unavailable") end
  if record then return answer_from(record, fingerprint) end

  local got = ngx.location.capture("/forward" .. target, {method = ngx["HTTP_" .. method], body = body})
  local content_type = got.header["Content-Type"] or ""
  if got.status < 500 then
    local stored, same = pcall(complete, key, claim,
        "R" .. fingerprint .. string.format("%03d", got.status) .. content_type .. "\n" .. got.body)
    if not stored or same == "0" then return refuse(409, "outcome unknown") end
  end
  ngx.status = got.status
  ngx.header["Content-Type"] = content_type
  ngx.header["Content-Length"] = #got.body
  ngx.print(got.body)
end

return M
