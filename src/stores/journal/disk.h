// The little that the journal asks of an operating system: one directory of files, positioned reads and writes, and
// syncs. Behind it stands a real directory (posix_disk.h) or, in tests, a simulated one that loses, tears and refuses
// on purpose.
//
// Promises an implementation makes: what was written before a successful sync() survives power loss; what was not may
// be lost or kept in pieces of 512 bytes, in any order. A file's name survives power loss after sync_directory().
//
// Threads: different files may be used at the same time, and one file may be read while it is written elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/result.h"

namespace onceward::journal {

// Offsets, sizes and the memory of every read and write are multiples of this, as direct I/O demands.
inline constexpr std::size_t block_bytes = 4096;

// What the operating system said. `reason` is full, not_found, busy or io.
struct io_error {
  errc reason;
  int os_error;  // errno, for people.
};

// "No space left on device" and the like.
std::string describe(const io_error& error);

template <typename T>
using io_result = tl::expected<T, io_error>;

class disk_file {
 public:
  virtual ~disk_file() = default;

  virtual io_result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  // Fills `bytes`; what lies beyond the end of the file is an error.
  virtual io_result<void> read_at(std::uint64_t offset, std::span<std::byte> bytes) = 0;

  // Makes what was written durable. After an error nothing is known about it, and trying again tells nothing.
  virtual io_result<void> sync() = 0;

  // Has the disk begin with what was written there, and does not wait for it: a later sync() finds less to do. A hint;
  // an error is found by that sync().
  virtual void start_write_back(std::uint64_t offset, std::uint64_t bytes) = 0;

  virtual io_result<std::uint64_t> size() = 0;

  // Makes the empty file `bytes` long, with space allotted, zeros written and all of it durable, so that writes inside
  // it change no metadata and cannot run out of space.
  virtual io_result<void> preallocate(std::uint64_t bytes) = 0;
};

// Held until destroyed, or until the process ends.
class disk_lock {
 public:
  virtual ~disk_lock() = default;
};

class disk {
 public:
  virtual ~disk() = default;

  // How people are told which directory this is.
  virtual std::string name() const = 0;

  virtual io_result<std::vector<std::string>> list() = 0;
  virtual io_result<std::unique_ptr<disk_file>> open(std::string_view file) = 0;
  virtual io_result<std::unique_ptr<disk_file>> create(std::string_view file) = 0;
  virtual io_result<void> rename(std::string_view from, std::string_view to) = 0;
  virtual io_result<void> remove(std::string_view file) = 0;
  virtual io_result<void> sync_directory() = 0;

  // Takes the directory's lock, kept in `file` together with a line about the holder. errc::busy where somebody holds
  // it; `held_by` then has that holder's line.
  virtual io_result<std::unique_ptr<disk_lock>> lock(std::string_view file, std::string_view holder,
                                                     std::string& held_by) = 0;
};

}  // namespace onceward::journal
