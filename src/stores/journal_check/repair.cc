#include "stores/journal_check/repair.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>

#include "stores/journal/owner.h"
#include "stores/journal/recovery.h"
#include "stores/journal/sectors.h"
#include "stores/journal_check/replacement.h"

namespace onceward::journal {
namespace {

constexpr std::uint64_t segment_bytes_min = 64ull << 10;
// What the format can express.
constexpr std::chrono::milliseconds time_max{std::int64_t{1} << 60};

// Which entry of a key counts, and whether it has been dealt with.
struct latest_entry {
  log_position position;
  bool is_retired;
  bool is_done = false;
};
using latest_entries = std::unordered_map<record_key, latest_entry, core::record_key_index>;

bool supersedes(const surveyed_entry& each, const latest_entry& other) {
  if (each.is_retired != other.is_retired) return other.is_retired;
  return each.position > other.position;
}

std::uint64_t saturating_sum(std::uint64_t left, std::uint64_t right) {
  return left > std::numeric_limits<std::uint64_t>::max() - right ? std::numeric_limits<std::uint64_t>::max()
                                                                  : left + right;
}

tl::unexpected<open_error> refuse(const disk& where, const io_error& error) {
  return tl::unexpected(open_error{error.reason, where.name() + ": " + describe(error)});
}

// Decides what becomes of each key, from what is known of its latest entry and of what was lost.
class judge {
 public:
  judge(const log_survey& log, wall_time now, repair_report& report)
      : lost_(log.last_loss),
        lost_after_(log.first_loss_after),
        lost_until_(std::max(log.first_loss_after, log.last_loss_before.value_or(now))),
        report_(report) {}

  // The record as the new log has it; nothing where it is none.
  std::optional<core::record> settle(const surveyed_entry& latest) {
    core::record kept = latest.found.kept;
    if (latest.is_retired) {
      // All of these were superseded, moved or had expired when they were let go of. Only where something is lost can
      // it be that what superseded one is lost, too.
      if (!lost_ || had_expired(kept)) return std::nullopt;
      ++report_.brought_back;
    } else if (!lost_ || latest.position > *lost_ || had_expired(kept)) {
      return kept;
    }
    // While it lasts, nothing changes a completed record: it is what it was, whatever is lost.
    if (std::holds_alternative<core::state_completed>(kept.state)) return kept;
    if (std::holds_alternative<core::state_in_flight>(kept.state)) {
      ++report_.in_flight_doubtful;
      return kept;
    }
    if (std::holds_alternative<core::state_released>(kept.state)) {
      ++report_.released_doubtful;
      kept.state = core::state_unknown{lost_until_};
      return kept;
    }
    ++report_.unknown_doubtful;
    const wall_time since = std::get<core::state_unknown>(kept.state).since;
    if (since < lost_until_) kept.retention = std::min(time_max, kept.retention + (lost_until_ - since));
    return kept;
  }

 private:
  // Before any lost entry was written: whatever came of the key after that is a new record, which knows nothing of
  // this.
  bool had_expired(const core::record& kept) const {
    const wall_time end = core::expiry(kept).value_or(kept.first_seen + kept.retention);
    const bool is_running = std::holds_alternative<core::state_in_flight>(kept.state);
    return end <= lost_after_ && !is_running;
  }

