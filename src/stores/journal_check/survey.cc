#include "stores/journal_check/survey.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "stores/journal/batch.h"
#include "stores/journal/block_buffer.h"
#include "stores/journal_check/salvage.h"

namespace onceward::journal {
namespace {

// As far as entries go, too; so that times can be added without overflow.
constexpr std::int64_t time_ms_max = std::int64_t{1} << 60;

wall_time created_at(const segment_header& header) {
  return wall_time{std::chrono::milliseconds{std::clamp(header.created_at_ms, -time_ms_max, time_ms_max)}};
}

// The latest time that an entry tells of what had happened when it was written.
wall_time time_of(const core::record& kept) {
  if (const auto* done = std::get_if<core::state_completed>(&kept.state)) return done->completed_at;
  if (const auto* gone = std::get_if<core::state_released>(&kept.state)) return gone->released_at;
  if (const auto* open = std::get_if<core::state_unknown>(&kept.state)) return open->since;
  return kept.first_seen;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte each) { return each == std::byte{0}; });
}

// A file of a segment's name, open.
struct candidate {
  surveyed_file about;
  std::shared_ptr<disk_file> file;
  std::optional<inferred_segment> inferred;
  bool is_zero = false;                   // Its first sector is.
  bool is_empty_behind_header = false;    // Everything behind its unreadable header is zero.
  std::optional<std::size_t> bad_header;  // The finding about it.
  bool told_unreadable = false;           // Its unreadable blocks have their findings.
};

// The files that are the same segment of the log; one, where nothing is wrong.
struct generation_group {
  std::uint64_t generation = 0;
  std::vector<candidate*> files;
};

struct located_batch {
  found_batch batch;
  candidate* in = nullptr;
  std::span<const std::byte> rest;  // borrows: the segment's memory, while it is walked.
};

class surveyor {
 public:
  surveyor(disk& where, const survey_visitor& visit) : where_(where), visit_(visit) {}

  tl::expected<log_survey, damage> run() {
    if (auto listed = open_files(); !listed) return tl::unexpected(std::move(listed.error()));
    classify();
    walk_retired();
    walk_log();
    judge_what_nothing_tells();
    for (candidate& each : candidates_)
      told_.files.push_back(std::move(each.about));
    if (blocks_asked_ > 0 && blocks_read_ == 0) return tl::unexpected(damage{errc::io, where_.name(), 0, io_error_});
    return std::move(told_);
  }

 private:
  // ---- Files ----

