#include "stores/redis/scripts.h"

namespace onceward::redis {
namespace {

// The record: big-endian, in this order. Lua's numbers are doubles; milliseconds, and microseconds until the year 2255,
// are whole in them, and the server writes them as such.
constexpr std::string_view look = R"(
local layout = '>BBc16I4I8I8I8I8I8I8BI4c0I4c0I4c0'
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = (micros - micros % 1000) / 1000
local kept = redis.call('GET', KEYS[1])
)";

constexpr std::string_view read = R"(
local version, state, attempt, number, fence, first_seen, ended_at, expires_at, retention, response_expires_at
local place, fingerprint, tombstone, response
if kept then
  if string.byte(kept) ~= 1 then return redis.error_reply('VERSION the record is of another version') end
  version, state, attempt, number, fence, first_seen, ended_at, expires_at, retention, response_expires_at, place,
    fingerprint, tombstone, response = struct.unpack(layout, kept)
end
local lives = kept and expires_at > now
local own = lives and attempt == ARGV[1]
local function keep()
  redis.call('SET', KEYS[1], struct.pack(layout, 1, state, attempt, number, fence, first_seen, ended_at, expires_at,
    retention, response_expires_at, place, #fingerprint, fingerprint, #tombstone, tombstone, #response, response),
    'PXAT', expires_at)
end
)";

// What a repeated command found needs no change; where replicas are waited for, it is one all the same, so that the
// wait is for this and for all before it.
constexpr std::string_view found = R"(
if own and touch == '1' then redis.call('PEXPIREAT', KEYS[1], expires_at) end
return {0, now, kept}
)";

// ARGV: attempt, lease, retention, fingerprint, the attempt that it may take over or "", a fence that the next is to be
// above, touch. Most claims find no record, and need nothing of what is read from one.
constexpr std::string_view claim_new_text = R"(
if not kept then
  local fence = ARGV[6] + 1
  if fence < micros then fence = micros end
  local ended_at = now + ARGV[2]
  local expires_at = ended_at + ARGV[3]
  redis.call('SET', KEYS[1], struct.pack(layout, 1, 0, ARGV[1], 1, fence, now, ended_at, expires_at, ARGV[3], 0, 0,
    #ARGV[4], ARGV[4], 0, '', 0, ''), 'PXAT', expires_at)
  return {1, now, 1, fence, ended_at}
end
)";

constexpr std::string_view claim_text = R"(
local touch = ARGV[7]
local free = not lives or not own and (state == 3 or
  attempt == ARGV[5] and (state == 1 or state == 0 and ended_at <= now))
if free then
  local next = math.max(micros, ARGV[6] + 1, fence + 1)
  if not lives then number, first_seen = 0, now end
  state, attempt, number, fence, retention = 0, ARGV[1], number + 1, next, tonumber(ARGV[3])
  ended_at = now + ARGV[2]
  expires_at = ended_at + retention
  response_expires_at, place, fingerprint, tombstone, response = 0, 0, ARGV[4], '', ''
  keep()
  return {1, now, number, fence, ended_at}
end
)";

// What many commands share is reckoned, packed and written as digits once, and what is only one's comes packed: of the
// time that a script takes for a command, most goes into values that Lua has to make.

// ARGV: a fence that the next is to be above, lease, retention; then of each key: how its record begins, up to its
// fence, and how it ends, from its fingerprint.
constexpr std::string_view claim_many_text = R"(
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = (micros - micros % 1000) / 1000
local fence = math.max(micros, ARGV[1] + 1)
local ended_at = now + ARGV[2]
local expires_at = ended_at + ARGV[3]
local times = struct.pack('>I8I8I8I8I8B', now, ended_at, expires_at, ARGV[3], 0, 0)
local expires = string.format('%.0f', expires_at)
local pcall, pack = redis.pcall, struct.pack
local told = {now, fence, ended_at}
for i, key in ipairs(KEYS) do
  local place = 2 * i + 2
  local kept = pcall('SET', key, ARGV[place] .. pack('>I8', fence + i - 1) .. times .. ARGV[place + 1], 'NX', 'GET',
    'PXAT', expires)
  told[i + 3] = not kept and 1 or type(kept) == 'string' and kept or 0
end
return told
)";

