#include "stores/journal/log_writer.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace onceward::journal {
namespace {

// A longer write would keep the first of its group waiting.
constexpr std::uint64_t batch_disk_bytes_max = 1u << 20;

// What is not synced with each batch is handed to the disk in pieces of at least this size. The kernel by itself would
// begin after half a minute, and the sync at the end of a segment keep everybody waiting for all of it.
constexpr std::uint64_t write_back_bytes_min = 1u << 20;

}  // namespace

log_writer::log_writer(segment_set& segments, position end, durability level, std::function<wall_time()> now,
                       std::function<std::uint64_t()> fence_granted)
    : segments_(segments),
      end_(std::move(end)),
      handed_to_disk_(end_.offset),
      level_(level),
      now_(std::move(now)),
      fence_granted_(std::move(fence_granted)) {}

io_result<bool> log_writer::add(std::string_view body, location& where) {
  const std::size_t bytes = entry_header_bytes + body.size();
  if (!has_room(bytes)) {
    if (!batch_.empty()) return false;
    if (auto rotated = rotate(); !rotated) return tl::unexpected(rotated.error());
    onceward_assert(has_room(bytes));
  }
  const auto header = entry_header(body, end_.active->generation);
  where = {.in = end_.active.get(),
           .offset = static_cast<std::uint32_t>(end_.offset + batch_.add({header.data(), header.size()}, body)),
           .bytes = static_cast<std::uint32_t>(rounded_entry_bytes(bytes))};
  return true;
}

io_result<void> log_writer::write() {
  if (batch_.empty()) return {};
  const auto bytes = batch_.seal({end_.active->generation, end_.next_sequence}, memory_);
  disk_file& file = *end_.active->where.file;
  if (auto written = file.write_at(end_.offset, bytes); !written) return written;
  if (level_ == durability::synced) {
    if (auto synced = file.sync(); !synced) return synced;
  }
  segments_.consume(end_.offset, end_.offset + bytes.size());
  end_.offset += bytes.size();
  end_.next_sequence += 1;
  batch_.clear();
  if (level_ == durability::written) start_write_back();
  return {};
}

void log_writer::start_write_back() {
  const std::uint64_t bytes = end_.offset - handed_to_disk_;
  if (bytes < write_back_bytes_min) return;
  end_.active->where.file->start_write_back(std::exchange(handed_to_disk_, end_.offset), bytes);
}

io_result<void> log_writer::sync() {
  if (end_.active == nullptr) return {};
  return end_.active->where.file->sync();
}

std::string log_writer::place() const {
  if (end_.active == nullptr) return "the first segment";
  return end_.active->where.name + " at " + std::to_string(end_.offset);
}

// A segment is left when it might not take the longest entry, which is what the account of space counts on.
bool log_writer::has_room(std::size_t entry_bytes) const {
  if (end_.active == nullptr) return false;
  const std::uint64_t left = segments_.segment_bytes() - end_.offset;
  const std::size_t disk_bytes = batch_.disk_bytes_with(entry_bytes);
  if (batch_.empty()) return left >= segments_.entry_disk_bytes_max();
  return disk_bytes <= std::min(left, batch_disk_bytes_max);
}

io_result<void> log_writer::rotate() {
  // The order of the log must survive a power loss at every level: no segment without the whole one before it.
  if (level_ == durability::written) {
    if (auto synced = sync(); !synced) return synced;
  }
  auto next = segments_.activate_next(end_.next_sequence, fence_granted_(), now_());
  if (!next) return tl::unexpected(next.error());
  end_.active = *std::move(next);
  end_.offset = segment_header_bytes;
  handed_to_disk_ = end_.offset;
  return {};
}

}  // namespace onceward::journal
