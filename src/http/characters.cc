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

// A bit for each byte of the block that is this one.
unsigned equal_in_block(__m128i block, char c) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(c))));
}

// A bit for each control character of the block.
unsigned controls_in_block(__m128i block) {
  // The smaller of a byte and the last control character is the byte itself where that is one.
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
}

__m128i block_at(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
#endif

}  // namespace

const char* find_control(const char* from, const char* end) {
#if defined(__SSE2__)
  if (end - from >= block_bytes) {
    for (; end - from >= block_bytes; from += block_bytes) {
      if (const unsigned found = controls_in_block(block_at(from)); found != 0) return from + std::countr_zero(found);
    }
    // What is left over, together with bytes before it that are known to be none.
    const unsigned found = controls_in_block(block_at(end - block_bytes));
    return found == 0 ? end : end - block_bytes + std::countr_zero(found);
  }
#endif
  while (from != end && !is_control(*from))
    ++from;
  return from;
}

control_and_colon find_control_and_colon(const char* from, const char* end) {
#if defined(__SSE2__)
  for (; end - from >= block_bytes; from += block_bytes) {
    const __m128i block = block_at(from);
    const unsigned controls = controls_in_block(block);
    if (const unsigned colons = equal_in_block(block, ':'); colons != 0) {
      const char* const colon = from + std::countr_zero(colons);
      const char* const control = controls != 0 ? from + std::countr_zero(controls) : find_control(colon, end);
      return {control, colon < control ? colon : nullptr};
    }
    if (controls != 0) return {from + std::countr_zero(controls), nullptr};
  }
#endif
  const char* colon = nullptr;
  for (; from != end && !is_control(*from); ++from) {
    if (*from == ':' && colon == nullptr) colon = from;
  }
  return {from, colon};
}

bool is_field_value(std::string_view text) {
  if (text.empty()) return true;
  const char* end = text.data() + text.size();
  return !is_space_or_tab(text.front()) && !is_space_or_tab(text.back()) && find_control(text.data(), end) == end;
}

}  // namespace onceward::http
