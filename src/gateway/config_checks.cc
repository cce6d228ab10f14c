#include "gateway/config_checks.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/system/error_code.hpp>

#include "base/ascii.h"
#include "core/json.h"
#include "gateway/config_finding.h"
#include "http/characters.h"
#include "http/fields.h"
#include "http/hop_by_hop.h"
#include "http/method.h"
#include "http/target.h"

namespace onceward::gateway {
namespace {

constexpr std::size_t name_bytes_max = 128;

bool all_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), base::is_visible);
}

// The part of a URL template before its first placeholder, or nothing if a brace is out of place.
bool has_sound_placeholders(std::string_view url) {
  std::size_t placeholders = 0;
  while (true) {
    const std::size_t open = url.find_first_of("{}");
    if (open == std::string_view::npos) return placeholders > 0;
    const std::size_t close = url.find_first_of("{}", open + 1);
    if (url[open] != '{' || close == std::string_view::npos || url[close] != '}') return false;
    const std::string_view name = url.substr(open + 1, close - open - 1);
    const bool is_pointer = name.starts_with('/') && core::json_pointer::parse(name).has_value();
    if (name != "key" && !is_pointer) return false;
    ++placeholders;
    url.remove_prefix(close + 1);
  }
}

}  // namespace

std::optional<std::string> check_field_name(std::string_view text) {
  if (http::is_token(text) && text.size() <= name_bytes_max) return std::nullopt;
  return fmt::format("must be a field name such as Idempotency-Key, not {}", in_quotes(text));
}

std::optional<std::string> check_request_field_name(std::string_view text) {
  if (auto objection = check_field_name(text)) return objection;
  const http::field_id id = http::identify(text);
  if (http::is_hop_by_hop(id) || id == http::field_id::host || id == http::field_id::content_length ||
      id == http::field_id::expect) {
    return fmt::format("cannot be {}, which belongs to the connection and not to the request", in_quotes(text));
  }
  if (text.find('_') != std::string_view::npos) {
    return fmt::format("cannot be {}: fields with an underscore in their name are taken out of requests",
                       in_quotes(text));
  }
  return std::nullopt;
}

std::optional<std::string> check_method(std::string_view text) {
  constexpr std::array<std::string_view, 9> known{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS",
                                                  "PATCH",   "POST",   "PUT", "TRACE"};
  constexpr std::size_t method_bytes_max = 32;
  const bool is_method = http::is_token(text) && text.size() <= method_bytes_max;
  for (const std::string_view name : known) {
    if (text != name && base::equals_ignoring_case(text, name)) {
      return fmt::format("must be a method as it is sent, not {}; did you mean `{}`?", in_quotes(text), name);
    }
  }
  if (is_method) return std::nullopt;
  return fmt::format("must be a method such as POST, not {}", in_quotes(text));
}

std::optional<std::string> check_guarded_method(std::string_view text) {
  if (auto objection = check_method(text)) return objection;
  const http::method_id id = http::identify_method(text);
  if (http::is_safe(id) || id == http::method_id::connect) {
    return fmt::format("cannot be {}: only methods that change something are guarded", text);
  }
  return std::nullopt;
}

std::optional<std::string> check_json_pointer(std::string_view text) {
  const auto pointer = core::json_pointer::parse(text);
  if (pointer && !text.empty()) return std::nullopt;
  if (!pointer && pointer.error() == errc::too_large) return "is longer than a JSON pointer may be here";
  const bool lacks_slash = !text.empty() && core::json_pointer::parse(fmt::format("/{}", text)).has_value();
  return fmt::format("must be a JSON pointer such as /payment/id, not {}{}", in_quotes(text),
                     lacks_slash && text.front() != '/' ? "; it begins with a slash" : "");
}

std::optional<std::string> check_probe_url(std::string_view text) {
  constexpr std::size_t url_bytes_max = 2048;
  if (text.starts_with('/') && text.size() <= url_bytes_max && all_visible(text) &&
      text.find('#') == std::string_view::npos && has_sound_placeholders(text)) {
    return std::nullopt;
  }
  return fmt::format(
      "must be a path on the upstream that names the operation by {{key}} or {{/pointer}}, such as "
      "/v1/charges/by-key/{{key}}, not {}",
      in_quotes(text));
}

std::optional<std::string> check_path_prefix(std::string_view text) {
  constexpr std::size_t prefix_bytes_max = 128;
  const bool sound = text.size() > 1 && text.size() <= prefix_bytes_max && text.starts_with('/') &&
                     text.ends_with('/') && http::all_in(http::class_target, text) &&
                     text.find_first_of("?%") == std::string_view::npos &&
                     http::classify_path(text) == http::path_class::plain;
  if (sound) return std::nullopt;
  return fmt::format("must be a path that begins and ends with a slash, such as /.onceward/, or off, not {}",
                     in_quotes(text));
}

std::optional<std::string> check_network(std::string_view text) {
  boost::system::error_code not_address;
  boost::system::error_code not_network_v4;
  boost::system::error_code not_network_v6;
  const std::string copy(text);
  boost::asio::ip::make_address(copy, not_address);
  boost::asio::ip::make_network_v4(copy, not_network_v4);
  boost::asio::ip::make_network_v6(copy, not_network_v6);
  if (!not_address || !not_network_v4 || !not_network_v6) return std::nullopt;
  return fmt::format("must be an address or a network such as 10.0.0.0/8, not {}", in_quotes(text));
}

std::optional<std::string> check_route_name(std::string_view text) {
  if (!text.empty() && text.size() <= name_bytes_max && all_visible(text)) return std::nullopt;
  return fmt::format("must be 1 to {} visible ASCII characters, not {}", name_bytes_max, in_quotes(text));
}

std::optional<std::string> check_cookie_name(std::string_view text) {
  if (text.empty() || (http::is_token(text) && text.size() <= name_bytes_max)) return std::nullopt;
  return fmt::format("must be the name of a cookie, not {}", in_quotes(text));
}

std::optional<std::string> check_file_path(std::string_view text) {
  if (!text.empty() && text.find('\0') == std::string_view::npos) return std::nullopt;
  return "must be a path";
}

std::optional<std::string> check_postgres_url(std::string_view text) {
  const bool has_scheme = text.starts_with("postgres://") || text.starts_with("postgresql://");
  if (has_scheme && text.find_first_of(std::string_view("\0 \t\r\n", 5)) == std::string_view::npos) return std::nullopt;
  return "must be postgres://USER@HOST:PORT/DATABASE";
}

std::optional<std::string> check_redis_url(std::string_view text) {
  const bool has_scheme = text.starts_with("redis://") || text.starts_with("rediss://");
  if (has_scheme && text.find_first_of(std::string_view("\0 \t\r\n", 5)) == std::string_view::npos) return std::nullopt;
  return "must be redis://USER@HOST:PORT, or rediss:// for TLS";
}

std::optional<std::string> check_redis_master(std::string_view text) {
  const bool is_name = std::all_of(text.begin(), text.end(), [](char each) {
    return base::is_alnum(each) || each == '.' || each == '-' || each == '_';
  });
  if (is_name && !text.empty() && text.size() <= name_bytes_max) return std::nullopt;
  return fmt::format("must be a name of letters, digits and `.-_`, not {}", in_quotes(text));
}

std::optional<std::string> check_nothing(std::string_view) {
  return std::nullopt;
}

}  // namespace onceward::gateway
