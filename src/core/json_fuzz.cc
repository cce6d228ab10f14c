// Any bytes: the parser ends, and what it takes for JSON has a canonical form that is its own.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/json.h"

namespace {

using namespace onceward;
using namespace onceward::core;

std::string canonical(const json_document& document) {
  std::string form;
  append_canonical(form, document.root());
  return form;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const result<json_document> document = json_document::parse(text);
  if (document) {
    const std::string form = canonical(*document);
    const result<json_document> again = json_document::parse(form);
    onceward_assert(again.has_value());
    onceward_assert(canonical(*again) == form);
    onceward_assert(again->has_duplicate_names() == document->has_duplicate_names());
  }

  // The input as a pointer into itself: what a pointer finds is a part of the document.
  const result<json_pointer> pointer = json_pointer::parse(text.substr(0, text.find('\n')));
  const std::size_t line_end = text.find('\n');
  if (pointer && line_end != std::string_view::npos) {
    const result<json_document> rest = json_document::parse(text.substr(line_end + 1));
    if (!rest) return 0;
    const json_found found = find(rest->root(), *pointer);
    std::string part;
    if (const auto* value = std::get_if<json_value>(&found)) append_canonical(part, *value);
    onceward_assert(rest->has_duplicate_names() || canonical(*rest).find(part) != std::string::npos);
  }
  return 0;
}
