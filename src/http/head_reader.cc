#include "http/head_reader.h"

#include <algorithm>

#include "base/assert.h"
#include "http/head_parser.h"
#include "http/head_rules.h"

namespace onceward::http {

namespace {

constexpr std::size_t fields_reserved = 32;

// `take` makes a head of what was found, where the caller gets it: a head is too large to be moved there.
template <class HeadView, class Take>
std::variant<need_more, HeadView, parse_error> read_head(const head_scanner::outcome& scanned, const Take& take) {
  if (std::holds_alternative<head_scanner::incomplete>(scanned)) return need_more{};
  if (const auto* error = std::get_if<parse_error>(&scanned)) return *error;
  std::variant<need_more, HeadView, parse_error> read(std::in_place_type<HeadView>);
  if (const auto error = take(std::get<head_scanner::found>(scanned), std::get<HeadView>(read))) read = *error;
  return read;
}

// No name that we know has one.
bool has_underscore(const field_view& field) {
  return field.id == field_id::other && field.name.find('_') != std::string_view::npos;
}

}  // namespace

request_head_reader::request_head_reader(const head_limits& limits, underscore_policy underscores)
    : limits_(limits), underscores_(underscores), scanner_(head_kind::request) {
  fields_.reserve(fields_reserved);
}

request_head_reader::outcome request_head_reader::feed(std::string_view input) {
  return read_head<request_head_view>(scanner_.scan(input, limits_),
                                      [&](const auto& marks, auto& head) { return take_head(input, marks, head); });
}

std::optional<parse_error> request_head_reader::take_head(std::string_view input, const head_scanner::found& marks,
                                                          request_head_view& head) {
  head.bytes = marks.end;
  head.raw = between(input, marks.begin, marks.end);
  if (const auto error = parse_request_text(input, marks, head, fields_)) return error;

  if (underscores_ != underscore_policy::keep && head.ids.has(field_id::other)) {
    const auto kept_end = std::remove_if(fields_.begin(), fields_.end(), has_underscore);
    if (kept_end != fields_.end() && underscores_ == underscore_policy::refuse) return parse_error::field_name_refused;
    fields_.erase(kept_end, fields_.end());
  }
  head.fields = fields_;
  return apply_request_rules(head);
}

void request_head_reader::next() {
  scanner_.reset();
}

response_head_reader::response_head_reader(const head_limits& limits) : limits_(limits), scanner_(head_kind::response) {
  fields_.reserve(fields_reserved);
}

void response_head_reader::start(method_id request_method) {
  request_method_ = request_method;
  interim_responses_ = 0;
  scanner_.reset();
}

response_head_reader::outcome response_head_reader::feed(std::string_view input) {
  // What does not begin like a response never becomes one, and may never bring the empty line that ends a head.
  constexpr std::string_view beginning = "HTTP/";
  if (!input.starts_with(beginning) && !input.empty() && input.front() != '\r' && input.front() != '\n' &&
      !beginning.starts_with(input.substr(0, beginning.size()))) {
    return parse_error::status_line_malformed;
  }
  return read_head<response_head_view>(scanner_.scan(input, limits_),
                                       [&](const auto& marks, auto& head) { return take_head(input, marks, head); });
}

std::optional<parse_error> response_head_reader::take_head(std::string_view input, const head_scanner::found& marks,
                                                           response_head_view& head) {
  head.bytes = marks.end;
  head.raw = between(input, marks.begin, marks.end);
  if (const auto error = parse_response_text(input, marks, head, fields_)) return error;
  head.fields = fields_;
  if (const auto error = apply_response_rules(head, request_method_)) return error;
  if (head.is_interim() && ++interim_responses_ > limits_.interim_responses_max) {
    return parse_error::too_many_interim_responses;
  }
  return std::nullopt;
}

void response_head_reader::next() {
  scanner_.reset();
}

}  // namespace onceward::http
