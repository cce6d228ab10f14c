// What waits for the committer, in the order in which it was decided, with the bodies of the entries that it is to
// write. Whoever decides a change encodes it, here, so that the committer need not touch what belongs to others.
//
// Threads: everything from any thread, but wait() from the committer's only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/record.h"
#include "onceward/store.h"
#include "stores/journal/entry.h"
#include "stores/journal/record_index.h"

namespace onceward::journal {

struct answer {
  reply_sink* sink;
  std::uint64_t tag;
  reply value;
};

// A record to be written, and the answer to be given then. Two of them go from one processor's cache to another's for
// each first execution, so it is small and owns nothing; its key is in its entry.
struct change {
  shard* home;
  slot* place;
  wall_time expires_at;  // wall_time::max() while in flight.
  std::uint64_t space_promised;
  reply_sink* sink;  // Null for a change that nobody asked for.
  std::uint64_t tag;
  std::optional<claim_granted> granted;  // What a claim is told; every other command is told that it was applied.
  std::uint32_t body_bytes = 0;          // Set when it is queued.
  state_kind kind;
};

// Set once everything before it is durable; false if that will never be.
struct barrier {
  std::promise<bool>* passed;
};

// An entry to be written again, unless it is no longer the latest of its key.
struct rewrite {
  record_key key;
  location from;
  state_kind kind;
  wall_time expires_at;
  std::string body;
};
struct rewrite_group {
  std::vector<rewrite> entries;
  std::uint64_t space_promised;
};

// What the committer takes at once. Nothing is lost by keeping the four kinds apart: what waits behind a change may
// wait for the whole batch, and a rewrite is left out while its key has a change on its way.
struct commit_batch {
  std::vector<change> changes;
  std::string bodies;  // Those of the changes, one after the other.
  std::vector<rewrite_group> rewrites;
  std::vector<answer> answers;
  std::vector<barrier> barriers;

  // Who pushed it: the first of them, and whether there are more. A thread's mark is the address of something of its
  // own.
  const void* first_pusher = nullptr;
  bool has_several_pushers = false;

  std::size_t size() const { return changes.size() + rewrites.size() + answers.size() + barriers.size(); }
  bool empty() const { return size() == 0; }
  void clear();
};

// A group is what has been queued when somebody wants it begun, and what is queued until somebody comes to take it:
// those who gather want it begun when they have nothing more to add, so a lone command waits for nobody, and under load
// the commands of a worker's whole turn share a sync.
class commit_queue {
 public:
  // Returns true if nobody has wanted it begun since something was last taken: the caller then calls wake(), after it
  // has let go of its own locks, so that no lock is held across the system call; or leaves it to who flushes.
  [[nodiscard]] bool push(const change& what, const record_key& key, const core::record& kept);
  [[nodiscard]] bool push(answer what);
  [[nodiscard]] bool push(barrier what);
  [[nodiscard]] bool push(rewrite_group what);

  // Whether something is queued that nobody wants begun yet.
  bool is_unwanted() const { return is_unwanted_.load(); }
  // Wants what is queued begun.
  void wake();

  // Waits until something is wanted. False once the queue is closed and everything has been taken.
  bool wait();
  // Swaps what is queued, wanted or not, into `batch`, which is emptied first and keeps its memory. False if there is
  // nothing.
  bool take(commit_batch& batch);

  bool empty();
  // Whether somebody else has queued something who did not push `taken`.
  bool has_of_others(const commit_batch& taken);

  // Lets wait() come to its end. Afterwards only the committer itself may push.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable wanted_;
  commit_batch waiting_;
  bool is_wanted_ = false;
  bool closed_ = false;
  std::atomic<bool> is_unwanted_{false};  // Set under the mutex.

  // Under the mutex, after each push.
  bool note_pushed();
};

}  // namespace onceward::journal
