#include "stores/postgres/server_error.h"

namespace onceward::postgres {

// Appendix A of PostgreSQL's documentation.
server_error judge_error(std::string_view state) {
  if (state == "40001" || state == "40P01") return {remedy::send_again, errc::busy};     // Serialisation, deadlock.
  if (state == "55P03" || state == "57014") return {remedy::send_again, errc::timeout};  // Lock, statement.
  if (state == "23514") return {remedy::add_day, errc::unavailable};                     // No partition takes the row.
  if (state == "25006") return {remedy::reconnect, errc::unavailable};                   // Read-only.
  if (state == "53100") return {remedy::refuse, errc::full};                             // Disk full.
  if (state == "42P01" || state == "42883" || state == "42703" || state == "3F000") {
    return {remedy::reconnect, errc::version};  // The schema is not, or no longer, ours.
  }
  const std::string_view group = state.substr(0, 2);
  if (group == "XX") return {remedy::refuse, errc::corrupt};
  if (group == "54" || group == "22") return {remedy::refuse, errc::too_large};
  if (group == "57" || group == "08") return {remedy::reconnect, errc::unavailable};
  return {remedy::refuse, errc::unavailable};
}

// The warning of a wait that was cancelled has the state of all warnings that have none of their own. Its text is in
// the server's language; the name of the function is not.
bool is_unacknowledged_commit(std::string_view warning_state, std::string_view raised_in) {
  if (raised_in == "SyncRepWaitForLSN") return true;
  const bool may_be_any_warning = warning_state == "01000" && raised_in.empty();
  return warning_state == "57014" || warning_state == "57P01" || may_be_any_warning;
}

}  // namespace onceward::postgres
