// What a simulation is about: a small TOML file with the system, the workload, how often which fault strikes, and what
// must be seen in some run.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "core/policy.h"
#include "tests/simulation/sometimes.h"

namespace onceward::simulation {

using std::chrono::milliseconds;

enum class store_kind {
  journal,  // Embedded: one gateway process, which has it.
  shared,   // A server that all gateways speak to, over a network.
};

struct scenario {
  std::string name;

  // The system.
  store_kind store = store_kind::journal;
  unsigned gateways = 1;
  unsigned workers = 1;
  core::policy rules;
  milliseconds upstream_response{20'000};
  std::size_t waiters_per_key_max = 100;
  bool written = false;                   // The journal's level; else synced.
  std::uint64_t segments_max = 6;         // The journal's.
  std::uint64_t cache_bytes = 64u << 10;  // The journal's.
  double loops_commit = 0;                // How often a loop commits by itself; else the journal's committer.
  bool store_loses_tail = false;          // A failover of the shared store forgets what it was told last.
  milliseconds replication_lag{50};
  bool deduplicates = false;  // The upstream itself, by the key that it is sent.

  // The workload.
  unsigned keys = 3;
  unsigned requests = 14;
  milliseconds duration{8'000};
  double same_body = 0.9;  // Of requests for a key.
  double same_scope = 0.9;
  double leaves = 0.05;  // Clients that go away before they are answered.
  std::size_t answer_bytes = 40;

  // What the upstream does with a request, in parts of the whole; the rest is answered.
  double rejects = 0.05;  // 404, no effect: that is a result.
  double refuses = 0.1;   // 503, no effect.
  double gateway_timeouts = 0.03;
  double cuts_before = 0.03;  // The connection ends, no effect.
  double cuts_after = 0.05;   // The connection ends, after the effect.
  double truncates = 0.03;
  double hangs = 0.03;
  double works_long = 0.05;      // Longer than a lease.
  double answers_large = 0.03;   // More than is kept.
  double states_outcome = 0.03;  // In the response field.
  milliseconds works_long_for{4'000};

  // Faults, each how often in one run on the average.
  double kills = 0;
  double power_cuts = 0;
  double stops = 0;  // Of a process, for a while.
  double drains = 0;
  double connection_cuts = 0;
  double upstream_outages = 0;
  double disk_errors = 0;
  double clock_jumps = 0;
  double store_outages = 0;
  double failovers = 0;
  double resolutions = 0;  // By an operator.
  // Of each message between gateway and shared store.
  double message_loss = 0;
  double message_twice = 0;
  double message_late = 0;
  std::int64_t drift_ppm_max = 0;

  std::vector<sometimes> must_see;
};

tl::expected<scenario, std::string> read_scenario(const std::filesystem::path& file);

// All of the folder, in the order of their names.
tl::expected<std::vector<scenario>, std::string> read_scenarios(const std::filesystem::path& folder);

}  // namespace onceward::simulation
