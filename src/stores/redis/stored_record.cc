#include "stores/redis/stored_record.h"

#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "base/hex.h"

namespace onceward::redis {
namespace {

constexpr std::string_view name_begin = "onceward:{";
constexpr std::size_t key_digits = 2 * sizeof(record_key::bytes);
// The latest time that a script can have written: numbers beyond are no times.
constexpr std::int64_t time_max = std::int64_t{1} << 53;

// Reads a record from its front; the first part that does not fit spoils the rest.
class part_reader {
 public:
  explicit part_reader(std::string_view bytes) : rest_(bytes) {}

  template <typename Integer>
  Integer integer() {
    std::uint64_t bits = 0;
    for (const char each : take(sizeof(Integer)))
      bits = bits << 8 | static_cast<unsigned char>(each);
    return static_cast<Integer>(bits);
  }

  std::int64_t count_of_ms() {
    const auto count = integer<std::int64_t>();
    good_ = good_ && count >= 0 && count <= time_max;
    return good_ ? count : 0;
  }
  wall_time time() { return wall_time{std::chrono::milliseconds{count_of_ms()}}; }

  template <std::size_t Size>
  void bytes(std::array<std::byte, Size>& into) {
    const std::string_view taken = take(Size);
    if (good_) std::memcpy(into.data(), taken.data(), Size);
  }

  std::string_view text() { return take(integer<std::uint32_t>()); }
  shared_bytes blob() { return std::make_shared<const std::string>(text()); }

