#include "stores/redis/scripts.h"

namespace onceward::redis {
namespace {

// The record: big-endian, in this order. Lua's numbers are doubles; milliseconds, and microseconds until the year 2255,
// are whole in them.
constexpr std::string_view prologue = R"(
local layout = '>BBc16I4I8I8I8I8I8I8BI4c0I4c0I4c0'
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local kept = redis.call('GET', KEYS[1])
local version, state, attempt, number, fence, first_seen, ended_at, expires_at, retention, response_expires_at
local place, fingerprint, tombstone, response
if kept then
  if string.byte(kept) ~= 1 then return redis.error_reply('VERSION the record is of another version') end
  version, state, attempt, number, fence, first_seen, ended_at, expires_at, retention, response_expires_at, place,
    fingerprint, tombstone, response = struct.unpack(layout, kept)
end
local lives = kept and expires_at > now
local own = lives and attempt == ARGV[1]
local function whole(value) return string.format('%.0f', value) end
local function keep()
  local record = struct.pack(layout, 1, state, attempt, number, fence, first_seen, ended_at, expires_at, retention,
    response_expires_at, place, #fingerprint, fingerprint, #tombstone, tombstone, #response, response)
  redis.call('SET', KEYS[1], record, 'PXAT', whole(expires_at))
  return record
end
)";

// What a repeated command found needs no change; where replicas are waited for, it is one all the same, so that the
// wait is for this and for all before it.
constexpr std::string_view found = R"(
if own and touch == '1' then redis.call('PEXPIREAT', KEYS[1], whole(expires_at)) end
return {0, now, kept}
)";

// Told before it is so, because an error must not leave a change behind: to others, a script is one moment.
constexpr std::string_view ended = R"(
  redis.call('PUBLISH', ')";

// ARGV: attempt, lease, retention, fingerprint, the attempt that it may take over or "", a fence that the next is to be
// above, touch.
constexpr std::string_view claim_text = R"(
local touch = ARGV[7]
local free = not lives or not own and (state == 3 or
  attempt == ARGV[5] and (state == 1 or state == 0 and ended_at <= now))
if free then
  local next = math.max(micros, ARGV[6] + 1)
  if kept then next = math.max(next, fence + 1) end
  if not lives then number, first_seen = 0, now end
  state, attempt, number, fence, retention = 0, ARGV[1], number + 1, next, tonumber(ARGV[3])
  ended_at = now + ARGV[2]
  expires_at = ended_at + retention
  response_expires_at, place, fingerprint, tombstone, response = 0, 0, ARGV[4], '', ''
  return {1, now, keep()}
end
)";

// ARGV: attempt, touch, lease.
constexpr std::string_view renew_text = R"(
local touch = ARGV[2]
if own and state == 0 and ended_at > now then
  ended_at = math.max(ended_at, now + ARGV[3])
  expires_at = ended_at + retention
  keep()
  return {1, now, false}
end
)";

// ARGV: attempt, touch, word for others, retention, retention of the tombstone, tombstone, place, response.
constexpr std::string_view complete_text = R"(
local touch = ARGV[2]
if own and state <= 1 then
  state, ended_at, response_expires_at = 2, now, now + ARGV[4]
  expires_at = math.max(response_expires_at, now + ARGV[5])
  tombstone, place, response = ARGV[6], tonumber(ARGV[7]), ARGV[8]
)";

// ARGV: attempt, touch, word for others, retention.
constexpr std::string_view give_up_text = R"(
local touch = ARGV[2]
if own and state == 0 and ended_at > now then
  state, ended_at, retention = 1, now, tonumber(ARGV[4])
  expires_at = now + retention
)";

// ARGV: attempt, touch, word for others.
constexpr std::string_view release_text = R"(
local touch = ARGV[2]
if own and state <= 1 then
  state, ended_at = 3, now
  expires_at = now + retention
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

std::string ending(std::string_view body) {
  std::string text(even_if_full);
  text.append(prologue).append(body).append(ended).append(wake_up_channel);
  text.append("', ARGV[3])\n  keep()\n  return {1, now, false}\nend").append(found);
  return text;
}

}  // namespace

std::string text_of(script which) {
  switch (which) {
    case script::claim:
      return std::string(prologue).append(claim_text).append(found);
    case script::renew:
      return std::string(even_if_full).append(prologue).append(renew_text).append(found);
    case script::complete:
      return ending(complete_text);
    case script::give_up:
      return ending(give_up_text);
    case script::release:
      return ending(release_text);
    case script::find:
      return std::string(prologue).append("return {0, now, kept}\n");
    case script::put:
      return std::string(put_text);
    case script::drop:
      return std::string(even_if_full).append(prologue).append(drop_text);
    case script::raise:
      return std::string(raise_text);
    case script::keep:
      return std::string(keep_text);
  }
  return {};
}

}  // namespace onceward::redis
