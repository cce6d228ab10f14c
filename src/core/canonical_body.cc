#include "core/canonical_body.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "core/limits.h"
#include "http/characters.h"

namespace onceward::core {
namespace {

void put_with_length(std::string& out, std::string_view bytes) {
  onceward_assert(bytes.size() <= UINT32_MAX);
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>(bytes.size() >> shift & 0xff));
  out += bytes;
}

bool can_be_shown(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !name.empty() && name.size() <= fingerprint_member_name_bytes_max && base::is_utf8(name) &&
         std::ranges::none_of(name, is_control);
}

// Gathers what has one name under that name. One name too many, and there are none.
class member_names {
 public:
  void add(std::string name, std::string text) {
    if (too_many_ || !can_be_shown(name)) return;
    const auto known = std::ranges::find(members_, name, &canonical_body::member::name);
    if (known != members_.end()) {
      known->text += text;
    } else if (members_.size() < fingerprint_members_max) {
      members_.push_back({std::move(name), std::move(text)});
    } else {
      too_many_ = true;
      members_.clear();
    }
  }

  std::vector<canonical_body::member> take() { return std::move(members_); }

 private:
  std::vector<canonical_body::member> members_;
  bool too_many_ = false;
};

// ---- JSON ----------------------------------------------------------------------------------------------------------

std::string pointer_to_member(std::string_view name) {
  std::string pointer = "/";
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer.push_back(c);
    }
  }
  return pointer;
}

std::vector<json_value> values_at(json_value root, std::span<const json_pointer> pointers) {
  std::vector<json_value> values;
  for (const json_pointer& pointer : pointers) {
    const json_found found = find(root, pointer);
    if (const json_value* value = std::get_if<json_value>(&found)) values.push_back(*value);
  }
  return values;
}

canonical_body selected_values(json_value root, std::span<const json_pointer> include,
                               std::span<const json_value> without) {
  canonical_body selected;
  member_names names;
  for (const json_pointer& pointer : include) {
    const json_found found = find(root, pointer);
    const json_value* value = std::get_if<json_value>(&found);
    if (value == nullptr || std::ranges::find(without, *value) != without.end()) continue;
    std::string text;
    append_canonical(text, *value, without);
    put_with_length(selected.text, pointer.text());
    put_with_length(selected.text, text);
    names.add(std::string(pointer.text()), std::move(text));
  }
  selected.members = names.take();
  return selected;
}

// ---- Forms ---------------------------------------------------------------------------------------------------------

// The media type and the parameters of a Content-Type (RFC 9110 section 8.3.1).
struct media_type {
  struct parameter {
    std::string_view name;
    std::string_view written;  // With its quotes.
  };
  std::string_view type;
  std::vector<parameter> parameters;
};

// Where the parameter that `text` begins with ends: at a semicolon outside quotes.
std::size_t parameter_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == ';') {
      return i;
    }
  }
  return text.size();
}

std::optional<media_type> parse_media_type(std::string_view text) {
  media_type parsed;
  std::size_t end = std::min(text.find(';'), text.size());
  parsed.type = http::trimmed(text.substr(0, end));
  while (end != text.size()) {
    text.remove_prefix(end + 1);
    end = parameter_end(text);
    const std::string_view parameter = http::trimmed(text.substr(0, end));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    parsed.parameters.push_back({parameter.substr(0, equals), parameter.substr(equals + 1)});
  }
  return parsed;
}

bool is_multipart(const media_type& type) {
  constexpr std::string_view prefix = "multipart/";
  return base::equals_ignoring_case(type.type.substr(0, prefix.size()), prefix);
}

bool is_boundary(const media_type::parameter& parameter) {
  return base::equals_ignoring_case(parameter.name, "boundary");
}

// Without quotes. Nothing where quoting is broken or anything is escaped, which no real boundary or name needs.
std::optional<std::string_view> unquoted(std::string_view written) {
  if (!written.starts_with('"')) return http::is_token(written) ? std::optional(written) : std::nullopt;
  if (written.size() < 2 || !written.ends_with('"')) return std::nullopt;
  const std::string_view inner = written.substr(1, written.size() - 2);
  if (inner.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
  return inner;
}

std::optional<std::string_view> boundary_of(std::string_view content_type) {
  const std::optional<media_type> type = parse_media_type(content_type);
  if (!type || !is_multipart(*type) || std::ranges::count_if(type->parameters, is_boundary) != 1) return std::nullopt;
  const std::optional<std::string_view> boundary =
      unquoted(std::ranges::find_if(type->parameters, is_boundary)->written);
  // RFC 2046 section 5.1.1.
  if (!boundary || boundary->empty() || boundary->size() > 70) return std::nullopt;
  return boundary;
}

bool decode_form_text(std::string_view text, std::string& decoded) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      decoded.push_back(' ');
    } else if (text[i] == '%') {
      if (text.size() - i < 3) return false;
      const int high = base::hex_digit_value(text[i + 1]);
      const int low = base::hex_digit_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return true;
}

