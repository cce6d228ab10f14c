#include "stores/redis/lane.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "core/verdict.h"
#include "stores/redis/server_error.h"

namespace onceward::redis {
namespace {

constexpr std::size_t batch_bytes_max = 256 << 10;
constexpr std::size_t batch_orders_max = 512;
// Their replies are long.
constexpr std::size_t batch_fetches_max = 32;
// A command is shown to another server so often before it is refused.
constexpr int redirections_max = 16;

constexpr store_failure lost_on_the_way{certainty::indefinite, errc::unavailable};

bool changes(const order& what) {
  const auto* asked = std::get_if<pending_command>(&what.what);
  return asked != nullptr && what.next == step::decide && !std::holds_alternative<find>(asked->what);
}

// The response is wanted, and lies beside the record.
bool is_incomplete(const order& what, const script_reply& found) {
  if (found.changed || !found.record || found.record->beside.empty()) return false;
  const auto* done = std::get_if<core::state_completed>(&found.record->kept.state);
  if (done == nullptr || done->response_expires_at <= found.now) return false;
  const command& asked = std::get<pending_command>(what.what).what;
  return !std::holds_alternative<renew>(asked) && !std::holds_alternative<release>(asked);
}

// The response that a repeated completion brings with it, where that is the one which stands.
shared_bytes own_response(const order& what, const std::string& name) {
  const auto* ended = std::get_if<complete>(&std::get<pending_command>(what.what).what);
  const auto* done = ended == nullptr ? nullptr : std::get_if<outcome_completed>(&ended->outcome);
  if (done == nullptr || done->response == nullptr) return nullptr;
  return response_name(ended->key, ended->attempt, *done->response) == name ? done->response : nullptr;
}

void put_response(script_reply& found, shared_bytes response) {
  std::get<core::state_completed>(found.record->kept.state).response = std::move(response);
}

}  // namespace

lane::lane(const connection_settings& settings, const lane_settings& chosen, std::optional<address> node,
           store_parts& parts)
    : parts_(parts),
      chosen_(chosen),
      queue_timeout_(settings.answer_timeout),
      connection_(settings, {.loads_scripts = true, .node = std::move(node)}, *this) {}

void lane::submit(order what) {
  if (connection_.is_down()) return refuse(what, {certainty::definite, errc::unavailable});
  queue_.push_back(std::move(what));
}

void lane::work() {
  while (!queue_.empty() && queue_.front().queued_at + queue_timeout_ <= parts_.now()) {
    refuse(queue_.front(), {certainty::definite, errc::timeout});
    queue_.pop_front();
  }
  if (queue_.empty() || !connection_.can_send()) return;
  requests out;
  bool any_change = false;
  std::size_t fetches = 0;
  while (!queue_.empty() && sent_.size() < batch_orders_max && out.bytes().size() < batch_bytes_max) {
    if (queue_.front().next == step::fetch && ++fetches > batch_fetches_max) break;
    sent_.push_back(std::move(queue_.front()));
    queue_.pop_front();
    any_change = any_change || changes(sent_.back());
    add(out, sent_.back());
  }
  asked_replicas_ = any_change && chosen_.wait_replicas > 0;
  asked_offset_ = any_change && (chosen_.may_fail_over || connection_.facts().replicas > 0);
  if (asked_replicas_) out.add("WAIT", chosen_.wait_replicas, chosen_.wait_timeout.count());
  if (asked_offset_) out.add("ROLE");
  connection_.send(out, parts_.now());
}

void lane::add(requests& into, order& next) const {
  if (next.asking) into.add("ASKING");
  const script_names* names = next.with_text ? nullptr : &connection_.scripts();
  if (const auto* own = std::get_if<errand>(&next.what)) {
    return add_script(into, own->what.which, own->what.arguments, names);
  }
  auto& asked = std::get<pending_command>(next.what);
  ++asked.sent;
  switch (next.next) {
    case step::put: {
      const encoded made = encode_response(std::get<complete>(asked.what));
      return add_script(into, made.which, made.arguments, names);
    }
    case step::decide: {
      const encoded made = encode(asked.what, chosen_.how, parts_.fence_floor());
      return add_script(into, made.which, made.arguments, names);
    }
    case step::fetch:
      into.add("GET", next.found->record->beside);
      return;
  }
}

std::deque<order> lane::take_queue() {
  return std::exchange(queue_, {});
}

void lane::give_up() {
  for (order& each : std::exchange(sent_, {}))
    refuse(each, {certainty::indefinite, errc::closed});
  refuse_queue(errc::closed);
}

void lane::refuse_queue(errc reason) {
  for (order& each : std::exchange(queue_, {}))
    refuse(each, {certainty::definite, reason});
}

void lane::refuse(order& what, store_failure why) {
  if (auto* own = std::get_if<errand>(&what.what)) return own->then(nullptr);
  parts_.answer(std::get<pending_command>(what.what), why);
}

// ---- From the connection -------------------------------------------------------------------------------------------

void lane::on_connected(const server_facts& facts) {
  parts_.connected(connection_.server(), facts);
}

void lane::on_lost(const std::string& why) {
  for (order& each : std::exchange(sent_, {})) {
    // Before and after its script, nothing is changed.
    refuse(each, each.next == step::decide ? lost_on_the_way : store_failure{certainty::definite, errc::unavailable});
  }
  if (connection_.is_down()) refuse_queue(errc::unavailable);
  parts_.look_again();
  parts_.lost(why);
}

// What comes after the replies to the orders.
bool lane::replicas_have_it(const std::vector<value>& replies, std::size_t& place) {
  bool enough = true;
  if (asked_replicas_) {
    const value& told = replies[place++];
    enough = told.is(value::kind::number) && told.number >= std::int64_t{chosen_.wait_replicas};
  }
  if (asked_offset_) {
    const value& role = replies[place++];
    if (role.items.size() >= 2 && role.items[0].text == "master") {
      parts_.acknowledged(connection_.facts().history, role.items[1].number);
    }
  }
  return enough;
}

void lane::on_replies(std::vector<value> replies) {
  std::vector<order> batch = std::exchange(sent_, {});
  std::size_t place = 0;
  for (const order& each : batch)
    place += each.asking ? 2 : 1;
  const bool replicated = replicas_have_it(replies, place);
  onceward_assert(place == replies.size());
  place = 0;
  std::deque<order> again;
  for (order& each : batch) {
    if (std::exchange(each.asking, false)) ++place;
    settle(std::move(each), replies[place++], replicated, again);
  }
  queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
}

void lane::settle(order what, value& told, bool replicated, std::deque<order>& again) {
  if (told.is(value::kind::error)) return settle_error(std::move(what), told, again);
  what.with_text = false;
  if (const auto* own = std::get_if<errand>(&what.what)) return own->then(&told);
  switch (what.next) {
    case step::put:
      what.next = step::decide;
      again.push_back(std::move(what));
      return;
    case step::decide:
      return settle_script(std::move(what), told, replicated, again);
    case step::fetch:
      return settle_response(std::move(what), told);
  }
}

void lane::settle_error(order what, const value& told, std::deque<order>& again) {
  const auto [remedy, reason] = judge_error(told.text);
  switch (remedy) {
    case remedy::send_text:
      if (std::exchange(what.with_text, true)) break;
      again.push_back(std::move(what));
      return;
    case remedy::follow: {
      const auto to = read_redirection(told.text, connection_.server());
      if (!to || ++what.redirections > redirections_max) break;
      if (to->for_good) {
        parts_.moved(to->slot, to->to);
        return parts_.route(std::move(what));
      }
      what.asking = true;
      return parts_.route_to(std::move(what), to->to);
    }
    case remedy::look_again:
      parts_.look_again();
      return parts_.route_later(std::move(what));
    case remedy::wait:
      return parts_.route_later(std::move(what));
    case remedy::refuse:
      break;
    case remedy::reconnect:
      refuse(what, {certainty::definite, reason});
      if (connection_.can_send()) connection_.drop(told.text, parts_.now());
      return;
  }
  refuse(what, {certainty::definite, reason});
}

void lane::settle_script(order what, const value& told, bool replicated, std::deque<order>& again) {
  auto found = read_script_reply(told);
  if (!found) return refuse(what, {certainty::indefinite, found.error()});
  if (found->record) parts_.saw_fence(found->record->kept.token);
  if (!is_incomplete(what, *found)) return conclude(what, *found, replicated);
  if (auto response = own_response(what, found->record->beside)) {
    put_response(*found, std::move(response));
    return conclude(what, *found, replicated);
  }
  what.found = *std::move(found);
  what.next = step::fetch;
  again.push_back(std::move(what));
}

void lane::settle_response(order what, value& told) {
  const std::string& name = what.found->record->beside;
  auto response = std::make_shared<const std::string>(std::move(told.text));
  const auto key = *key_of(std::get<pending_command>(what.what).what);
  const bool is_it =
      told.is(value::kind::text) && response_name(key, what.found->record->kept.attempt, *response) == name;
  if (!is_it) return refuse(what, {certainty::definite, errc::corrupt});
  put_response(*what.found, std::move(response));
  conclude(what, *what.found, true);
}

void lane::conclude(const order& what, const script_reply& found, bool replicated) {
  const auto& asked = std::get<pending_command>(what.what);
  std::optional<core::found_record> kept;
  if (found.changed || found.record) {
    kept = core::found_record{found.changed, found.now, found.record ? found.record->kept : core::record{}};
  }
  const bool is_grant = found.changed && std::holds_alternative<claim>(asked.what);
  if (is_grant && !(found.record && std::holds_alternative<core::state_in_flight>(found.record->kept.state))) {
    return parts_.answer(asked, store_failure{certainty::indefinite, errc::corrupt});
  }
  auto answer = core::answer_to(asked.what, kept);
  // A script meets no concurrent change: what it left alone, the rules leave alone.
  if (!answer) return parts_.answer(asked, store_failure{certainty::definite, errc::corrupt});
  const bool is_kept = std::holds_alternative<claim_granted>(*answer) || std::holds_alternative<applied>(*answer);
  if (is_kept && !replicated) return parts_.answer(asked, lost_on_the_way);
  parts_.answer(asked, std::move(*answer));
}

}  // namespace onceward::redis
