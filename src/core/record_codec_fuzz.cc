// Any bytes as a stored response, tombstone or fingerprint: they are read or refused, and what is read can be replayed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "core/fingerprint.h"
#include "core/record_codec.h"
#include "core/replay.h"

namespace {

using namespace onceward;
using namespace onceward::core;

void read_as_stored(std::string_view bytes) {
  if (const auto tombstone = read_tombstone(bytes)) onceward_assert(*write_tombstone(*tombstone) == bytes);
  const auto response = read_response(bytes);
  if (!response) return;
  static const replay_rules rules{replay_policy{}};
  base::byte_buffer out;
  append_replay(out, *response, rules, {.date = "now"});
  append_shared_answer(out, *response, {.date = "now"});
  onceward_assert(out.readable().starts_with("HTTP/1.1 "));
}

// So that a fuzzer gets behind the checksum.
std::string sealed(std::string_view bytes) {
  std::string whole(bytes);
  const std::uint64_t sum = base::checksum(bytes);
  for (int shift = 0; shift < 64; shift += 8)
    whole.push_back(static_cast<char>(sum >> shift & 0xff));
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_stored(bytes);
  read_as_stored(sealed(bytes));

  const std::string_view stored = bytes.substr(0, size / 2);
  const std::string_view presented = bytes.substr(size / 2);
  onceward_assert(differing_parts(stored, presented).empty() == same_request(stored, presented));
  return 0;
}
