#include "engine_rig.h"

#include <gtest/gtest.h>

#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "stores/journal/log_reader.h"
#include "stores/journal/log_scan.h"
#include "stores/journal/recovery.h"

namespace onceward::crash {

engine_rig::engine_rig(simulated_disk& on, const journal::options& chosen)
    : mounted_(on.mount()),
      segments_(*mounted_, chosen.segment_bytes, chosen.bytes_limit / chosen.segment_bytes),
      shared_(segments_, [this] { return clock_.now(); }, chosen.cache_bytes, chosen.completion_bytes_reserved) {
  auto found = journal::find_segments(*mounted_);
  EXPECT_TRUE(found);
  auto recovered = journal::recover(*found, *mounted_, shared_);
  EXPECT_TRUE(recovered);
  shared_.set_fence_granted(recovered->fence_granted);
  while (segments_.free_bytes() < shared_.space_wanted() && segments_.add_file()) {
  }
  log_.emplace(segments_, recovered->end, chosen.level, shared_.now, [this] { return shared_.fence_granted(); });
  committing_.emplace(shared_, *log_, std::move(recovered->begun), journal::run_by::steps, chosen.by_idle_threads);
  shared_.commit_now = [this] { committing_->step(); };
  reading_.emplace(shared_, journal::run_by::steps);
  caretaking_.emplace(shared_, journal::run_by::steps);
}

void engine_rig::step() {
  reading_->step();
  committing_->step();
}

reply engine_rig::ask(command what) {
  const std::uint64_t tag = submit(std::move(what));
  step();
  return wait(tag);
}

void engine_rig::submit(command what, reply_sink& sink, std::uint64_t tag) {
  std::visit(
      [&](auto&& each) {
        using asked = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<asked, list_unknown> || std::is_same_v<asked, purge>) {
          shared_.run({std::move(each), &sink, tag});
        } else {
          shared_.decide({std::move(each), &sink, tag}, journal::without_space::wait);
        }
      },
      std::move(what));
}

journal::location engine_rig::place_of(const record_key& key) {
  journal::shard& home = shared_.index.of(key);
  const std::lock_guard hold(home.mutex);
  if (const journal::slot* const place = home.find(key)) return place->where;
  return home.cold_of(key, wall_time::min(), shared_.segments).front();
}

journal::rewrite engine_rig::rewrite_of(const journal::location& where) {
  journal::block_buffer memory;
  const auto found = journal::read_entry(*where.in, where, memory);
  EXPECT_TRUE(found);
  journal::rewrite what{.key = found->key,
                        .from = where,
                        .kind = journal::kind_of(found->kept),
                        .expires_at = core::expiry(found->kept).value_or(wall_time::max()),
                        .body = {}};
  journal::encode_entry_body(found->key, found->kept, what.body);
  return what;
}

std::uint64_t entries_of(const record_key& key, simulated_disk& on) {
  simulated_disk copy(on.snapshot());
  const auto mounted = copy.mount();
  auto found = journal::find_segments(*mounted);
  EXPECT_TRUE(found);
  std::uint64_t entries = 0;
  EXPECT_TRUE(journal::scan(*found, [&](std::size_t, std::uint64_t, std::string_view entry) {
    const auto head = journal::decode_entry_head(entry.substr(journal::entry_header_bytes));
    if (head && head->key == key) ++entries;
    return head.has_value();
  }));
  return entries;
}

}  // namespace onceward::crash
