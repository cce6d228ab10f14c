#include "stores/journal/log_scan.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "stores/journal/batch.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal/entry.h"

namespace onceward::journal {
namespace {

constexpr std::string_view segment_prefix = "segment-";
constexpr std::size_t segment_digits = 6;
constexpr std::string_view index_suffix = ".index";
constexpr std::string_view unfinished_suffix = ".unfinished";

tl::unexpected<damage> io_damage(std::string file, const io_error& error) {
  return tl::unexpected(damage{errc::io, std::move(file), 0, describe(error)});
}

tl::unexpected<damage> corrupt_at(std::uint64_t offset, std::string what) {
  return tl::unexpected(damage{errc::corrupt, {}, offset, std::move(what)});
}

// Visits the entries of an intact batch; false if they are not as the batch announces them.
bool visit_entries(const batch_reading& batch, std::uint64_t batch_offset, std::uint64_t generation,
                   std::size_t segment, const entry_visitor& visit) {
  std::size_t at = batch_header_bytes;
  for (std::uint32_t i = 0; i < batch.entry_count; ++i) {
    const auto rest = std::string_view(batch.payload).substr(at, batch.entries_end - at);
    const auto body = entry_body(rest, generation);
    if (!body) return false;
    const std::string_view whole = rest.substr(0, entry_header_bytes + body->size());
    if (!visit(segment, batch_offset + disk_offset_of(at), whole)) return false;
    at += whole.size();
  }
  return at == batch.entries_end;
}

bool is_index_file(std::string_view name) {
  return name.ends_with(index_suffix) && number_of_segment_file(name.substr(0, name.size() - index_suffix.size())) != 0;
}

// What a file holds, by its first sector.
struct found_file {
  segment_file where;
  std::optional<segment_header> header;
};

tl::expected<found_file, damage> inspect(disk& where, const std::string& name) {
  auto file = where.open(name);
  if (!file) return io_damage(name, file.error());
  const auto bytes = (*file)->size();
  if (!bytes) return io_damage(name, bytes.error());
  if (*bytes < segment_header_bytes || *bytes % block_bytes != 0) {
    return tl::unexpected(damage{errc::corrupt, name, 0, "its length is not that of a segment"});
  }
  block_buffer block(block_bytes);
  if (const auto read = (*file)->read_at(0, block.first(block_bytes)); !read) return io_damage(name, read.error());
  const auto header = decode_segment_header(block.first(block_bytes));
  if (!header && header.error() == errc::version) {
    return tl::unexpected(damage{errc::version, name, 0, "it was written by a later version"});
  }
  if (!header) return tl::unexpected(damage{errc::corrupt, name, 0, "the segment header fails its checksum"});
  if (*header && (**header).segment_bytes != *bytes) {
    return tl::unexpected(damage{errc::corrupt, name, *bytes, "the file is not as long as its header says"});
  }
  return found_file{{name, *std::move(file), *bytes}, *header};
}

// Sorts the files into the log's segments and the rest, and proves that none is missing.
tl::expected<scanned_log, damage> order(std::vector<found_file> files) {
  scanned_log log;
  for (found_file& each : files) {
    if (each.header) {
      log.segments.push_back({std::move(each.where), *each.header});
    } else {
      log.unused.push_back(std::move(each.where));
    }
  }
  const auto older = [](const scanned_segment& left, const scanned_segment& right) {
    return left.header.generation < right.header.generation;
  };
  std::sort(log.segments.begin(), log.segments.end(), older);
  if (log.segments.empty()) return log;

  const std::uint64_t first_generation = log.segments.back().header.first_generation;
  const auto first = std::find_if(log.segments.begin(), log.segments.end(), [&](const scanned_segment& each) {
    return each.header.generation >= first_generation;
  });
  for (auto each = log.segments.begin(); each != first; ++each)
    log.unused.push_back(std::move(each->where));
  log.segments.erase(log.segments.begin(), first);

  for (std::size_t i = 0; i < log.segments.size(); ++i) {
    const scanned_segment& each = log.segments[i];
    if (each.header.generation == first_generation + i) continue;
    const bool twice = i > 0 && each.header.generation == log.segments[i - 1].header.generation;
    return tl::unexpected(
        damage{errc::corrupt, each.where.name, 0,
               twice ? "another file is the same segment"
                     : "the segment before it (generation " + std::to_string(first_generation + i) + ") is missing"});
  }
  return log;
}

}  // namespace

std::string segment_file_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < segment_digits) digits.insert(0, segment_digits - digits.size(), '0');
  return std::string(segment_prefix) + digits;
}

