#include "stores/postgres/target.h"

#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace onceward::postgres {
namespace {

// A peer that is gone is noticed even where nothing is sent.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> defaults{{
    {"application_name", "onceward"},
    {"connect_timeout", "5"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"},
    {"client_encoding", "UTF8"},
}};

struct free_options {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string value_or(const target& where, std::string_view keyword, const char* variable, std::string fallback) {
  for (const auto& [name, value] : where.settings) {
    if (name == keyword) return value;
  }
  const char* given = std::getenv(variable);
  return given == nullptr ? std::move(fallback) : given;
}

}  // namespace

tl::expected<target, std::string> parse_target(const std::string& url) {
  const auto refusal = tl::unexpected<std::string>(
      "the URL of the PostgreSQL store is not one that libpq understands: "
      "postgres://USER@HOST:PORT/DATABASE?sslmode=…");
  if (!url.starts_with("postgres://") && !url.starts_with("postgresql://")) return refusal;
  char* told = nullptr;
  const std::unique_ptr<PQconninfoOption, free_options> options(PQconninfoParse(url.c_str(), &told));
  PQfreemem(told);
  if (options == nullptr) return refusal;
  target found;
  for (const PQconninfoOption* each = options.get(); each->keyword != nullptr; ++each) {
    if (each->val != nullptr && *each->val != '\0') found.settings.emplace_back(each->keyword, each->val);
  }
  found.description = value_or(found, "host", "PGHOST", "localhost") + ":" + value_or(found, "port", "PGPORT", "5432") +
                      "/" + value_or(found, "dbname", "PGDATABASE", "");
  for (const auto& [keyword, value] : defaults) {
    const bool given = std::any_of(found.settings.begin(), found.settings.end(),
                                   [&](const auto& setting) { return setting.first == keyword; });
    if (!given) found.settings.emplace_back(keyword, value);
  }
  return found;
}

std::vector<std::pair<std::string, std::string>> with_server_first(const target& where, std::size_t first) {
  auto settings = where.settings;
  for (auto& [keyword, value] : settings) {
    if (keyword != "host" && keyword != "hostaddr" && keyword != "port") continue;
    const auto commas = static_cast<std::size_t>(std::count(value.begin(), value.end(), ','));
    for (std::size_t i = first % (commas + 1); i > 0; --i) {
      const std::size_t comma = value.find(',');
      value = value.substr(comma + 1) + "," + value.substr(0, comma);
    }
  }
  return settings;
}

std::string one_line(std::string_view message) {
  std::string line;
  for (const char each : message) {
    const bool is_space = each == '\n' || each == '\t' || each == ' ';
    if (is_space && (line.empty() || line.back() == ' ')) continue;
    line.push_back(is_space ? ' ' : each);
  }
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  return line;
}

}  // namespace onceward::postgres
