#include "stores/postgres/wake_up_text.h"

#include "base/assert.h"
#include "base/hex.h"

namespace onceward::postgres {
namespace {

constexpr std::size_t digits_per_key = 2 * sizeof(record_key::bytes);

}  // namespace

std::string wake_up_text(std::span<const record_key> keys) {
  onceward_assert(keys.size() <= keys_per_wake_up_max);
  std::string text;
  text.reserve(keys.size() * digits_per_key);
  for (const record_key& key : keys)
    text += base::to_hex(key.bytes);
  return text;
}

std::vector<record_key> keys_in(std::string_view text) {
  if (text.size() % digits_per_key != 0 || text.size() > keys_per_wake_up_max * digits_per_key) return {};
  std::vector<record_key> keys;
  for (; !text.empty(); text.remove_prefix(digits_per_key)) {
    if (!base::from_hex(text.substr(0, digits_per_key), keys.emplace_back().bytes)) return {};
  }
  return keys;
}

}  // namespace onceward::postgres
