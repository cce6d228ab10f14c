#include "load_settings.h"

#include <cstdio>
#include <fstream>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "gateway/config.h"
#include "gateway/config_document.h"
#include "gateway/config_text.h"

namespace onceward::app {
namespace {

using gateway::config_finding;
using gateway::config_findings;
using gateway::config_severity;

void add_error(config_findings& findings, std::string text) {
  findings.push_back({config_severity::error, {}, std::move(text)});
}

// At most a little more than a configuration may have, which then says so itself.
std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(gateway::config_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// Puts a flag's value into the settings, or says what is wrong with it.
template <typename T, typename Into>
void apply_flag(std::string_view flag, gateway::parsed<T> value, config_findings& findings, Into into) {
  if (value) {
    into(std::move(*value));
  } else {
    add_error(findings, fmt::format("{} {}", flag, value.error()));
  }
}

// The name of a store that other gateways may share; empty for the others.
std::string_view shared_store_in(const gateway::store_settings& store) {
  if (std::holds_alternative<gateway::postgres_store_settings>(store)) return "postgres";
  if (std::holds_alternative<gateway::redis_store_settings>(store)) return "redis";
  return {};
}

// A flag beats the file, but not by parting this gateway from those that it shares its records with.
void apply_data(const run_options& options, gateway::store_settings& store, config_findings& findings) {
  if (options.data->empty()) add_error(findings, "--data must be a path");
  if (const std::string_view shared = shared_store_in(store); !shared.empty()) {
    return add_error(findings,
                     fmt::format("--data {} would keep the records in a journal, and {} keeps them in "
                                 "`store.{}`, where other gateways may look for them; leave one of the two out",
                                 *options.data, options.config.value_or("the configuration"), shared));
  }
  auto* journal = std::get_if<gateway::journal_store_settings>(&store);
  if (journal == nullptr) journal = &store.emplace<gateway::journal_store_settings>();
  journal->path = *options.data;
}

void apply(const run_options& options, gateway::settings& settings, config_findings& findings) {
  if (options.listen) {
    apply_flag("--listen", gateway::parse_host_and_port(*options.listen), findings,
               [&](auto value) { settings.listen = std::move(value); });
  }
  if (options.admin == "off") {
    settings.admin.reset();
  } else if (options.admin) {
    apply_flag("--admin", gateway::parse_host_and_port(*options.admin), findings,
               [&](auto value) { settings.admin = std::move(value); });
  }
  if (!options.upstreams.empty()) settings.upstreams.clear();
  for (const std::string& one : options.upstreams) {
    apply_flag("--upstream", gateway::parse_upstream(one), findings,
               [&](auto value) { settings.upstreams.push_back(std::move(value)); });
  }
  if (options.data) apply_data(options, settings.store, findings);
}

// Everything that is told, one line each, and whether the settings can be used.
struct report {
  std::vector<std::string> lines;
  bool has_errors = false;

  void add(const config_findings& findings, std::string_view source) {
    has_errors = has_errors || gateway::has_errors(findings);
    for (const config_finding& one : findings)
      lines.push_back(gateway::describe(one, source));
  }
};

}  // namespace

std::optional<loaded_settings> load_settings(const run_options& options) {
  const std::optional<std::string> text = options.config ? read_file(*options.config) : std::string();
  if (!text) {
    fmt::print(stderr, "{}: error: cannot be read\n", *options.config);
    return std::nullopt;
  }
  const std::string source = options.config.value_or("onceward");
  gateway::configuration read = gateway::read_configuration(*text);
  config_findings flags;
  apply(options, read.settings, flags);
  report told;
  told.add(read.findings, source);
  told.add(flags, "onceward");
  if (!told.has_errors) told.add(gateway::check_settings(read.settings), source);
  if (!told.has_errors) return loaded_settings{std::move(read.settings), std::move(told.lines)};
  for (const std::string& line : told.lines)
    fmt::print(stderr, "{}\n", line);
  return std::nullopt;
}

}  // namespace onceward::app
