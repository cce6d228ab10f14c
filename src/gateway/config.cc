#include "gateway/config.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include "gateway/config_document.h"
#include "gateway/config_keys.h"
#include "gateway/config_rules.h"

namespace onceward::gateway {
namespace {

bool same(const host_and_port& one, std::string_view host, std::uint16_t port) {
  return port != 0 && one.port == port && one.host == host;
}

bool is_loopback(const std::string& host) {
  boost::system::error_code not_address;
  const auto address = boost::asio::ip::make_address(host, not_address);
  return host == "localhost" || (!not_address && address.is_loopback());
}

// In the order of the file, each once: a mistake in `defaults` would otherwise be told for every route.
void tidy(config_findings& findings) {
  const auto order = [](const config_finding& one) {
    return std::tuple(one.where.line, one.where.column, one.severity, std::string_view(one.text));
  };
  std::sort(findings.begin(), findings.end(),
            [&](const config_finding& left, const config_finding& right) { return order(left) < order(right); });
  findings.erase(
      std::unique(findings.begin(), findings.end(),
                  [&](const config_finding& left, const config_finding& right) { return order(left) == order(right); }),
      findings.end());
}

}  // namespace

configuration read_configuration(std::string_view text) {
  configuration read;
  const auto root = parse_config_document(text, read.findings);
  if (root) {
    config_reader reader(read.findings, configuration_reference());
    if (const config_map* map = reader.map("the configuration", *root)) {
      read_keys(reader, *map, top_level_keys(), read.settings);
      read_rules(reader, map->find("defaults"), map->find("routes"), read.settings);
    }
  }
  tidy(read.findings);
  return read;
}

config_findings check_settings(const settings& complete) {
  config_findings findings;
  const auto error = [&](std::string text) { findings.push_back({config_severity::error, {}, std::move(text)}); };
  const auto warn = [&](std::string text) { findings.push_back({config_severity::warning, {}, std::move(text)}); };

  if (complete.upstreams.empty()) error("there is no upstream: say `upstream: http://HOST:PORT` or --upstream");
  for (const upstream_address& upstream : complete.upstreams) {
    if (same(complete.listen, upstream.host, upstream.port)) {
      error("`upstream` is where the gateway itself listens");
    }
  }
  if (complete.admin) {
    if (same(complete.listen, complete.admin->host, complete.admin->port)) error("`admin` and `listen` are the same");
    if (!is_loopback(complete.admin->host)) {
      warn(fmt::format("`admin` at {} asks nobody who they are: whoever reaches it can resolve and purge records",
                       host_and_port_text(complete.admin->host, complete.admin->port)));
    }
  }
  if (complete.limits.target_bytes_max > complete.limits.header_bytes_max) {
    error("`limits.target_bytes_max` is larger than `limits.header_bytes_max`, of which it is a part");
  }
  if (std::holds_alternative<memory_store_settings>(complete.store)) {
    warn("`store: memory` forgets every record when the process ends: duplicates across a restart run again");
  }
  return findings;
}

}  // namespace onceward::gateway
