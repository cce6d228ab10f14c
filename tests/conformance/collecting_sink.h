// A sink that keeps replies until a test asks for them, and checks what every sink may rely on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <variant>
#include <vector>

#include "onceward/store.h"

namespace onceward::conformance {

class collecting_sink final : public reply_sink {
 public:
  void deliver(std::span<tagged_reply> replies) override;

  // Submits with a tag of its own and waits for the reply. Fails the test and the process after a minute without one.
  reply ask(store& asked, command what);

  // Submits without waiting and returns the tag under which wait() gives the reply.
  std::uint64_t submit(store& asked, command what);
  // The same with store::gather().
  std::uint64_t gather(store& asked, command what);
  reply wait(std::uint64_t tag);

  // Submits all of them before it waits for the first: one goes out at once, and the others queue meanwhile. The
  // replies are in the order of the commands.
  std::vector<reply> ask_all(store& asked, const std::vector<command>& what);

  // Commands that have had their reply.
  std::size_t answered() const;
  // Replies that came under a tag which has had one, or that nobody gave out.
  std::size_t unexpected() const;
  // Calls of deliver() with nothing to deliver.
  std::size_t empty_deliveries() const;

 private:
  std::uint64_t next_tag();

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::uint64_t last_tag_ = 0;
  std::map<std::uint64_t, reply> replies_;
  std::map<std::uint64_t, bool> answered_;
  std::size_t answered_count_ = 0;
  std::size_t unexpected_ = 0;
  std::size_t empty_deliveries_ = 0;
};

// How many of the replies are of that kind.
template <typename Reply>
std::size_t count(const std::vector<reply>& all) {
  std::size_t found = 0;
  for (const reply& each : all)
    found += std::holds_alternative<Reply>(each) ? 1u : 0u;
  return found;
}

}  // namespace onceward::conformance