  bool ended_well() const { return good_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

std::optional<core::record_state> state_of(std::uint8_t state, const core::state_completed& completed) {
  switch (stored_state{state}) {
    case stored_state::in_flight:
      return core::state_in_flight{completed.completed_at};
    case stored_state::unknown:
      return core::state_unknown{completed.completed_at};
    case stored_state::completed:
      return completed;
    case stored_state::released:
      return core::state_released{completed.completed_at};
  }
  return std::nullopt;
}

// What a script returns of a grant: that it is one, the time, and these.
constexpr std::size_t grant_items = 5;
constexpr std::size_t number_item = 2;
constexpr std::size_t fence_item = 3;
constexpr std::size_t lease_end_item = 4;

// In front of what the script for many claims returns of each.
constexpr std::size_t claims_items = 3;

result<stored_record> read_grant(std::int64_t number, std::int64_t token, std::int64_t lease_end) {
  const bool good = number > 0 && number <= std::numeric_limits<std::uint32_t>::max() && token > 0 &&
                    token <= time_max && lease_end > 0 && lease_end <= time_max;
  if (!good) return tl::unexpected(errc::corrupt);
  stored_record granted{};
  granted.kept.attempt_number = static_cast<std::uint32_t>(number);
  granted.kept.token = fence{static_cast<std::uint64_t>(token)};
  granted.kept.state = core::state_in_flight{wall_time{std::chrono::milliseconds{lease_end}}};
  return granted;
}

}  // namespace

result<stored_record> read_record(std::string_view bytes) {
  part_reader in(bytes);
  const auto version = in.integer<std::uint8_t>();
  if (!bytes.empty() && version != record_version) return tl::unexpected(errc::version);
  stored_record read{};
  core::record& kept = read.kept;
  const auto state = in.integer<std::uint8_t>();
  in.bytes(kept.attempt.bytes);
  kept.attempt_number = in.integer<std::uint32_t>();
  kept.token = fence{in.integer<std::uint64_t>()};
  kept.first_seen = in.time();
  const wall_time ended_at = in.time();
  const wall_time expires_at = in.time();
  kept.retention = std::chrono::milliseconds{in.count_of_ms()};
  core::state_completed completed{.completed_at = ended_at,
                                  .response_expires_at = in.time(),
                                  .tombstone_expires_at = expires_at,
                                  .response = nullptr,
                                  .tombstone = nullptr};
  const auto place = in.integer<std::uint8_t>();
  kept.fingerprint = in.blob();
  completed.tombstone = in.blob();
  const std::string_view last = in.text();
  if (!in.ended_well()) return tl::unexpected(errc::corrupt);
  switch (stored_response{place}) {
    case stored_response::none:
      break;
    case stored_response::inside:
      completed.response = std::make_shared<const std::string>(last);
      break;
    case stored_response::beside:
      if (last.empty()) return tl::unexpected(errc::corrupt);
      read.beside = last;
      break;
  }
  const auto known = state_of(state, completed);
  if (!known || place > static_cast<std::uint8_t>(stored_response::beside)) return tl::unexpected(errc::corrupt);
  kept.state = *known;
  return read;
}

std::optional<record_header> read_header(std::string_view bytes) {
  part_reader in(bytes.substr(0, record_header_bytes));
  const auto version = in.integer<std::uint8_t>();
  const auto state = in.integer<std::uint8_t>();
  attempt_id attempt;
  in.bytes(attempt.bytes);
  in.integer<std::uint32_t>();
  in.integer<std::uint64_t>();
  in.time();
  const wall_time ended_at = in.time();
  const wall_time expires_at = in.time();
  if (!in.ended_well() || version != record_version) return std::nullopt;
  return record_header{stored_state{state}, ended_at, expires_at};
}

result<script_reply> read_script_reply(const value& told) {
  if (!told.is(value::kind::list) || told.items.size() < 2) return tl::unexpected(errc::corrupt);
  const std::int64_t now = told.items[1].number;
  if (now <= 0 || now > time_max) return tl::unexpected(errc::corrupt);
  script_reply read{told.items[0].number == 1, wall_time{std::chrono::milliseconds{now}}, std::nullopt};
  if (read.changed && told.items.size() == grant_items) {
    auto granted = read_grant(told.items[number_item].number, told.items[fence_item].number,
                              told.items[lease_end_item].number);
    if (!granted) return tl::unexpected(granted.error());
    read.record = *std::move(granted);
  } else if (told.items.size() > 2 && told.items[2].is(value::kind::text)) {
    auto record = read_record(told.items[2].text);
    if (!record) return tl::unexpected(record.error());
    read.record = *std::move(record);
  }
  return read;
}

std::vector<std::optional<script_reply>> read_replies_to_claims(const value& told, std::size_t claims) {
  std::vector<std::optional<script_reply>> read(claims);
  if (!told.is(value::kind::list) || told.items.size() != claims_items + claims) return read;
  const std::int64_t now = told.items[0].number;
  if (now <= 0 || now > time_max) return read;
  std::int64_t token = told.items[1].number;
  for (std::size_t i = 0; i < claims; ++i) {
    const value& each = told.items[claims_items + i];
    const auto granted = read_grant(1, token, told.items[2].number);
    if (!granted) break;
    ++token;
    if (each.is(value::kind::number) && each.number == 1) {
      read[i] = {true, wall_time{std::chrono::milliseconds{now}}, *granted};
    } else if (each.is(value::kind::text)) {
      auto record = read_record(each.text);
      if (record) read[i] = {false, wall_time{std::chrono::milliseconds{now}}, *std::move(record)};
    }
  }
  return read;
}

record_name::record_name(const record_key& key) {
  std::memcpy(text_.data(), begin_.data(), begin_.size());
  base::put_hex(key.bytes, std::span(text_).subspan(begin_.size(), 2 * key.bytes.size()));
  text_.back() = '}';
}

std::string name_of(const record_key& key) {
  return std::string(record_name(key).text());
}

std::optional<record_key> key_in(std::string_view name) {
  if (!name.starts_with(name_begin) || name.size() != name_begin.size() + key_digits + 1) return std::nullopt;
  record_key key;
  if (!base::from_hex(name.substr(name_begin.size(), key_digits), key.bytes)) return std::nullopt;
  return key;
}

std::string response_name(const record_key& key, const attempt_id& attempt, std::string_view response) {
  const std::uint64_t sum = base::checksum(response);
  std::array<std::byte, sizeof sum> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(sum >> (8 * (bytes.size() - 1 - i)));
  return name_of(key) + ":" + base::to_hex(attempt.bytes) + ":" + base::to_hex(bytes);
}

}  // namespace onceward::redis
