#include "stores/journal_check/replacement.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/assert.h"
#include "stores/journal/entry.h"
#include "stores/journal/log_scan.h"

namespace onceward::journal {
namespace {

constexpr std::uint64_t batch_disk_bytes_max = 1u << 20;

std::string with_suffix(std::uint64_t number, std::string_view suffix) {
  return segment_file_name(number) + std::string(suffix);
}

bool is_waiting(std::string_view name) {
  return name.ends_with(repaired_suffix) &&
         number_of_segment_file(name.substr(0, name.size() - repaired_suffix.size())) != 0;
}
std::string final_name(const std::string& waiting) {
  return waiting.substr(0, waiting.size() - repaired_suffix.size());
}

// Of the same replacement: no other log has the same first generation, fences and moment.
bool belong_together(const segment_header& left, const segment_header& right) {
  return left.first_generation == right.first_generation && left.fence_granted == right.fence_granted &&
         left.created_at_ms == right.created_at_ms && left.segment_bytes == right.segment_bytes;
}

// Nothing where there is none that can be read.
std::optional<segment_header> header_of(disk& where, const std::string& name) {
  const auto file = where.open(name);
  if (!file) return std::nullopt;
  block_buffer block(block_bytes);
  const auto bytes = (*file)->size();
  if (!bytes || *bytes < block_bytes || !(*file)->read_at(0, block.first(block_bytes))) return std::nullopt;
  const auto header = decode_segment_header(block.first(block_bytes));
  return header ? *header : std::nullopt;
}

// Whether the file can stay where it is: of the right length and never written to.
bool is_blank(disk& where, const std::string& name, std::uint64_t segment_bytes) {
  constexpr std::uint64_t piece_bytes = 1u << 20;
  const auto file = where.open(name);
  if (!file) return false;
  const auto bytes = (*file)->size();
  if (!bytes || *bytes != segment_bytes) return false;
  block_buffer memory(std::min(piece_bytes, segment_bytes));
  for (std::uint64_t at = 0; at < segment_bytes; at += piece_bytes) {
    const auto piece = memory.first(std::min(piece_bytes, segment_bytes - at));
    if (!(*file)->read_at(at, piece)) return false;
    if (!std::all_of(piece.begin(), piece.end(), [](std::byte each) { return each == std::byte{0}; })) return false;
  }
  return true;
}

// A name that is not taken.
std::string name_aside(const std::string& name, const std::vector<std::string>& names) {
  const std::string plain = name + std::string(damaged_suffix);
  std::string chosen = plain;
  for (int copy = 2; std::find(names.begin(), names.end(), chosen) != names.end(); ++copy)
    chosen = plain + "-" + std::to_string(copy);
  return chosen;
}

io_result<void> move_old_files_aside(disk& where, const segment_header& newer,
                                     std::vector<std::pair<std::string, std::string>>& moved) {
  const auto names = where.list();
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (number_of_segment_file(name) == 0) continue;
    const auto header = header_of(where, name);
    if (header && belong_together(*header, newer)) continue;
    if (is_blank(where, name, newer.segment_bytes)) continue;
    const std::string aside = name_aside(name, *names);
    if (auto renamed = where.rename(name, aside); !renamed) return renamed;
    moved.emplace_back(name, aside);
  }
  return {};
}

}  // namespace

std::uint64_t unused_segment_number(const std::vector<std::string>& names) {
  std::uint64_t largest = 0;
  for (const std::string& name : names) {
    const std::string_view prefix = "segment-";
    if (!name.starts_with(prefix)) continue;
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    if (failure == std::errc{}) largest = std::max(largest, number);
  }
  return largest + 1;
}

io_result<void> replacement_writer::add(const record_key& key, const core::record& kept) {
  const std::size_t bytes = entry_bytes_of(kept);
  const auto fits = [&] {
    const std::uint64_t left = plan_.segment_bytes - offset_;
    return batch_.disk_bytes_with(bytes) <= (batch_.empty() ? left : std::min(left, batch_disk_bytes_max));
  };
  if (active_ != nullptr && !fits()) {
    if (auto written = write_batch(); !written) return written;
  }
  if (active_ == nullptr || !fits()) {
    if (auto begun = begin_segment(); !begun) return begun;
  }
  onceward_assert(fits());
  entry_.clear();
  encode_entry(key, kept, generation_, entry_);
  batch_.add(entry_);
  return {};
}

io_result<void> replacement_writer::finish() {
  // One at least before the last, which has to be another than the first.
  if (active_ == nullptr) {
    if (auto begun = begin_segment(); !begun) return begun;
  }
  if (auto begun = begin_segment(); !begun) return begun;
  if (auto ended = end_segment(); !ended) return ended;
  return where_.sync_directory();
}

