#include "damaged_journal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

#include "journal_rig.h"
#include "reply_text.h"
#include "sample_commands.h"
#include "simulated_disk.h"
#include "stores/journal/batch.h"
#include "stores/journal/entry.h"

#include "stores/journal/log_scan.h"
#include "stores/journal_check/survey.h"

namespace onceward::crash {
namespace {

platter make_sample() {
  journal_rig rig(keys_in_sample);
  EXPECT_FALSE(rig.open(journal::run_by::steps));
  const auto run = [&](const command& what) {
    rig.run(what);
    rig.pause(std::chrono::milliseconds{10});
  };
  run(conformance::claim_of(completed_early, 1));
  run(conformance::completed_of(completed_early, 1, std::string(6'000, 'b')));
  run(conformance::claim_of(unknown_early, 2));
  run(conformance::unknown_of(unknown_early, 2));
  run(conformance::claim_of(released_early, 3));
  run(conformance::release_of(released_early, 3));
  run(conformance::claim_of(in_flight_early, 4));
  run(conformance::claim_of(completed_late, 5));
  for (std::uint64_t attempt = 100; rig.newest_segment().generation < 3; ++attempt) {
    run(conformance::claim_of(churned, attempt));
    run(conformance::release_of(churned, attempt));
    if (rig.newest_segment().generation == 2 && attempt < 1'000) {
      run(conformance::claim_of(only_in_second, 6));
      run(conformance::completed_of(only_in_second, 6, "once"));
      attempt = 1'000;
    }
  }
  run(conformance::completed_of(completed_late, 5, std::string(5'000, 'l')));
  run(conformance::claim_of(released_late, 8));
  run(conformance::release_of(released_late, 8));
  run(conformance::claim_of(churned, 7));
  run(conformance::completed_of(churned, 7));
  run(conformance::claim_of(completed_last, 9));
  run(conformance::completed_of(completed_last, 9, "the last one"));
  rig.close();
  platter left = rig.disk().snapshot();
  // With an index file, a segment is not read when the journal is opened; these are about what is read.
  for (const std::string& file : left.names()) {
    if (file.ends_with(".index")) left.erase(file);
  }
  return left;
}

std::string reply_kind_of(const core::record& kept) {
  switch (journal::kind_of(kept)) {
    case journal::state_kind::in_flight:
      return "record_unknown";  // When it is opened.
    case journal::state_kind::completed:
      return "record_completed";
    case journal::state_kind::released:
      return "record_released";
    case journal::state_kind::unknown:
      return "record_unknown";
  }
  return "";
}

}  // namespace

std::optional<contents> contents_of(const platter& disk) {
  journal_rig rig(keys_in_sample);
  journal_rig opened(rig, disk);
  opened.pause(std::chrono::minutes{1});
  if (opened.open(journal::run_by::steps)) return std::nullopt;
  contents all;
  for (std::uint64_t key = 0; key < keys_in_sample; ++key) {
    conformance::collecting_sink sink;
    const std::uint64_t tag = sink.submit(opened.opened(), find{conformance::key_of(key)});
    using part = journal::journal::part;
    for (const part which : {part::cold_reader, part::committer}) {
      if (opened.opened().has_work(which)) opened.opened().step(which);
    }
    all[key] = conformance::to_text(sink.wait(tag));
  }
  return all;
}

std::uint64_t next_fence(const platter& disk) {
  journal_rig rig(1'000);
  journal_rig opened(rig, disk);
  EXPECT_FALSE(opened.open(journal::run_by::steps));
  conformance::collecting_sink sink;
  const std::uint64_t tag = sink.submit(opened.opened(), conformance::claim_of(999, 999'999));
  opened.opened().step(journal::journal::part::committer);
  const reply granted = sink.wait(tag);
  const auto* is = std::get_if<claim_granted>(&granted);
  EXPECT_NE(is, nullptr);
  return is == nullptr ? 0 : static_cast<std::uint64_t>(is->token);
}

const platter& sample_journal() {
  static const platter made = make_sample();
  return made;
}

std::vector<written_segment> segments_of(const platter& disk) {
  simulated_disk on(disk);
  const auto mounted = on.mount();
  const auto found = journal::find_segments(*mounted);
  EXPECT_TRUE(found);
  std::vector<written_segment> segments;
  if (!found) return segments;
  for (const auto& each : found->segments) {
    const auto bytes = disk.read(each.where.name);
    std::size_t end = bytes.size();
    while (end > 0 && bytes[end - 1] == std::byte{0})
      --end;
    segments.push_back({each.where.name, end, each.header});
  }
  return segments;
}

std::vector<placed_entry> entries_of(const platter& disk) {
  simulated_disk on(disk);
  const auto mounted = on.mount();
  std::map<record_key, std::uint64_t> numbers;
  for (std::uint64_t key = 0; key < keys_in_sample; ++key)
    numbers[conformance::key_of(key)] = key;
  std::vector<placed_entry> entries;
  const auto surveyed = journal::survey(*mounted, [&](const journal::surveyed_entry& each) {
    if (each.is_retired) return;
    const std::size_t begin = each.offset / journal::block_bytes * journal::block_bytes;
    entries.push_back(
        {numbers.at(each.found.key), reply_kind_of(each.found.kept), each.file, begin, begin, each.position.sequence});
    entries.back().end =
        begin + journal::disk_bytes_of(journal::batch_header_bytes + journal::entry_bytes_of(each.found.kept));
  });
  EXPECT_TRUE(surveyed);
  return entries;
}

}  // namespace onceward::crash
