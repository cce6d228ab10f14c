// For tests and fuzz targets: a head that was read is written for the next hop and read again there. Both hops must
// have understood the same message, and writing it once more must change nothing.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "http/head_reader.h"
#include "http/hop_by_hop.h"
#include "http/writer.h"

namespace onceward::http::round_trip {

// Room for what the writer adds: this is about meaning, not about limits.
inline constexpr head_limits generous{
    .start_line_bytes_max = 1 << 20, .head_bytes_max = 1 << 21, .fields_max = 1 << 17};

inline std::string written(const request_head_view& head) {
  base::byte_buffer out;
  append_forwarded_request_head(out, head, {.framing = head.framing});
  return std::string(out.readable());
}

inline std::string written(const response_head_view& head) {
  base::byte_buffer out;
  append_forwarded_response_head(out, head, {.framing = head.framing});
  return std::string(out.readable());
}

// The fields that the next hop must see as they were, in their order.
template <class HeadView>
std::vector<field_view> forwarded_fields(const HeadView& head) {
  std::vector<field_view> fields;
  for (const field_view& field : head.fields) {
    const bool ours =
        field.id == field_id::host || field.id == field_id::content_length || field.id == field_id::expect;
    if (!ours && !ends_here(field, head.fields, head.connection_names_fields)) fields.push_back(field);
  }
  return fields;
}

// Aborts where the next hop understands something else.
inline void check(const request_head_view& head) {
  if (head.form == target_form::authority) return;  // Never forwarded.
  const std::string bytes = written(head);
  request_head_reader reader(generous, underscore_policy::keep);
  const auto outcome = reader.feed(bytes);
  // Only HTTP/1.0 has messages without a host; what is written is HTTP/1.1, so the caller must name one.
  if (head.authority.empty()) {
    onceward_assert(std::get<parse_error>(outcome) == parse_error::host_malformed);
    return;
  }
  const auto& next = std::get<request_head_view>(outcome);
  onceward_assert(next.bytes == bytes.size());
  onceward_assert(next.method == head.method && next.path == head.path && next.query == head.query);
  onceward_assert(next.authority == head.authority && next.framing == head.framing);
  onceward_assert(next.keep_alive && !next.expects_continue && !next.asks_upgrade && !next.connection_names_fields);
  onceward_assert(forwarded_fields(next) == forwarded_fields(head));
  onceward_assert(written(next) == bytes);
}

inline void check(const response_head_view& head, method_id request_method) {
  const std::string bytes = written(head);
  response_head_reader reader(generous);
  reader.start(request_method);
  const auto outcome = reader.feed(bytes);
  const auto& next = std::get<response_head_view>(outcome);
  onceward_assert(next.bytes == bytes.size());
  onceward_assert(next.status == head.status && next.reason == head.reason);
  onceward_assert(next.framing == head.framing);
  onceward_assert(next.declared_length == head.declared_length || forbids_body(head.status));
  onceward_assert(forwarded_fields(next) == forwarded_fields(head));
  onceward_assert(written(next) == bytes);
}

}  // namespace onceward::http::round_trip
