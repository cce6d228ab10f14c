#include "stores/journal/entry.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/checksum.h"
#include "stores/journal/little_endian.h"

namespace onceward::journal {
namespace {

constexpr std::uint8_t flag_response_kept = 1;
// Kind, flags, key, attempt, attempt number, fence, first seen, retention.
constexpr std::size_t fixed_bytes = 1 + 1 + 32 + 16 + 4 + 8 + 8 + 8;
constexpr std::size_t key_offset = 2;
constexpr std::size_t time_bytes = 8;
constexpr std::size_t length_bytes = 4;

template <std::size_t Size>
std::string_view view(const std::array<std::byte, Size>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), Size};
}

template <std::size_t Size>
void take_into(byte_reader& reader, std::array<std::byte, Size>& out) {
  const std::string_view bytes = reader.take_bytes(Size);
  if (bytes.size() == Size) std::memcpy(out.data(), bytes.data(), Size);
}

void put_time(byte_writer& out, wall_time time) {
  out.put(std::int64_t{time.time_since_epoch().count()});
}
wall_time take_time(byte_reader& reader) {
  return wall_time{std::chrono::milliseconds{reader.take<std::int64_t>()}};
}

void put_blob(byte_writer& out, const std::string& blob) {
  onceward_assert(blob.size() <= std::numeric_limits<std::uint32_t>::max());
  out.put(static_cast<std::uint32_t>(blob.size()));
  out.put_bytes(blob);
}

std::string_view take_blob(byte_reader& reader) {
  return reader.take_bytes(reader.take<std::uint32_t>());
}
shared_bytes shared(std::string_view bytes) {
  return std::make_shared<const std::string>(bytes);
}

std::size_t blob_bytes(const shared_bytes& blob) {
  return length_bytes + blob->size();
}

// A body in its parts; the blobs are views of it.
struct parsed_body {
  state_kind kind;
  bool response_kept;
  record_key key;
  attempt_id attempt;
  std::uint32_t attempt_number;
  fence token;
  wall_time first_seen;
  std::chrono::milliseconds retention;
  wall_time times[3];  // As many as the kind has.
  std::string_view fingerprint;
  std::string_view tombstone;
  std::string_view response;
};

// No time or duration that was ever written is farther from zero, and what is not can be added without overflow.
constexpr std::chrono::milliseconds time_max{std::int64_t{1} << 60};

bool is_sane(std::chrono::milliseconds time) {
  return -time_max <= time && time <= time_max;
}

result<parsed_body> parse(std::string_view body) {
  byte_reader reader(body);
  parsed_body parsed{};
  const auto kind = reader.take<std::uint8_t>();
  const auto flags = reader.take<std::uint8_t>();
  if (kind < static_cast<std::uint8_t>(state_kind::in_flight) ||
      kind > static_cast<std::uint8_t>(state_kind::unknown)) {
    return tl::unexpected(errc::corrupt);
  }
  parsed.kind = state_kind{kind};
  const bool is_completed = parsed.kind == state_kind::completed;
  if ((flags & ~flag_response_kept) != 0 || (flags != 0 && !is_completed)) return tl::unexpected(errc::corrupt);
  parsed.response_kept = (flags & flag_response_kept) != 0;
  take_into(reader, parsed.key.bytes);
  take_into(reader, parsed.attempt.bytes);
  parsed.attempt_number = reader.take<std::uint32_t>();
  parsed.token = fence{reader.take<std::uint64_t>()};
  parsed.first_seen = take_time(reader);
  parsed.retention = std::chrono::milliseconds{reader.take<std::int64_t>()};
  for (std::size_t i = 0; i < (is_completed ? 3u : 1u); ++i)
    parsed.times[i] = take_time(reader);
  parsed.fingerprint = take_blob(reader);
  if (is_completed) parsed.tombstone = take_blob(reader);
  if (parsed.response_kept) parsed.response = take_blob(reader);
  if (!reader.ok() || reader.left() != 0) return tl::unexpected(errc::corrupt);
  const auto is_sane_time = [](wall_time time) { return is_sane(time.time_since_epoch()); };
  if (!is_sane(parsed.retention) || !is_sane_time(parsed.first_seen) ||
      !std::all_of(std::begin(parsed.times), std::end(parsed.times), is_sane_time)) {
    return tl::unexpected(errc::corrupt);
  }
  return parsed;
}

core::record_state state_of(const parsed_body& parsed) {
  switch (parsed.kind) {
    case state_kind::in_flight:
      return core::state_in_flight{parsed.times[0]};
    case state_kind::released:
      return core::state_released{parsed.times[0]};
    case state_kind::unknown:
      return core::state_unknown{parsed.times[0]};
    case state_kind::completed:
      break;
  }
  return core::state_completed{.completed_at = parsed.times[0],
                               .response_expires_at = parsed.times[1],
                               .tombstone_expires_at = parsed.times[2],
                               .response = parsed.response_kept ? shared(parsed.response) : nullptr,
                               .tombstone = shared(parsed.tombstone)};
}

struct state_writer {
  byte_writer& out;
  const core::record& kept;

