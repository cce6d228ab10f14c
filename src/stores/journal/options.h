// What can be chosen about a journal, and why it could not be opened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "onceward/result.h"

namespace onceward::journal {

enum class durability {
  written,  // An acknowledged command survives the process. After a power loss it may be lost, and the journal may
            // refuse to open.
  synced,   // An acknowledged command survives power loss as well.
};

// Who does what the committer, the cold reader and the caretaker are there for: a thread each, or whoever calls their
// step().
enum class run_by { threads, steps };

// Whether a thread that has gathered and is idle commits by itself, or leaves it to the committer.
enum class idle_commits { never, where_it_pays, always };

struct options {
  durability level = durability::synced;

  // The length of each file. A multiple of 4 KiB, from 64 KiB to 1 GiB; a journal that exists keeps its own. The
  // longest record is an eighth of it. At least two segments are preallocated when a journal is made.
  std::uint64_t segment_bytes = 64ull << 20;

  // All files together: four segments at least. Beyond it new claims are refused: definite, errc::full.
  std::uint64_t bytes_limit = 8ull << 30;

  // Records kept in memory besides the index, the most recent ones. Others are read from the disk when they are asked
  // for.
  std::uint64_t cache_bytes = 8ull << 20;

  // Space promised to the outcome of each claim in flight. A longer outcome is taken as long as there is space anyway.
  std::uint64_t completion_bytes_reserved = 8ull << 10;

  // Where it pays: commit_policy.h.
  idle_commits by_idle_threads = idle_commits::where_it_pays;

  // Called once, if the journal fails, with what failed and why, for people. By the thread that found out.
  std::function<void(const std::string& what)> on_failure = nullptr;
};

// Why a journal could not be opened. `message` names the file and the offset where there is one, and who holds the
// journal where somebody does.
struct open_error {
  errc reason;  // busy, corrupt, version, full, io or invalid.
  std::string message;
};

}  // namespace onceward::journal
