// Where commands of all threads come in for a store whose one thread asks a server, and where replies go out.
//
// Threads: what says so may be called from any; the rest is the store's thread's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <variant>
#include <vector>

#include "core/pending_command.h"
#include "core/reply_groups.h"
#include "onceward/store.h"

namespace onceward::server {

class desk {
 public:
  struct limits {
    std::size_t commands_max;       // Not answered yet; beyond it one is refused as `unavailable`.
    std::size_t command_bytes_max;  // A command that weighs more is refused as `too_large`.
    std::size_t (*weigh)(const command& what);
  };
  using errand = std::function<void()>;
  using letter = std::variant<core::pending_command, errand>;

  explicit desk(limits chosen);
  ~desk();
  desk(const desk&) = delete;
  desk& operator=(const desk&) = delete;

  // ---- Any thread ----
  // A refusal, definite, is delivered from inside.
  void submit(command what, reply_sink& sink, std::uint64_t tag);
  // Has it run by the store's thread.
  void post(errand what);
  // The same, and waits until `done` was called, by the same thread, then or later.
  void post_and_wait(std::function<void(errand done)> what);
  void close();
  bool has_room() const { return outstanding_.load(std::memory_order_relaxed) < limits_.commands_max; }
  // Returns when no call to the one before is under way.
  void observe(record_observer* observer);

  // ---- The store's thread ----
  // To poll for reading: something came in. silence() before take().
  int bell() const { return bell_; }
  void silence() const;
  // What came in since the last call, in its order; valid until the next.
  std::span<letter> take();
  bool is_closed() const { return is_closed_; }
  void answer(const core::pending_command& to, reply value);
  void deliver() { replies_.deliver(); }
  bool all_answered() const { return outstanding_.load(std::memory_order_relaxed) == 0; }
  // Nothing for "any record may have changed".
  void tell_observer(std::span<const record_key> keys);

 private:
  void put(letter what);
  void ring() const;

  const limits limits_;
  const int bell_;  // An eventfd.
  std::mutex mutex_;
  std::vector<letter> letters_;  // Guarded by mutex_.
  bool closing_ = false;         // Guarded by mutex_.
  std::atomic<std::size_t> outstanding_{0};
  std::mutex observer_mutex_;
  record_observer* observer_ = nullptr;  // Guarded by observer_mutex_.

  // The store's thread's.
  std::vector<letter> opened_;  // Kept for its memory.
  bool is_closed_ = false;
  core::reply_groups replies_;
};

}  // namespace onceward::server
