#include "journal_rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "base/hex.h"
#include "random_commands.h"
#include "reply_text.h"
#include "sample_commands.h"

namespace onceward::crash {
namespace {

std::string difference(const record_key& key, const std::string& is, const std::string& should_be) {
  return "  key " + base::to_hex(key.bytes) + "\n    is        " + is + "\n    should be " + should_be + "\n";
}

}  // namespace

journal::options small_journal() {
  journal::options chosen;
  chosen.segment_bytes = 64u << 10;
  chosen.bytes_limit = 6 * chosen.segment_bytes;
  chosen.cache_bytes = 64u << 10;
  chosen.completion_bytes_reserved = 1u << 10;
  return chosen;
}

journal_rig::journal_rig(std::uint64_t keys, const journal::options& chosen)
    : options_(chosen), disk_(std::make_unique<simulated_disk>()) {
  for (std::uint64_t number = 0; number < keys; ++number)
    stages_[conformance::key_of(number)].emplace_back();
}

journal_rig::journal_rig(const journal_rig& other, platter holds)
    : options_(other.options_), stages_(other.stages_), disk_(std::make_unique<simulated_disk>(std::move(holds))) {
  clock_.advance(other.clock_.now() - clock_.now());
}

std::optional<journal::open_error> journal_rig::open(journal::run_by who) {
  in_steps_ = who == journal::run_by::steps;
  const auto now = [this] { return clock_.now(); };
  auto made = in_steps_ ? journal::journal::open_in_steps(disk_->mount(), options_, now)
                        : journal::journal::open(disk_->mount(), options_, now);
  if (!made) return std::move(made.error());
  opened_ = *std::move(made);
  return std::nullopt;
}

void journal_rig::step() {
  using part = journal::journal::part;
  constexpr part parts[] = {part::cold_reader, part::committer, part::caretaker};
  const auto has_work = [this](part which) { return opened_->has_work(which); };
  if (!in_steps_) return;
  for (auto next = std::begin(parts);
       (next = std::find_if(std::begin(parts), std::end(parts), has_work)) != std::end(parts);)
    opened_->step(*next);
}

reply journal_rig::ask(const command& what) {
  const std::uint64_t tag = sink_.submit(*opened_, what);
  step();
  return sink_.wait(tag);
}

reply journal_rig::run(const command& what) {
  return run_together({&what, 1}).front();
}

std::vector<reply> journal_rig::run_together(std::span<const command> commands) {
  const std::uint64_t asked_after = disk_->operation_count();
  std::vector<std::uint64_t> tags;
  for (const command& each : commands)
    tags.push_back(sink_.submit(*opened_, each));
  step();
  std::vector<reply> replies;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    replies.push_back(sink_.wait(tags[i]));
    judge(commands[i], replies.back(), asked_after);
  }
  return replies;
}

void journal_rig::judge(const command& what, const reply& is, std::uint64_t asked_after) {
  const std::uint64_t answered_after = disk_->operation_count();
  const auto* failure = std::get_if<store_failure>(&is);
  if (failure != nullptr) {
    EXPECT_TRUE(failure->reason == errc::full || failure->reason == errc::io) << conformance::to_text(is);
    if (failure->reason == errc::full) ++refused_for_space_;
    if (failure->effect == certainty::definite) return;
  }
  if (const auto* list = std::get_if<list_unknown>(&what)) {
    if (failure == nullptr) {
      EXPECT_EQ(conformance::to_text(is), conformance::to_text(expected_list(*list)));
    }
    return;
  }
  if (std::holds_alternative<purge>(what)) {
    // How many is the store's to say: it may have deleted some by itself.
    if (failure == nullptr) {
      EXPECT_EQ(conformance::kind_of(is), "purged");
    }
    return;
  }

  auto& stages = stages_.at(*key_in(what));
  stage next{stages.back().record, asked_after, answered_after};
  if (failure != nullptr) next.answered_after = std::nullopt;
  const reply expected = next.record.apply(what, clock_.now(), is);
  stages.push_back(std::move(next));
  if (failure == nullptr) {
    EXPECT_EQ(conformance::to_text(is), conformance::to_text(expected));
  }
}

reply journal_rig::expected_list(const list_unknown& what) const {
  unknown_listed listed;
  for (const auto& [key, stages] : stages_) {
    const auto kept = stages.back().record.at(clock_.now());
    if (key <= what.after || !kept || listed.items.size() == what.limit) continue;
    if (std::holds_alternative<core::state_unknown>(kept->state)) listed.items.push_back({key, core::summarise(*kept)});
  }
  return listed;
}

bool journal_rig::is_acknowledged(const stage& of, std::uint64_t operations) {
  return of.answered_after && *of.answered_after <= operations;
}

std::string journal_rig::compare_after_opening(std::uint64_t operations) {
  const wall_time now = clock_.now();
  std::string differences;
  for (auto& [key, stages] : stages_) {
    const reply found = ask(find{key});
    const std::string is = conformance::to_text(found);
    std::string may_be;
    std::optional<model_record> matching;
    for (std::size_t i = 0; i < stages.size() && !matching; ++i) {
      if (stages[i].asked_after > operations) break;
      if (i + 1 < stages.size() && is_acknowledged(stages[i + 1], operations)) continue;
      model_record record = stages[i].record;
      record.reopen(now, found);
      const std::string should_be = conformance::to_text(record.state_at(now));
      if (is == should_be) matching = std::move(record);
      may_be += (may_be.empty() ? "" : "\n           or ") + should_be;
    }
    if (!matching) differences += difference(key, is, may_be);
    if (matching) stages = {stage{*std::move(matching)}};
  }
  return differences;
}

std::string journal_rig::compare() {
  std::string differences;
  for (const auto& [key, stages] : stages_) {
    const std::string is = conformance::to_text(ask(find{key}));
    const std::string should_be = conformance::to_text(stages.back().record.state_at(clock_.now()));
    if (is != should_be) differences += difference(key, is, should_be);
  }
  return differences;
}

journal::segment_header journal_rig::newest_segment() const {
  const platter now = disk_->snapshot();
  journal::segment_header newest{};
  for (const std::string& file : now.names()) {
    const auto bytes = now.read(file);
    if (bytes.size() < journal::block_bytes) continue;
    const auto header = journal::decode_segment_header(bytes.first(journal::block_bytes));
    if (header && *header && (*header)->generation > newest.generation) newest = **header;
  }
  return newest;
}

}  // namespace onceward::crash
