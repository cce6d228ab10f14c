// Any bytes as what an operator, or a client that asks for a status, sends: every answer is HTTP, nothing but an
// unknown record is changed, and a lookup changes nothing at all.
//
// The first byte of the input says which of the two it is, the second how it is cut.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "core/record_codec.h"
#include "tests/fuzz/fuzzed_worker.h"

namespace {

using namespace onceward;
using namespace std::chrono_literals;

// Records are named by these, so that a fuzzer finds them: 64 times the digit.
record_key key_of(unsigned digit) {
  record_key key{};
  std::fill(key.bytes.begin(), key.bytes.end(), static_cast<std::byte>(digit * 0x11));
  return key;
}

constexpr unsigned unknown_digit = 1;
constexpr unsigned completed_digit = 2;
constexpr unsigned in_flight_digit = 3;
constexpr unsigned released_digit = 4;

class last_reply final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override { value = std::move(replies.back().value); }
  reply value;
};

std::size_t state_of(store& records, unsigned digit) {
  last_reply sink;
  records.submit(find{key_of(digit)}, sink, 0);
  return sink.value.index();
}

void prepare(store& records) {
  last_reply sink;
  const auto bytes = [](std::string_view text) { return std::make_shared<const std::string>(text); };
  for (unsigned digit = unknown_digit; digit <= released_digit; ++digit) {
    attempt_id attempt{};
    attempt.bytes[0] = static_cast<std::byte>(digit);
    const record_key key = key_of(digit);
    records.submit(claim{key, attempt, 30s, 24h, bytes("fingerprint")}, sink, 0);
    if (digit == unknown_digit) records.submit(complete{key, attempt, outcome_unknown{24h}}, sink, 0);
    if (digit == released_digit) records.submit(release{key, attempt}, sink, 0);
    if (digit != completed_digit) continue;
    const auto response =
        core::write_response({.status = 201, .fields = {}, .renamed_fields = {}, .body = "the answer"});
    const auto tombstone = core::write_tombstone({.status = 201, .location = "/there"});
    records.submit(complete{key, attempt, outcome_completed{response, tombstone, 24h, 24h}}, sink, 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool is_operator = data[0] % 2 == 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);

  fuzz::fuzzed_worker worker({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false});
  prepare(worker.records());
  const std::size_t unknown = state_of(worker.records(), unknown_digit);
  const std::size_t completed = state_of(worker.records(), completed_digit);
  const std::size_t in_flight = state_of(worker.records(), in_flight_digit);
  const std::size_t released = state_of(worker.records(), released_digit);

  const auto client = is_operator ? worker.connect_operator(std::string::npos) : worker.connect_client(data[1] + 1U);
  while (!bytes.empty()) {
    const std::size_t piece = std::min<std::size_t>(bytes.size(), data[1] == 0 ? bytes.size() : data[1]);
    client->deliver(bytes.substr(0, piece));
    bytes.remove_prefix(piece);
    worker.run();
  }
  client->end_delivery();
  worker.run();

  onceward_assert(client->sent().empty() || client->sent().starts_with("HTTP/1.1 "));
  onceward_assert(state_of(worker.records(), completed_digit) == completed);
  onceward_assert(state_of(worker.records(), in_flight_digit) == in_flight);
  onceward_assert(state_of(worker.records(), released_digit) == released);
  const std::size_t resolved = state_of(worker.records(), unknown_digit);
  onceward_assert(resolved == unknown || (is_operator && (resolved == completed || resolved == released)));
  return 0;
}
