// What the threads of an open journal share, and how a command is decided.
//
// A command about one key is decided on the thread that submits it, under the lock of the key's shard. What then
// happens:
//   - it changes the record: the change goes to the committer, which writes it, and answers when it is durable;
//   - it changes nothing and nothing about the record is pending: it is answered at once, before submit() returns;
//   - it changes nothing, but the record has a change that is not durable yet: the answer goes to the committer too,
//     behind that change, because it tells of it;
//   - the record may be in the log only: the cold reader looks, and the command is decided then;
//   - there is no space for it now: the caretaker looks for some, and the command is decided then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/batch_queue.h"
#include "core/record.h"
#include "onceward/store.h"
#include "stores/journal/commit_queue.h"
#include "stores/journal/index_file.h"
#include "stores/journal/record_index.h"
#include "stores/journal/segments.h"

namespace onceward::journal {

// A command about one key, and where its reply goes.
using keyed_command = std::variant<claim, renew, complete, release, find>;
struct request {
  keyed_command what;
  reply_sink* sink;
  std::uint64_t tag;
};

// Where a reply goes.
struct addressee {
  reply_sink* sink;
  std::uint64_t tag;
};

// A command about all keys.
struct errand {
  std::variant<list_unknown, purge> what;
  reply_sink* sink;
  std::uint64_t tag;
};

// Under no lock.
inline void give(answer what) {
  tagged_reply one{what.tag, std::move(what.value)};
  what.sink->deliver({&one, 1});
}

// ---- What the cold reader is given ----

// A command about a record that may be in the log only.
using read_request = request;

// What was read of a key's cold records.
struct cold_reading {
  std::vector<std::shared_ptr<segment>> segments;  // Those that the places are in; as long as places are compared.
  std::vector<location> others;                    // Records of other keys, with the same tag.
  location where;                                  // Of the key's own, if there is one.
  std::optional<core::record> kept;                // It, or nothing.
};

// A segment that is full, and what is in it.
struct sealed_segment {
  std::shared_ptr<segment> which;
  std::vector<index_note> notes;
};

// ---- What the caretaker is given ----

// Another thread's wishes. All under `mutex`.
struct caretaker_mailbox {
  std::mutex mutex;
  std::condition_variable filled;
  bool look_around = false;
  bool end = false;
  std::vector<request> without_space;
  std::vector<errand> errands;
  std::vector<sealed_segment> sealed;
  std::vector<index_note> emptied;  // Notes of one whose index is kept: memory for those of the next.

  bool is_filled() const { return end || look_around || !without_space.empty() || !errands.empty() || !sealed.empty(); }
};

enum class without_space { wait, refuse };

// When the committer is to begin with what was decided.
enum class begin { now, at_flush };

class engine {
 public:
  engine(segment_set& segments_, std::function<wall_time()> now_, std::uint64_t cache_bytes,
         std::uint64_t completion_bytes_reserved);

  // Decides a command, one of those about one key, and sees to it that it is answered. `read` is what was read of its
  // record. The command is moved from where it has to wait.
  template <typename Command>
  void decide(Command& what, addressee by, without_space otherwise, const cold_reading* read, begin when);
  void decide(request asked, without_space otherwise, const cold_reading* read = nullptr);

  // Leaves it to the caretaker.
  void run(errand asked);

  // Queues an answer behind everything decided before.
  void respond_when_durable(answer what);

  // Makes `after` the record of the slot and queues it to be written, as far as there is space. Under the shard's lock.
  void put_and_write(shard& home, slot& place, core::record after);
  // The same for a claim that is in flight in the log although its lease has run out, so that the log, too, knows since
  // when it is unknown and when it expires. False if the record is not such a one. Under the shard's lock.
  bool write_run_out(shard& home, slot& place, wall_time at);
  // Queues entries to be written again, and waits until they are durable. False if that will never be.
  bool rewrite_durably(rewrite_group group);
  // Waits until everything decided before is durable.
  bool wait_until_durable();

  // Asks the caretaker to look whether there is something to do.
  void ask_to_look_around();
  // Gives it a segment to keep an index of, and gets memory for the notes of the next.
  std::vector<index_note> seal(sealed_segment which);

  // Refuses everything from now on. `what` tells people; the first stands, and is told to on_failure.
  void fail(std::string what);
  bool has_failed() const { return failed_.load(); }
  std::string failure() const;

  // Space: how much must stay free of claims so that old segments can always be emptied; and when to make more.
  std::uint64_t space_kept_back() const { return segments.usable_bytes(); }
  std::uint64_t space_wanted() const { return space_kept_back() + segments.usable_bytes() / 2; }
  // Whether a claim of common size would find space.
  bool has_space_for_claims() const;

  std::uint64_t fence_granted() const { return fence_granted_.load(); }
  void set_fence_granted(std::uint64_t fence) { fence_granted_ = fence; }

  segment_set& segments;
  record_index index;
  const std::function<wall_time()> now;
  commit_queue commits;
  base::batch_queue<read_request> reads;
  caretaker_mailbox caretaker;
  // Where no thread commits, whoever waits for the committer does its work; else empty.
  std::function<void()> commit_now;
  // Told of a failure, if somebody wants to know.
  std::function<void(const std::string&)> on_failure;
  // The last search for space found too little. Until it finds some, what does not fit is refused at once.
  std::atomic<bool> full{false};

  // What each shard may keep hot.
  const std::uint64_t hot_bytes_each;

 private:
  // What is left to do when the shard's lock is gone: the answer that is known already, and whom to wake.
  struct aftermath {
    std::optional<answer> known;
    bool committer = false;
    bool cold_reader = false;
    bool caretaker = false;
  };

  bool must_be_read(const shard& home, const record_key& key, wall_time time, const cold_reading* read);
  template <typename Command>
  void decide_locked(shard& home, Command& what, addressee by, without_space otherwise, const cold_reading* read,
                     aftermath& after);
  template <typename Command>
  void keep_change(shard& home, Command& what, addressee by, core::decision& decided, slot* place,
                   without_space otherwise, aftermath& after);
  void finish(aftermath& after, begin when);

  const std::uint64_t completion_bytes_reserved_;
  // What every grant writes is in another cache line than what is only read.
  alignas(64) std::atomic<std::uint64_t> fence_granted_{0};
  alignas(64) std::atomic<bool> failed_{false};
  mutable std::mutex failure_mutex_;
  std::string failure_;
};

}  // namespace onceward::journal
