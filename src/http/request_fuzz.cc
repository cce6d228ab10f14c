// Any bytes as a connection's requests: what is understood does not depend on how they are cut, and means the same at
// the next hop; another parser takes an accepted head apart in the same way. The first two bytes of the input say where
// it is cut.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "http/beast_reading_test.h"
#include "http/head_reader.h"
#include "http/transcript_test.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onceward::http;
  if (size < 2) return 0;
  const std::size_t first = data[0];
  const std::size_t then = data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);

  // Near enough to be met by chance.
  const transcript::request_options tight{
      .head = {.start_line_bytes_max = 128, .method_bytes_max = 12, .head_bytes_max = 512, .fields_max = 12},
      .body = {.body_bytes_max = 256,
               .chunk_line_bytes_max = 32,
               .chunk_extension_bytes_max = 48,
               .trailer_bytes_max = 64,
               .trailers_max = 3}};
  const transcript::request_options wide{.underscores = underscore_policy::keep};
  for (const auto& options : {tight, wide}) {
    const std::string whole = transcript::read_requests(bytes, {}, options);
    onceward_assert(transcript::read_requests(bytes, {first, then}, options) == whole);
    if (size < 128) onceward_assert(transcript::read_requests(bytes, {1}, options) == whole);
  }

  request_head_reader reader({}, underscore_policy::keep);
  const auto read = reader.feed(bytes);
  if (const auto* head = std::get_if<request_head_view>(&read)) compare_with_beast(*head);
  return 0;
}
