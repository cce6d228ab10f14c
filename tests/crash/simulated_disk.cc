#include "simulated_disk.h"

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "stores/journal/sectors.h"

namespace onceward::crash {

using journal::io_error;
using journal::io_result;

namespace {

tl::unexpected<io_error> not_found() {
  return tl::unexpected(io_error{errc::not_found, ENOENT});
}

}  // namespace

// A file as a process has it open. Made by the disk, which outlives it.
class simulated_file final : public journal::disk_file {
 public:
  simulated_file(simulated_disk& on, file_number number) : disk_(on), number_(number) {}

  io_result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard hold(disk_.mutex_);
    const auto failure = disk_.begin_call();
    // A write that failed was carried out to the half: as good as any other part.
    if (failure) bytes = bytes.first(bytes.size() / journal::sector_bytes / 2 * journal::sector_bytes);
    disk_.carry_out(write_sectors{number_, static_cast<std::size_t>(offset), {bytes.begin(), bytes.end()}});
    return result_of(failure);
  }

  io_result<void> read_at(std::uint64_t offset, std::span<std::byte> bytes) override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    const auto written = disk_.holds_.read(number_);
    if (offset + bytes.size() > written.size()) return tl::unexpected(io_error{errc::io, ENODATA});
    std::memcpy(bytes.data(), written.data() + offset, bytes.size());
    return {};
  }

  io_result<void> sync() override {
    std::unique_lock hold(disk_.mutex_);
    disk_.hold_sync(hold);
    const auto failure = disk_.begin_call();
    if (!failure) disk_.carry_out(sync_file{number_});
    return result_of(failure);
  }

  void start_write_back(std::uint64_t offset, std::uint64_t bytes) override {
    const std::lock_guard hold(disk_.mutex_);
    disk_.write_backs_.push_back({number_, offset, bytes});
  }

  io_result<std::uint64_t> size() override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    return disk_.holds_.read(number_).size();
  }

  io_result<void> preallocate(std::uint64_t bytes) override {
    const std::lock_guard hold(disk_.mutex_);
    const auto failure = disk_.begin_call();
    // On the way to its length, so that a cut may find it there.
    disk_.carry_out(allot_zeros{number_, static_cast<std::size_t>(bytes / 2)});
    if (!failure) disk_.carry_out(allot_zeros{number_, static_cast<std::size_t>(bytes)});
    return result_of(failure);
  }

 private:
  static io_result<void> result_of(const std::optional<io_error>& failure) {
    if (failure) return tl::unexpected(*failure);
    return {};
  }

  simulated_disk& disk_;
  const file_number number_;
};

class simulated_lock final : public journal::disk_lock {
 public:
  explicit simulated_lock(simulated_disk& on) : disk_(on) {}
  simulated_lock(const simulated_lock&) = delete;
  simulated_lock& operator=(const simulated_lock&) = delete;
  ~simulated_lock() override {
    const std::lock_guard hold(disk_.mutex_);
    disk_.locked_by_.reset();
  }

 private:
  simulated_disk& disk_;
};

class simulated_mount final : public journal::disk {
 public:
  explicit simulated_mount(simulated_disk& on) : disk_(on) {}

  std::string name() const override { return "simulated"; }

