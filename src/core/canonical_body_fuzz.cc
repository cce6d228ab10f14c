// Any bytes as a content type, a line end, and a body: forms and parts are read within their bounds or not at all.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/canonical_body.h"
#include "core/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onceward::core;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = input.find('\n');
  const std::string_view content_type = input.substr(0, line_end);
  const std::string_view body = line_end == std::string_view::npos ? std::string_view{} : input.substr(line_end + 1);

  for (const auto& read :
       {canonical_form_body(body, content_type), canonical_multipart_body(body, content_type),
        canonical_form_body(body, "application/x-www-form-urlencoded"),
        canonical_multipart_body(body, "multipart/form-data; boundary=b"), canonical_json_body(body, {}, {})}) {
    if (!read) continue;
    onceward_assert(read->members.size() <= fingerprint_members_max);
    for (const canonical_body::member& member : read->members)
      onceward_assert(!member.name.empty());
  }
  onceward_assert(content_type_without_boundary(content_type).size() <= content_type.size());
  return 0;
}
