// Any bytes as the response to a request: what is understood does not depend on how they are cut, and means the same at
// the next hop; another parser takes an accepted head apart in the same way. The first two bytes of the input say where
// it is cut, the third which method was asked.

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
  if (size < 3) return 0;
  const std::size_t first = data[0];
  const std::size_t then = data[1];
  const method_id method = data[2] % 2 == 0 ? method_id::post : method_id::head;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 3), size - 3);

  const transcript::response_options tight{
      .head = {.start_line_bytes_max = 64, .head_bytes_max = 512, .fields_max = 12, .interim_responses_max = 2},
      .body = {.body_bytes_max = 256,
               .chunk_line_bytes_max = 32,
               .chunk_extension_bytes_max = 48,
               .trailer_bytes_max = 64,
               .trailers_max = 3},
      .request_method = method};
  const transcript::response_options wide{.request_method = method};
  for (const auto& options : {tight, wide}) {
    const std::string whole = transcript::read_response(bytes, {}, options);
    onceward_assert(transcript::read_response(bytes, {first, then}, options) == whole);
    if (size < 128) onceward_assert(transcript::read_response(bytes, {1}, options) == whole);
  }

  response_head_reader reader;
  reader.start(method);
  const auto read = reader.feed(bytes);
  if (const auto* head = std::get_if<response_head_view>(&read)) compare_with_beast(*head);
  return 0;
}