io_result<void> replacement_writer::begin_segment() {
  if (auto ended = end_segment(); !ended) return ended;
  auto made = where_.create(with_suffix(plan_.first_number + files_, repaired_suffix));
  if (!made) return tl::unexpected(made.error());
  active_ = *std::move(made);
  generation_ = plan_.first_generation + files_;
  ++files_;
  offset_ = segment_header_bytes;
  if (auto allotted = active_->preallocate(plan_.segment_bytes); !allotted) return allotted;
  block_buffer block(block_bytes);
  encode({.generation = generation_,
          .segment_bytes = plan_.segment_bytes,
          .first_sequence = next_sequence_,
          .first_generation = plan_.first_generation,
          .fence_granted = plan_.fence_granted,
          .created_at_ms = plan_.now.time_since_epoch().count()},
         block.first(block_bytes));
  return active_->write_at(0, block.first(block_bytes));
}

io_result<void> replacement_writer::write_batch() {
  if (batch_.empty()) return {};
  const auto bytes = batch_.seal({generation_, next_sequence_}, memory_);
  if (auto written = active_->write_at(offset_, bytes); !written) return written;
  offset_ += bytes.size();
  ++next_sequence_;
  batch_.clear();
  return {};
}

io_result<void> replacement_writer::end_segment() {
  if (active_ == nullptr) return {};
  if (auto written = write_batch(); !written) return written;
  if (auto synced = active_->sync(); !synced) return synced;
  active_ = nullptr;
  return {};
}

tl::expected<std::optional<begun_replacement>, open_error> find_begun_replacement(disk& where) {
  const auto names = where.list();
  if (!names) return tl::unexpected(open_error{errc::io, where.name() + ": " + describe(names.error())});
  if (std::none_of(names->begin(), names->end(), is_waiting)) return std::nullopt;
  begun_replacement begun;
  std::vector<segment_header> in_place;
  std::string unreadable;
  std::uint64_t largest_number = 0;
  for (const std::string& name : *names) {
    const bool waits = is_waiting(name);
    if (!waits && number_of_segment_file(name) == 0) continue;
    const auto header = header_of(where, name);
    if (header && waits) begun.waiting.push_back({name, *header});
    if (header && !waits) in_place.push_back(*header);
    if (!header && waits) unreadable = name;
    if (!waits) largest_number = std::max(largest_number, number_of_segment_file(name));
  }
  // The one that was being written; unless a later one has its name already.
  if (!unreadable.empty() && number_of_segment_file(final_name(unreadable)) < largest_number) {
    return tl::unexpected(
        open_error{errc::corrupt,
                   where.name() + "/" + unreadable + ": a repair was cut short, and this file of it cannot be read"});
  }
  if (begun.waiting.empty()) return begun;
  const auto by_generation = [](const auto& left, const auto& right) {
    return left.header.generation < right.header.generation;
  };
  std::sort(begun.waiting.begin(), begun.waiting.end(), by_generation);
  const segment_header first = begun.waiting.front().header;
  std::vector<std::uint64_t> generations;
  std::uint64_t last = 0;
  for (const segment_header& each : in_place) {
    if (!belong_together(each, first)) continue;
    begun.is_decided = true;
    last = std::max(last, each.generation);
    generations.push_back(each.generation);
  }
  if (!begun.is_decided) return begun;
  for (const auto& each : begun.waiting)
    generations.push_back(each.header.generation);
  for (std::uint64_t due = first.first_generation; due <= last; ++due) {
    if (std::find(generations.begin(), generations.end(), due) != generations.end()) continue;
    return tl::unexpected(open_error{errc::corrupt, where.name() +
                                                        ": a repair was cut short, and the file with generation " +
                                                        std::to_string(due) + " that it had written is missing"});
  }
  return begun;
}

io_result<void> withdraw(disk& where) {
  const auto names = where.list();
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!is_waiting(name)) continue;
    if (auto removed = where.remove(name); !removed) return removed;
  }
  return {};
}

io_result<std::vector<std::pair<std::string, std::string>>> carry_through(disk& where, begun_replacement begun) {
  std::vector<std::pair<std::string, std::string>> moved;
  const auto name_last_waiting = [&]() -> io_result<void> {
    const std::string waiting = begun.waiting.back().name;
    begun.waiting.pop_back();
    return where.rename(waiting, final_name(waiting));
  };
  onceward_assert(!begun.waiting.empty());
  const segment_header newer = begun.waiting.front().header;
  io_result<void> done;
  if (!begun.is_decided) done = name_last_waiting();
  if (done) done = where.sync_directory();
  if (done) done = move_old_files_aside(where, newer, moved);
  if (done) done = where.sync_directory();
  while (done && !begun.waiting.empty())
    done = name_last_waiting();
  if (done) done = where.sync_directory();
  if (!done) return tl::unexpected(done.error());
  return moved;
}

}  // namespace onceward::journal
