// A disk in memory as processes mount it: it fails on purpose, and keeps a record of what was done to it.
//
// It outlives the processes that mount it. Every call is counted, and any of them can be made to fail. From the record,
// the platter can be had as it was after each operation.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platter.h"
#include "stores/journal/disk.h"

namespace onceward::crash {

// What was on a disk, and what was then done to it.
struct disk_history {
  platter before;
  std::vector<operation> operations;
};

// What the disk was asked to begin with.
struct write_back {
  file_number file;
  std::uint64_t offset;
  std::uint64_t bytes;
};

class simulated_disk {
 public:
  explicit simulated_disk(platter holds = {}) : holds_(std::move(holds)) {}
  simulated_disk(const simulated_disk&) = delete;
  simulated_disk& operator=(const simulated_disk&) = delete;

  std::unique_ptr<journal::disk> mount();

  // As it is now.
  platter snapshot() const;
  // To be tampered with, while nothing is mounted.
  platter& holds() { return holds_; }

  // Operations carried out so far. Each changes something: reads are none.
  std::uint64_t operation_count() const;
  // Keeps a record from now on. Before the first operation.
  void keep_history();
  disk_history history() const;
  // Only noted: what was not synced may be on the disk at any time anyway.
  std::vector<write_back> write_backs() const;

  // ---- Faults ----

  // Calls so far, of every kind.
  std::uint64_t calls() const;
  // Makes the call of this number fail, counting from 0; it may have been carried out in part. `forever`: and all later
  // ones.
  void fail_call(std::uint64_t number, journal::io_error error, bool forever);
  // No file can be made any more, as on a disk that is full.
  void refuse_new_files(bool refuse);
  // No sync ends before this is taken back.
  void hold_syncs(bool hold);
  // Returns when a sync is held.
  void wait_for_held_sync();
  // Calls `what` in the next sync, before it is carried out.
  void at_next_sync(std::function<void()> what);

 private:
  friend class simulated_file;
  friend class simulated_mount;
  friend class simulated_lock;

  // All under the mutex.
  std::optional<journal::io_error> begin_call();
  void carry_out(operation done);
  void hold_sync(std::unique_lock<std::mutex>& hold);

  mutable std::mutex mutex_;
  platter holds_;
  std::optional<std::string> locked_by_;  // Gone with the mount.
  std::uint64_t operation_count_ = 0;
  std::optional<disk_history> history_;
  std::vector<write_back> write_backs_;
  std::uint64_t calls_ = 0;
  std::uint64_t failing_call_ = ~std::uint64_t{0};
  bool failing_forever_ = false;
  bool refuse_new_files_ = false;
  bool hold_syncs_ = false;
  std::uint64_t syncs_held_ = 0;
  std::condition_variable syncs_changed_;
  std::function<void()> at_next_sync_;
  journal::io_error failing_with_{};
};

}  // namespace onceward::crash