  tl::expected<void, damage> open_files() {
    auto names = where_.list();
    if (!names) return tl::unexpected(damage{errc::io, where_.name(), 0, describe(names.error())});
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names) {
      if (number_of_segment_file(name) == 0) continue;
      auto file = where_.open(name);
      if (!file) return tl::unexpected(damage{errc::io, name, 0, describe(file.error())});
      const auto bytes = (*file)->size();
      if (!bytes) return tl::unexpected(damage{errc::io, name, 0, describe(bytes.error())});
      candidate& found = candidates_.emplace_back();
      found.about.name = name;
      found.about.bytes = *bytes;
      found.file = *std::move(file);
      if (auto read = read_header(candidates_.back()); !read) return read;
    }
    return {};
  }

  tl::expected<void, damage> read_header(candidate& of) {
    surveyed_file& about = of.about;
    const bool length_is_possible = about.bytes >= segment_header_bytes && about.bytes % block_bytes == 0;
    if (!length_is_possible) report(about.name, 0, "its length is not that of a segment").entries = 0;
    result<std::optional<segment_header>> header = tl::unexpected(errc::corrupt);
    block_buffer block(block_bytes);
    if (about.bytes >= block_bytes && read_blocks(of, 0, block.first(block_bytes))) {
      header = decode_segment_header(block.first(block_bytes));
    }
    if (header && !*header) {
      // The journal never empties a header: one that has batches behind it was lost.
      infer(of);
      of.is_zero = !of.inferred;
      if (of.inferred) {
        of.bad_header = told_.findings.size();
        finding& bad = report(about.name, 0, "the segment header is empty, though batches follow");
        bad.bytes = segment_header_bytes;
        bad.entries = 0;
      }
      return {};
    }
    if (!header && header.error() == errc::version) {
      return tl::unexpected(damage{errc::version, about.name, 0, "it was written by a later version"});
    }
    if (!header) {
      of.bad_header = told_.findings.size();
      finding& bad = report(about.name, 0, "the segment header fails its checksum");
      bad.bytes = std::min<std::uint64_t>(about.bytes, segment_header_bytes);
      bad.entries = 0;
      infer(of);
      return {};
    }
    about.header = **header;
    about.generation = about.header->generation;
    if (length_is_possible && about.header->segment_bytes != about.bytes) {
      finding& wrong = report(about.name, std::min(about.bytes, about.header->segment_bytes),
                              "the file is not as long as its header says: " + std::to_string(about.bytes) +
                                  " bytes, not " + std::to_string(about.header->segment_bytes));
      wrong.entries = 0;
    }
    return {};
  }

  void infer(candidate& of) {
    block_buffer memory;
    const auto whole = read_whole(of, memory);
    of.inferred = infer_segment(whole);
    of.is_empty_behind_header =
        whole.size() >= block_bytes && whole.size() == of.about.bytes && all_zero(whole.subspan(segment_header_bytes));
    if (of.inferred) of.about.generation = of.inferred->generation;
  }

  // All whole blocks of the file. Those that cannot be read have zeros, and a finding.
  std::span<const std::byte> read_whole(candidate& of, block_buffer& memory) {
    const std::uint64_t bytes = of.about.bytes / block_bytes * block_bytes;
    if (bytes == 0) return {};
    memory.reserve(bytes);
    const auto whole = memory.first(bytes);
    const bool tells = !std::exchange(of.told_unreadable, true);
    ++blocks_asked_;
    if (of.file->read_at(0, whole)) {
      ++blocks_read_;
      return whole;
    }
    finding* last = nullptr;
    for (std::uint64_t at = 0; at < bytes; at += block_bytes) {
      const auto block = whole.subspan(at, block_bytes);
      if (read_blocks(of, at, block)) continue;
      std::memset(block.data(), 0, block.size());
      if (!tells) continue;
      if (last == nullptr || last->offset + last->bytes != at) {
        last = &report(of.about.name, at, "cannot be read: " + io_error_);
        last->entries = 0;
      }
      last->bytes += block_bytes;
    }
    return whole;
  }

  bool read_blocks(candidate& of, std::uint64_t offset, std::span<std::byte> into) {
    ++blocks_asked_;
    const auto read = of.file->read_at(offset, into);
    if (read) {
      ++blocks_read_;
    } else {
      io_error_ = describe(read.error());
    }
    return read.has_value();
  }

  // ---- Which are the log ----

  void classify() {
    const candidate* newest = nullptr;
    std::uint64_t least_inferred = 0;
    for (const candidate& each : candidates_) {
      const std::uint64_t generation = each.about.generation;
      told_.largest_generation = std::max(told_.largest_generation, generation);
      if (each.about.header) {
        told_.largest_fence = std::max(told_.largest_fence, each.about.header->fence_granted);
        if (newest == nullptr || generation > newest->about.generation) newest = &each;
      } else if (generation != 0 && (least_inferred == 0 || generation < least_inferred)) {
        least_inferred = generation;
      }
    }
    told_.first_generation = newest != nullptr ? newest->about.header->first_generation : least_inferred;
    if (newest != nullptr) told_.segment_bytes = newest->about.header->segment_bytes;
    for (candidate& each : candidates_) {
      if (each.is_zero) {
        each.about.use = file_use::unused;
      } else if (each.about.generation != 0) {
        each.about.use = each.about.generation >= told_.first_generation ? file_use::log : file_use::retired;
      }
    }
  }

  std::vector<generation_group> groups_of(file_use use) {
    std::map<std::uint64_t, generation_group> sorted;
    for (candidate& each : candidates_) {
      if (each.about.use != use) continue;
      generation_group& group = sorted[each.about.generation];
      group.generation = each.about.generation;
      group.files.push_back(&each);
    }
    std::vector<generation_group> groups;
    for (auto& [generation, group] : sorted)
      groups.push_back(std::move(group));
    return groups;
  }

  // ---- Batches ----

  // Every batch of the segment, the best where one is there twice, in order.
  std::vector<located_batch> batches_of(const generation_group& group, std::uint64_t first_sequence,
                                        std::vector<block_buffer>& memory) {
    std::vector<located_batch> all;
    memory.resize(group.files.size());
    for (std::size_t i = 0; i < group.files.size(); ++i) {
      const auto whole = read_whole(*group.files[i], memory[i]);
      for (const found_batch& each : find_batches(whole, group.generation, first_sequence))
        all.push_back({each, group.files[i], whole.subspan(each.offset)});
    }
    std::sort(all.begin(), all.end(), [](const located_batch& left, const located_batch& right) {
      if (left.batch.sequence != right.batch.sequence) return left.batch.sequence < right.batch.sequence;
      return left.batch.condition == batch_condition::intact && right.batch.condition != batch_condition::intact;
    });
    const auto same = [](const located_batch& left, const located_batch& right) {
      return left.batch.sequence == right.batch.sequence;
    };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
  }

  salvaged_batch visit_entries(const located_batch& of, std::uint64_t generation, bool is_retired) {
    const auto each = [&](std::uint32_t index, std::uint64_t offset, const entry& found) {
      told_.largest_fence = std::max(told_.largest_fence, static_cast<std::uint64_t>(found.kept.token));
      if (!is_retired) {
        ++told_.entries;
        saw(time_of(found.kept));
      }
      if (visit_) {
        visit_({{of.batch.sequence, index}, is_retired, of.in->about.name, of.batch.offset + offset, found});
      }
    };
    return salvage(of.rest, {generation, of.batch.sequence}, each);
  }

  void walk_retired() {
    if (!visit_) return;
    for (const generation_group& group : groups_of(file_use::retired)) {
      std::vector<block_buffer> memory;
      for (const located_batch& each : batches_of(group, first_sequence_of(group), memory)) {
        if (each.batch.condition == batch_condition::intact) visit_entries(each, group.generation, true);
      }
    }
  }

  static const segment_header* header_of(const generation_group& group) {
    for (const candidate* each : group.files)
      if (each->about.header) return &*each->about.header;
    return nullptr;
  }
  static std::uint64_t first_sequence_of(const generation_group& group) {
    if (const auto* header = header_of(group)) return header->first_sequence;
    return group.files.front()->inferred->first_sequence;
  }

  // ---- The log ----

  void walk_log() {
    const std::vector<generation_group> groups = groups_of(file_use::log);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const generation_group& group = groups[i];
      const bool is_last = i + 1 == groups.size();
      const segment_header* next = is_last ? nullptr : header_of(groups[i + 1]);
      const bool next_follows = next != nullptr && next->generation == group.generation + 1;
      is_in_last_ = is_last && header_of(group) == nullptr;
      enter(group, i == 0);
      is_in_last_ = is_last;
      walk(group, is_last, next_follows ? next->first_sequence : 0);
    }
    told_.next_sequence = expected_;
    if (!groups.empty()) told_.newest_generation = groups.back().generation;
    told_.end_file = at_file_;
    told_.end_offset = at_offset_;
  }

  // What lies between the segment before and this one.
  void enter(const generation_group& group, bool is_first) {
    const std::uint64_t first_sequence = first_sequence_of(group);
    const std::uint64_t generation_due = is_first ? told_.first_generation : last_generation_ + 1;
    const std::string& file = group.files.front()->about.name;
    if (group.generation > generation_due) {
      has_hole_ = true;
      std::string which = "(generation " + std::to_string(generation_due);
      if (group.generation > generation_due + 1) which += " to " + std::to_string(group.generation - 1);
      finding& missing = report(file, 0, "the segment before it " + which + ") is missing");
      missing.all_known = !is_first;
      if (!is_first) hides(missing, expected_, first_sequence);
      note_loss(missing, {first_sequence - 1, last_index});
    } else if (!is_first && first_sequence > expected_) {
      finding& missing = report(at_file_, at_offset_, "the last batches of the segment are missing");
      missing.bytes = at_file_bytes_ > at_offset_ ? at_file_bytes_ - at_offset_ : 0;
      hides(missing, expected_, first_sequence);
      note_loss(missing, {first_sequence - 1, last_index});
    }
    if (is_first && header_of(group) == nullptr && !group.files.front()->inferred->from_the_start) {
      finding& missing = report(file, segment_header_bytes, "the first batches of the segment are missing");
      missing.all_known = false;
      note_loss(missing, {first_sequence - 1, last_index});
    }
    for (std::size_t i = 1; i < group.files.size(); ++i)
      report(group.files[i]->about.name, 0, "another file is the same segment").entries = 0;
    if (const auto* header = header_of(group)) {
      saw(created_at(*header));
      if (told_.last_loss && !told_.last_loss_before) told_.last_loss_before = created_at(*header);
    }
    expected_ = is_first ? first_sequence : std::max(expected_, first_sequence);
    last_generation_ = group.generation;
    at(*group.files.front(), segment_header_bytes);
  }

  void walk(const generation_group& group, bool is_last, std::uint64_t next_first_sequence) {
    std::vector<block_buffer> memory;
    const auto batches = batches_of(group, first_sequence_of(group), memory);
    for (const located_batch& each : batches) {
      const found_batch& batch = each.batch;
      if (batch.sequence < expected_) continue;
      if (next_first_sequence != 0 && batch.sequence >= next_first_sequence) break;
      const bool is_end = is_last && &each == &batches.back() && batch.condition == batch_condition::torn;
      if (batch.sequence > expected_) {
        finding& missing = report(at_file_, at_offset_, "a batch is missing between others");
        missing.bytes = each.in->about.name == at_file_ && batch.offset > at_offset_ ? batch.offset - at_offset_ : 0;
        hides(missing, expected_, batch.sequence);
        note_loss(missing, {batch.sequence - 1, last_index});
      }
      expected_ = batch.sequence;
      at(*each.in, batch.offset);
      if (is_end) {
        told_.is_torn = true;
        return;
      }
      take(each, group.generation);
    }
    if (is_last) end_log(group, memory.front());
  }

  void take(const located_batch& taken, std::uint64_t generation) {
    const found_batch& batch = taken.batch;
    const salvaged_batch entries = visit_entries(taken, generation, false);
    const bool is_intact = batch.condition == batch_condition::intact;
    if (is_intact) {
      ++told_.batches;
      told_.batch_bytes += batch.disk_bytes;
    }
    if (!is_intact || !entries.is_complete() || !entries.lengths_are_sound) {
      finding& bad = report(at_file_, batch.offset,
                            is_intact ? "a batch holds what is not an entry"
                            : batch.condition == batch_condition::damaged
                                ? "a batch has changed since it was written"
                                : "a batch is not whole, though more was written after it");
      bad.bytes = batch.disk_bytes;
      bad.entries_read = entries.read;
      bad.first_sequence = batch.sequence;
      bad.batches = 1;
      bad.entries = std::nullopt;
      if (entries.announced) bad.entries = *entries.announced - entries.read;
      if (!entries.is_complete()) note_loss(bad, {batch.sequence, entries.last_lost.value_or(last_index)});
    }
    expected_ = batch.sequence + 1;
    at(*taken.in, batch.offset + batch.disk_bytes);
  }

  // Behind the last batch of the last segment.
  void end_log(const generation_group& group, block_buffer& memory) {
    const candidate& file = *group.files.front();
    const std::uint64_t bytes = file.about.bytes / block_bytes * block_bytes;
    if (at_file_ == file.about.name && at_offset_ + block_bytes <= bytes) {
      const auto rest = memory.first(bytes).subspan(at_offset_);
      told_.is_torn = find_traces(rest, {group.generation, expected_}) == batch_traces::part;
      return;
    }
    // Where the file ends too early, so may the log.
    if (!file.about.header || file.about.bytes >= file.about.header->segment_bytes) return;
    finding& missing = report(at_file_, at_offset_, "the file ends here, and what followed is missing");
    missing.bytes = file.about.header->segment_bytes - std::min(at_offset_, file.about.header->segment_bytes);
    missing.first_sequence = expected_;
    missing.all_known = false;
    note_loss(missing, behind_everything);
  }

  // Of a file whose use nothing tells, nobody can say that it was not the end of the log; unless a segment is missing,
  // which it then was.
  void judge_what_nothing_tells() {
    for (const candidate& each : candidates_) {
      if (!each.bad_header || has_hole_) continue;
      const bool tells_nothing = each.about.use == file_use::unreadable && !each.is_empty_behind_header;
      const bool was_begun_anew = each.about.use == file_use::retired && !each.inferred->from_the_start;
      if (!tells_nothing && !was_begun_anew) continue;
      finding& bad = told_.findings[*each.bad_header];
      bad.what += ", and nothing else says which segment it was";
      bad.bytes = each.about.bytes;
      bad.all_known = false;
      bad.entries = std::nullopt;
      note_loss(bad, behind_everything);
    }
  }

  // ---- What is told ----

  // Valid until the next one. Hides nothing yet.
  finding& report(const std::string& file, std::uint64_t offset, std::string what) {
    finding& made = told_.findings.emplace_back();
    made.file = file;
    made.offset = offset;
    made.what = std::move(what);
    return made;
  }

  static void hides(finding& missing, std::uint64_t first_sequence, std::uint64_t next_sequence) {
    missing.first_sequence = first_sequence;
    missing.batches = next_sequence - first_sequence;
  }

  void note_loss(finding& of, log_position position) {
    // What is lost at the end of a log cannot be told from its end. Where more of the last segment is lost, the end is
    // not believed, either.
    if (is_in_last_) position = behind_everything;
    if (newest_seen_) of.after = *newest_seen_;
    if (!told_.last_loss)
      told_.first_loss_after = newest_seen_.value_or(wall_time{std::chrono::milliseconds{-time_ms_max}});
    told_.last_loss = std::max(position, told_.last_loss.value_or(position));
    told_.last_loss_before = std::nullopt;
    unbounded_.push_back(static_cast<std::size_t>(&of - told_.findings.data()));
  }

  // Something of the log that tells this time.
  void saw(wall_time time) {
    if (newest_seen_ && time <= *newest_seen_) return;
    newest_seen_ = time;
    for (const std::size_t each : unbounded_)
      told_.findings[each].before = time;
    unbounded_.clear();
  }

  void at(const candidate& file, std::uint64_t offset) {
    at_file_ = file.about.name;
    at_file_bytes_ = file.about.bytes;
    at_offset_ = offset;
  }

  disk& where_;
  const survey_visitor& visit_;  // borrows: the caller's, during survey().
  std::vector<candidate> candidates_;
  log_survey told_;

  std::uint64_t expected_ = 1;  // The sequence number that is due,
  std::string at_file_;         // and where.
  std::uint64_t at_file_bytes_ = 0;
  std::uint64_t at_offset_ = 0;
  std::uint64_t last_generation_ = 0;
  bool has_hole_ = false;
  bool is_in_last_ = false;  // What is noted now is in the last segment.
  std::optional<wall_time> newest_seen_;
  std::vector<std::size_t> unbounded_;  // Findings of losses behind which no later time was seen yet.

  std::uint64_t blocks_asked_ = 0;
  std::uint64_t blocks_read_ = 0;
  std::string io_error_;
};

}  // namespace

tl::expected<log_survey, damage> survey(disk& where, const survey_visitor& visit) {
  return surveyor(where, visit).run();
}

}  // namespace onceward::journal
