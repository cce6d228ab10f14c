#include "stores/redis/target.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "base/hex.h"

namespace onceward::redis {
namespace {

using failure = tl::unexpected<std::string>;

constexpr std::uint16_t default_port = 6'379;
constexpr std::size_t nodes_max = 64;
constexpr std::size_t password_bytes_max = 4'096;

struct url_parts {
  bool encrypted = false;
  std::string user, password;
  address where;
  std::uint32_t database = 0;
};

std::optional<std::string> without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain.push_back(text[i]);
      continue;
    }
    std::byte byte{};
    if (i + 2 >= text.size() || !base::from_hex(text.substr(i + 1, 2), {&byte, 1})) return std::nullopt;
    plain.push_back(static_cast<char>(byte));
    i += 2;
  }
  return plain;
}

template <typename Number>
bool read_whole(std::string_view text, Number& into) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  return failed == std::errc{} && end == text.data() + text.size();
}

bool read_host(std::string_view text, address& into) {
  into.port = default_port;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    into.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    into.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (into.host.empty()) return false;
  if (port.empty()) return true;
  return port.starts_with(':') && read_whole(port.substr(1), into.port) && into.port != 0;
}

std::optional<url_parts> take_apart(std::string_view url) {
  url_parts found;
  constexpr std::string_view plain = "redis://", encrypted = "rediss://";
  found.encrypted = url.starts_with(encrypted);
  if (!found.encrypted && !url.starts_with(plain)) return std::nullopt;
  url.remove_prefix(found.encrypted ? encrypted.size() : plain.size());
  if (url.find_first_of("?#") != std::string_view::npos) return std::nullopt;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = url.substr(0, at);
    const std::size_t colon = who.find(':');
    const auto user = without_escapes(who.substr(0, colon));
    const auto password = colon == std::string_view::npos ? std::string() : without_escapes(who.substr(colon + 1));
    if (!user || !password) return std::nullopt;
    found.user = *user;
    found.password = *password;
    url.remove_prefix(at + 1);
  }
  if (const std::size_t slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view number = url.substr(slash + 1);
    if (!number.empty() && !read_whole(number, found.database)) return std::nullopt;
    url = url.substr(0, slash);
  }
  if (!read_host(url, found.where)) return std::nullopt;
  return found;
}

tl::expected<std::string, std::string> password_for(const url_parts& parts, const std::string& file) {
  if (!parts.password.empty()) return parts.password;
  if (!file.empty()) {
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line) || line.empty() || line.size() > password_bytes_max) {
      return failure("cannot read the password of the Redis store: " + file +
                     " needs it on its first line, readable by the gateway");
    }
    return line;
  }
  for (const char* const variable : {"ONCEWARD_REDIS_PASSWORD", "REDISCLI_AUTH"}) {
    if (const char* const given = std::getenv(variable); given != nullptr && *given != '\0') return given;
  }
  return std::string();
}

}  // namespace

tl::expected<target, std::string> parse_target(const target_words& given) {
  if (given.urls.empty() || given.urls.size() > nodes_max) {
    return failure("the Redis store needs 1 to " + std::to_string(nodes_max) + " URLs");
  }
  if (given.cluster && !given.sentinel.empty()) {
    return failure("the Redis store is a cluster or behind sentinels, not both");
  }
  target found;
  std::optional<url_parts> first;
  for (const std::string& url : given.urls) {
    auto parts = take_apart(url);
    if (!parts) {
      return failure("a URL of the Redis store is none: redis://USER@HOST:PORT/DATABASE, or rediss:// for TLS");
    }
    if (!first) first = parts;
    if (parts->encrypted != first->encrypted || parts->user != first->user || parts->password != first->password ||
        parts->database != first->database) {
      return failure("the URLs of the Redis store differ in more than the server: it is one store, with one user");
    }
    if (!found.description.empty()) found.description += ",";
    found.description += to_text(parts->where);
    found.nodes.push_back(std::move(parts->where));
  }
  if (given.cluster && first->database != 0) return failure("a Redis cluster has no database but 0");
  if (!given.ca_file.empty() && !first->encrypted) {
    return failure("`ca_file` is for TLS, and the URL of the Redis store is not rediss://");
  }
  found.kind = given.cluster ? topology::cluster : given.sentinel.empty() ? topology::single : topology::sentinel;
  found.primary_name = given.sentinel;
  if (found.kind == topology::sentinel) found.description = given.sentinel + " by sentinels " + found.description;
  if (found.kind == topology::cluster) found.description = "cluster " + found.description;
  auto password = password_for(*first, given.password_file);
  if (!password) return failure(password.error());
  if (!first->user.empty() && password->empty()) {
    return failure(
        "the URL of the Redis store names a user and nothing gives the password: use password_file, or the variable "
        "ONCEWARD_REDIS_PASSWORD");
  }
  found.user = first->user;
  found.password = *std::move(password);
  found.database = first->database;
  found.encrypted = first->encrypted;
  found.ca_file = given.ca_file;
  return found;
}

}  // namespace onceward::redis