// ARGV: retention, retention of the tombstone, place; then of each key: how the record of an attempt that runs begins,
// up to its number, and how it is to end, from its tombstone. Until then it ends with eight bytes: of no tombstone and
// no response.
constexpr std::string_view complete_many_text = R"(#!lua flags=allow-oom
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local response_expires_at = now + ARGV[1]
local expires_at = math.max(response_expires_at, now + ARGV[2])
local times = struct.pack('>I8I8', now, expires_at)
local last = struct.pack('>I8B', response_expires_at, ARGV[3])
local expires = string.format('%.0f', expires_at)
local call, pcall, sub, unpack = redis.call, redis.pcall, string.sub, struct.unpack
local told = {}
for i, key in ipairs(KEYS) do
  local place = 2 * i + 2
  local kept = pcall('GET', key)
  if type(kept) == 'string' and sub(kept, 1, 18) == ARGV[place] and unpack('>I8', kept, 47) > now then
    call('SET', key, '\1\2' .. sub(kept, 3, 38) .. times .. sub(kept, 55, 62) .. last .. sub(kept, 72, -9) ..
      ARGV[place + 1], 'PXAT', expires)
    told[i] = 1
  else
    told[i] = 0
  end
end
return told
)";

// ARGV: attempt, touch, lease.
constexpr std::string_view renew_text = R"(
local touch = ARGV[2]
if own and state == 0 and ended_at > now then
  ended_at = math.max(ended_at, now + ARGV[3])
  expires_at = ended_at + retention
)";

// ARGV: attempt, touch, retention, retention of the tombstone, tombstone, place, response.
constexpr std::string_view complete_text = R"(
local touch = ARGV[2]
if own and state <= 1 then
  state, ended_at, response_expires_at = 2, now, now + ARGV[3]
  expires_at = math.max(response_expires_at, now + ARGV[4])
  tombstone, place, response = ARGV[5], ARGV[6], ARGV[7]
)";

// ARGV: attempt, touch, retention.
constexpr std::string_view give_up_text = R"(
local touch = ARGV[2]
if own and state == 0 and ended_at > now then
  state, ended_at, retention = 1, now, tonumber(ARGV[3])
  expires_at = now + retention
)";

// ARGV: attempt, touch.
constexpr std::string_view release_text = R"(
local touch = ARGV[2]
if own and state <= 1 then
  state, ended_at = 3, now
  expires_at = now + retention
)";

constexpr std::string_view find_text = R"(
if kept and string.byte(kept) ~= 1 then return redis.error_reply('VERSION the record is of another version') end
return {0, now, kept}
)";

// ARGV: the response, and how long it is kept.
constexpr std::string_view put_text = R"(#!lua flags=allow-oom
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, 1, false}
)";

constexpr std::string_view drop_text = R"(
if kept and not lives then
  redis.call('DEL', KEYS[1])
  return 1
end
return 0
)";

// The highest fence that any gateway has seen, of which ARGV[1] is one. Returns what it was.
constexpr std::string_view raise_text = R"(#!lua flags=allow-oom
local kept = tonumber(redis.call('GET', KEYS[1]) or '0')
if kept < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return string.format('%.0f', kept)
)";

// ARGV: what is to be there unless something else is. Returns what is there.
constexpr std::string_view keep_text = R"(#!lua flags=allow-oom
local kept = redis.call('GET', KEYS[1])
if kept then return kept end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
)";

// Where the memory of the server is used up, the outcomes of what runs are still taken.
constexpr std::string_view even_if_full = "#!lua flags=allow-oom";

// The guard of a change is open at the end of its text.
std::string change(std::string_view text) {
  return std::string(even_if_full)
      .append(look)
      .append(read)
      .append(text)
      .append("  keep()\n  return {1, now}\nend")
      .append(found);
}

}  // namespace

std::string text_of(script which) {
  switch (which) {
    case script::claim:
      return std::string(look).append(claim_new_text).append(read).append(claim_text).append(found);
    case script::claim_many:
      return std::string(claim_many_text);
    case script::complete_many:
      return std::string(complete_many_text);
    case script::renew:
      return change(renew_text);
    case script::complete:
      return change(complete_text);
    case script::give_up:
      return change(give_up_text);
    case script::release:
      return change(release_text);
    case script::find:
      return std::string(look).append(find_text);
    case script::put:
      return std::string(put_text);
    case script::drop:
      return std::string(even_if_full).append(look).append(read).append(drop_text);
    case script::raise:
      return std::string(raise_text);
    case script::keep:
      return std::string(keep_text);
  }
  return {};
}

}  // namespace onceward::redis
