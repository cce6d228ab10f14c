#include "stores/journal/segments.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "stores/journal/block_buffer.h"

namespace onceward::journal {
namespace {

// An entry may take this part of a segment at most; that much is lost at the end of each at worst.
constexpr std::uint64_t entries_per_segment_min = 8;

bool is_gone(const io_result<void>& removed) {
  return removed || removed.error().reason == errc::not_found;
}

}  // namespace

segment_set::segment_set(disk& where, std::uint64_t segment_bytes, std::uint64_t files_max)
    : disk_(where),
      segment_bytes_(segment_bytes),
      files_max_(files_max),
      entry_disk_bytes_max_(segment_bytes / entries_per_segment_min / block_bytes * block_bytes) {}

std::vector<std::shared_ptr<segment>> segment_set::adopt(const scanned_log& found) {
  const std::lock_guard hold(mutex_);
  for (const scanned_segment& each : found.segments) {
    kept_.push_back(std::make_shared<segment>(each.where, each.header.generation, each.header.first_sequence));
    last_file_number_ = std::max(last_file_number_, number_of_segment_file(each.where.name));
  }
  for (const segment_file& each : found.unused) {
    ready_.push_back(each);
    last_file_number_ = std::max(last_file_number_, number_of_segment_file(each.name));
  }
  capacity_ = ready_.size() * usable_bytes();
  return {kept_.begin(), kept_.end()};
}

bool segment_set::promise(std::uint64_t bytes, std::uint64_t leave) {
  const std::uint64_t promised = promised_.fetch_add(bytes) + bytes;
  if (promised + leave <= capacity_.load()) return true;
  promised_.fetch_sub(bytes);
  return false;
}

std::uint64_t segment_set::free_bytes() const {
  const std::uint64_t promised = promised_.load();
  const std::uint64_t capacity = capacity_.load();
  return capacity > promised ? capacity - promised : 0;
}

io_result<std::shared_ptr<segment>> segment_set::activate_next(std::uint64_t first_sequence,
                                                               std::uint64_t fence_granted, wall_time now) {
  segment_file next;
  segment_header header{.generation = 1,
                        .segment_bytes = segment_bytes_,
                        .first_sequence = first_sequence,
                        .first_generation = 1,
                        .fence_granted = fence_granted,
                        .created_at_ms = now.time_since_epoch().count()};
  {
    const std::lock_guard hold(mutex_);
    onceward_assert(!ready_.empty());
    next = ready_.back();
    if (!kept_.empty()) {
      header.generation = kept_.back()->generation + 1;
      header.first_generation = kept_.front()->generation;
    }
  }
  block_buffer block(block_bytes);
  encode(header, block.first(block_bytes));
  if (auto written = next.file->write_at(0, block.first(block_bytes)); !written) return tl::unexpected(written.error());
  if (auto synced = next.file->sync(); !synced) return tl::unexpected(synced.error());

  auto active = std::make_shared<segment>(std::move(next), header.generation, first_sequence);
  // Only now does it leave the ready ones, among which there may be others since: add_file() counts it all the time.
  const std::lock_guard hold(mutex_);
  std::erase_if(ready_, [&](const segment_file& each) { return each.name == active->where.name; });
  kept_.push_back(active);
  return active;
}

void segment_set::consume(std::uint64_t begin, std::uint64_t end) {
  capacity_.fetch_sub(usable_after(begin) - usable_after(end));
}

segment_set::oldest_segment segment_set::oldest() const {
  const std::lock_guard hold(mutex_);
  if (kept_.size() < 2) return {};
  return {kept_[0], kept_[1]->first_sequence};
}

std::optional<segment_bounds> segment_set::sealed(const segment& which) const {
  const std::lock_guard hold(mutex_);
  for (std::size_t i = 0; i + 1 < kept_.size(); ++i) {
    if (kept_[i].get() != &which) continue;
    return segment_bounds{which.generation, which.first_sequence, kept_[i + 1]->first_sequence};
  }
  return std::nullopt;
}

void segment_set::adopt_index(const std::string& segment_file, std::uint64_t bytes) {
  const std::lock_guard hold(mutex_);
  index_files_[segment_file] = bytes;
}

io_result<void> segment_set::write_index(const std::string& segment_file, const segment_bounds& as,
                                         const index_contents& contents) {
  const std::uint64_t bytes = index_file_bytes(contents);
  if (bytes_with(bytes) > files_max_ * segment_bytes_) return tl::unexpected(io_error{errc::full, 0});
  if (auto written = journal::write_index(disk_, segment_file, as, contents); !written) return written;
  adopt_index(segment_file, bytes);
  return {};
}

io_result<void> segment_set::drop_index(const std::string& segment_file) {
  {
    const std::lock_guard hold(mutex_);
    if (!index_files_.contains(segment_file)) return {};
  }
  if (const auto removed = disk_.remove(index_file_name(segment_file)); !is_gone(removed)) return removed;
  const std::lock_guard hold(mutex_);
  index_files_.erase(segment_file);
  return {};
}

io_result<void> segment_set::make_room(std::uint64_t bytes) {
  while (bytes_with(bytes) > files_max_ * segment_bytes_) {
    std::string victim;
    {
      const std::lock_guard hold(mutex_);
      if (index_files_.empty()) return tl::unexpected(io_error{errc::full, 0});
      victim = index_files_.begin()->first;
    }
    if (auto dropped = drop_index(victim); !dropped) return dropped;
  }
  return {};
}

void segment_set::retire_oldest() {
  std::string name;
  {
    const std::lock_guard hold(mutex_);
    onceward_assert(kept_.size() > 1 && kept_.front()->live_entries == 0);
    name = kept_.front()->where.name;
  }
  // One that stays is of no segment any more once the file has become another, whose index takes its place.
  static_cast<void>(drop_index(name));
  const std::lock_guard hold(mutex_);
  ready_.push_back(kept_.front()->where);
  kept_.pop_front();
  capacity_.fetch_add(usable_bytes());
}

io_result<void> segment_set::add_file() {
  std::string name;
  {
    const std::lock_guard hold(mutex_);
    if (files() >= files_max_) return tl::unexpected(io_error{errc::full, 0});
    name = segment_file_name(++last_file_number_);
  }
  if (auto room = make_room(segment_bytes_); !room) return room;
  // Under another name until it is whole, so that a file of a segment's name always has a segment's length.
  const std::string unfinished = unfinished_name(name);
  auto file = disk_.create(unfinished);
  if (!file) return tl::unexpected(file.error());
  auto made = (*file)->preallocate(segment_bytes_);
  if (made) made = disk_.rename(unfinished, name);
  if (made) made = disk_.sync_directory();
  if (!made) {
    const bool is_unfinished_gone = is_gone(disk_.remove(unfinished));
    const bool is_whole_gone = is_gone(disk_.remove(name));
    const std::lock_guard hold(mutex_);
    // The next opening removes it, or finds a use for it.
    if (!is_unfinished_gone || !is_whole_gone) ++left_behind_;
    return made;
  }
  const std::lock_guard hold(mutex_);
  ready_.push_back({std::move(name), *std::move(file), segment_bytes_});
  capacity_.fetch_add(usable_bytes());
  return {};
}

segment* segment_set::kept(std::uint32_t short_generation) const {
  const std::lock_guard hold(mutex_);
  onceward_assert(!kept_.empty());
  const std::uint64_t place =
      (short_generation + segments_max - kept_.front()->generation % segments_max) % segments_max;
  onceward_assert(place < kept_.size());
  return kept_[place].get();
}

std::uint64_t segment_set::kept_count() const {
  const std::lock_guard hold(mutex_);
  return kept_.size();
}

std::uint64_t segment_set::newest_generation() const {
  const std::lock_guard hold(mutex_);
  return kept_.empty() ? 0 : kept_.back()->generation;
}

std::uint64_t segment_set::live_bytes() const {
  const std::lock_guard hold(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& each : kept_)
    bytes += each->live_bytes;
  return bytes;
}

std::uint64_t segment_set::bytes_on_disk() const {
  return bytes_with(0);
}

std::uint64_t segment_set::bytes_with(std::uint64_t more) const {
  const std::lock_guard hold(mutex_);
  std::uint64_t bytes = files() * segment_bytes_ + more;
  for (const auto& [file, length] : index_files_)
    bytes += length;
  return bytes;
}

// Below the longest entry's length the rest of a segment may have to be left, so it does not count.
std::uint64_t segment_set::usable_after(std::uint64_t offset) const {
  const std::uint64_t left = segment_bytes_ - offset;
  return left > entry_disk_bytes_max_ ? left - entry_disk_bytes_max_ : 0;
}

}  // namespace onceward::journal
