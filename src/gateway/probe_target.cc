#include "gateway/probe_target.h"

#include <variant>

#include "base/ascii.h"
#include "core/json.h"

namespace onceward::gateway {
namespace {

bool is_unreserved(char c) {
  return base::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
}

bool append_from_body(std::string& out, std::string_view pointer_text, std::string_view body) {
  const auto pointer = core::json_pointer::parse(pointer_text);
  const auto document = core::json_document::parse(body);
  if (!pointer || !document) return false;
  const core::json_found found = core::find(document->root(), *pointer);
  const auto* value = std::get_if<core::json_value>(&found);
  if (value == nullptr) return false;
  if (value->kind() != core::json_kind::string && value->kind() != core::json_kind::number) return false;
  // It would name another resource, such as the collection.
  if (value->text().empty()) return false;
  append_encoded(out, value->text());
  return true;
}

// Servers resolve these, escaped or not, and answer for another resource.
bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    if (segment == "." || segment == "..") return true;
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
  }
  return false;
}

}  // namespace

std::optional<std::string> expand_probe_target(std::string_view url, std::string_view key, std::string_view body) {
  std::string target;
  while (!url.empty()) {
    const std::size_t open = url.find('{');
    target += url.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = url.find('}', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view name = url.substr(open + 1, close - open - 1);
    url = url.substr(close + 1);
    if (name == "key") {
      append_encoded(target, key);
    } else if (!append_from_body(target, name, body)) {
      return std::nullopt;
    }
  }
  if (has_dot_segment(std::string_view(target).substr(0, target.find('?')))) return std::nullopt;
  return target;
}

}  // namespace onceward::gateway