  void operator()(const core::state_in_flight& running) const { put_short(running.lease_end); }
  void operator()(const core::state_released& gone) const { put_short(gone.released_at); }
  void operator()(const core::state_unknown& open) const { put_short(open.since); }
  void operator()(const core::state_completed& done) const {
    put_time(out, done.completed_at);
    put_time(out, done.response_expires_at);
    put_time(out, done.tombstone_expires_at);
    put_blob(out, *kept.fingerprint);
    put_blob(out, *done.tombstone);
    if (done.response != nullptr) put_blob(out, *done.response);
  }

 private:
  void put_short(wall_time time) const {
    put_time(out, time);
    put_blob(out, *kept.fingerprint);
  }
};

}  // namespace

state_kind kind_of(const core::record& kept) {
  static_assert(std::variant_size_v<core::record_state> == 4);
  if (std::holds_alternative<core::state_in_flight>(kept.state)) return state_kind::in_flight;
  if (std::holds_alternative<core::state_completed>(kept.state)) return state_kind::completed;
  if (std::holds_alternative<core::state_released>(kept.state)) return state_kind::released;
  return state_kind::unknown;
}

std::size_t entry_bytes_of(const core::record& kept) {
  std::size_t bytes = entry_header_bytes + fixed_bytes + time_bytes + blob_bytes(kept.fingerprint);
  if (const auto* done = std::get_if<core::state_completed>(&kept.state)) {
    bytes += 2 * time_bytes + blob_bytes(done->tombstone);
    if (done->response != nullptr) bytes += blob_bytes(done->response);
  }
  return bytes;
}

void encode_entry_body(const record_key& key, const core::record& kept, std::string& out) {
  const std::size_t bytes = entry_bytes_of(kept) - entry_header_bytes;
  const std::size_t begin = out.size();
  // Many bodies are appended to one string, which must not be made longer for each of them.
  if (out.capacity() < begin + bytes) out.reserve(std::max(2 * out.capacity(), begin + bytes));
  out.resize(begin + bytes);

  byte_writer body(out.data() + begin);
  const auto* done = std::get_if<core::state_completed>(&kept.state);
  body.put(static_cast<std::uint8_t>(kind_of(kept)));
  body.put(done != nullptr && done->response != nullptr ? flag_response_kept : std::uint8_t{0});
  body.put_bytes(view(key.bytes));
  body.put_bytes(view(kept.attempt.bytes));
  body.put(kept.attempt_number);
  body.put(static_cast<std::uint64_t>(kept.token));
  put_time(body, kept.first_seen);
  body.put(std::int64_t{kept.retention.count()});
  std::visit(state_writer{body, kept}, kept.state);
  onceward_assert(body.end() == out.data() + out.size());
}

record_key key_in(std::string_view body) {
  record_key key;
  onceward_assert(body.size() >= key_offset + key.bytes.size());
  std::memcpy(key.bytes.data(), body.data() + key_offset, key.bytes.size());
  return key;
}

std::array<char, entry_header_bytes> entry_header(std::string_view body, std::uint64_t generation) {
  std::array<char, entry_header_bytes> header;
  byte_writer out(header.data());
  out.put(static_cast<std::uint32_t>(body.size()));
  out.put(base::checksum(body, generation));
  return header;
}

void encode_entry(const record_key& key, const core::record& kept, std::uint64_t generation, std::string& out) {
  std::string body;
  encode_entry_body(key, kept, body);
  const auto header = entry_header(body, generation);
  out.append(header.data(), header.size()).append(body);
}

result<std::string_view> entry_body(std::string_view bytes, std::uint64_t generation) {
  byte_reader reader(bytes);
  const auto length = reader.take<std::uint32_t>();
  const auto checksum = reader.take<std::uint64_t>();
  const std::string_view body = reader.take_bytes(length);
  if (!reader.ok() || base::checksum(body, generation) != checksum) return tl::unexpected(errc::corrupt);
  return body;
}

result<entry_head> decode_entry_head(std::string_view body) {
  const auto parsed = parse(body);
  if (!parsed) return tl::unexpected(parsed.error());
  entry_head head{.key = parsed->key, .kind = parsed->kind, .token = parsed->token, .expires_at = std::nullopt};
  switch (parsed->kind) {
    case state_kind::in_flight:
      break;
    case state_kind::completed:
      head.expires_at = parsed->times[2];
      break;
    case state_kind::released:
    case state_kind::unknown:
      head.expires_at = parsed->times[0] + parsed->retention;
      break;
  }
  return head;
}

result<entry> decode_entry(std::string_view body) {
  const auto parsed = parse(body);
  if (!parsed) return tl::unexpected(parsed.error());
  return entry{.key = parsed->key,
               .kept = {.attempt = parsed->attempt,
                        .attempt_number = parsed->attempt_number,
                        .token = parsed->token,
                        .first_seen = parsed->first_seen,
                        .retention = parsed->retention,
                        .fingerprint = shared(parsed->fingerprint),
                        .state = state_of(*parsed)}};
}

}  // namespace onceward::journal
