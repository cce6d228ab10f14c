#include "stores/journal_check/index_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "stores/journal/block_buffer.h"
#include "stores/journal/index_file.h"
#include "stores/journal/segment_reading.h"

namespace onceward::journal {
namespace {

// The latest entry of a key in the segments before one.
struct older_entry {
  entry_place where;
  wall_time expires_at;
};

using latest_notes = std::unordered_map<record_key, index_note, core::record_key_index>;
using older_entries = std::unordered_map<record_key, older_entry, core::record_key_index>;

// What the index says that is not so, or does not say that is. What had expired when the index was made may be missing
// in it.
std::optional<std::string> difference(const index_contents& index, const latest_notes& segment,
                                      const older_entries& older, wall_time now) {
  std::map<std::uint32_t, const index_note*> listed;
  for (const index_note& each : index.entries)
    listed.emplace(each.offset, &each);
  if (listed.size() != index.entries.size()) return "lists an entry twice";
  std::map<std::pair<std::uint64_t, std::uint32_t>, key_prefix> superseded;
  for (const superseded_entry& each : index.superseded)
    superseded.emplace(std::pair(each.where.generation, each.where.offset), each.key);

  for (const auto& [key, latest] : segment) {
    const std::string place = "byte " + std::to_string(latest.offset);
    const auto found = listed.find(latest.offset);
    if (found == listed.end() && latest.expires_at > now) return "does not list the entry at " + place;
    if (found != listed.end() && *found->second != latest) return "says something else of the entry at " + place;
    if (found != listed.end()) listed.erase(found);
    const auto before = older.find(key);
    if (before == older.end() || before->second.expires_at <= now) continue;
    const entry_place& was = before->second.where;
    if (!superseded.contains({was.generation, was.offset})) {
      return "does not say that the entry at " + place + " supersedes one of an older segment";
    }
  }
  // What expired is forgotten, and not superseded when its key is claimed again.
  const auto lives =
      std::find_if(listed.begin(), listed.end(), [&](const auto& each) { return each.second->expires_at > now; });
  if (lives == listed.end()) return std::nullopt;
  return "lists what is not the latest entry of a key, at byte " + std::to_string(lives->first);
}

}  // namespace

tl::expected<index_report, damage> check_indexes(disk& where, wall_time now) {
  const auto log = find_segments(where);
  if (!log) return tl::unexpected(log.error());
  index_report report;
  report.unused = log->indexes;
  older_entries older;
  block_buffer memory;
  for (std::size_t number = 0; number < log->segments.size(); ++number) {
    auto segment = read_segment(*log, number, memory);
    if (!segment) return tl::unexpected(std::move(segment.error()));
    const std::string& file = log->segments[number].where.name;
    const bool is_last = number + 1 == log->segments.size();
    const auto index = is_last ? std::nullopt : read_index(where, file, bounds_of(*log, number));
    if (index) {
      std::erase(report.unused, index_file_name(file));
      if (auto wrong = difference(*index, segment->latest, older, now)) {
        report.wrong.push_back({index_file_name(file), *std::move(wrong)});
      } else {
        ++report.right;
      }
    }
    const std::uint64_t generation = log->segments[number].header.generation;
    for (const auto& [key, each] : segment->latest)
      older.insert_or_assign(key, older_entry{{generation, each.offset}, each.expires_at});
  }
  return report;
}

}  // namespace onceward::journal
