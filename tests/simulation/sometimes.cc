#include "tests/simulation/sometimes.h"

namespace onceward::simulation {

std::string_view to_string(sometimes what) {
  switch (what) {
    case sometimes::waiter_got_replay:
      return "waiter_got_replay";
    case sometimes::waiter_got_the_refusal:
      return "waiter_got_the_refusal";
    case sometimes::replayed:
      return "replayed";
    case sometimes::mismatch_refused:
      return "mismatch_refused";
    case sometimes::told_unknown:
      return "told_unknown";
    case sometimes::told_in_flight:
      return "told_in_flight";
    case sometimes::told_gone:
      return "told_gone";
    case sometimes::told_not_recorded:
      return "told_not_recorded";
    case sometimes::told_new_key_safe:
      return "told_new_key_safe";
    case sometimes::released_for_no_upstream:
      return "released_for_no_upstream";
    case sometimes::lease_ran_out_while_upstream_worked:
      return "lease_ran_out_while_upstream_worked";
    case sometimes::late_result_accepted:
      return "late_result_accepted";
    case sometimes::lease_renewed:
      return "lease_renewed";
    case sometimes::probe_found:
      return "probe_found";
    case sometimes::probe_freed:
      return "probe_freed";
    case sometimes::takeover:
      return "takeover";
    case sometimes::operator_resolved:
      return "operator_resolved";
    case sometimes::client_left_and_result_recorded:
      return "client_left_and_result_recorded";
    case sometimes::upstream_answer_cut:
      return "upstream_answer_cut";
    case sometimes::upstream_worked_on_alone:
      return "upstream_worked_on_alone";
    case sometimes::idle_connection_ended:
      return "idle_connection_ended";
    case sometimes::claim_resubmitted:
      return "claim_resubmitted";
    case sometimes::outcome_resubmitted:
      return "outcome_resubmitted";
    case sometimes::outcome_fenced:
      return "outcome_fenced";
    case sometimes::record_expired_and_ran_again:
      return "record_expired_and_ran_again";
    case sometimes::loop_committed:
      return "loop_committed";
    case sometimes::killed_in_a_commit:
      return "killed_in_a_commit";
    case sometimes::torn_write_cut_off:
      return "torn_write_cut_off";
    case sometimes::power_lost:
      return "power_lost";
    case sometimes::journal_failed:
      return "journal_failed";
    case sometimes::journal_full:
      return "journal_full";
    case sometimes::segment_recycled:
      return "segment_recycled";
    case sometimes::read_cold:
      return "read_cold";
    case sometimes::waiter_drained:
      return "waiter_drained";
    case sometimes::stopped_beyond_lease:
      return "stopped_beyond_lease";
    case sometimes::clock_jumped:
      return "clock_jumped";
    case sometimes::command_delivered_twice:
      return "command_delivered_twice";
    case sometimes::failover_lost_a_claim:
      return "failover_lost_a_claim";
    case sometimes::failover_lost_a_result:
      return "failover_lost_a_result";
    case sometimes::put_off_send_withdrawn:
      return "put_off_send_withdrawn";
    case sometimes::told_of_a_send_after_its_lease:
      return "told_of_a_send_after_its_lease";
  }
  return "";
}

}  // namespace onceward::simulation
