#include "gateway/metrics.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "core/problem.h"
#include "gateway/counters.h"
#include "http/errors.h"

namespace onceward::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::array<std::string_view, worker_counters::commands> command_words = {
    "claim", "renew", "complete", "release", "find", "list-unknown", "purge"};

double seconds(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

ClientMetric labelled(std::string_view name, std::string_view value) {
  ClientMetric metric;
  if (!name.empty()) metric.label.push_back({std::string(name), std::string(value)});
  return metric;
}

// Families under construction; sums over the workers.
class page {
 public:
  explicit page(const gateway_numbers_view& numbers) : numbers_(numbers) {}

  void family(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  void count(std::uint64_t value, std::string_view label = {}, std::string_view of = {}) {
    ClientMetric metric = labelled(label, of);
    metric.counter.value = static_cast<double>(value);
    families_.back().metric.push_back(std::move(metric));
  }
  void level(double value, std::string_view label = {}, std::string_view of = {}) {
    ClientMetric metric = labelled(label, of);
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }

  template <typename Pick>
  std::uint64_t sum(Pick pick) const {
    std::uint64_t total = 0;
    for (const worker_counters* each : numbers_.workers)
      total += static_cast<std::uint64_t>(pick(*each).read());
    return total;
  }

  // A counter with nothing to tell it apart.
  template <typename Pick>
  void counter_family(std::string name, std::string help, Pick pick) {
    family(std::move(name), std::move(help), MetricType::Counter);
    count(sum(pick));
  }
  template <typename Pick>
  void gauge_family(std::string name, std::string help, Pick pick) {
    family(std::move(name), std::move(help), MetricType::Gauge);
    level(static_cast<double>(static_cast<std::int64_t>(sum(pick))));
  }

  template <typename Pick>
  void durations(Pick pick, std::string_view label = {}, std::string_view of = {}) {
    ClientMetric metric = labelled(label, of);
    std::uint64_t so_far = 0;
    std::chrono::microseconds total{0};
    for (std::size_t bucket = 0; bucket <= histogram::bounds.size(); ++bucket) {
      for (const worker_counters* each : numbers_.workers)
        so_far += pick(*each).bucket(bucket);
      const bool last = bucket == histogram::bounds.size();
      metric.histogram.bucket.push_back(
          {so_far, last ? std::numeric_limits<double>::infinity() : seconds(histogram::bounds[bucket])});
    }
    for (const worker_counters* each : numbers_.workers)
      total += pick(*each).sum();
    metric.histogram.sample_count = so_far;
    metric.histogram.sample_sum = seconds(total);
    families_.back().metric.push_back(std::move(metric));
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  const gateway_numbers_view& numbers_;
  std::vector<MetricFamily> families_;
};

void add_requests(page& out) {
  out.family("onceward_requests_total", "Requests by how they were answered.", MetricType::Counter);
  for (std::size_t kind = 0; kind < answer_kinds; ++kind) {
    out.count(out.sum([&](const worker_counters& w) -> const counter& { return w.answers[kind]; }), "outcome",
              to_string(static_cast<answer_kind>(kind)));
  }
  out.family("onceward_request_duration_seconds", "From the end of a request to the end of its answer.",
             MetricType::Histogram);
  for (std::size_t kind = 0; kind < answer_kinds; ++kind) {
    out.durations([&](const worker_counters& w) -> const histogram& { return w.answer_times[kind]; }, "outcome",
                  to_string(static_cast<answer_kind>(kind)));
  }
  out.family("onceward_problems_total", "Refusals by the type of their problem document.", MetricType::Counter);
  for (const core::problem_description& each : core::problem_descriptions()) {
    out.count(out.sum([&](const worker_counters& w) -> const counter& { return w.problems[slot(each.type)]; }), "type",
              each.word);
  }
  out.count(
      out.sum([](const worker_counters& w) -> const counter& { return w.problems[slot(core::problem_type::http)]; }),
      "type", "http");
  out.family("onceward_malformed_requests_total", "Requests that are not HTTP, or not safely, by fault.",
             MetricType::Counter);
  for (std::size_t fault = 0; fault < parse_errors; ++fault) {
    const std::uint64_t seen = out.sum([&](const worker_counters& w) -> const counter& { return w.malformed[fault]; });
    if (seen != 0) out.count(seen, "fault", http::name_of(static_cast<http::parse_error>(fault)));
  }
  out.counter_family("onceward_ambiguous_requests_total", "Requests refused because their path has several readings.",
                     [](const worker_counters& w) -> const counter& { return w.requests_ambiguous; });
  out.counter_family("onceward_slow_requests_total", "Requests that did not arrive in time.",
                     [](const worker_counters& w) -> const counter& { return w.requests_too_slow; });
  out.counter_family("onceward_anonymous_requests_total", "Guarded requests that carry no credential.",
                     [](const worker_counters& w) -> const counter& { return w.requests_anonymous; });
}

void add_exchanges(page& out) {
  struct row {
    core::noted what;
    const char* name;
    const char* help;
  };
  constexpr row rows[] = {
      {core::noted::duplicate_effect_prevented, "onceward_duplicate_effects_prevented_total",
       "Duplicates that were answered without reaching the upstream."},
      {core::noted::takeover, "onceward_takeovers_total", "Unknown outcomes that were dispatched again."},
      {core::noted::renewal_failed, "onceward_lease_renewals_failed_total", "Renewals that the store did not take."},
      {core::noted::outcome_fenced, "onceward_outcomes_fenced_total",
       "Outcomes of stragglers: another attempt owned the record."},
      {core::noted::outcome_resubmitted, "onceward_outcomes_resubmitted_total",
       "Outcomes that the store did not take at once."},
      {core::noted::outcome_lost, "onceward_outcomes_lost_total",
       "Outcomes that the store did not take before the lease ended."},
      {core::noted::passed_unguarded, "onceward_passed_unguarded_total",
       "Requests forwarded unguarded because the store failed."},
  };
  for (const row& each : rows) {
    out.counter_family(each.name, each.help,
                       [&](const worker_counters& w) -> const counter& { return w.noted[slot(each.what)]; });
  }
  out.counter_family("onceward_stated_outcomes_ignored_total", "Idempotency-Outcome fields that were not understood.",
                     [](const worker_counters& w) -> const counter& { return w.outcomes_ignored; });
}

void add_upstream(page& out) {
  out.gauge_family("onceward_upstream_connections", "Connections to the upstream.",
                   [](const worker_counters& w) -> const gauge& { return w.upstream_connections; });
  out.counter_family("onceward_upstream_connects_total", "Connections that were opened to the upstream.",
                     [](const worker_counters& w) -> const counter& { return w.upstream_connects; });
  out.counter_family("onceward_upstream_connects_failed_total", "Connections to the upstream that failed.",
                     [](const worker_counters& w) -> const counter& { return w.upstream_connects_failed; });
  out.counter_family("onceward_upstream_ejections_total", "Times that an address was left out for failing.",
                     [](const worker_counters& w) -> const counter& { return w.upstream_ejections; });
  out.counter_family("onceward_upstream_requests_total", "Requests sent to the upstream, every try.",
                     [](const worker_counters& w) -> const counter& { return w.upstream_requests; });
  out.counter_family("onceward_upstream_requests_retried_total", "Requests tried again on another connection.",
                     [](const worker_counters& w) -> const counter& { return w.upstream_requests_retried; });
  out.family("onceward_upstream_failures_total", "Requests that got no answer of the upstream, by kind.",
             MetricType::Counter);
  for (std::size_t kind = 0; kind < upstream_failure_kinds; ++kind) {
    out.count(out.sum([&](const worker_counters& w) -> const counter& { return w.upstream_failures[kind]; }), "kind",
              to_string(static_cast<upstream_failure_kind>(kind)));
  }
  out.family("onceward_upstream_duration_seconds", "From a request's last byte to the head of its response.",
             MetricType::Histogram);
  out.durations([](const worker_counters& w) -> const histogram& { return w.upstream_times; });
}

void add_store(page& out, const gateway_numbers_view& numbers) {
  out.family("onceward_store_operation_duration_seconds", "From a command to its reply.", MetricType::Histogram);
  for (std::size_t index = 0; index < worker_counters::commands; ++index) {
    out.durations([&](const worker_counters& w) -> const histogram& { return w.store_times[index]; }, "command",
                  command_words[index]);
  }
  out.family("onceward_store_failures_definite_total", "Commands that surely did not take effect.",
             MetricType::Counter);
  for (std::size_t index = 0; index < worker_counters::commands; ++index) {
    out.count(out.sum([&](const worker_counters& w) -> const counter& { return w.store_failures_definite[index]; }),
              "command", command_words[index]);
  }
  out.family("onceward_store_failures_indefinite_total", "Commands that may have taken effect.", MetricType::Counter);
  for (std::size_t index = 0; index < worker_counters::commands; ++index) {
    out.count(out.sum([&](const worker_counters& w) -> const counter& { return w.store_failures_indefinite[index]; }),
              "command", command_words[index]);
  }
  const auto level = [&](const char* name, const char* help, double value) {
    out.family(name, help, MetricType::Gauge);
    out.level(value);
  };
  level("onceward_records", "Records kept, expired ones that are not purged yet included.",
        static_cast<double>(numbers.records.records));
  level("onceward_records_unknown", "Records whose outcome nobody knows.",
        static_cast<double>(numbers.records.records_unknown));
  level("onceward_store_bytes", "Bytes that the store takes.", static_cast<double>(numbers.records.bytes));
  level("onceward_store_bytes_limit", "Bytes beyond which new claims are refused; 0 for none.",
        static_cast<double>(numbers.records.bytes_limit));
  level("onceward_store_accepts_claims", "1 if new claims are taken.", numbers.records.accepts_claims ? 1 : 0);
  out.family("onceward_store_failovers_total", "Times that another server of the store answered than before.",
             MetricType::Counter);
  out.count(numbers.records.failovers);
  out.family("onceward_store_records_lost_total", "Records found missing after a failover.", MetricType::Counter);
  out.count(numbers.records.records_lost);
}

}  // namespace

std::string metrics_text(const gateway_numbers_view& numbers, std::string_view version) {
  page out(numbers);
  out.family("onceward_build_info", "Always 1; its label tells the version.", MetricType::Gauge);
  out.level(1, "version", version);
  out.family("onceward_ready", "1 if /readyz answers 200.", MetricType::Gauge);
  out.level(numbers.ready ? 1 : 0);
  add_requests(out);
  add_exchanges(out);
  out.family("onceward_waiters", "Duplicates that wait for another client's attempt.", MetricType::Gauge);
  out.level(static_cast<double>(numbers.waiters));
  out.gauge_family("onceward_client_connections", "Connections of clients.",
                   [](const worker_counters& w) -> const gauge& { return w.client_connections; });
  out.counter_family("onceward_client_connections_accepted_total", "Connections accepted from clients.",
                     [](const worker_counters& w) -> const counter& { return w.client_connections_accepted; });
  out.counter_family("onceward_client_connections_refused_total", "Connections refused over the limit.",
                     [](const worker_counters& w) -> const counter& { return w.client_connections_refused; });
  out.counter_family("onceward_client_received_bytes_total", "Bytes received from clients.",
                     [](const worker_counters& w) -> const counter& { return w.client_bytes_received; });
  out.counter_family("onceward_client_sent_bytes_total", "Bytes sent to clients.",
                     [](const worker_counters& w) -> const counter& { return w.client_bytes_sent; });
  add_upstream(out);
  add_store(out, numbers);
  return out.text();
}

}  // namespace onceward::gateway
