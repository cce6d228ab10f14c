// Any bytes as the value of a key field and as a body with a key in it: a key that is taken is canonical, and it
// survives being forwarded.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/idempotency_key.h"

namespace {

using namespace onceward::core;

key_reader make_reader(key_syntax syntax, std::string pointer) {
  key_policy rules;
  rules.syntax = syntax;
  rules.pointer = std::move(pointer);
  return *key_reader::make(rules);
}

void check(const key_reader& reader, std::string_view value, std::string_view body) {
  const onceward::http::field_view field = onceward::http::make_field("Idempotency-Key", value);
  const key_reading reading = reader.read({&field, 1}, body);
  if (const auto* refused = std::get_if<problem>(&reading)) onceward_assert(!refused->detail.empty());
  const auto* key = std::get_if<idempotency_key>(&reading);
  if (key == nullptr) return;
  onceward_assert(!key->value.empty() && key->value.size() <= 255);

  std::string forwarded;
  append_forwarded_key(forwarded, key_forwarding::quoted, value, key->value);
  const onceward::http::field_view again = onceward::http::make_field("Idempotency-Key", forwarded);
  const key_reading second = reader.read({&again, 1}, body);
  onceward_assert(std::get<idempotency_key>(second).value == key->value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const key_reader lenient = make_reader(key_syntax::lenient, "");
  static const key_reader strict = make_reader(key_syntax::strict, "");
  static const key_reader in_body = make_reader(key_syntax::lenient, "/key");
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(lenient, input, {});
  check(strict, input, {});
  static_cast<void>(in_body.read({}, input));
  return 0;
}
