// What must happen in some run: a simulation in which it never does proves less than it seems to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace onceward::simulation {

enum class sometimes : std::uint8_t {
  waiter_got_replay,
  waiter_got_the_refusal,
  replayed,
  mismatch_refused,
  told_unknown,
  told_in_flight,
  told_gone,
  told_not_recorded,
  told_new_key_safe,
  released_for_no_upstream,
  lease_ran_out_while_upstream_worked,
  late_result_accepted,
  lease_renewed,
  probe_found,
  probe_freed,
  takeover,
  operator_resolved,
  client_left_and_result_recorded,
  upstream_answer_cut,
  upstream_worked_on_alone,
  idle_connection_ended,
  claim_resubmitted,
  outcome_resubmitted,
  outcome_fenced,
  record_expired_and_ran_again,
  loop_committed,
  killed_in_a_commit,
  torn_write_cut_off,
  power_lost,
  journal_failed,
  journal_full,
  segment_recycled,
  read_cold,
  waiter_drained,
  stopped_beyond_lease,
  clock_jumped,
  command_delivered_twice,
  failover_lost_a_claim,
  failover_lost_a_result,
  put_off_send_withdrawn,
  told_of_a_send_after_its_lease,
};
inline constexpr std::size_t sometimes_count = 41;

std::string_view to_string(sometimes what);

class sometimes_counts {
 public:
  void hit(sometimes what) { ++counts_[static_cast<std::size_t>(what)]; }
  std::uint64_t of(sometimes what) const { return counts_[static_cast<std::size_t>(what)]; }
  void add(const sometimes_counts& others) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += others.counts_[i];
  }

 private:
  std::array<std::uint64_t, sometimes_count> counts_{};
};

}  // namespace onceward::simulation
