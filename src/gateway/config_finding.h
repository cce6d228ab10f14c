// What reading a configuration has to tell its author: an error, or a warning about something that is allowed and is
// seldom meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onceward::gateway {

// Counted from 1, columns in bytes. 0: not from a place in a file.
struct config_position {
  int line = 0;
  int column = 0;

  friend bool operator==(config_position, config_position) = default;
};

enum class config_severity { warning, error };

struct config_finding {
  config_severity severity = config_severity::error;
  config_position where;
  std::string text;  // One line: what is wrong and, where there is one, what was probably meant.
};

using config_findings = std::vector<config_finding>;

bool has_errors(const config_findings& findings);

// "FILE:LINE:COLUMN: error: text", without the position where there is none.
std::string describe(const config_finding& finding, std::string_view file);

// A text of unknown origin, safe to print on a terminal: control and non-ASCII bytes as \xNN, cut where it is long.
std::string printable(std::string_view text);

// The same in back quotes, as values of the author are shown.
std::string in_quotes(std::string_view text);

}  // namespace onceward::gateway
