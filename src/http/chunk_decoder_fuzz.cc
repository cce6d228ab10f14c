// Any bytes as a chunked body: the data, the end and the verdict do not depend on how they are cut, and the data
// chunked anew is the same data. The first two bytes of the input say where it is cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/assert.h"
#include "base/bytes.h"
#include "http/chunk_decoder.h"
#include "http/writer.h"

namespace {

using namespace onceward::http;

struct decoded {
  std::string data;
  std::size_t consumed = 0;
  bool done = false;
  std::optional<parse_error> error;
  friend bool operator==(const decoded&, const decoded&) = default;
};

decoded decode(std::string_view bytes, std::size_t first, std::size_t then) {
  chunk_decoder decoder(
      {.chunk_line_bytes_max = 32, .chunk_extension_bytes_max = 48, .trailer_bytes_max = 64, .trailers_max = 3});
  decoded result;
  for (std::size_t size = first; !bytes.empty() && !result.done; size = then) {
    std::string_view piece = bytes.substr(0, std::max<std::size_t>(size, 1));
    bytes.remove_prefix(piece.size());
    while (!piece.empty() && !result.done) {
      const auto step = decoder.consume(piece);
      if (const auto* error = std::get_if<parse_error>(&step)) {
        // How much was consumed before the fault is a matter of the cuts.
        return {.data = result.data, .consumed = 0, .done = false, .error = *error};
      }
      const auto& progress = std::get<body_progress>(step);
      onceward_assert(progress.consumed > 0 && progress.consumed <= piece.size());
      onceward_assert(progress.data.empty() ||
                      (progress.data.data() >= piece.data() && progress.data.size() <= progress.consumed));
      result.data += progress.data;
      result.consumed += progress.consumed;
      result.done = progress.done;
      piece.remove_prefix(progress.consumed);
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  const decoded whole = decode(bytes, bytes.size(), bytes.size());
  onceward_assert(decode(bytes, data[0], data[1]) == whole);
  onceward_assert(decode(bytes, 1, 1) == whole);

  if (whole.done) {
    onceward::base::byte_buffer out;
    for (std::size_t at = 0; at < whole.data.size(); at += data[0] + 1U) {
      append_chunk(out, std::string_view(whole.data).substr(at, data[0] + 1U));
    }
    append_last_chunk(out);
    const decoded again = decode(out.readable(), out.size(), out.size());
    onceward_assert(again.done && again.data == whole.data && again.consumed == out.size());
  }
  return 0;
}
