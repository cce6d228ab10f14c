// Where a loop gets what other threads have for it: replies of the store and wake-ups of waiters.
//
// Receivers register and get a tag; whoever delivers under a tag that is no longer registered delivers to nobody. So an
// exchange that is over need not hunt down what is still under way.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/exchange.h"
#include "net/loop.h"
#include "net/wake_up.h"
#include "onceward/store.h"

namespace onceward::io {

// Names a registration with one mailbox. The lowest bit is the caller's to tell two kinds of mail apart.
using mail_tag = std::uint64_t;

class mail_receiver {
 public:
  virtual ~mail_receiver() = default;
  // On the mailbox's loop. `marked` is the lowest bit of the tag.
  virtual void store_replied(reply&& value, bool marked) = 0;
  virtual void attempt_ended(const core::ended_attempt& end) = 0;
};

// One for each loop. add() and remove() on that loop only; deliver() from any thread.
class mailbox final : public reply_sink {
 public:
  explicit mailbox(net::loop& loop) : wake_up_(loop, [this] { hand_out(); }) {}
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  mail_tag add(mail_receiver& receiver);
  void remove(mail_tag tag);

  static mail_tag marked(mail_tag tag) { return tag | 1; }

  void deliver(std::span<tagged_reply> replies) override;
  void deliver(mail_tag tag, std::shared_ptr<const core::ended_attempt> end);

 private:
  struct told_end {
    mail_tag tag;
    std::shared_ptr<const core::ended_attempt> end;
  };
  // An end is handed out before the replies that came with it: a reply may take any time, so it might have come later.
  struct mail {
    std::vector<tagged_reply> replies;
    std::vector<told_end> ends;
    bool empty() const { return replies.empty() && ends.empty(); }
  };
  struct slot {
    mail_receiver* receiver = nullptr;
    std::uint32_t generation = 0;
  };

  void hand_out();
  mail_receiver* receiver_of(mail_tag tag) const;

  net::wake_up wake_up_;
  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  mail opened_;  // Kept for its memory.

  std::mutex mutex_;
  mail waiting_;  // Guarded by mutex_.
};

}  // namespace onceward::io