  io_result<std::vector<std::string>> list() override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    return disk_.holds_.names();
  }

  io_result<std::unique_ptr<journal::disk_file>> open(std::string_view file) override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    const auto found = disk_.holds_.find(file);
    if (!found) return not_found();
    return std::make_unique<simulated_file>(disk_, *found);
  }

  io_result<std::unique_ptr<journal::disk_file>> create(std::string_view file) override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    if (disk_.refuse_new_files_) return tl::unexpected(io_error{errc::full, ENOSPC});
    if (disk_.holds_.find(file)) return tl::unexpected(io_error{errc::io, EEXIST});
    const file_number number = disk_.holds_.unused_number();
    disk_.carry_out(create_file{number, std::string(file)});
    return std::make_unique<simulated_file>(disk_, number);
  }

  io_result<void> rename(std::string_view from, std::string_view to) override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    if (!disk_.holds_.find(from)) return not_found();
    disk_.carry_out(rename_file{std::string(from), std::string(to)});
    return {};
  }

  io_result<void> remove(std::string_view file) override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    if (!disk_.holds_.find(file)) return not_found();
    disk_.carry_out(remove_file{std::string(file)});
    return {};
  }

  io_result<void> sync_directory() override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    disk_.carry_out(sync_names{});
    return {};
  }

  io_result<std::unique_ptr<journal::disk_lock>> lock(std::string_view, std::string_view holder,
                                                      std::string& held_by) override {
    const std::lock_guard hold(disk_.mutex_);
    if (const auto failure = disk_.begin_call()) return tl::unexpected(*failure);
    if (disk_.locked_by_) {
      held_by = *disk_.locked_by_;
      return tl::unexpected(io_error{errc::busy, EWOULDBLOCK});
    }
    disk_.locked_by_ = std::string(holder);
    return std::make_unique<simulated_lock>(disk_);
  }

 private:
  simulated_disk& disk_;
};

std::unique_ptr<journal::disk> simulated_disk::mount() {
  return std::make_unique<simulated_mount>(*this);
}

platter simulated_disk::snapshot() const {
  const std::lock_guard hold(mutex_);
  return holds_;
}

std::uint64_t simulated_disk::operation_count() const {
  const std::lock_guard hold(mutex_);
  return operation_count_;
}

void simulated_disk::keep_history() {
  const std::lock_guard hold(mutex_);
  history_.emplace(disk_history{holds_, {}});
}

std::vector<write_back> simulated_disk::write_backs() const {
  const std::lock_guard hold(mutex_);
  return write_backs_;
}

disk_history simulated_disk::history() const {
  const std::lock_guard hold(mutex_);
  return *history_;
}

std::uint64_t simulated_disk::calls() const {
  const std::lock_guard hold(mutex_);
  return calls_;
}

void simulated_disk::fail_call(std::uint64_t number, io_error error, bool forever) {
  const std::lock_guard hold(mutex_);
  failing_call_ = number;
  failing_with_ = error;
  failing_forever_ = forever;
}

void simulated_disk::refuse_new_files(bool refuse) {
  const std::lock_guard hold(mutex_);
  refuse_new_files_ = refuse;
}

void simulated_disk::hold_syncs(bool hold) {
  {
    const std::lock_guard locked(mutex_);
    hold_syncs_ = hold;
  }
  syncs_changed_.notify_all();
}

void simulated_disk::wait_for_held_sync() {
  std::unique_lock hold(mutex_);
  syncs_changed_.wait(hold, [this] { return syncs_held_ > 0; });
}

void simulated_disk::at_next_sync(std::function<void()> what) {
  const std::lock_guard hold(mutex_);
  at_next_sync_ = std::move(what);
}

void simulated_disk::hold_sync(std::unique_lock<std::mutex>& hold) {
  if (const auto what = std::exchange(at_next_sync_, nullptr)) {
    hold.unlock();
    what();
    hold.lock();
  }
  if (!hold_syncs_) return;
  ++syncs_held_;
  syncs_changed_.notify_all();
  syncs_changed_.wait(hold, [this] { return !hold_syncs_; });
  --syncs_held_;
}

std::optional<io_error> simulated_disk::begin_call() {
  const std::uint64_t number = calls_++;
  if (number == failing_call_ || (failing_forever_ && number > failing_call_)) return failing_with_;
  return std::nullopt;
}

void simulated_disk::carry_out(operation done) {
  holds_.apply(done);
  ++operation_count_;
  if (history_) history_->operations.push_back(std::move(done));
}

}  // namespace onceward::crash
