// The statements that the store sends: one for each command, and one for many of the frequent ones, prepared on each
// connection, parameters and columns in binary form.
//
// Each decides by the server's clock, read once, and changes the record only where core/record.h says that its command
// does. Whether or not it changed it, it returns the record, so that the rules can be applied to what was found. At
// READ COMMITTED a statement that met a concurrent change may find its own guard failed on a record that its snapshot
// shows unchanged, or no record at all; core/verdict.h tells these from answers.
//
// Those for many commands do what nearly all of these need: they grant claims of keys that are absent and complete
// attempts that run, and change nothing else. Whatever else there is to do is done by the command's own statement.
// Their parameters are arrays of one length, in which no key stands twice; records are locked in the order of the
// arrays.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace onceward::postgres {

enum class statement {
  claim,
  claim_many,  // A row for each key that was absent and is claimed now, and for each record that was there.
  renew,
  complete,
  complete_many,  // The keys of those that are completed now.
  give_up,        // Completes with an unknown outcome.
  release,
  find,
  list_unknown,
  purge,
  drop_days,
  add_day,
  count,
  notify,
};

inline constexpr std::array all_statements{
    statement::claim,     statement::claim_many, statement::renew, statement::complete,     statement::complete_many,
    statement::give_up,   statement::release,    statement::find,  statement::list_unknown, statement::purge,
    statement::drop_days, statement::add_day,    statement::count, statement::notify,
};

// The name under which it is prepared.
std::string_view name_of(statement which);

// Its SQL, with $1, $2, … in the order of parameters.h.
std::string text_of(statement which);

// What a record's state is called in the database.
enum class stored_state : short { in_flight = 0, unknown = 1, completed = 2, released = 3 };

// The channel on which gateways tell each other whose attempts ended.
inline constexpr std::string_view wake_up_channel = "onceward_ended";

}  // namespace onceward::postgres
