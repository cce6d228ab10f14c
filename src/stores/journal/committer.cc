#include "stores/journal/committer.h"

#include <utility>
#include <variant>

namespace onceward::journal {
namespace {

template <typename... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

committer::committer(engine& shared, log_writer& log, run_by who) : engine_(shared), log_(log) {
  if (who == run_by::threads) thread_ = std::thread([this] { run(); });
}

committer::~committer() {
  engine_.commits.close();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    step();
  }
}

void committer::run() {
  while (engine_.commits.take(group_))
    commit_group();
}

void committer::step() {
  while (engine_.commits.take_now(group_))
    commit_group();
}

void committer::commit_group() {
  for (commit_item& each : group_)
    take(std::move(each));
  flush();
}

void committer::take(commit_item item) {
  std::visit(overloaded{
                 [this](change&& each) { take(std::move(each)); },
                 [this](answer&& each) { answers_.push_back(std::move(each)); },
                 [this](barrier&& each) { barriers_.push_back(each); },
                 [this](rewrite_group&& each) { take(each); },
             },
             std::move(item));
}

void committer::take(change item) {
  reply_sink* const sink = item.sink;
  const std::uint64_t tag = item.tag;
  if (place(std::move(item)) || sink == nullptr) return;
  // It was decided, but nothing of it was or will be written.
  replies_.add(*sink, tag, store_failure{certainty::definite, errc::io});
}

void committer::take(const rewrite_group& group) {
  for (const rewrite& each : group.entries)
    take(each);
  space_promised_ += group.space_promised;
}

void committer::take(const rewrite& item) {
  shard& home = engine_.index.of(item.key);
  std::unique_lock hold(home.mutex);
  slot* const where = home.find(item.key);
  // Whatever superseded the entry is in the log already or comes behind this in the queue.
  if (where == nullptr || where->where != item.from || where->changes_pending > 0) return;
  if (where->hot != nullptr && home.current(item.key, *where, engine_.now()) == nullptr) return;
  auto kept = where->hot == nullptr ? item.kept : where->hot;
  if (kept == nullptr) return;
  ++where->changes_pending;
  hold.unlock();
  place({item.key, &home, where, std::move(kept), 0, nullptr, 0, applied{}});
}

bool committer::place(change item) {
  while (!engine_.has_failed()) {
    location where;
    const auto added = log_.add(item.key, *item.kept, where);
    if (added && !*added) {
      flush();
      continue;
    }
    changes_.push_back({std::move(item), where});
    if (!added) {
      give_up(added.error());
    } else if (where.in != std::exchange(last_written_, where.in)) {
      engine_.ask_to_look_around();
    }
    return true;
  }
  return false;
}

void committer::flush() {
  if (!engine_.has_failed()) {
    if (const auto written = log_.write(); !written) {
      give_up(written.error());
    } else {
      note_durable();
    }
  }
  for (answer& each : answers_) {
    if (engine_.has_failed()) each.value = store_failure{certainty::indefinite, errc::io};
    replies_.add(*each.sink, each.tag, std::move(each.value));
  }
  answers_.clear();
  replies_.deliver();
  for (const barrier& each : barriers_)
    each.passed->set_value(!engine_.has_failed());
  barriers_.clear();
}

void committer::note_durable() {
  for (placed_change& each : changes_) {
    {
      const std::lock_guard hold(each.what.home->mutex);
      each.what.home->note_written(each.what.key, *each.what.place, *each.what.kept, each.where);
      each.what.home->cool(engine_.hot_bytes_each);
    }
    space_promised_ += each.what.space_promised;
    if (each.what.sink != nullptr) replies_.add(*each.what.sink, each.what.tag, std::move(each.what.value));
  }
  changes_.clear();
  engine_.segments.give_back(std::exchange(space_promised_, 0));
}

void committer::give_up(const io_error& error) {
  engine_.fail(log_.place() + ": " + describe(error));
  for (placed_change& each : changes_) {
    if (each.what.sink == nullptr) continue;
    replies_.add(*each.what.sink, each.what.tag, store_failure{certainty::indefinite, errc::io});
  }
  changes_.clear();
}

}  // namespace onceward::journal
