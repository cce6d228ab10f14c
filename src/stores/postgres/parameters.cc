#include "stores/postgres/parameters.h"

#include <utility>
#include <variant>

#include "base/assert.h"
#include "stores/postgres/array_writer.h"

namespace onceward::postgres {
namespace {

constexpr unsigned bytea = 17;
constexpr unsigned int8 = 20;
constexpr unsigned text = 25;
constexpr unsigned uuid = 2950;
constexpr unsigned bytea_array = 1001;
constexpr unsigned int8_array = 1016;
constexpr unsigned uuid_array = 2951;

constexpr std::array claim_types{bytea, uuid, int8, int8, bytea, uuid};
constexpr std::array complete_types{bytea, uuid, bytea, bytea, int8, int8};
constexpr std::array claim_many_types{bytea_array, uuid_array, int8_array, int8_array, bytea_array};
constexpr std::array complete_many_types{bytea_array, uuid_array, bytea_array, bytea_array, int8_array, int8_array};
constexpr std::array attempt_and_duration_types{bytea, uuid, int8};
constexpr std::array attempt_types{bytea, uuid};
constexpr std::array key_types{bytea};
constexpr std::array page_types{bytea, int8};
constexpr std::array purge_types{int8, int8};
constexpr std::array number_types{int8};
constexpr std::array text_types{text};

// Names, lengths and formats around a command's own bytes.
constexpr std::size_t wire_overhead_bytes = 160;

std::size_t bytes_of(const shared_bytes& blob) {
  return blob == nullptr ? 0 : blob->size();
}

}  // namespace

std::span<const unsigned> types_of(statement which) {
  switch (which) {
    case statement::claim:
      return claim_types;
    case statement::claim_many:
      return claim_many_types;
    case statement::renew:
    case statement::give_up:
      return attempt_and_duration_types;
    case statement::complete:
      return complete_types;
    case statement::complete_many:
      return complete_many_types;
    case statement::release:
      return attempt_types;
    case statement::find:
      return key_types;
    case statement::list_unknown:
      return page_types;
    case statement::purge:
      return purge_types;
    case statement::drop_days:
    case statement::add_day:
      return number_types;
    case statement::count:
      return {};
    case statement::notify:
      return text_types;
  }
  return {};
}

void parameters::put(const char* value, std::size_t length) {
  onceward_assert(count_ < count_max);
  values_[count_] = value;
  lengths_[count_] = static_cast<int>(length);
  ++count_;
}

void parameters::add(std::span<const std::byte> bytes) {
  put(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// An empty view may point to nothing, which would be NULL.
void parameters::add(std::string_view bytes) {
  put(bytes.empty() ? "" : bytes.data(), bytes.size());
}

void parameters::add(const shared_bytes& bytes) {
  if (bytes == nullptr) return add_null();
  add(std::string_view(*bytes));
}

void parameters::add(std::int64_t number) {
  onceward_assert(count_ < count_max);
  std::array<char, 8>& digits = numbers_[count_];
  const auto bits = static_cast<std::uint64_t>(number);
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = static_cast<char>(bits >> (8 * (digits.size() - 1 - i)) & 0xff);
  put(digits.data(), digits.size());
}

void parameters::add_array(std::string bytes) {
  std::string& kept = arrays_[count_];
  kept = std::move(bytes);
  put(kept.data(), kept.size());
}

const int* parameters::formats() {
  static constexpr std::array<int, count_max> binary{1, 1, 1, 1, 1, 1};
  return binary.data();
}

statement encode(const claim& what, parameters& into) {
  into.add(what.key.bytes);
  into.add(what.attempt.bytes);
  into.add(what.lease);
  into.add(what.retention);
  into.add(what.fingerprint);
  if (what.over_unknown) {
    into.add(what.over_unknown->bytes);
  } else {
    into.add_null();
  }
  return statement::claim;
}

statement encode(const renew& what, parameters& into) {
  into.add(what.key.bytes);
  into.add(what.attempt.bytes);
  into.add(what.lease);
  return statement::renew;
}

statement encode(const complete& what, parameters& into) {
  into.add(what.key.bytes);
  into.add(what.attempt.bytes);
  const auto* done = std::get_if<outcome_completed>(&what.outcome);
  if (done == nullptr) {
    into.add(std::get<outcome_unknown>(what.outcome).retention);
    return statement::give_up;
  }
  into.add(done->response);
  into.add(done->tombstone);
  into.add(done->retention);
  into.add(done->retention_tombstone);
  return statement::complete;
}

statement encode(const release& what, parameters& into) {
  into.add(what.key.bytes);
  into.add(what.attempt.bytes);
  return statement::release;
}

statement encode(const find& what, parameters& into) {
  into.add(what.key.bytes);
  return statement::find;
}

namespace {

// One array for each column.
statement encode_claims(std::span<const command* const> what, parameters& into) {
  array_writer keys(bytea, what.size()), attempts(uuid, what.size()), leases(int8, what.size()),
      retentions(int8, what.size()), fingerprints(bytea, what.size());
  for (const command* each : what) {
    const auto& asked = std::get<claim>(*each);
    onceward_assert(!asked.over_unknown);
    keys.add(asked.key.bytes);
    attempts.add(asked.attempt.bytes);
    leases.add(asked.lease.count());
    retentions.add(asked.retention.count());
    fingerprints.add(asked.fingerprint);
  }
  for (array_writer* each : {&keys, &attempts, &leases, &retentions, &fingerprints})
    into.add_array(each->take());
  return statement::claim_many;
}

statement encode_completions(std::span<const command* const> what, parameters& into) {
  array_writer keys(bytea, what.size()), attempts(uuid, what.size()), responses(bytea, what.size()),
      tombstones(bytea, what.size()), retentions(int8, what.size()), retentions_tombstone(int8, what.size());
  for (const command* each : what) {
    const auto& ended = std::get<complete>(*each);
    const auto& done = std::get<outcome_completed>(ended.outcome);
    keys.add(ended.key.bytes);
    attempts.add(ended.attempt.bytes);
    responses.add(done.response);
    tombstones.add(done.tombstone);
    retentions.add(done.retention.count());
    retentions_tombstone.add(done.retention_tombstone.count());
  }
  for (array_writer* each : {&keys, &attempts, &responses, &tombstones, &retentions, &retentions_tombstone})
    into.add_array(each->take());
  return statement::complete_many;
}

}  // namespace

statement encode_many(std::span<const command* const> what, parameters& into) {
  onceward_assert(!what.empty());
  return std::holds_alternative<claim>(*what.front()) ? encode_claims(what, into) : encode_completions(what, into);
}

std::size_t wire_bytes(const command& what) {
  std::size_t bytes = wire_overhead_bytes;
  if (const auto* asked = std::get_if<claim>(&what)) bytes += bytes_of(asked->fingerprint);
  if (const auto* ended = std::get_if<complete>(&what)) {
    if (const auto* done = std::get_if<outcome_completed>(&ended->outcome))
      bytes += bytes_of(done->response) + bytes_of(done->tombstone);
  }
  return bytes;
}

}  // namespace onceward::postgres
