#include "gateway/config_text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/ascii.h"
#include "gateway/config_finding.h"
#include "http/target.h"

namespace onceward::gateway {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};
// The smallest first.
constexpr std::array<unit, 5> duration_units{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<unit, 5> byte_units{{{"B", 1},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"TiB", std::uint64_t{1} << 40}}};

// Splits "10s" into digits and the rest.
std::pair<std::string_view, std::string_view> split_number(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), base::is_digit);
  const auto digits = static_cast<std::size_t>(end - text.begin());
  return {text.substr(0, digits), text.substr(digits)};
}

// The number times its unit. Nothing if it is malformed, has another unit or none, or is too large for 63 bits.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const unit> units) {
  const auto [digits, name] = split_number(text);
  const auto number = base::parse_decimal(digits);
  const auto found = std::find_if(units.begin(), units.end(), [&](const unit& one) { return one.name == name; });
  if (!number || found == units.end()) return std::nullopt;
  constexpr auto value_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (*number > value_max / found->factor) return std::nullopt;
  return *number * found->factor;
}

std::string text_with_unit(std::uint64_t value, std::span<const unit> units) {
  std::size_t largest = 0;
  while (largest + 1 < units.size() && value % units[largest + 1].factor == 0)
    ++largest;
  return fmt::format("{}{}", value / units[largest].factor, units[largest].name);
}

// HOST and PORT of an authority; the port is empty where there is none.
std::optional<std::pair<std::string_view, std::string_view>> split_authority(std::string_view text) {
  if (!http::is_authority(text)) return std::nullopt;
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  std::string_view host = has_port ? text.substr(0, colon) : text;
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  return std::pair{host, has_port ? text.substr(colon + 1) : std::string_view{}};
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  const auto port = base::parse_decimal(digits);
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// Insertions, deletions, substitutions and swaps of neighbours, letters without case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const auto equal = [&](std::size_t left, std::size_t right) {
        return base::to_lower(a[left]) == base::to_lower(b[right]);
      };
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + !equal(i - 1, j - 1)});
      if (i > 1 && j > 1 && equal(i - 1, j - 2) && equal(i - 2, j - 1)) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds{0};
  if (const auto value = parse_with_unit(text, duration_units)) {
    return std::chrono::milliseconds{static_cast<std::int64_t>(*value)};
  }
  const bool lacks_unit = base::parse_decimal(text).has_value();
  return tl::unexpected(fmt::format("must be a duration such as 250ms, 10s, 2m, 24h or 0, not {}{}", in_quotes(text),
                                    lacks_unit ? fmt::format("; did you mean `{}s`?", text) : std::string{}));
}

parsed<std::uint64_t> parse_bytes(std::string_view text) {
  if (const auto plain = base::parse_decimal(text)) return *plain;
  if (const auto value = parse_with_unit(text, byte_units)) return *value;
  const auto [digits, name] = split_number(text);
  std::string hint;
  for (const unit& one : byte_units) {
    const bool same_letter = !name.empty() && base::to_lower(name.front()) == base::to_lower(one.name.front());
    if (!digits.empty() && same_letter && name.size() <= 3) {
      hint = fmt::format("; did you mean `{}{}`?", digits, one.name);
    }
  }
  return tl::unexpected(
      fmt::format("must be a size such as 64KiB, 1MiB or 4096 (bytes), not {}{}", in_quotes(text), hint));
}

parsed<std::uint64_t> parse_count(std::string_view text) {
  if (const auto value = base::parse_decimal(text)) return *value;
  return tl::unexpected(fmt::format("must be a whole number, not {}", in_quotes(text)));
}

parsed<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  std::string hint;
  for (const std::string_view word : {"yes", "on", "True", "TRUE"}) {
    if (text == word) hint = "; did you mean `true`?";
  }
  for (const std::string_view word : {"no", "off", "False", "FALSE"}) {
    if (text == word) hint = "; did you mean `false`?";
  }
  return tl::unexpected(fmt::format("must be true or false, not {}{}", in_quotes(text), hint));
}

parsed<host_and_port> parse_host_and_port(std::string_view text) {
  const auto parts = split_authority(text);
  const auto port = parts ? parse_port(parts->second) : std::nullopt;
  if (port) return host_and_port{std::string(parts->first), *port};
  std::string hint;
  if (parse_port(text)) {
    hint = fmt::format("; did you mean `127.0.0.1:{}`?", text);
  } else if (text.starts_with(':') && parse_port(text.substr(1))) {
    hint = fmt::format("; did you mean `0.0.0.0{}`?", text);
  }
  return tl::unexpected(
      fmt::format("must be HOST:PORT such as 127.0.0.1:8080 or [::1]:8080, not {}{}", in_quotes(text), hint));
}

parsed<upstream_address> parse_upstream(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  constexpr std::string_view wanted = "must be a URL such as http://127.0.0.1:9000";
  if (text.find('@') != std::string_view::npos) {
    // Not shown: what stands before the @ may be a password.
    return tl::unexpected(fmt::format("{} without user information", wanted));
  }
  if (text.starts_with("https://")) return tl::unexpected(fmt::format("{}: https is not supported", wanted));
  if (!text.starts_with(scheme)) {
    const bool lacks_scheme = split_authority(text).has_value();
    return tl::unexpected(fmt::format("{}, not {}{}", wanted, in_quotes(text),
                                      lacks_scheme ? fmt::format("; did you mean `http://{}`?", text) : std::string{}));
  }
  std::string_view authority = text.substr(scheme.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find_first_of("/?#") != std::string_view::npos) {
    return tl::unexpected(
        fmt::format("{} without a path, not {}: targets go on as they came", wanted, in_quotes(text)));
  }
  const auto parts = split_authority(authority);
  if (parts) {
    const auto port = parts->second.empty() ? std::optional<std::uint16_t>{80} : parse_port(parts->second);
    if (port && *port != 0) return upstream_address{std::string(parts->first), *port};
  }
  return tl::unexpected(fmt::format("{}, not {}", wanted, in_quotes(text)));
}

std::string duration_text(std::chrono::milliseconds value) {
  if (value.count() == 0) return "0";
  return text_with_unit(static_cast<std::uint64_t>(value.count()), duration_units);
}

std::string bytes_text(std::uint64_t value) {
  if (value == 0 || value % 1024 != 0) return fmt::format("{}", value);
  return text_with_unit(value, byte_units);
}

std::string host_and_port_text(std::string_view host, std::uint16_t port) {
  if (host.find(':') != std::string_view::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t word_bytes_max = 64;
  // Numbers are near each other without being meant for one another.
  if (word.empty() || word.size() > word_bytes_max || base::is_digit(word.front())) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const auto meant = nearest(word, known);
  return meant ? fmt::format("; did you mean `{}`?", *meant) : std::string{};
}

}  // namespace onceward::gateway