  const std::optional<log_position> lost_;
  const wall_time lost_after_;
  const wall_time lost_until_;
  repair_report& report_;
};

// The latest entry of each key, and how long the longest of them is.
struct collected {
  latest_entries records;
  std::size_t entry_bytes_max = 0;
};

// Segments as long as they were, where that is known.
std::uint64_t segment_bytes_for(const log_survey& log, std::size_t entry_bytes_max) {
  std::uint64_t bytes = std::max(log.segment_bytes, segment_bytes_min);
  if (log.segment_bytes == 0) {
    for (const surveyed_file& each : log.files)
      bytes = std::max<std::uint64_t>(bytes, whole_blocks(each.bytes));
  }
  return std::max<std::uint64_t>(bytes, segment_header_bytes + disk_bytes_of(batch_header_bytes + entry_bytes_max));
}

replacement_writer::plan plan_for(const log_survey& log, const collected& latest, std::uint64_t first_number,
                                  wall_time now) {
  // Each file that does not say may be of a later generation than all that do.
  const auto silent = std::count_if(log.files.begin(), log.files.end(), [](const surveyed_file& each) {
    return !each.header && each.use != file_use::unused;
  });
  const std::uint64_t largest = std::max(log.largest_generation, log.newest_generation);
  return {.segment_bytes = segment_bytes_for(log, latest.entry_bytes_max),
          .first_generation = largest + static_cast<std::uint64_t>(silent) + 1,
          .first_sequence = log.next_sequence,
          .first_number = first_number,
          .fence_granted = saturating_sum(log.largest_fence, fence_margin),
          .now = now};
}

// Reads everything again and hands each key's latest entry to `take`, settled.
template <typename Take>
tl::expected<void, damage> for_each_settled(disk& where, latest_entries& records, judge& of, Take take) {
  for (auto& [key, latest] : records)
    latest.is_done = false;
  const auto surveyed = survey(where, [&](const surveyed_entry& each) {
    const auto latest = records.find(each.found.key);
    if (latest == records.end() || latest->second.is_done) return;
    if (latest->second.position != each.position || latest->second.is_retired != each.is_retired) return;
    latest->second.is_done = true;
    if (const auto settled = of.settle(each)) take(each.found.key, *settled);
  });
  if (!surveyed) return tl::unexpected(surveyed.error());
  return {};
}

tl::expected<repair_report, open_error> carry_through_begun(disk& where, begun_replacement begun,
                                                            repair_report report) {
  auto moved = carry_through(where, std::move(begun));
  if (!moved) {
    return tl::unexpected(open_error{moved.error().reason, where.name() +
                                                               ": the repair was cut short, and goes on when it is "
                                                               "run again: " +
                                                               describe(moved.error())});
  }
  report.moved = *std::move(moved);
  return report;
}

// Writes the new log beside the old one. After an error nothing of it is left, as far as the disk lets go of it.
tl::expected<void, open_error> write_replacement(disk& where, const replacement_writer::plan& plan,
                                                 latest_entries& records, const log_survey& log, wall_time now,
                                                 repair_report& report) {
  replacement_writer writer(where, plan);
  repair_report counted;
  judge of(log, now, counted);
  io_result<void> written;
  const auto read = for_each_settled(where, records, of, [&](const record_key& key, const core::record& kept) {
    if (written) written = writer.add(key, kept);
  });
  if (written && read) written = writer.finish();
  if (!written || !read) {
    static_cast<void>(withdraw(where));
    if (!read) return tl::unexpected(refusal(read.error(), where));
    open_error error = refuse(where, written.error()).value();
    error.message += "; the journal is as it was, and its repair needs space for " + std::to_string(report.segments) +
                     " files of " + std::to_string(plan.segment_bytes) + " bytes";
    return tl::unexpected(std::move(error));
  }
  report.segments = writer.segments();
  return {};
}

tl::expected<repair_report, open_error> without_wrong_indexes(disk& where, wall_time now, repair_report report) {
  auto checked = check_indexes(where, now);
  if (!checked) return tl::unexpected(refusal(checked.error(), where));
  for (const wrong_index& each : checked->wrong) {
    if (const auto removed = where.remove(each.file); !removed) {
      return tl::unexpected(
          open_error{removed.error().reason, where.name() + "/" + each.file + ": " + describe(removed.error())});
    }
  }
  report.indexes_removed = std::move(checked->wrong);
  return report;
}

}  // namespace

tl::expected<repair_report, open_error> repair(disk& where, wall_time now,
                                               const std::function<void(const repair_report&)>& told) {
  const auto names = where.list();
  if (!names) return refuse(where, names.error());
  const auto is_segment = [](const std::string& name) { return number_of_segment_file(name) != 0; };
  if (std::none_of(names->begin(), names->end(), is_segment)) return tl::unexpected(no_journal(where));
  const auto owned = own(where, now);
  if (!owned) return tl::unexpected(owned.error());
  repair_report report;
  auto begun = find_begun_replacement(where);
  if (!begun) return tl::unexpected(begun.error());
  if (*begun && (*begun)->is_decided) {
    report.what = repair_report::outcome::carried_through;
    if (told) told(report);
    return carry_through_begun(where, *std::move(*begun), std::move(report));
  }
  if (const auto withdrawn = withdraw(where); !withdrawn) return refuse(where, withdrawn.error());

  collected latest;
  auto surveyed = survey(where, [&](const surveyed_entry& each) {
    const auto [place, is_new] =
        latest.records.try_emplace(each.found.key, latest_entry{each.position, each.is_retired});
    if (!is_new && supersedes(each, place->second)) place->second = {each.position, each.is_retired};
    latest.entry_bytes_max = std::max(latest.entry_bytes_max, entry_bytes_of(each.found.kept));
  });
  if (!surveyed) return tl::unexpected(refusal(surveyed.error(), where));
  report.before = *std::move(surveyed);
  if (report.before.findings.empty()) return without_wrong_indexes(where, now, std::move(report));

  const replacement_writer::plan plan = plan_for(report.before, latest, unused_segment_number(*names), now);
  report.what = repair_report::outcome::repaired;
  report.fence_granted = plan.fence_granted;
  std::uint64_t bytes = 0;
  judge of(report.before, now, report);
  const auto read = for_each_settled(where, latest.records, of, [&](const record_key&, const core::record& kept) {
    ++report.records;
    bytes += entry_bytes_of(kept);
  });
  if (!read) return tl::unexpected(refusal(read.error(), where));
  report.segments = bytes / plan.segment_bytes + 2;
  if (told) told(report);
  if (auto written = write_replacement(where, plan, latest.records, report.before, now, report); !written) {
    return tl::unexpected(std::move(written.error()));
  }
  begun = find_begun_replacement(where);
  if (!begun) return tl::unexpected(begun.error());
  if (!*begun || (*begun)->waiting.size() != report.segments) {
    return tl::unexpected(open_error{errc::io, where.name() + ": what was written cannot be read"});
  }
  return carry_through_begun(where, *std::move(*begun), std::move(report));
}

}  // namespace onceward::journal
