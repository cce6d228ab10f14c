#include "verify_journal.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "exit_codes.h"
#include "stores/journal/posix_disk.h"
#include "stores/journal_check/repair.h"
#include "stores/journal_check/replacement.h"
#include "stores/journal_check/verify.h"

namespace onceward::app {
namespace {

using journal::finding;
using journal::log_survey;
using journal::repair_report;
using journal::verification;

wall_time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string time_text(wall_time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  char text[64] = "?";
  if (::gmtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
}
std::string batches(std::uint64_t number) {
  return counted(number, "batch", "batches");
}
std::string entries(std::uint64_t number) {
  return counted(number, "entry", "entries");
}
std::string records(std::uint64_t number) {
  return counted(number, "record", "records");
}

// ---- A damage ----

std::string hidden_text(const finding& each) {
  std::string text;
  if (each.bytes > 0) text += fmt::format("; hides {} bytes", each.bytes);
  if (each.batches == 1) {
    text += fmt::format("; batch {}", each.first_sequence);
  } else if (each.batches > 1) {
    text += fmt::format("; batches {} to {}", each.first_sequence, each.first_sequence + each.batches - 1);
  } else if (each.first_sequence > 0) {
    text += fmt::format("; batches from {} on", each.first_sequence);
  }
  return text;
}

std::string loss_text(const finding& each) {
  if (!each.loses_entries()) return "nothing is lost by it";
  std::string text = each.entries ? entries(*each.entries) + " lost" : "nobody can say how many entries are lost";
  if (each.entries_read > 0) text += fmt::format(", {} can still be read", each.entries_read);
  if (each.after) text += fmt::format("; written after {}", time_text(*each.after));
  if (each.before) text += fmt::format(", before {}", time_text(*each.before));
  return text;
}

void print_findings(const log_survey& log, const std::string& directory) {
  for (const finding& each : log.findings) {
    const std::string place = each.file.empty() ? directory : each.file;
    fmt::print("damage: {}, byte {}: {}{}\n        {}\n", place, each.offset, each.what, hidden_text(each),
               loss_text(each));
  }
}

// ---- The whole ----

struct losses {
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
  bool at_least = false;  // Or more.
  bool any = false;
};

losses sum(const log_survey& log) {
  losses all;
  for (const finding& each : log.findings) {
    if (!each.loses_entries()) continue;
    all.any = true;
    all.batches += each.batches;
    all.entries += each.entries.value_or(each.batches);
    all.at_least = all.at_least || !each.entries || !each.all_known;
  }
  return all;
}

std::string verdict(const log_survey& log) {
  if (log.findings.empty()) return "sound";
  const losses lost = sum(log);
  const std::string damaged = "damaged in " + counted(log.findings.size(), "place", "places");
  if (!lost.any) return damaged + "; every entry can still be read";
  const std::string_view least = lost.at_least ? "at least " : "";
  return fmt::format("{}; {}{} with {}{} lost", damaged, least, batches(lost.batches), least, entries(lost.entries));
}

std::string verdict(const verification& is) {
  if (!is.log.findings.empty() || is.indexes.wrong.empty()) return verdict(is.log);
  return counted(is.indexes.wrong.size(), "index file says", "index files say") + " what is not so";
}

void print_summary(const verification& is, const std::string& directory) {
  const log_survey& log = is.log;
  std::uint64_t used = 0;
  std::uint64_t waiting = 0;
  std::uint64_t bytes = 0;
  for (const auto& each : log.files) {
    bytes += each.bytes;
    if (each.use == journal::file_use::log) ++used;
    if (each.use == journal::file_use::unused || each.use == journal::file_use::retired) ++waiting;
  }
  fmt::print("{}: {}, generations {} to {}; {} that wait; {} bytes\n", directory, counted(used, "segment", "segments"),
             log.first_generation, log.newest_generation, counted(waiting, "file", "files"), bytes);
  fmt::print("  {}, {} in {} bytes; fences up to {}\n", batches(log.batches), entries(log.entries), log.batch_bytes,
             log.largest_fence);
  fmt::print("  {} in flight, {} completed, {} released, {} unknown; {} expired\n", records(is.records.in_flight),
             is.records.completed, is.records.released, is.records.unknown, is.records.expired);
  if (!log.end_file.empty()) {
    fmt::print("  ends before batch {} in {}, byte {}{}\n", log.next_sequence, log.end_file, log.end_offset,
               log.is_torn ? "; the last write was cut short, which is normal: nothing of it was acknowledged" : "");
  }
  if (is.indexes.right + is.indexes.unused.size() + is.indexes.wrong.size() > 0) {
    fmt::print("  {} that say what their segments say; {} not used\n",
               counted(is.indexes.right, "index file", "index files"), is.indexes.unused.size());
  }
  if (!is.kept_aside.empty()) fmt::print("  {} of earlier repairs\n", counted(is.kept_aside.size(), "file", "files"));
  for (const std::string& each : is.left_behind)
    fmt::print("  {} is of a repair that ended before it changed anything; the next one removes it\n", each);
}

nlohmann::json to_json(const verification& is) {
  nlohmann::json found = nlohmann::json::array();
  const auto time = [](const std::optional<wall_time>& at) {
    return at ? nlohmann::json(time_text(*at)) : nlohmann::json();
  };
  for (const finding& each : is.log.findings) {
    found.push_back({{"file", each.file},
                     {"offset", each.offset},
                     {"what", each.what},
                     {"bytes", each.bytes},
                     {"first_batch", each.first_sequence},
                     {"batches", each.batches},
                     {"all_known", each.all_known},
                     {"entries_read", each.entries_read},
                     {"entries_lost", each.entries ? nlohmann::json(*each.entries) : nlohmann::json()},
                     {"after", time(each.after)},
                     {"before", time(each.before)}});
  }
  return {{"sound", is.is_sound()},
          {"repair_was_cut_short", is.repair_was_cut_short},
          {"first_generation", is.log.first_generation},
          {"newest_generation", is.log.newest_generation},
          {"batches", is.log.batches},
          {"entries", is.log.entries},
          {"bytes", is.log.batch_bytes},
          {"fence", is.log.largest_fence},
          {"end", {{"file", is.log.end_file}, {"offset", is.log.end_offset}, {"batch", is.log.next_sequence}}},
          {"torn", is.log.is_torn},
          {"records",
           {{"in_flight", is.records.in_flight},
            {"completed", is.records.completed},
            {"released", is.records.released},
            {"unknown", is.records.unknown},
            {"expired", is.records.expired}}},
          {"indexes",
           {{"right", is.indexes.right}, {"unused", is.indexes.unused.size()}, {"wrong", is.indexes.wrong.size()}}},
          {"damages", std::move(found)}};
}

int refuse(const std::string& why) {
  fmt::print(stderr, "onceward: {}\n", why);
  return exit_misconfigured;
}

int only_verify(journal::disk& where, const verify_options& chosen) {
  const auto verified = journal::verify(where, now());
  if (!verified) return refuse(verified.error().message);
  const int code = verified->is_sound() ? exit_good : exit_failed;
  if (chosen.json) {
    fmt::print("{}\n", to_json(*verified).dump(2));
    return code;
  }
  print_summary(*verified, chosen.directory);
  if (verified->repair_was_cut_short) {
    fmt::print("verdict: a repair was cut short; `onceward verify --repair {}` completes it\n", chosen.directory);
    return code;
  }
  print_findings(verified->log, chosen.directory);
  for (const journal::wrong_index& each : verified->indexes.wrong)
    fmt::print("damage: {}: {}\n        nothing is lost by it: the segment says what is so\n", each.file, each.what);
  fmt::print("verdict: {}\n", verdict(*verified));
  if (code != exit_good) fmt::print("`onceward verify --repair {}` goes on with what can be read\n", chosen.directory);
  return code;
}

// ---- Repair ----

void print_meaning(const repair_report& will) {
  if (!sum(will.before).any) return;
  fmt::print("what that means:\n");
  fmt::print("  a key that was claimed only in what is lost is not known any more: a retry of it runs again\n");
  fmt::print("  a key whose outcome was only there is unknown, and is not run again by itself:\n");
  fmt::print("  {} that were in flight, {} that had been released and may have been claimed again,\n",
             will.in_flight_doubtful, will.released_doubtful);
  fmt::print("  {} that were unknown before and may have been resolved\n", will.unknown_doubtful);
  if (will.brought_back > 0) {
    fmt::print("  {} brought back from segments that had been let go of\n", records(will.brought_back));
  }
}

void print_plan(const repair_report& will, const std::string& directory) {
  if (will.what == repair_report::outcome::carried_through) {
    fmt::print("{}: completes a repair that was cut short\n", directory);
    return;
  }
  print_findings(will.before, directory);
  fmt::print("{}: {}\n", directory, verdict(will.before));
  print_meaning(will);
  fmt::print("writes a new log with {}, of at most {}, with fences above {}; keeps the old files as *{}\n",
             records(will.records), counted(will.segments, "file", "files"), will.fence_granted,
             journal::damaged_suffix);
}

int repair(journal::disk& where, const verify_options& chosen) {
  const auto told = [&](const repair_report& will) {
    print_plan(will, chosen.directory);
    std::fflush(stdout);
  };
  const auto done = journal::repair(where, now(), told);
  if (!done) {
    fmt::print(stderr, "onceward: {}\n", done.error().message);
    const errc reason = done.error().reason;
    return reason == errc::full || reason == errc::io ? exit_failed : exit_misconfigured;
  }
  for (const journal::wrong_index& each : done->indexes_removed)
    fmt::print("{}: {}; removed\n", each.file, each.what);
  if (!done->indexes_removed.empty()) return exit_good;
  if (done->what == repair_report::outcome::was_sound) {
    fmt::print("{}: sound; nothing was done\n", chosen.directory);
    return exit_good;
  }
  for (const auto& [from, to] : done->moved)
    fmt::print("{} is now {}\n", from, to);
  const auto verified = journal::verify(where, now());
  if (!verified) return refuse(verified.error().message);
  print_summary(*verified, chosen.directory);
  fmt::print("verdict: {}\n", verified->is_sound() ? "repaired" : verdict(*verified));
  return verified->is_sound() ? exit_good : exit_failed;
}

}  // namespace

int verify_journal(const verify_options& chosen) {
  std::error_code failed;
  // Opening would make it.
  if (!std::filesystem::is_directory(chosen.directory, failed)) {
    return refuse(chosen.directory + ": " + (failed ? failed.message() : "not a directory"));
  }
  if (chosen.repair && chosen.json) return refuse("--json is for a check without --repair");
  auto where = journal::open_posix_disk(chosen.directory, journal::page_cache::used);
  if (!where) return refuse(chosen.directory + ": " + describe(where.error()));
  return chosen.repair ? repair(**where, chosen) : only_verify(**where, chosen);
}

}  // namespace onceward::app