std::string index_file_name(std::string_view segment_file) {
  return std::string(segment_file) + std::string(index_suffix);
}

std::string unfinished_name(std::string_view name) {
  return std::string(name) + std::string(unfinished_suffix);
}

std::uint64_t number_of_segment_file(std::string_view name) {
  if (!name.starts_with(segment_prefix)) return 0;
  const std::string_view digits = name.substr(segment_prefix.size());
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return 0;
  return segment_file_name(number) == name ? number : 0;
}

tl::expected<segment_end, damage> walk_segment(std::span<const std::byte> bytes, const segment_bounds& bounds,
                                               std::size_t segment, const entry_visitor& visit) {
  segment_end end{.next_sequence = bounds.first_sequence};
  while (bounds.next_first_sequence == 0 || end.next_sequence < bounds.next_first_sequence) {
    const auto rest = bytes.subspan(end.offset);
    const batch_id expected{bounds.generation, end.next_sequence};
    const batch_reading batch = read_batch(rest, expected);
    switch (batch.condition) {
      case batch_condition::intact:
        if (!visit_entries(batch, end.offset, bounds.generation, segment, visit)) {
          return corrupt_at(end.offset, "a batch holds what is not an entry");
        }
        break;
      case batch_condition::damaged:
        return corrupt_at(end.offset, "a batch has changed since it was written");
      case batch_condition::absent:
      case batch_condition::torn: {
        const batch_traces traces = find_traces(rest, expected);
        if (bounds.next_first_sequence != 0 || traces == batch_traces::later_one) {
          return corrupt_at(end.offset, "a batch is missing between others");
        }
        end.torn = batch.condition == batch_condition::torn || traces == batch_traces::part;
        return end;
      }
    }
    end.offset += batch.disk_bytes;
    end.next_sequence += 1;
    end.batches += 1;
    end.entries += batch.entry_count;
  }
  return end;
}

tl::expected<scanned_log, damage> find_segments(disk& where) {
  const auto names = where.list();
  if (!names) return io_damage(where.name(), names.error());
  std::vector<found_file> files;
  std::vector<std::string> indexes;
  std::vector<std::string> unfinished;
  for (const std::string& name : *names) {
    if (number_of_segment_file(name) != 0) {
      auto found = inspect(where, name);
      if (!found) return tl::unexpected(std::move(found.error()));
      files.push_back(*std::move(found));
    } else if (is_index_file(name)) {
      indexes.push_back(name);
    } else if (name.ends_with(unfinished_suffix) && name.starts_with(segment_prefix)) {
      unfinished.push_back(name);
    }
  }
  auto log = order(std::move(files));
  if (!log) return log;
  log->indexes = std::move(indexes);
  log->unfinished = std::move(unfinished);
  return log;
}

segment_bounds bounds_of(const scanned_log& log, std::size_t number) {
  const segment_header& header = log.segments[number].header;
  const bool is_last = number + 1 == log.segments.size();
  return {.generation = header.generation,
          .first_sequence = header.first_sequence,
          .next_first_sequence = is_last ? 0 : log.segments[number + 1].header.first_sequence};
}

tl::expected<segment_end, damage> scan_segment(const scanned_log& log, std::size_t number, block_buffer& memory,
                                               const entry_visitor& visit) {
  const scanned_segment& which = log.segments[number];
  memory.reserve(which.header.segment_bytes);
  const auto whole = memory.first(which.header.segment_bytes);
  if (const auto read = which.where.file->read_at(0, whole); !read) return io_damage(which.where.name, read.error());
  auto end = walk_segment(whole, bounds_of(log, number), number, visit);
  if (!end) end.error().file = which.where.name;
  return end;
}

tl::expected<void, damage> scan(scanned_log& log, const entry_visitor& visit) {
  block_buffer memory;
  for (std::size_t i = 0; i < log.segments.size(); ++i) {
    const auto end = scan_segment(log, i, memory, visit);
    if (!end) return tl::unexpected(end.error());
    log.batches += end->batches;
    log.entries += end->entries;
    log.end = *end;
  }
  return {};
}

}  // namespace onceward::journal
