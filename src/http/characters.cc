#include "http/characters.h"

#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace onceward::http {

namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

#if defined(__SSE2__)
constexpr std::ptrdiff_t block_bytes = 16;

// A bit for each control character of the block at `from`.
unsigned controls_in_block(const char* from) {
  // SSE2 compares bytes as signed numbers: with the top bit flipped, unsigned order becomes signed order.
  const __m128i top_bit = _mm_set1_epi8(static_cast<char>(0x80));
  const __m128i first_printable = _mm_set1_epi8(static_cast<char>(0x20 ^ 0x80));
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i low = _mm_cmplt_epi8(_mm_xor_si128(bytes, top_bit), first_printable);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
}
#endif

}  // namespace

const char* find_control(const char* from, const char* end) {
#if defined(__SSE2__)
  if (end - from >= block_bytes) {
    for (; end - from >= block_bytes; from += block_bytes) {
      if (const unsigned found = controls_in_block(from); found != 0) return from + std::countr_zero(found);
    }
    // What is left over, together with bytes before it that are known to be none.
    const unsigned found = controls_in_block(end - block_bytes);
    return found == 0 ? end : end - block_bytes + std::countr_zero(found);
  }
#endif
  while (from != end && !is_control(*from))
    ++from;
  return from;
}

bool is_field_value(std::string_view text) {
  const char* end = text.data() + text.size();
  return trimmed(text).size() == text.size() && find_control(text.data(), end) == end;
}

}  // namespace onceward::http