// ---- Multipart -----------------------------------------------------------------------------------------------------

struct multipart_part {
  std::string_view fields;  // Lines, without the empty one that ends them.
  std::string_view content;
};

// Takes one part and the delimiter behind it from the front of `rest`. False if there is none as RFC 2046 has it.
bool take_part(std::string_view& rest, std::string_view delimiter, multipart_part& part) {
  constexpr std::string_view line_end = "\r\n";
  if (rest.starts_with(line_end)) {
    part.fields = {};
    rest.remove_prefix(line_end.size());
  } else {
    const std::size_t end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    part.fields = rest.substr(0, end);
    if (part.fields.find(delimiter) != std::string_view::npos) return false;
    rest.remove_prefix(end + 2 * line_end.size());
  }
  // The line end before a delimiter belongs to the delimiter, also where the content is empty.
  const std::size_t end = rest.find(delimiter);
  if (end == std::string_view::npos || end < line_end.size() ||
      rest.substr(end - line_end.size(), line_end.size()) != line_end) {
    return false;
  }
  part.content = rest.substr(0, end - line_end.size());
  rest.remove_prefix(end + delimiter.size());
  return true;
}

// The name that a part's Content-Disposition gives it; empty if it is not given plainly.
std::string_view name_of(const multipart_part& part) {
  std::string_view lines = part.fields;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !base::equals_ignoring_case(line.substr(0, colon), "content-disposition"))
      continue;
    const std::optional<media_type> disposition = parse_media_type(line.substr(colon + 1));
    if (!disposition) return {};
    for (const media_type::parameter& parameter : disposition->parameters) {
      if (base::equals_ignoring_case(parameter.name, "name")) return unquoted(parameter.written).value_or("");
    }
  }
  return {};
}

}  // namespace

std::optional<canonical_body> canonical_json_body(std::string_view body, std::span<const json_pointer> include,
                                                  std::span<const json_pointer> exclude) {
  const result<json_document> document = json_document::parse(body);
  if (!document || document->has_duplicate_names()) return std::nullopt;
  const json_value root = document->root();
  const std::vector<json_value> without = values_at(root, exclude);
  if (!include.empty()) return selected_values(root, include, without);

  canonical_body whole;
  if (std::ranges::find(without, root) != without.end()) return whole;
  whole.text.reserve(body.size());
  append_canonical(whole.text, root, without);
  if (root.kind() != json_kind::object) return whole;
  member_names names;
  for (std::size_t i = 0; i < root.size(); ++i) {
    if (std::ranges::find(without, root.at(i)) != without.end()) continue;
    std::string text;
    append_canonical(text, root.at(i), without);
    names.add(pointer_to_member(root.name_at(i)), std::move(text));
  }
  whole.members = names.take();
  return whole;
}

std::optional<canonical_body> canonical_form_body(std::string_view body, std::string_view content_type) {
  const std::optional<media_type> type = parse_media_type(content_type);
  if (!type || !base::equals_ignoring_case(type->type, "application/x-www-form-urlencoded")) return std::nullopt;
  canonical_body form;
  member_names names;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('&'), body.size());
    const std::string_view pair = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name;
    std::string value;
    if (!decode_form_text(pair.substr(0, equals), name)) return std::nullopt;
    if (!decode_form_text(pair.substr(std::min(equals + 1, pair.size())), value)) return std::nullopt;
    put_with_length(form.text, name);
    put_with_length(form.text, value);
    std::string text;
    put_with_length(text, value);
    names.add(std::move(name), std::move(text));
  }
  form.members = names.take();
  return form;
}

std::optional<canonical_body> canonical_multipart_body(std::string_view body, std::string_view content_type) {
  const std::optional<std::string_view> boundary = boundary_of(content_type);
  if (!boundary) return std::nullopt;
  const std::string delimiter = "--" + std::string(*boundary);
  if (!body.starts_with(delimiter)) return std::nullopt;
  body.remove_prefix(delimiter.size());

  canonical_body parts;
  member_names names;
  while (body.starts_with("\r\n")) {
    body.remove_prefix(2);
    multipart_part part;
    if (!take_part(body, delimiter, part)) return std::nullopt;
    std::string text;
    put_with_length(text, part.fields);
    put_with_length(text, part.content);
    parts.text += text;
    names.add(std::string(name_of(part)), std::move(text));
  }
  if (body != "--" && body != "--\r\n") return std::nullopt;
  parts.members = names.take();
  return parts;
}

std::string content_type_without_boundary(std::string_view content_type) {
  const std::optional<media_type> type = parse_media_type(content_type);
  if (!type || !is_multipart(*type)) return std::string(content_type);
  std::string kept(type->type);
  for (const media_type::parameter& parameter : type->parameters) {
    if (is_boundary(parameter)) continue;
    kept.append(";").append(parameter.name).append("=").append(parameter.written);
  }
  return kept;
}

}  // namespace onceward::core
