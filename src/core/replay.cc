#include "core/replay.h"

#include <algorithm>

#include "core/limits.h"
#include "http/framing.h"
#include "http/hop_by_hop.h"

namespace onceward::core {
namespace {

// RFC 9110 sections 15.3.5 and 15.4.5; RFC 9112 section 6.3.
http::body_framing framing_of(const stored_response_view& stored) {
  const bool bodiless = stored.status < 200 || stored.status == 204 || stored.status == 304;
  if (bodiless) return http::no_body{};
  return http::content_length{stored.body.size()};
}

void append_end(base::byte_buffer& out, const stored_response_view& stored, const stored_response_sending& how) {
  for (const http::field_view& field : how.extra)
    http::append_field(out, field.name, field.value);
  switch (how.connection) {
    case http::connection_option::none:
      break;
    case http::connection_option::close:
      http::append_field(out, "Connection: close");
      break;
    case http::connection_option::keep_alive:
      http::append_field(out, "Connection: keep-alive");
      break;
  }
  const http::body_framing framing = framing_of(stored);
  http::append_framing(out, framing);
  http::append_end_of_head(out);
  if (!std::holds_alternative<http::no_body>(framing)) out.append(stored.body);
}

bool has_date(std::string_view lines) {
  field_lines_view view(lines);
  http::field_view field;
  while (view.next(field)) {
    if (http::names_equal(field.name, "date")) return true;
  }
  return false;
}

}  // namespace

replay_rules::replay_rules(const replay_policy& rules)
    : marker_(rules.marker), marker_line_(rules.marker + ": true\r\n") {
  for (const std::string& name : rules.dropped)
    dropped_.add(name);
  for (const std::string& name : rules.renamed)
    renamed_.add(name);
}

namespace {

// The fields by which the gateway speaks of itself: nobody says them in its name.
bool is_ours(std::string_view name) {
  constexpr std::string_view beginning = "onceward-";
  return name.size() > beginning.size() && http::names_equal(name.substr(0, beginning.size()), beginning);
}

}  // namespace

field_fate replay_rules::fate_of(const http::field_view& field, const http::response_head_view& head) const {
  using enum http::field_id;
  if (field.id == content_length || field.id == age || field.id == idempotency_outcome) return field_fate::dropped;
  if (http::ends_here(field, head.fields, head.connection_names_fields)) return field_fate::dropped;
  if (field.id == other && is_ours(field.name)) return field_fate::dropped;
  if (marker_.names(field) || dropped_.include(field)) return field_fate::dropped;
  if (renamed_.include(field)) return field_fate::renamed;
  // A replay has a Date of its own.
  return field.id == date ? field_fate::dropped : field_fate::kept;
}

shared_bytes replay_rules::keep(const http::response_head_view& head, std::string_view body) const {
  std::vector<http::field_view> kept;
  std::vector<http::field_view> renamed;
  kept.reserve(head.fields.size());
  for (const http::field_view& field : head.fields) {
    switch (fate_of(field, head)) {
      case field_fate::dropped:
        break;
      case field_fate::kept:
        kept.push_back(field);
        break;
      case field_fate::renamed:
        renamed.push_back(field);
        break;
    }
  }
  return write_response(
      {.status = static_cast<std::uint16_t>(head.status), .fields = kept, .renamed_fields = renamed, .body = body});
}

shared_bytes keep_tombstone(const http::response_head_view& head) {
  std::string_view location = http::find(head.fields, http::field_id::location).value_or("");
  if (location.size() > tombstone_location_bytes_max) location = {};
  return write_tombstone({.status = static_cast<std::uint16_t>(head.status), .location = location});
}

void append_replay(base::byte_buffer& out, const stored_response_view& stored, const replay_rules& rules,
                   const stored_response_sending& how) {
  http::append_status_line(out, stored.status, http::reason_of(stored.status));
  out.append(stored.fields);
  field_lines_view renamed(stored.renamed_fields);
  http::field_view field;
  while (renamed.next(field)) {
    // Not append_field(): what it asserts of our own fields, a store cannot be held to.
    out.append("Original-");
    out.append(field.name);
    out.append(": ");
    out.append(field.value);
    out.append("\r\n");
  }
  out.append(rules.marker_line());
  if (!stored.has_cache_control) http::append_field(out, "Cache-Control: no-store");
  http::append_field(out, "Date", how.date);
  append_end(out, stored, how);
}

void append_shared_answer(base::byte_buffer& out, const stored_response_view& stored,
                          const stored_response_sending& how) {
  http::append_status_line(out, stored.status, http::reason_of(stored.status));
  out.append(stored.fields);
  out.append(stored.renamed_fields);
  if (!has_date(stored.renamed_fields)) http::append_field(out, "Date", how.date);
  append_end(out, stored, how);
}

}  // namespace onceward::core
