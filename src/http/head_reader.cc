#include "http/head_reader.h"

#include <algorithm>

#include "base/assert.h"
#include "http/head_parser.h"
#include "http/head_rules.h"

namespace onceward::http {

namespace {

constexpr std::size_t fields_reserved = 32;

// No name that we know has one.
bool has_underscore(const field_view& field) {
  return field.id == field_id::other && field.name.find('_') != std::string_view::npos;
}

// The head without white space before its colons. Every line of it is whole.
void copy_unpadded(std::string_view head, std::string& out) {
  out.clear();
  while (!head.empty()) {
    const std::size_t line_end = head.find('\n') + 1;
    const std::string_view line = head.substr(0, line_end);
    head.remove_prefix(line_end);

    const bool is_status_line = out.empty();
    const std::size_t colon = line.find(':');
    if (is_status_line || colon == std::string_view::npos) {
      out += line;
      continue;
    }
    std::string_view name = line.substr(0, colon);
    while (!name.empty() && is_space_or_tab(name.back()))
      name.remove_suffix(1);
    out += name;
    out += line.substr(colon);
  }
}

}  // namespace

request_head_reader::request_head_reader(const head_limits& limits, underscore_policy underscores)
    : limits_(limits), underscores_(underscores), scanner_(head_kind::request) {
  fields_.reserve(fields_reserved);
}

request_head_reader::outcome request_head_reader::feed(std::string_view input) {
  const auto scanned = scanner_.scan(input, limits_);
  if (std::holds_alternative<head_scanner::incomplete>(scanned)) return need_more{};
  if (const auto* error = std::get_if<parse_error>(&scanned)) return *error;
  const auto& found = std::get<head_scanner::found>(scanned);

  request_head_view head;
  head.bytes = found.end;
  head.raw = input.substr(found.begin, found.end - found.begin);
  if (const auto error = parse_request_text(head.raw, head, fields_)) return *error;
  onceward_assert(fields_.size() == found.fields);

  if (underscores_ != underscore_policy::keep) {
    const auto kept_end = std::remove_if(fields_.begin(), fields_.end(), has_underscore);
    if (kept_end != fields_.end() && underscores_ == underscore_policy::refuse) return parse_error::field_name_refused;
    fields_.erase(kept_end, fields_.end());
  }
  head.fields = fields_;
  if (const auto error = apply_request_rules(head)) return *error;
  return head;
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
  if (!input.empty() && input.front() != '\r' && input.front() != '\n' &&
      !beginning.starts_with(input.substr(0, beginning.size()))) {
    return parse_error::status_line_malformed;
  }
  const auto scanned = scanner_.scan(input, limits_);
  if (std::holds_alternative<head_scanner::incomplete>(scanned)) return need_more{};
  if (const auto* error = std::get_if<parse_error>(&scanned)) return *error;
  const auto& found = std::get<head_scanner::found>(scanned);

  response_head_view head;
  head.bytes = found.end;
  head.raw = input.substr(found.begin, found.end - found.begin);
  if (found.padded_names) {
    copy_unpadded(head.raw, unpadded_);
    head.raw = unpadded_;
  }
  if (const auto error = parse_response_text(head.raw, head, fields_)) return *error;
  onceward_assert(fields_.size() == found.fields);
  head.fields = fields_;
  if (const auto error = apply_response_rules(head, request_method_)) return *error;
  if (head.is_interim() && ++interim_responses_ > limits_.interim_responses_max) {
    return parse_error::too_many_interim_responses;
  }
  return head;
}

void response_head_reader::next() {
  scanner_.reset();
}

}  // namespace onceward::http
