// The forms in which two bodies that say the same are the same bytes, however they were written: JSON, form fields,
// parts.
//
// Each function gives nothing where the body is not what its name says, to the letter; the caller then compares raw
// bytes, which can only take one request for two and never two for one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace onceward::core {

struct canonical_body {
  // Injective: equal for two bodies if and only if they say the same.
  std::string text;

  // The body's parts by name, so that a mismatch can say what differs: the pointers of a JSON object's members, the
  // names of fields. Names that cannot be shown are left out, and all are where there are more than
  // fingerprint_members_max.
  struct member {
    std::string name;
    std::string text;
  };
  std::vector<member> members;
};

// Values at the pointers of `exclude` do not count; where `include` is not empty, only values at its pointers do.
// Nothing for duplicate names, whose meaning depends on the reader.
std::optional<canonical_body> canonical_json_body(std::string_view body, std::span<const json_pointer> include,
                                                  std::span<const json_pointer> exclude);

// application/x-www-form-urlencoded: the pairs in their order, decoded. Nothing for another content type, because
// decoding changes the meaning of other text.
std::optional<canonical_body> canonical_form_body(std::string_view body, std::string_view content_type);

// multipart/*: the parts in their order, their own fields and content as bytes, without the boundary.
std::optional<canonical_body> canonical_multipart_body(std::string_view body, std::string_view content_type);

// A Content-Type with its parameter `boundary` left out, if it is a multipart type; otherwise as it is.
std::string content_type_without_boundary(std::string_view content_type);

}  // namespace onceward::core
