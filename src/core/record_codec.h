// The bytes of a stored response and of a tombstone: what a store keeps of an answer, for years and across versions.
// Their form is on the page docs/record-format.md; tests hold golden bytes.
//
// A stored response keeps its fields as the lines of a message head, so that a replay copies them in one piece. They
// come in two blocks: those that are replayed as they are, and those that a replay renames.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/fields.h"
#include "onceward/result.h"
#include "onceward/store.h"

namespace onceward::core {

// Takes lines of `Name: value` apart.
class field_lines_view {
 public:
  explicit field_lines_view(std::string_view lines) : rest_(lines) {}

  // The next field, until there is none or the rest is no such line. The field's id is not resolved.
  bool next(http::field_view& field);

 private:
  std::string_view rest_;
};

struct stored_response_view {
  std::uint16_t status = 0;
  bool has_cache_control = false;
  std::string_view fields;          // Lines replayed as they are.
  std::string_view renamed_fields;  // Lines replayed as Original-<name>.
  std::string_view body;
};

struct tombstone_view {
  std::uint16_t status = 0;
  std::string_view location;  // Empty if there was none.
};

// Views into `bytes`. `version`: of a version, or kind, that this build does not read. `corrupt`: fails its checksum or
// contradicts itself.
result<stored_response_view> read_response(std::string_view bytes);
result<tombstone_view> read_tombstone(std::string_view bytes);

// What write_response() takes: the fields that are replayed as they are, and those that a replay renames.
// borrows: from the caller, until write_response() returns
struct response_to_store {
  std::uint16_t status;  // 100 to 599.
  http::fields_view fields;
  http::fields_view renamed_fields;
  std::string_view body;
};

// Names and values are those of a checked head, without line ends. Lengths are those of one HTTP message: 4 GiB and
// more is a broken promise.
shared_bytes write_response(const response_to_store& response);
shared_bytes write_tombstone(const tombstone_view& tombstone);

}  // namespace onceward::core
