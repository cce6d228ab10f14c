#include "stores/journal/committer.h"

#include <utility>

namespace onceward::journal {
namespace {

// What a worker wrote last is in the cache of its own processor: it is asked for so many changes before it is needed.
constexpr std::size_t announced_ahead = 4;

void announce(const change& what) {
  __builtin_prefetch(what.home, 1);
  __builtin_prefetch(what.place, 1);
}

// While something in its segment lives: the segment may be gone the moment after.
entry_place place_of(const location& where) {
  return where.in == nullptr ? entry_place{} : entry_place{where.in->generation, where.offset};
}

}  // namespace

committer::committer(engine& shared, log_writer& log, sealed_segment begun, run_by who, idle_commits by_idle_threads)
    : engine_(shared),
      policy_(who == run_by::threads ? by_idle_threads : idle_commits::never),
      log_(log),
      written_(std::move(begun)) {
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
  while (engine_.commits.wait()) {
    const std::lock_guard hold(mutex_);
    commit_group();
  }
}

void committer::flush(caller is) {
  if (!engine_.commits.is_unwanted()) return;
  if (is == caller::idle && policy_.idle_thread_commits()) {
    const std::unique_lock hold(mutex_, std::try_to_lock);
    if (hold.owns_lock()) {
      commit_group();
      return;
    }
  }
  engine_.commits.wake();
}

void committer::step() {
  const std::lock_guard hold(mutex_);
  while (commit_group()) {
  }
}

bool committer::commit_group() {
  if (!engine_.commits.take(group_)) return false;
  bodies_taken_ = 0;
  first_placed_ = 0;
  disk_took_ = {};
  for (const change& each : group_.changes)
    take(each);
  for (const rewrite_group& each : group_.rewrites)
    take(each);
  write();
  answer_others();
  policy_.note(disk_took_, group_.has_several_pushers || engine_.commits.has_of_others(group_));
  return true;
}

void committer::take(const change& item) {
  const auto body = std::string_view(group_.bodies).substr(bodies_taken_, item.body_bytes);
  bodies_taken_ += item.body_bytes;
  if (const auto where = place(body)) {
    placed_.push_back({prefix_of(key_in(body)), *where});
  } else {
    // It was decided, but nothing of it was or will be written.
    tell(item, {certainty::definite, errc::io});
  }
}

void committer::take(const rewrite_group& group) {
  for (const rewrite& each : group.entries)
    take(each);
  space_promised_ += group.space_promised;
}

void committer::take(const rewrite& item) {
  {
    shard& home = engine_.index.of(item.key);
    const std::lock_guard hold(home.mutex);
    slot* const kept = home.find(item.key);
    // Whatever superseded the entry is in the log already or comes behind this in the queue.
    if (kept == nullptr ? !home.is_cold_at(item.key, item.from)
                        : kept->where != item.from || kept->changes_pending > 0) {
      return;
    }
  }
  if (const auto where = place(item.body)) rewritten_.push_back({&item, *where});
}

std::optional<location> committer::place(std::string_view body) {
  while (!engine_.has_failed()) {
    location where;
    const auto added = log_.add(body, where);
    if (!added) {
      give_up(added.error());
      return std::nullopt;
    }
    if (!*added) {
      write();
      continue;
    }
    if (where.in != written_.which.get()) begin(*where.in);
    return where;
  }
  return std::nullopt;
}

void committer::begin(segment& next) {
  sealed_segment full = std::exchange(written_, {next.shared_from_this(), {}});
  if (full.which != nullptr) {
    written_.notes = engine_.seal(std::move(full));
  } else {
    engine_.ask_to_look_around();
  }
}

void committer::write() {
  if (!engine_.has_failed()) {
    const auto begun = std::chrono::steady_clock::now();
    const auto written = log_.write();
    disk_took_ += std::chrono::steady_clock::now() - begun;
    if (!written) {
      give_up(written.error());
    } else {
      note_durable();
    }
  }
  replies_.deliver();
}

// Those that wait for changes of the group, or of one before, and write nothing themselves.
void committer::answer_others() {
  for (answer& each : group_.answers) {
    if (engine_.has_failed()) each.value = store_failure{certainty::indefinite, errc::io};
    replies_.add(*each.sink, each.tag, std::move(each.value));
  }
  replies_.deliver();
  for (const barrier& each : group_.barriers)
    each.passed->set_value(!engine_.has_failed());
}

void committer::note_durable() {
  for (const placed_change& each : placed_) {
    if (first_placed_ + announced_ahead < group_.changes.size())
      announce(group_.changes[first_placed_ + announced_ahead]);
    note_durable(group_.changes[first_placed_++], each.key, each.where);
  }
  placed_.clear();
  for (const placed_rewrite& each : rewritten_)
    note_durable(*each.what, each.where);
  rewritten_.clear();
  engine_.segments.give_back(std::exchange(space_promised_, 0));
}

void committer::note_durable(const change& what, key_prefix key, const location& where) {
  entry_place before;
  {
    const std::lock_guard hold(what.home->mutex);
    before = place_of(what.place->where);
    what.home->note_written(*what.place, what.kind, where);
    if (what.home->must_cool(engine_.hot_bytes_each)) what.home->cool(engine_.hot_bytes_each);
  }
  note(key, what.kind, what.expires_at, where, before);
  space_promised_ += what.space_promised;
  tell(what);
}

void committer::note_durable(const rewrite& what, const location& where) {
  shard& home = engine_.index.of(what.key);
  const entry_place before = place_of(what.from);
  bool is_latest;
  {
    const std::lock_guard hold(home.mutex);
    is_latest = home.move(what.key, what.from, where);
  }
  // One that has been forgotten meanwhile had expired.
  if (is_latest) note(prefix_of(what.key), what.kind, what.expires_at, where, before);
}

void committer::note(key_prefix key, state_kind kind, wall_time expires_at, const location& where,
                     const entry_place& before) {
  written_.notes.push_back({.key = key,
                            .offset = where.offset,
                            .bytes = where.bytes,
                            .kind = kind,
                            .expires_at = expires_at,
                            .before = before});
}

void committer::tell(const change& what) {
  if (what.sink == nullptr) return;
  if (what.granted) {
    replies_.add(*what.sink, what.tag, *what.granted);
  } else {
    replies_.add(*what.sink, what.tag, applied{});
  }
}

void committer::tell(const change& what, const store_failure& failure) {
  if (what.sink != nullptr) replies_.add(*what.sink, what.tag, failure);
}

void committer::give_up(const io_error& error) {
  engine_.fail(log_.place() + ": " + describe(error));
  for (std::size_t i = 0; i < placed_.size(); ++i)
    tell(group_.changes[first_placed_ + i], {certainty::indefinite, errc::io});
  placed_.clear();
  rewritten_.clear();
}

}  // namespace onceward::journal
