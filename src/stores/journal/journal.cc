#include "stores/journal/journal.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "stores/journal/caretaker.h"
#include "stores/journal/cold_reader.h"
#include "stores/journal/committer.h"
#include "stores/journal/engine.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/log_writer.h"
#include "stores/journal/owner.h"
#include "stores/journal/posix_disk.h"
#include "stores/journal/recovery.h"

namespace onceward::journal {
namespace {

constexpr std::uint64_t segment_bytes_min = 64ull << 10;
constexpr std::uint64_t segment_bytes_max = 1ull << 30;
constexpr std::uint64_t segments_min = 4;

tl::unexpected<open_error> refuse(errc reason, std::string message) {
  return tl::unexpected(open_error{reason, std::move(message)});
}

tl::unexpected<open_error> refuse(const disk& where, const io_error& error) {
  return refuse(error.reason, where.name() + ": " + describe(error));
}

tl::expected<void, open_error> check(const options& chosen) {
  if (chosen.segment_bytes < segment_bytes_min || chosen.segment_bytes > segment_bytes_max ||
      chosen.segment_bytes % block_bytes != 0) {
    return refuse(errc::invalid, "a segment is from 64 KiB to 1 GiB long, in multiples of 4 KiB");
  }
  if (chosen.bytes_limit / chosen.segment_bytes < segments_min) {
    return refuse(errc::invalid, "the limit of the journal must allow for four segments of " +
                                     std::to_string(chosen.segment_bytes) + " bytes");
  }
  if (chosen.bytes_limit / chosen.segment_bytes >= segments_max) {
    return refuse(errc::invalid, "the limit of the journal allows for more than " + std::to_string(segments_max - 1) +
                                     " segments; make them longer");
  }
  return {};
}

}  // namespace

// In the order in which they are needed; they end in the opposite one.
struct journal::parts {
  parts(std::unique_ptr<disk> where_, std::unique_ptr<disk_lock> lock_, const options& chosen,
        std::uint64_t segment_bytes, std::function<wall_time()> now)
      : level(chosen.level),
        bytes_limit(chosen.bytes_limit),
        where(std::move(where_)),
        lock(std::move(lock_)),
        segments(*where, segment_bytes, chosen.bytes_limit / segment_bytes),
        shared(segments, std::move(now), chosen.cache_bytes, chosen.completion_bytes_reserved) {}

  ~parts() {
    // Who decides commands ends before who takes them.
    caretaking.reset();
    reading.reset();
    committing.reset();
    if (level == durability::written && log && !shared.has_failed()) static_cast<void>(log->sync());
  }

