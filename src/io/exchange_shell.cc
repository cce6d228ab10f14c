#include "io/exchange_shell.h"

#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/overloaded.h"

namespace onceward::io {
exchange_shell::exchange_shell(worker_context& context, core::exchange_identity identity, waiter_scope scope,
                               const core::policy& rules, exchange_host& host)
    : context_(context),
      host_(host),
      key_(identity.key),
      scope_(scope),
      machine_(std::move(identity), rules),
      deadline_(context.loop, [this] { handle(core::event_deadline{}); }),
      tag_(context.replies.add(*this)) {}

exchange_shell::~exchange_shell() {
  if (!machine_.finished()) {
    context_.waiters.leave(key_, context_.replies, tag_);
    context_.waiters.leave_probe(key_, context_.replies, tag_);
  }
  context_.replies.remove(tag_);
}

void exchange_shell::store_replied(reply&& value, bool marked) {
  if (marked) return handle(core::event_renewal_replied{std::move(value)});
  context_.meter.store_replied(submitted_index_, value, context_.loop.now() - submitted_at_);
  handle(core::exchange_event(std::in_place_type<core::event_store_replied>, std::move(value)));
}

void exchange_shell::attempt_ended(const core::ended_attempt& end) {
  handle(core::event_attempt_ended{end});
}

void exchange_shell::submit(command&& what, mail_tag tag) {
  context_.gathered = true;
  context_.records.gather(std::move(what), context_.replies, tag);
}

void exchange_shell::join_probe() {
  switch (context_.waiters.join_probe(key_, scope_, context_.replies, tag_)) {
    case waiting_room::probe_place::first:
      return handle(core::event_probe_joined{true});
    case waiting_room::probe_place::waiting:
      return handle(core::event_probe_joined{false});
    case waiting_room::probe_place::refused:
      return handle(core::event_wait_refused{});
  }
}

void exchange_shell::handle(core::exchange_event&& event) {
  if (performing_) {
    pending_.push_back(std::move(event));
    return;
  }
  performing_ = true;
  core::action_list actions = machine_.on(std::move(event), context_.loop.now());
  if (!perform(actions)) return;
  while (!pending_.empty()) {
    core::exchange_event next = std::move(pending_.front());
    pending_.erase(pending_.begin());
    actions = machine_.on(std::move(next), context_.loop.now());
    if (!perform(actions)) return;
  }
  performing_ = false;
}

bool exchange_shell::perform(core::action_list& actions) {
  for (core::action& each : actions) {
    std::visit(base::overloaded{
                   [&](core::action_submit& a) {
                     submitted_index_ = a.what.index();
                     submitted_at_ = context_.loop.now();
                     submit(std::move(a.what), tag_);
                   },
                   [&](core::action_renew& a) { submit(a.what, mailbox::marked(tag_)); },
                   [&](core::action_forward& a) { host_.forward(a.attempt_number, a.token); },
                   [&](core::action_pass_unguarded&) { host_.pass_unguarded(); },
                   [&](core::action_join_probe&) { join_probe(); },
                   [&](core::action_leave_probe&) { context_.waiters.leave_probe(key_, context_.replies, tag_); },
                   [&](core::action_end_probe& a) {
                     context_.waiters.end_probe(key_, context_.replies, tag_, std::move(a.end));
                   },
                   [&](core::action_probe&) { host_.probe(); },
                   [&](core::action_join_waiters&) {
                     if (!context_.waiters.join(key_, scope_, context_.replies, tag_))
                       handle(core::event_wait_refused{});
                   },
                   [&](core::action_leave_waiters&) { context_.waiters.leave(key_, context_.replies, tag_); },
                   [&](core::action_wake_waiters& a) { context_.waiters.wake(key_, std::move(a.end)); },
                   [&](core::action_set_deadline& a) { deadline_.arm(a.when); },
                   [&](core::action_respond& a) { host_.respond(std::move(a.source)); },
                   [&](core::action_note& a) { host_.note(a.what); },
                   [&](core::action_finish&) { deadline_.cancel(); },
               },
               each);
  }
  if (!machine_.finished()) return true;
  host_.finished();
  return false;
}

}  // namespace onceward::io
