#include "stores/journal_check/verify.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "stores/journal/owner.h"
#include "stores/journal/recovery.h"
#include "stores/journal_check/replacement.h"

namespace onceward::journal {
namespace {

struct latest_entry {
  log_position position;
  state_kind kind;
  std::optional<wall_time> expires_at;
};

using latest_entries = std::unordered_map<record_key, latest_entry, core::record_key_index>;

record_counts count(const latest_entries& records, wall_time now) {
  record_counts counts;
  for (const auto& [key, latest] : records) {
    if (latest.expires_at && *latest.expires_at <= now) {
      ++counts.expired;
      continue;
    }
    switch (latest.kind) {
      case state_kind::in_flight:
        ++counts.in_flight;
        break;
      case state_kind::completed:
        ++counts.completed;
        break;
      case state_kind::released:
        ++counts.released;
        break;
      case state_kind::unknown:
        ++counts.unknown;
        break;
    }
  }
  return counts;
}

}  // namespace

tl::expected<verification, open_error> verify(disk& where, wall_time now) {
  const auto names = where.list();
  if (!names) return tl::unexpected(open_error{names.error().reason, where.name() + ": " + describe(names.error())});
  verification found;
  bool is_journal = false;
  for (const std::string& name : *names) {
    if (!name.starts_with("segment-")) continue;
    if (name.find(damaged_suffix) != std::string::npos) found.kept_aside.push_back(name);
    if (name.ends_with(repaired_suffix)) found.left_behind.push_back(name);
    is_journal |= number_of_segment_file(name) != 0;
  }
  if (!is_journal) return tl::unexpected(no_journal(where));
  const auto owned = own(where, now);
  if (!owned) return tl::unexpected(owned.error());

  const auto begun = find_begun_replacement(where);
  if (!begun) return tl::unexpected(begun.error());
  if (*begun && (*begun)->is_decided) {
    found.repair_was_cut_short = true;
    found.left_behind.clear();
  }

  latest_entries records;
  auto surveyed = survey(where, [&](const surveyed_entry& each) {
    if (each.is_retired) return;
    const latest_entry is{each.position, kind_of(each.found.kept), core::expiry(each.found.kept)};
    const auto [place, is_new] = records.try_emplace(each.found.key, is);
    if (!is_new && place->second.position < is.position) place->second = is;
  });
  if (!surveyed) return tl::unexpected(refusal(surveyed.error(), where));
  found.log = *std::move(surveyed);
  found.records = count(records, now);
  if (found.log.findings.empty() && !found.repair_was_cut_short) {
    auto indexes = check_indexes(where, now);
    if (!indexes) return tl::unexpected(refusal(indexes.error(), where));
    found.indexes = *std::move(indexes);
  }
  return found;
}

}  // namespace onceward::journal