  const durability level;
  const std::uint64_t bytes_limit;
  const std::unique_ptr<disk> where;
  const std::unique_ptr<disk_lock> lock;
  segment_set segments;
  engine shared;
  std::optional<log_writer> log;
  std::optional<committer> committing;
  std::optional<cold_reader> reading;
  std::optional<caretaker> caretaking;
};

tl::expected<std::unique_ptr<journal>, open_error> journal::open(const std::string& directory, const options& chosen,
                                                                 std::function<wall_time()> now) {
  const auto mode = chosen.level == durability::synced ? page_cache::bypassed : page_cache::used;
  auto where = open_posix_disk(directory, mode);
  if (!where) return refuse(where.error().reason, directory + ": " + describe(where.error()));
  return open(*std::move(where), chosen, std::move(now));
}

tl::expected<std::unique_ptr<journal>, open_error> journal::open(std::unique_ptr<disk> where, const options& chosen,
                                                                 std::function<wall_time()> now) {
  return open(std::move(where), chosen, std::move(now), run_by::threads);
}

tl::expected<std::unique_ptr<journal>, open_error> journal::open_in_steps(std::unique_ptr<disk> where,
                                                                          const options& chosen,
                                                                          std::function<wall_time()> now) {
  return open(std::move(where), chosen, std::move(now), run_by::steps);
}

tl::expected<std::unique_ptr<journal>, open_error> journal::open(std::unique_ptr<disk> where, const options& chosen,
                                                                 std::function<wall_time()> now, run_by who) {
  if (const auto valid = check(chosen); !valid) return tl::unexpected(valid.error());
  auto lock_taken = own(*where, now());
  if (!lock_taken) return tl::unexpected(lock_taken.error());

  auto found = find_segments(*where);
  if (!found) return tl::unexpected(refusal(found.error(), *where));
  const bool is_new = found->segments.empty();
  const std::uint64_t segment_bytes = is_new ? chosen.segment_bytes : found->segments.back().header.segment_bytes;

  auto opened =
      std::make_unique<parts>(std::move(where), *std::move(lock_taken), chosen, segment_bytes, std::move(now));
  engine& shared = opened->shared;
  shared.on_failure = chosen.on_failure;
  auto recovered = recover(*found, *opened->where, shared);
  if (!recovered) return tl::unexpected(refusal(recovered.error(), *opened->where));
  shared.set_fence_granted(recovered->fence_granted);

  // A journal that exists is opened without space, too: it still answers.
  while (opened->segments.free_bytes() < shared.space_wanted()) {
    const auto added = opened->segments.add_file();
    if (!added && is_new) return refuse(*opened->where, added.error());
    if (!added) break;
  }
  if (auto abandoned = abandon_claims(shared); !abandoned)
    return tl::unexpected(refusal(abandoned.error(), *opened->where));

  opened->log.emplace(opened->segments, recovered->end, chosen.level, shared.now,
                      [&shared] { return shared.fence_granted(); });
  opened->committing.emplace(shared, *opened->log, std::move(recovered->begun), who, chosen.by_idle_threads);
  if (who == run_by::steps) shared.commit_now = [commits = &*opened->committing] { commits->step(); };
  opened->reading.emplace(shared, who);
  opened->caretaking.emplace(shared, who);
  return std::unique_ptr<journal>(new journal(std::move(opened)));
}

journal::journal(std::unique_ptr<parts> opened) : parts_(std::move(opened)) {}

journal::~journal() = default;

void journal::submit(command what, reply_sink& sink, std::uint64_t tag) {
  take(std::move(what), sink, tag, begin::now);
}

void journal::gather(command what, reply_sink& sink, std::uint64_t tag) {
  take(std::move(what), sink, tag, begin::at_flush);
}

void journal::flush(caller is) {
  parts_->committing->flush(is);
}

void journal::take(command what, reply_sink& sink, std::uint64_t tag, begin when) {
  engine& shared = parts_->shared;
  std::visit(
      [&](auto& each) {
        using asked = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<asked, list_unknown> || std::is_same_v<asked, purge>) {
          shared.run({std::move(each), &sink, tag});
        } else {
          shared.decide(each, {&sink, tag}, without_space::wait, nullptr, when);
        }
      },
      what);
}

store_statistics journal::statistics() const {
  engine& shared = parts_->shared;
  const wall_time now = shared.now();
  store_statistics sum{.bytes = shared.segments.bytes_on_disk(), .bytes_limit = parts_->bytes_limit};
  for (shard& each : shared.index.shards()) {
    const std::lock_guard hold(each.mutex);
    sum.records += each.size();
    sum.records_unknown += each.unknown(now);
  }
  sum.accepts_claims = !shared.has_failed() && (!shared.full || shared.has_space_for_claims());
  return sum;
}

bool journal::has_work(part which) const {
  engine& shared = parts_->shared;
  switch (which) {
    case part::committer:
      return !shared.commits.empty();
    case part::cold_reader:
      return !shared.reads.empty();
    case part::caretaker:
      break;
  }
  const std::lock_guard hold(shared.caretaker.mutex);
  return shared.caretaker.is_filled();
}

bool journal::is_full() const {
  return parts_->shared.full;
}

void journal::step(part which) {
  switch (which) {
    case part::committer:
      return parts_->committing->step();
    case part::cold_reader:
      return parts_->reading->step();
    case part::caretaker:
      return parts_->caretaking->step();
  }
}

std::string journal::failure() const {
  return parts_->shared.failure();
}

}  // namespace onceward::journal
