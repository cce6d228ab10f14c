#include "core/idempotency_key.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "core/limits.h"
#include "http/characters.h"
#include "http/structured_field.h"

namespace onceward::core {
namespace {

// A key, or the sentence that says why there is none.
using parsed_key = tl::expected<std::string, std::string>;

tl::unexpected<std::string> fault(std::string sentence) {
  return tl::unexpected(std::move(sentence));
}

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_bare_key(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return base::is_visible(c) && c != '"' && c != ',' && c != ';'; });
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(' ') == std::string_view::npos;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_hyphen_place = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_hyphen_place ? text[i] != '-' : base::hex_digit_value(text[i]) < 0) return false;
  }
  return true;
}

parsed_key parse_quoted(std::string_view name, std::string_view value) {
  auto parsed = http::parse_sf_item(value);
  if (const auto* error = std::get_if<http::sf_error>(&parsed)) {
    return fault("The value of " + std::string(name) + " is not one Structured Field string: at byte " +
                 std::to_string(error->offset + 1) + ", " + std::string(error->reason) + ".");
  }
  auto* key = std::get_if<std::string>(&std::get<http::sf_item>(parsed).value);
  if (key == nullptr) {
    return fault("The value of " + std::string(name) +
                 " is a Structured Field item but not a string; put it in double quotes.");
  }
  return std::move(*key);
}

parsed_key parse_bare(std::string_view name, std::string_view value) {
  if (value.find(',') != std::string_view::npos) {
    return fault("The value of " + std::string(name) + " is a list; one key is expected.");
  }
  if (!is_bare_key(value)) {
    return fault("The value of " + std::string(name) +
                 " has white space, a semicolon or a double quote in it; such a key must be a quoted string.");
  }
  return std::string(value);
}

parsed_key parse_field(std::string_view name, std::string_view value, key_syntax syntax) {
  if (value.empty()) return fault("The value of " + std::string(name) + " is empty.");
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return fault("The value of " + std::string(name) + " has bytes in it that are not ASCII.");
  }
  if (syntax == key_syntax::strict || value.front() == '"') return parse_quoted(name, value);
  return parse_bare(name, value);
}

// Nothing where the body has no key.
std::optional<parsed_key> parse_body(const json_pointer& pointer, std::string_view body) {
  const std::string place = "The body's member " + std::string(pointer.text());
  const result<json_document> document = json_document::parse(body);
  if (!document) {
    if (document.error() != errc::too_large) return std::nullopt;
    return fault("The body is nested too deeply, or has too many values, for " + std::string(pointer.text()) +
                 " to be looked up in it.");
  }
  const json_found found = find(document->root(), pointer);
  if (std::holds_alternative<json_absent>(found)) return std::nullopt;
  const json_value* value = std::get_if<json_value>(&found);
  if (value == nullptr) return fault(place + " is there more than once.");
  if (value->kind() == json_kind::null) return std::nullopt;
  if (value->kind() != json_kind::string) return fault(place + " is not a string.");
  if (!is_printable_ascii(value->text())) return fault(place + " has characters in it that are not printable ASCII.");
  return parsed_key(std::string(value->text()));
}

// Nothing of these types is configurable, so any policy will do.
problem refusal(problem_type type, std::string sentence = {}) {
  problem refused = make_problem(type, policy{}, operation_state::absent);
  refused.detail = std::move(sentence);
  return refused;
}

tl::unexpected<policy_error> wrong(std::string setting, std::string message) {
  return tl::unexpected(policy_error{std::move(setting), std::move(message)});
}

}  // namespace

