// A shared store as its gateways see it through failovers: it passes commands on, remembers what was acknowledged, and
// when another server answers than before, finds out what that one has lost.
//
// Until a remembered record was looked for at the new server, commands for its key are held back; so a claim is never
// granted over a record that this process knows was acknowledged. Where the store does not answer, they are refused
// like every other.
//
// What it cannot know: records that another gateway had acknowledged, until that gateway has looked for them; anything
// from before this process began; and what is over its limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "core/reply_groups.h"
#include "onceward/store.h"
#include "stores/failover/recent_records.h"
#include "stores/failover/restoration.h"

namespace onceward::failover {

struct options {
  std::chrono::milliseconds loss_window{10'000};
  std::size_t records_max = 100'000;
  bool restores = true;  // If not, failovers are counted, and that is all.
  std::function<base::moment()> now;
  std::function<void(const record_key&)> tell_lost;  // On the store's thread; may be empty.
};

class guarded_store final : public store, private reply_sink {
 public:
  // Nothing is submitted before it has its store.
  explicit guarded_store(options chosen);
  ~guarded_store() override;

  // The store whose commands it passes on, which may call the two below from its own thread from the beginning.
  void guard(std::unique_ptr<store> inner);

  // Another server answers than before. Called when every reply of the one before is delivered, and before a command
  // is sent to this one.
  void server_changed();
  // The server is reached again, be it the same or another one.
  void reconnected();

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  store_statistics statistics() const override;
  void observe(record_observer* observer) override { inner_->observe(observer); }

 private:
  struct asked {
    command what;
    reply_sink* sink;  // Null: ours, for a restoration.
    std::uint64_t tag;
    bool was_submitted = false;
  };
  struct suspect {
    restoration how;
    bool under_way = false;
    bool waits = false;
    std::vector<asked> held;
  };
  struct outgoing {
    command what;
    std::uint64_t tag;
  };
  using suspects = std::unordered_map<record_key, suspect, core::record_key_index>;

  void deliver(std::span<tagged_reply> replies) override;
  void settle(asked from, reply value);
  void take_step(const record_key& key, const reply& value);
  void give_up_step(suspect& of, const reply& failure);
  void begin_step(suspect& of);
  void wait(const record_key& key, suspect& of);
  void begin_waiting();
  void pass_on(asked what);
  void submit_outgoing(std::unique_lock<std::mutex> hold);

  const options options_;
  mutable std::mutex mutex_;
  // From here on: guarded by mutex_.
  bool closing_ = false;
  std::uint64_t last_tag_ = 0;
  std::unordered_map<std::uint64_t, asked> outstanding_;
  recent_records recent_;
  suspects suspects_;
  std::deque<record_key> waiting_;  // Suspects that the server was not asked for yet, or in vain.
  std::size_t under_way_ = 0;
  std::uint64_t failovers_ = 0;
  std::uint64_t records_lost_ = 0;
  std::vector<outgoing> out_;  // To submit without the lock.
  bool submits_ = false;       // Some thread does.
  core::reply_groups replies_;

  std::unique_ptr<store> inner_;  // Ends first: it answers what is outstanding.
};

}  // namespace onceward::failover
