#include "http/characters.h"

#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace onceward::http {

namespace {

enum class sought : std::uint8_t { controls, controls_and_colons };

template <sought what>
bool is_sought(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f || (what == sought::controls_and_colons && c == ':');
}

#if defined(__SSE2__)
constexpr std::ptrdiff_t block_bytes = 16;

// A bit for each byte of the block at `from` that is sought.
template <sought what>
unsigned sought_in_block(const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  // The smaller of a byte and the last control character is the byte itself where that is one.
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  __m128i found = _mm_or_si128(_mm_andnot_si128(tab, low), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
  if constexpr (what == sought::controls_and_colons) {
    found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
  }
  return static_cast<unsigned>(_mm_movemask_epi8(found));
}
#endif

template <sought what>
const char* find_first(const char* from, const char* end) {
#if defined(__SSE2__)
  if (end - from >= block_bytes) {
    for (; end - from >= block_bytes; from += block_bytes) {
      if (const unsigned found = sought_in_block<what>(from); found != 0) return from + std::countr_zero(found);
    }
    // What is left over, together with bytes before it that are known to be none.
    const unsigned found = sought_in_block<what>(end - block_bytes);
    return found == 0 ? end : end - block_bytes + std::countr_zero(found);
  }
#endif
  while (from != end && !is_sought<what>(*from))
    ++from;
  return from;
}

}  // namespace

const char* find_control(const char* from, const char* end) {
  return find_first<sought::controls>(from, end);
}

const char* find_control_or_colon(const char* from, const char* end) {
  return find_first<sought::controls_and_colons>(from, end);
}

bool is_field_value(std::string_view text) {
  const char* end = text.data() + text.size();
  return trimmed(text).size() == text.size() && find_control(text.data(), end) == end;
}

}  // namespace onceward::http
