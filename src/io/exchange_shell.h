// Carries one exchange out: does what the machine returns, against a store, an upstream and a client, and reports back.
// It decides nothing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/exchange.h"
#include "io/mailbox.h"
#include "io/waiting_room.h"
#include "net/deadline.h"
#include "net/loop.h"

namespace onceward::io {

// Sees every command and its reply, for metrics. On the exchange's loop.
class store_meter {
 public:
  virtual ~store_meter() = default;
  virtual void store_replied(std::size_t command_index, const reply& value, std::chrono::microseconds took) = 0;
};

// What all exchanges of one loop share.
struct worker_context {
  net::loop& loop;
  store& records;
  mailbox& replies;
  waiting_room& waiters;
  store_meter& meter;
  bool gathered = false;  // The store has commands that it need not have begun with.

  // At the end of a turn of the loop.
  void flush(caller is) {
    if (std::exchange(gathered, false)) records.flush(is);
  }
};

// Whoever runs the exchange: owns the request's bytes, speaks with the upstream and with the client. Calls come on the
// loop; the host may call back into the shell from inside any of them but finished().
class exchange_host {
 public:
  virtual ~exchange_host() = default;
  // Forward the request once; ends with exchange_shell::upstream_ended().
  virtual void forward(std::uint32_t attempt_number, fence token) = 0;
  // The store is down and the route prefers no guard to no answer. Followed by finished().
  virtual void pass_unguarded() = 0;
  // Ask the upstream's status URL; ends with exchange_shell::probe_ended(), unless finished() comes first.
  virtual void probe() = 0;
  // Answer the client. respond_live: what upstream_ended() was told of.
  virtual void respond(core::response_source source) = 0;
  virtual void note(core::noted what) = 0;
  // The last call. The shell may be destroyed inside it.
  virtual void finished() = 0;
};

// On one loop. The context, the rules and the host outlive it.
class exchange_shell final : public mail_receiver {
 public:
  exchange_shell(worker_context& context, core::exchange_identity identity, waiter_scope scope,
                 const core::policy& rules, exchange_host& host);
  ~exchange_shell() override;
  exchange_shell(const exchange_shell&) = delete;
  exchange_shell& operator=(const exchange_shell&) = delete;

  void start() { handle(core::event_started{}); }
  void upstream_ended(core::attempt_result result) { handle(core::event_upstream_ended{std::move(result)}); }
  void probe_ended(core::probe_result result) { handle(core::event_probe_ended{std::move(result)}); }
  void client_gone() { handle(core::event_client_gone{}); }
  // Answers a client that merely waits; an attempt goes on.
  void drain() { handle(core::event_draining{}); }

  const record_key& key() const { return key_; }
  bool is_waiting() const { return machine_.is_waiting(); }
  // For the host, right before it sends bytes of what forward() asked for. Looks at the clock, because a thread may
  // have stood still since the loop did.
  bool may_send_attempt() const { return machine_.may_send_attempt(context_.loop.read_clock()); }
  std::optional<core::exchange::grant> granted() const { return machine_.granted(); }

 private:
  void store_replied(reply&& value, bool marked) override;
  void attempt_ended(const core::ended_attempt& end) override;

  void handle(core::exchange_event&& event);
  // False once the exchange is over and the shell may be gone.
  bool perform(core::action_list& actions);
  void submit(command&& what, mail_tag tag);
  void join_probe();

  worker_context& context_;
  exchange_host& host_;
  const record_key key_;
  const waiter_scope scope_;
  core::exchange machine_;
  net::deadline deadline_;
  mail_tag tag_;
  std::vector<core::exchange_event> pending_;  // Raised while actions were being carried out.
  bool performing_ = false;
  // Of the command outstanding; a renewal is not measured.
  std::size_t submitted_index_ = 0;
  base::moment submitted_at_{};
};

}  // namespace onceward::io
