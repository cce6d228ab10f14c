#include "http/target.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/characters.h"

namespace onceward::http {

namespace {

constexpr std::uint64_t port_max = 65535;

bool is_port(std::string_view digits) {
  if (digits.empty()) return true;  // RFC 3986 section 3.2.3 allows a colon without a number.
  const auto port = base::parse_decimal(digits);
  return port && *port <= port_max;
}

// The inside of an IP literal's brackets: an IPv6 address by its characters. Who connects to it parses it in full.
bool is_ipv6_text(std::string_view text) {
  const auto fits = [](char c) { return base::hex_digit_value(c) >= 0 || c == ':' || c == '.'; };
  constexpr std::size_t longest = 45;
  return text.size() <= longest && std::count(text.begin(), text.end(), ':') >= 2 &&
         std::all_of(text.begin(), text.end(), fits);
}

bool has_valid_encoding(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (text.size() - at < 3 || base::hex_digit_value(text[at + 1]) < 0 || base::hex_digit_value(text[at + 2]) < 0) {
      return false;
    }
  }
  return true;
}

// Takes `path?query` apart.
void split_query(std::string_view text, target_view& into) {
  const std::size_t mark = text.find('?');
  into.path = text.substr(0, mark);
  if (mark != std::string_view::npos) into.query = text.substr(mark + 1);
}

std::optional<target_view> parse_absolute(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = target.substr(0, colon);
  if (!base::equals_ignoring_case(scheme, "http") && !base::equals_ignoring_case(scheme, "https")) return std::nullopt;

  const std::string_view rest = target.substr(colon + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  target_view parsed;
  parsed.form = target_form::absolute;
  parsed.authority = rest.substr(0, authority_end);
  if (!is_authority(parsed.authority)) return std::nullopt;
  split_query(rest.substr(authority_end), parsed);
  return parsed;
}

// An encoded byte, `high` and `low` being its digits' values.
path_class classify_encoded(int high, int low) {
  const auto byte = static_cast<char>(high * 16 + low);
  if (byte == '/') return path_class::encoded_slash;
  if (byte == '\\') return path_class::backslash;
  if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return path_class::encoded_control;
  if (base::is_alnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~') {
    return path_class::encoded_unreserved;
  }
  return path_class::plain;
}

// The length of a `.` at the front, plain or encoded; 0 if there is none.
std::size_t dot_at_front(std::string_view text) {
  if (text.starts_with('.')) return 1;
  return text.starts_with("%2E") || text.starts_with("%2e") ? 3 : 0;
}

// `text` begins after a slash.
bool begins_with_dot_segment(std::string_view text) {
  std::size_t dots = dot_at_front(text);
  if (dots == 0) return false;
  dots += dot_at_front(text.substr(dots));
  return dots == text.size() || text[dots] == '/' || text[dots] == ';';
}

}  // namespace

std::optional<target_view> parse_target(std::string_view target) {
  if (target.empty() || !all_in(class_target, target)) return std::nullopt;
  target_view parsed;
  if (target.front() == '/') {
    split_query(target, parsed);
    return parsed;
  }
  if (target == "*") {
    parsed.form = target_form::asterisk;
    parsed.path = target;
    return parsed;
  }
  if (target.find('/') != std::string_view::npos || target.find('?') != std::string_view::npos) {
    return parse_absolute(target);
  }
  // CONNECT needs a port: a name alone is no authority form (RFC 9112 section 3.2.3).
  const std::size_t colon = target.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == target.size() || !is_authority(target)) return std::nullopt;
  parsed.form = target_form::authority;
  parsed.authority = target;
  return parsed;
}

bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6_text(text.substr(1, close - 1))) return false;
    const std::string_view port = text.substr(close + 1);
    return port.empty() || (port.front() == ':' && is_port(port.substr(1)));
  }
  const auto* const host_end = std::find_if_not(text.begin(), text.end(), [](char c) { return is_in(class_host, c); });
  const std::string_view host(text.begin(), host_end);
  if (host.empty() || !has_valid_encoding(host)) return false;
  return host_end == text.end() || (*host_end == ':' && is_port({host_end + 1, text.end()}));
}

path_class classify_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    switch (path[i]) {
      case '/': {
        const std::string_view rest = path.substr(i + 1);
        if (rest.starts_with('/')) return path_class::empty_segment;
        if (begins_with_dot_segment(rest)) return path_class::dot_segment;
        break;
      }
      case '\\':
        return path_class::backslash;
      case '%': {
        const int high = path.size() - i > 2 ? base::hex_digit_value(path[i + 1]) : -1;
        const int low = path.size() - i > 2 ? base::hex_digit_value(path[i + 2]) : -1;
        if (high < 0 || low < 0) return path_class::malformed_encoding;
        const path_class found = classify_encoded(high, low);
        if (found != path_class::plain) return found;
        i += 2;
        break;
      }
      default:
        break;
    }
  }
  return path_class::plain;
}

std::string_view to_string(path_class found) {
  switch (found) {
    case path_class::plain:
      return "plain";
    case path_class::dot_segment:
      return "dot-segment";
    case path_class::empty_segment:
      return "empty-segment";
    case path_class::backslash:
      return "backslash";
    case path_class::encoded_slash:
      return "encoded-slash";
    case path_class::encoded_control:
      return "encoded-control";
    case path_class::encoded_unreserved:
      return "encoded-unreserved";
    case path_class::malformed_encoding:
      return "malformed-encoding";
  }
  return "";
}

}  // namespace onceward::http
