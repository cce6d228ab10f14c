#include "stores/redis/lane.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "core/verdict.h"
#include "stores/redis/scripts.h"
#include "stores/redis/server_error.h"

namespace onceward::redis {
namespace {

constexpr std::size_t batch_bytes_max = 256 << 10;
constexpr std::size_t batch_orders_max = 512;
// The server does nothing else while it runs a script: some half a millisecond.
constexpr std::size_t part_orders_max = 64;
// Commands that differ in lease or retention go apart. Where there are more kinds than this, they go in smaller parts.
constexpr std::size_t parts_open_max = 8;
// Their replies are long.
constexpr std::size_t batch_fetches_max = 32;
// A command is shown to another server so often before it is refused.
constexpr int redirections_max = 16;

constexpr store_failure lost_on_the_way{certainty::indefinite, errc::unavailable};
constexpr store_failure not_done{certainty::definite, errc::unavailable};

// It was not sent before, and has one thing to be done.
bool is_fresh(const order& what) {
  const auto* asked = std::get_if<pending_command>(&what.what);
  return asked != nullptr && asked->sent == 0 && what.next == step::decide && !what.asking && !what.with_text;
}

bool changes(const order& what) {
  const auto* asked = std::get_if<pending_command>(&what.what);
  return asked != nullptr && what.next == step::decide && !std::holds_alternative<find>(asked->what);
}

const record_key* key_that_may_end(const order& what) {
  const auto* asked = std::get_if<pending_command>(&what.what);
  const bool may = asked != nullptr && what.next == step::decide && may_end_attempt(asked->what);
  return may ? key_of(asked->what) : nullptr;
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
      connection_(settings, {.loads_scripts = true, .carries_commands = true, .node = std::move(node)}, *this) {}

void lane::submit(order what) {
  if (connection_.is_down()) return refuse(what, {certainty::definite, errc::unavailable});
  queue_.push_back(std::move(what));
}

void lane::work() {
  while (!queue_.empty() && queue_.front().queued_at + queue_timeout_ <= parts_.now()) {
    refuse(queue_.front(), {certainty::definite, errc::timeout});
    queue_.pop_front();
  }
  while (!queue_.empty() && connection_.can_send())
    send_batch();
}

void lane::send_batch() {
  batch next;
  next.parts = parts_of(take_orders());
  requests out;
  bool any_change = false;
  std::vector<record_key> may_have_ended;
  for (part& each : next.parts) {
    for (const order& what : each) {
      any_change = any_change || changes(what);
      if (const record_key* key = key_that_may_end(what)) may_have_ended.push_back(*key);
    }
    add_part(out, each);
  }
  next.tells_others = !may_have_ended.empty();
  next.asks_replicas = any_change && chosen_.wait_replicas > 0;
  next.asks_offset = any_change && (chosen_.may_fail_over || connection_.facts().replicas > 0);
  if (next.tells_others) out.add("PUBLISH", wake_up_channel, word_of_ends(chosen_.how.sender, may_have_ended));
  if (next.asks_replicas) out.add("WAIT", chosen_.wait_replicas, chosen_.wait_timeout.count());
  if (next.asks_offset) out.add("ROLE");
  sent_.push_back(std::move(next));
  connection_.send(out, parts_.now());
}

std::vector<order> lane::take_orders() {
  std::vector<order> taken;
  std::size_t bytes = 0, fetches = 0;
  while (!queue_.empty() && taken.size() < batch_orders_max && bytes < batch_bytes_max) {
    if (queue_.front().next == step::fetch && ++fetches > batch_fetches_max) break;
    const auto* asked = std::get_if<pending_command>(&queue_.front().what);
    bytes += asked == nullptr ? 0 : wire_bytes(asked->what);
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return taken;
}

// Only the first order of a key goes with others, and those behind it come after them.
std::vector<lane::part> lane::parts_of(std::vector<order> orders) const {
  std::vector<part> gathered, rest;
  std::vector<std::size_t> open;  // The parts that have room, the oldest first.
  std::unordered_set<record_key, core::record_key_index> keys;
  for (order& each : orders) {
    const auto* asked = std::get_if<pending_command>(&each.what);
    const bool is_first_of_key = asked == nullptr || keys.insert(*key_of(asked->what)).second;
    const bool gathers = chosen_.gathers && is_first_of_key && is_fresh(each) && may_go_with_others(asked->what);
    if (!gathers) {
      rest.emplace_back().push_back(std::move(each));
      continue;
    }
    const auto shares = [&](std::size_t place) {
      const order& first = gathered[place].front();
      return may_share_script(std::get<pending_command>(first.what).what, asked->what);
    };
    auto place = std::find_if(open.begin(), open.end(), shares);
    if (place == open.end()) {
      if (open.size() >= parts_open_max) open.erase(open.begin());
      place = open.insert(open.end(), gathered.size());
      gathered.emplace_back();
    }
    part& taken = gathered[*place];
    taken.push_back(std::move(each));
    if (taken.size() >= part_orders_max) open.erase(place);
  }
  std::move(rest.begin(), rest.end(), std::back_inserter(gathered));
  return gathered;
}

void lane::add_part(requests& into, part& next) {
  if (next.size() == 1) return add(into, next.front());
  std::vector<const command*> all;
  for (order& each : next) {
    auto& asked = std::get<pending_command>(each.what);
    ++asked.sent;
    each.with_others = true;
    all.push_back(&asked.what);
  }
  const script_names* names = std::exchange(with_text_, false) ? nullptr : &connection_.scripts();
  add_commands(into, all, parts_.fence_floor(), names);
}

void lane::add(requests& into, order& next) const {
  if (next.asking) into.add("ASKING");
  const script_names* names = next.with_text ? nullptr : &connection_.scripts();
  if (const auto* own = std::get_if<errand>(&next.what)) {
    return add_script(into, own->what, names);
  }
  auto& asked = std::get<pending_command>(next.what);
  ++asked.sent;
  switch (next.next) {
    case step::put:
      return add_response(into, std::get<complete>(asked.what), names);
    case step::decide:
      return add_command(into, asked.what, chosen_.how, parts_.fence_floor(), names);
    case step::fetch:
      into.add("GET", next.found->record->beside);
      return;
  }
}

std::deque<order> lane::take_queue() {
  return std::exchange(queue_, {});
}

void lane::give_up() {
  for (batch& sent : std::exchange(sent_, {})) {
    for (part& each : sent.parts) {
      for (order& what : each)
        refuse(what, {certainty::indefinite, errc::closed});
    }
  }
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
  for (batch& sent : std::exchange(sent_, {})) {
    for (part& each : sent.parts) {
      // Before and after its script, nothing is changed.
      for (order& what : each)
        refuse(what, what.next == step::decide ? lost_on_the_way : not_done);
    }
  }
  if (connection_.is_down()) refuse_queue(errc::unavailable);
  parts_.look_again();
  parts_.lost(why);
}

bool lane::replicas_have_it(const batch& sent, const std::vector<value>& replies, std::size_t& place) {
  bool enough = true;
  // That others may be told was seen when it connected; how many heard it says nothing.
  if (sent.tells_others) ++place;
  if (sent.asks_replicas) {
    const value& told = replies[place++];
    enough = told.is(value::kind::number) && told.number >= std::int64_t{chosen_.wait_replicas};
  }
  if (sent.asks_offset) {
    const value& role = replies[place++];
    if (role.items.size() >= 2 && role.items[0].text == "master") {
      parts_.acknowledged(connection_.facts().history, role.items[1].number);
    }
  }
  return enough;
}

void lane::on_replies(std::vector<value> replies) {
  onceward_assert(!sent_.empty());
  batch done = std::move(sent_.front());
  sent_.pop_front();
  std::size_t place = 0;
  for (const part& each : done.parts)
    place += each.front().asking ? 2u : 1u;
  const bool replicated = replicas_have_it(done, replies, place);
  onceward_assert(place == replies.size());
  place = 0;
  std::deque<order> again;
  for (part& each : done.parts) {
    if (std::exchange(each.front().asking, false)) ++place;
    value& told = replies[place++];
    if (each.size() == 1) {
      settle(std::move(each.front()), told, replicated, again);
    } else {
      settle_part(std::move(each), told, replicated, again);
    }
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
      return settle_response(std::move(what), told, again);
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
      if (connection_.is_up()) connection_.drop(told.text, parts_.now());
      return;
  }
  refuse(what, {certainty::definite, reason});
}

void lane::settle_script(order what, const value& told, bool replicated, std::deque<order>& again) {
  auto found = read_script_reply(told);
  if (!found) return refuse(what, {certainty::indefinite, found.error()});
  settle_found(std::move(what), *std::move(found), replicated, again);
}

void lane::settle_found(order what, script_reply found, bool replicated, std::deque<order>& again) {
  if (found.record) parts_.saw_fence(found.record->kept.token);
  if (!is_incomplete(what, found)) return conclude(std::move(what), found, replicated, again);
  if (auto response = own_response(what, found.record->beside)) {
    put_response(found, std::move(response));
    return conclude(std::move(what), found, replicated, again);
  }
  what.found = std::move(found);
  what.next = step::fetch;
  again.push_back(std::move(what));
}

// Whatever it is not clear about is asked for again, by the order's own script.
void lane::settle_part(part done, value& told, bool replicated, std::deque<order>& again) {
  if (told.is(value::kind::error)) with_text_ = judge_error(told.text).what_to_do == remedy::send_text;
  if (std::holds_alternative<claim>(std::get<pending_command>(done.front().what).what)) {
    auto found = read_replies_to_claims(told, done.size());
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (found[i]) {
        settle_found(std::move(done[i]), *std::move(found[i]), replicated, again);
      } else {
        again.push_back(std::move(done[i]));
      }
    }
    return;
  }
  const bool is_whole = told.is(value::kind::list) && told.items.size() == done.size();
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (is_whole && told.items[i].number == 1) {
      conclude(std::move(done[i]), {.changed = true, .now = {}, .record = {}}, replicated, again);
    } else {
      again.push_back(std::move(done[i]));
    }
  }
}

void lane::settle_response(order what, value& told, std::deque<order>& again) {
  const std::string& name = what.found->record->beside;
  auto response = std::make_shared<const std::string>(std::move(told.text));
  const auto key = *key_of(std::get<pending_command>(what.what).what);
  const bool is_it =
      told.is(value::kind::text) && response_name(key, what.found->record->kept.attempt, *response) == name;
  if (!is_it) return refuse(what, {certainty::definite, errc::corrupt});
  script_reply found = *std::move(what.found);
  put_response(found, std::move(response));
  conclude(std::move(what), found, true, again);
}

void lane::conclude(order what, const script_reply& found, bool replicated, std::deque<order>& again) {
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
  if (!answer && what.with_others) {
    what.with_others = false;
    return again.push_back(std::move(what));
  }
  // A script meets no concurrent change: what it left alone, the rules leave alone.
  if (!answer) return parts_.answer(asked, store_failure{certainty::definite, errc::corrupt});
  const bool is_kept = std::holds_alternative<claim_granted>(*answer) || std::holds_alternative<applied>(*answer);
  if (is_kept && !replicated) return parts_.answer(asked, lost_on_the_way);
  parts_.answer(asked, std::move(*answer));
}

}  // namespace onceward::redis
