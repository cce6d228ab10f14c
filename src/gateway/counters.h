// What one worker counts. Each worker writes its own and shares no cache line of it with another; metrics sum them up.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/exchange.h"
#include "core/problem.h"
#include "http/errors.h"
#include "onceward/store.h"

namespace onceward::gateway {

// Written by one thread, read by any: so adding needs no locked instruction.
class counter {
 public:
  void add(std::uint64_t count = 1) { value_.store(read() + count, std::memory_order_relaxed); }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class gauge {
 public:
  void add(std::int64_t count) { value_.store(read() + count, std::memory_order_relaxed); }
  std::int64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Durations by size. A bucket counts what is at most its bound and above the one before; the last has no bound.
class histogram {
 public:
  static constexpr std::array<std::chrono::microseconds, 17> bounds = {
      std::chrono::microseconds(100), std::chrono::microseconds(250),   std::chrono::microseconds(500),
      std::chrono::milliseconds(1),   std::chrono::microseconds(2'500), std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(25),    std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(250),   std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::milliseconds(2'500), std::chrono::seconds(5),
      std::chrono::seconds(10),       std::chrono::seconds(30)};

  void add(std::chrono::microseconds duration) {
    std::size_t bucket = 0;
    while (bucket < bounds.size() && duration > bounds[bucket])
      ++bucket;
    buckets_[bucket].add();
    sum_us_.add(static_cast<std::uint64_t>(duration.count()));
  }

  std::uint64_t bucket(std::size_t index) const { return buckets_[index].read(); }
  std::chrono::microseconds sum() const { return std::chrono::microseconds(static_cast<std::int64_t>(sum_us_.read())); }

 private:
  std::array<counter, bounds.size() + 1> buckets_;
  counter sum_us_;
};

// How a request was answered.
enum class answer_kind : std::uint8_t {
  passed,             // Unguarded: the upstream's answer.
  passed_for_outage,  // Forwarded unguarded because the store failed and its route prefers that.
  executed,           // Guarded: the answer of the attempt that this request ran.
  not_recorded,       // The same, but no retry will get it.
  replayed,           // From the record.
  shared,             // The answer of the attempt that this request waited for, which was released.
  refused,            // A problem of ours.
  local,              // Status lookup and administration.
  abandoned,          // The client went away before.
};
inline constexpr std::size_t answer_kinds = 9;

// A stable word for logs and metrics.
constexpr std::string_view to_string(answer_kind kind) {
  switch (kind) {
    case answer_kind::passed:
      return "passed";
    case answer_kind::passed_for_outage:
      return "passed-for-outage";
    case answer_kind::executed:
      return "executed";
    case answer_kind::not_recorded:
      return "not-recorded";
    case answer_kind::replayed:
      return "replayed";
    case answer_kind::shared:
      return "shared";
    case answer_kind::refused:
      return "refused";
    case answer_kind::local:
      return "local";
    case answer_kind::abandoned:
      return "abandoned";
  }
  return "refused";
}

// Why a request got no answer of the upstream.
enum class upstream_failure_kind : std::uint8_t {
  unreachable,  // No address could be connected to. Nothing was sent.
  overloaded,   // Too many requests wait for a connection. Nothing was sent.
  lost,         // Reset, or closed before the answer was complete.
  timed_out,
  malformed,  // What came is not HTTP, or not safely.
};
inline constexpr std::size_t upstream_failure_kinds = 5;

constexpr std::string_view to_string(upstream_failure_kind kind) {
  switch (kind) {
    case upstream_failure_kind::unreachable:
      return "unreachable";
    case upstream_failure_kind::overloaded:
      return "overloaded";
    case upstream_failure_kind::lost:
      return "lost";
    case upstream_failure_kind::timed_out:
      return "timed-out";
    case upstream_failure_kind::malformed:
      return "malformed";
  }
  return "lost";
}

inline constexpr std::size_t parse_errors = static_cast<std::size_t>(http::parse_error::too_many_interim_responses) + 1;
inline constexpr std::size_t problem_types = static_cast<std::size_t>(core::problem_type::http) + 1;
inline constexpr std::size_t notes = static_cast<std::size_t>(core::noted::passed_unguarded) + 1;

template <typename Kind>
constexpr std::size_t slot(Kind kind) {
  return static_cast<std::size_t>(kind);
}

struct alignas(128) worker_counters {
  // ---- Clients ------------------------------------------------------------------------------------------------------
  gauge client_connections;
  counter client_connections_accepted;
  counter client_connections_refused;  // Over the limit.
  counter client_bytes_received;
  counter client_bytes_sent;

  // ---- Requests -----------------------------------------------------------------------------------------------------
  std::array<counter, answer_kinds> answers;         // By answer_kind.
  std::array<histogram, answer_kinds> answer_times;  // From the end of the request to the end of its answer.
  std::array<counter, problem_types> problems;       // By core::problem_type.
  std::array<counter, parse_errors> malformed;       // Requests, by http::parse_error.
  counter requests_ambiguous;                        // Refused because their path has several readings.
  counter requests_too_slow;                         // 408
  counter requests_anonymous;                        // Guarded without anything that tells the caller.
  std::array<counter, notes> noted;                  // By core::noted.
  counter outcomes_ignored;                          // Idempotency-Outcome fields that were not understood.

  // ---- Upstream -----------------------------------------------------------------------------------------------------
  gauge upstream_connections;
  counter upstream_connects;
  counter upstream_connects_failed;
  counter upstream_ejections;
  counter upstream_requests;          // Forwarded, every try.
  counter upstream_requests_retried;  // Tried again on another connection.
  std::array<counter, upstream_failure_kinds> upstream_failures;
  histogram upstream_times;  // From the request's last byte to the response's head.

  // ---- Store --------------------------------------------------------------------------------------------------------
  static constexpr std::size_t commands = std::variant_size_v<command>;
  std::array<histogram, commands> store_times;  // By index in onceward::command.
  std::array<counter, commands> store_failures_definite;
  std::array<counter, commands> store_failures_indefinite;
};

}  // namespace onceward::gateway
