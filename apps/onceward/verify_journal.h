// `onceward verify DIR` and `onceward verify --repair DIR`: what is wrong with a journal that nobody has open, and a
// sound one in its place.
#pragma once

#include <string>

namespace onceward::app {

struct verify_options {
  std::string directory;
  bool repair = false;
  bool json = false;
};

// Writes to standard output; what kept it from looking, to standard error. Returns the exit code of the program: good
// where the journal is sound (now, after a repair), failed where it is damaged (still), and misconfigured where it
// could not be looked at.
int verify_journal(const verify_options& chosen);

}  // namespace onceward::app
