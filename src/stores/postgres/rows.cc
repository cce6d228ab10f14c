#include "stores/postgres/rows.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "stores/postgres/statements.h"

namespace onceward::postgres {
namespace {

// Reads columns one after the other; the first that does not fit spoils the rest.
class row_reader {
 public:
  explicit row_reader(std::span<const column_view> row) : row_(row) {}

  bool boolean() { return integer<std::uint8_t>() != 0; }

  template <typename Integer>
  Integer integer() {
    const column_view column = next();
    if (!column || column->size() != sizeof(Integer)) {
      good_ = false;
      return {};
    }
    std::uint64_t bits = 0;
    for (const char each : *column)
      bits = bits << 8 | static_cast<unsigned char>(each);
    return static_cast<Integer>(bits);
  }

  wall_time time() { return wall_time{std::chrono::milliseconds{integer<std::int64_t>()}}; }

  wall_time time_or(wall_time fallback) {
    if (place_ < row_.size() && !row_[place_]) {
      ++place_;
      return fallback;
    }
    return time();
  }

  template <std::size_t Size>
  void bytes(std::array<std::byte, Size>& into) {
    const column_view column = next();
    if (!column || column->size() != Size) {
      good_ = false;
      return;
    }
    std::memcpy(into.data(), column->data(), Size);
  }

  shared_bytes blob() {
    const column_view column = next();
    return column ? std::make_shared<const std::string>(*column) : nullptr;
  }

  bool good() const { return good_; }

 private:
  column_view next() {
    if (place_ < row_.size()) return row_[place_++];
    good_ = false;
    return std::nullopt;
  }

  std::span<const column_view> row_;
  std::size_t place_ = 0;
  bool good_ = true;
};

std::optional<core::record_state> state_of(stored_state state, wall_time ended_at, core::state_completed completed) {
  switch (state) {
    case stored_state::in_flight:
      return core::state_in_flight{ended_at};
    case stored_state::unknown:
      return core::state_unknown{ended_at};
    case stored_state::completed:
      if (completed.tombstone == nullptr) return std::nullopt;
      return completed;
    case stored_state::released:
      return core::state_released{ended_at};
  }
  return std::nullopt;
}

result<record_key> read_key(std::span<const column_view> row) {
  row_reader in(row);
  record_key key;
  in.bytes(key.bytes);
  if (row.size() != 1 || !in.good()) return tl::unexpected(errc::corrupt);
  return key;
}

// The places of what a grant is, in a row of record_columns.
constexpr std::size_t now_column = 1;
constexpr std::size_t fence_column = 4;
constexpr std::size_t ended_at_column = 7;

result<keyed_record> read_granted(const record_key& key, std::span<const column_view> row) {
  keyed_record granted{key, {}};
  row_reader now(row.subspan(now_column)), token(row.subspan(fence_column)), lease_end(row.subspan(ended_at_column));
  granted.found.changed = true;
  granted.found.now = now.time();
  granted.found.kept.attempt_number = 1;
  granted.found.kept.token = fence{token.integer<std::uint64_t>()};
  granted.found.kept.state = core::state_in_flight{lease_end.time()};
  if (!now.good() || !token.good() || !lease_end.good()) return tl::unexpected(errc::corrupt);
  return granted;
}

}  // namespace

result<found_record> read_record(std::span<const column_view> row) {
  row_reader in(row);
  found_record found{};
  core::record& kept = found.kept;
  found.changed = in.boolean();
  found.now = in.time();
  in.bytes(kept.attempt.bytes);
  kept.attempt_number = in.integer<std::uint32_t>();
  kept.token = fence{in.integer<std::uint64_t>()};
  const auto state = static_cast<stored_state>(in.integer<std::int16_t>());
  kept.first_seen = in.time();
  const wall_time ended_at = in.time();
  const wall_time expires_at = in.time();
  kept.retention = std::chrono::milliseconds{in.integer<std::int64_t>()};
  core::state_completed completed{.completed_at = ended_at,
                                  .response_expires_at = in.time_or(ended_at),
                                  .tombstone_expires_at = expires_at,
                                  .response = nullptr,
                                  .tombstone = nullptr};
  kept.fingerprint = in.blob();
  completed.tombstone = in.blob();
  completed.response = in.blob();
  const auto known = state_of(state, ended_at, std::move(completed));
  if (!in.good() || !known || kept.fingerprint == nullptr) return tl::unexpected(errc::corrupt);
  kept.state = *known;
  return found;
}

result<unknown_listed::item> read_listed(std::span<const column_view> row) {
  if (row.size() != listed_columns) return tl::unexpected(errc::corrupt);
  const auto found = read_record(row.first(record_columns));
  if (!found) return tl::unexpected(found.error());
  const auto kept = core::as_of(found->kept, found->now);
  if (!kept) return tl::unexpected(errc::corrupt);
  row_reader last(row.subspan(record_columns));
  unknown_listed::item item{{}, core::summarise(*kept)};
  last.bytes(item.key.bytes);
  if (!last.good()) return tl::unexpected(errc::corrupt);
  return item;
}

result<keyed_record> read_claimed(std::span<const column_view> row) {
  if (row.size() != claimed_columns) return tl::unexpected(errc::corrupt);
  const auto key = read_key(row.first(1));
  if (!key) return tl::unexpected(key.error());
  const auto rest = row.subspan(1);
  if (row_reader(rest).boolean()) return read_granted(*key, rest);
  auto found = read_record(rest);
  if (!found) return tl::unexpected(found.error());
  return keyed_record{*key, *std::move(found)};
}

result<keyed_record> read_completed(std::span<const column_view> row) {
  const auto key = read_key(row);
  if (!key) return tl::unexpected(key.error());
  keyed_record completed{*key, {}};
  completed.found.changed = true;
  return completed;
}

result<std::int64_t> read_number(const column_view& column) {
  row_reader in({&column, 1});
  const auto number = in.integer<std::int64_t>();
  if (!in.good()) return tl::unexpected(errc::corrupt);
  return number;
}

}  // namespace onceward::postgres
