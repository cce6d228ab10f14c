#include "tests/simulation/journal_store.h"

#include <utility>

namespace onceward::simulation {

using std::chrono::microseconds;
using part = journal::journal::part;

namespace {

constexpr std::uint64_t segment_bytes = 64u << 10;
constexpr unsigned owner = 0;

journal::options options_of(const scenario& about) {
  journal::options chosen;
  chosen.level = about.written ? journal::durability::written : journal::durability::synced;
  chosen.segment_bytes = segment_bytes;
  chosen.bytes_limit = about.segments_max * segment_bytes;
  chosen.cache_bytes = about.cache_bytes;
  chosen.completion_bytes_reserved = 1u << 10;
  return chosen;
}

}  // namespace

std::unique_ptr<journal_store> journal_store::open(process& in, crash::simulated_disk& on, const scenario& about,
                                                   observer& sees, std::string& refusal) {
  std::unique_ptr<journal_store> made(new journal_store(in, about, sees));
  auto opened = journal::journal::open_in_steps(on.mount(), options_of(about), [&in] { return in.wall_now(); });
  if (!opened) {
    refusal = opened.error().message;
    return nullptr;
  }
  made->journal_ = *std::move(opened);
  made->look();
  return made;
}

journal_store::~journal_store() = default;

void journal_store::submit(command what, reply_sink& sink, std::uint64_t tag) {
  if (in_.ended()) return;
  const std::uint64_t number = note(what, sink, tag);
  journal_->submit(std::move(what), *this, number);
  look();
}

void journal_store::gather(command what, reply_sink& sink, std::uint64_t tag) {
  if (in_.ended()) return;
  const std::uint64_t number = note(what, sink, tag);
  journal_->gather(std::move(what), *this, number);
}

void journal_store::flush(caller is) {
  if (in_.ended()) return;
  journal_->flush(is);
  if (journal_->has_work(part::committer) && loop_commits()) {
    sees_.saw(sometimes::loop_committed);
    journal_->step(part::committer);
  }
  look();
}

// Where it is the committer's turn to be interrupted, the commit is left to it.
bool journal_store::loop_commits() {
  return loops_commit_ > 0 && !instead_ && in_.random().chance(loops_commit_);
}

std::uint64_t journal_store::note(const command& what, reply_sink& sink, std::uint64_t tag) {
  sees_.store_asked(owner, what);
  asked_.push_back({what, &sink, tag, in_.wall_now()});
  return asked_.size() - 1;
}

void journal_store::deliver(std::span<tagged_reply> replies) {
  for (tagged_reply& each : replies) {
    asked& by = asked_[each.tag];
    if (deaf_ || in_.ended()) continue;
    sees_.store_answered(owner, by.what, each.value, by.when, in_.wall_now());
    by.what = find{};  // Its bytes are not needed any more.
    tagged_reply one{by.tag, std::move(each.value)};
    by.sink->deliver({&one, 1});
  }
}

void journal_store::look() {
  if (journal_->has_work(part::committer)) {
    const bool slow = in_.random().below(32) == 0;
    plan(part::committer, microseconds(in_.random().between(200, slow ? 60'000 : 4'000)));
  }
  if (journal_->has_work(part::cold_reader)) {
    sees_.saw(sometimes::read_cold);
    plan(part::cold_reader, microseconds(in_.random().between(100, 3'000)));
  }
  if (journal_->has_work(part::caretaker)) plan(part::caretaker, microseconds(in_.random().between(100, 8'000)));
  if (journal_->is_full()) {
    sees_.saw(sometimes::journal_full);
    plan(part::caretaker, std::chrono::seconds(1));
  }
}

void journal_store::plan(part which, microseconds delay) {
  bool& planned = planned_[static_cast<std::size_t>(which)];
  if (std::exchange(planned, true)) return;
  in_.post(delay, [this, which] {
    planned_[static_cast<std::size_t>(which)] = false;
    if (which == part::committer && instead_) return std::exchange(instead_, nullptr)();
    journal_->step(which);
    look();
  });
}

void journal_store::commit_for_nobody() {
  deaf_ = true;
  journal_->step(part::committer);
}

reply journal_store::find_now(const record_key& key) {
  struct keeper final : reply_sink {
    void deliver(std::span<tagged_reply> replies) override { value = std::move(replies.front().value); }
    std::optional<reply> value;
  } kept;
  journal_->submit(find{key}, kept, 0);
  while (!kept.value) {
    for (const part each : {part::committer, part::cold_reader, part::caretaker})
      journal_->step(each);
  }
  return *std::move(kept.value);
}

}  // namespace onceward::simulation