tl::expected<key_reader, policy_error> key_reader::make(const key_policy& rules) {
  key_reader reader;
  reader.rules_ = rules;
  if (!http::is_token(rules.header)) return wrong("header", "'" + rules.header + "' is not the name of a field.");
  reader.names_.emplace_back(rules.header);
  for (const std::string& alias : rules.aliases) {
    if (!http::is_token(alias)) return wrong("aliases", "'" + alias + "' is not the name of a field.");
    const bool is_known = std::ranges::any_of(
        reader.names_, [&](const field_name& name) { return base::equals_ignoring_case(name.text(), alias); });
    if (!is_known) reader.names_.emplace_back(alias);
  }
  if (!rules.pointer.empty()) {
    auto pointer = json_pointer::parse(rules.pointer);
    if (!pointer) return wrong("pointer", "'" + rules.pointer + "' is not a JSON pointer, as /idempotency_key is.");
    reader.pointer_ = std::move(*pointer);
  }
  if (!rules.pattern.empty()) {
    RE2::Options options;
    options.set_log_errors(false);
    auto pattern = std::make_shared<const RE2>(rules.pattern, options);
    if (!pattern->ok())
      return wrong("pattern", "'" + rules.pattern + "' is not a regular expression: " + pattern->error() + ".");
    reader.pattern_ = std::move(pattern);
  }
  if (rules.length_max == 0 || rules.length_max > idempotency_key_bytes_max) {
    return wrong("max_length",
                 "The longest key must have 1 to " + std::to_string(idempotency_key_bytes_max) + " characters.");
  }
  if (rules.length_min > rules.length_max) return wrong("min_length", "The shortest key is longer than the longest.");
  return reader;
}

bool key_reader::is_key_field(const http::field_view& field) const {
  return std::ranges::any_of(names_, [&](const field_name& name) { return name.names(field); });
}

key_reading key_reader::read(http::fields_view fields, std::string_view body) const {
  const bool is_forbidden = rules_.presence == key_presence::forbidden;
  std::optional<std::string> key;
  std::string_view place;

  for (const field_name& name : names_) {
    std::size_t lines = 0;
    std::string_view value;
    for (const http::field_view& field : fields) {
      if (!name.names(field)) continue;
      ++lines;
      value = field.value;
    }
    if (lines == 0) continue;
    if (is_forbidden) return refusal(problem_type::key_forbidden);
    if (lines > 1) return refusal(problem_type::key_invalid, std::string(name.text()) + " is there more than once.");
    parsed_key parsed = parse_field(name.text(), value, rules_.syntax);
    if (!parsed) return refusal(problem_type::key_invalid, std::move(parsed.error()));
    if (key && *key != *parsed) {
      return refusal(problem_type::key_invalid,
                     std::string(place) + " and " + std::string(name.text()) + " hold two different keys.");
    }
    key = std::move(*parsed);
    place = name.text();
  }

  if (pointer_) {
    std::optional<parsed_key> parsed = parse_body(*pointer_, body);
    if (parsed && is_forbidden) return refusal(problem_type::key_forbidden);
    if (parsed && !*parsed) return refusal(problem_type::key_invalid, std::move(parsed->error()));
    if (parsed && key && *key != **parsed) {
      return refusal(problem_type::key_invalid, std::string(place) + " and the body's member " +
                                                    std::string(pointer_->text()) + " hold two different keys.");
    }
    if (parsed) key = std::move(**parsed);
  }

  if (key) return checked(std::move(*key));
  if (rules_.presence == key_presence::required) return refusal(problem_type::key_missing);
  return no_key{};
}

// What holds for every key, wherever it was.
key_reading key_reader::checked(std::string key) const {
  const auto refused = [](std::string sentence) { return refusal(problem_type::key_invalid, std::move(sentence)); };
  if (key.empty()) return refused("The idempotency key is empty.");
  if (is_blank(key)) return refused("The idempotency key consists of spaces only.");
  if (key.size() > rules_.length_max) {
    return refused("The idempotency key is longer than " + std::to_string(rules_.length_max) + " characters.");
  }
  if (key.size() < rules_.length_min) {
    return refused("The idempotency key is shorter than " + std::to_string(rules_.length_min) + " characters.");
  }
  if (rules_.format == key_format::uuid && !is_uuid(key)) return refused("The idempotency key is not a UUID.");
  if (pattern_ && !RE2::FullMatch(key, *pattern_)) {
    return refused("The idempotency key does not have the form that this operation asks for.");
  }
  onceward_assert(is_printable_ascii(key));
  return idempotency_key{std::move(key)};
}

void append_forwarded_key(std::string& out, key_forwarding form, std::string_view as_sent, std::string_view key) {
  switch (form) {
    case key_forwarding::as_sent:
      out += as_sent;
      return;
    case key_forwarding::bare:
      out += key;
      return;
    case key_forwarding::quoted:
      break;
  }
  out.push_back('"');
  for (const char c : key) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace onceward::core
