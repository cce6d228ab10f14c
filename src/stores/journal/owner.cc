#include "stores/journal/owner.h"

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace onceward::journal {
namespace {

constexpr std::string_view lock_file = "lock";

// What a second process is told about the first.
std::string this_holder(wall_time now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  char text[sizeof "0000-00-00T00:00:00Z"] = "";
  if (::gmtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return "process " + std::to_string(::getpid()) + " since " + text;
}

}  // namespace

tl::expected<std::unique_ptr<disk_lock>, open_error> own(disk& where, wall_time now) {
  std::string held_by;
  auto taken = where.lock(lock_file, this_holder(now), held_by);
  if (taken) return *std::move(taken);
  const errc reason = taken.error().reason;
  if (reason != errc::busy) {
    return tl::unexpected(open_error{reason, where.name() + ": " + describe(taken.error())});
  }
  return tl::unexpected(open_error{errc::busy, "the journal in " + where.name() + " is held by " + held_by});
}

open_error no_journal(const disk& where) {
  return {errc::not_found, "there is no journal in " + where.name()};
}

}  // namespace onceward::journal
