#include "stores/redis/engine.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/assert.h"
#include "base/random.h"

namespace onceward::redis {
namespace {

using std::chrono::milliseconds;

// Of a store that is closed: for what was submitted before.
constexpr milliseconds patience_at_end{5'000};
// An order that nobody can take now is looked at again.
constexpr milliseconds parking_time{20};
constexpr milliseconds look_interval{1'000};
// Beyond, Lua's numbers are not whole, and no server's clock gets there.
constexpr std::uint64_t fence_max = std::uint64_t{1} << 53;

base::moment read_clock() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return base::moment{std::chrono::duration_cast<base::moment::duration>(since_start)};
}

std::string random_name() {
  const auto bytes = base::random_source().take<8>();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

lane_settings lane_settings_of(const options& chosen, const target& where) {
  return {.how = {.sender = random_name(), .waits_for_replicas = chosen.wait_replicas > 0},
          .wait_replicas = chosen.wait_replicas,
          .wait_timeout = chosen.wait_timeout,
          .gathers = where.kind != topology::cluster && chosen.wait_replicas == 0,
          .may_fail_over = where.kind != topology::single};
}

}  // namespace

redis_store::engine::engine(options chosen, connection_settings settings, std::string description, std::uint64_t floor)
    : options_(std::move(chosen)),
      description_(std::move(description)),
      settings_(std::move(settings)),
      lane_settings_(lane_settings_of(options_, settings_.where)),
      desk_({options_.commands_queued_max, options_.command_bytes_max, &wire_bytes}),
      now_(read_clock()),
      successions_(settings_.where.kind == topology::cluster),
      fence_floor_(std::min(floor, fence_max)) {
  bulletin_ = std::make_unique<bulletin>(settings_, lane_settings_.how.sender,
                                         [this](std::span<const record_key> keys) { desk_.tell_observer(keys); });
  if (is_cluster()) {
    atlas_ = std::make_unique<atlas>(
        settings_, [this](slot_table table) { take_table(std::move(table)); }, [this] { return now_; });
  } else {
    node_at({});
  }
  thread_ = std::thread([this] { run(); });
}

redis_store::engine::~engine() {
  desk_.close();
  thread_.join();
}

// ---- Any thread ----------------------------------------------------------------------------------------------------

store_statistics redis_store::engine::statistics() const {
  const std::lock_guard hold(counts_mutex_);
  return {.records = counts_.records,
          .records_unknown = counts_.records_unknown,
          .bytes = counts_.bytes,
          .bytes_limit = counts_.bytes_limit,
          .accepts_claims = reachable_.load(std::memory_order_relaxed) &&
                            (counts_.bytes_limit == 0 || counts_.bytes < counts_.bytes_limit) && desk_.has_room()};
}

void redis_store::engine::count() {
  desk_.post_and_wait(
      [this](server::desk::errand done) { sweep({}, [done = std::move(done)](const sweep_result*) { done(); }); });
}

void redis_store::engine::keep_secret(std::string kept) {
  desk_.post([this, taken = std::move(kept)] { secret_ = taken; });
}

// ---- The thread ----------------------------------------------------------------------------------------------------

void redis_store::engine::run() {
  while (!is_done()) {
    work();
    desk_.deliver();
    wait();
    take_letters();
  }
  give_up();
  desk_.deliver();
}

void redis_store::engine::take_letters() {
  const auto letters = desk_.take();
  if (desk_.is_closed() && end_ == base::moment::max()) end_ = now_ + patience_at_end;
  for (server::desk::letter& each : letters) {
    if (auto* asked = std::get_if<pending_command>(&each)) {
      begin(std::move(*asked));
    } else {
      std::get<server::desk::errand>(each)();
    }
  }
}

void redis_store::engine::begin(pending_command what) {
  what.queued_at = now_;
  if (const record_key* key = key_of(what.what)) {
    if (is_others_) return answer(what, store_failure{certainty::definite, errc::unavailable});
    // Outside a cluster it only chooses a lane. Keys are uniform in every byte.
    const std::size_t slot =
        is_cluster() ? slot_of(record_name(*key).text()) : std::to_integer<std::size_t>(key->bytes.back());
    const step first = has_response_beside(what.what) ? step::put : step::decide;
    return route({.what = std::move(what), .slot = slot, .queued_at = now_, .next = first, .found = {}});
  }
  sweep_request wanted;
  if (const auto* listing = std::get_if<list_unknown>(&what.what)) {
    wanted.after = listing->after;
    wanted.limit = listing->limit;
  } else {
    wanted.deletes = true;
  }
  sweep(wanted, [this, asked = std::move(what), wanted](const sweep_result* done) {
    if (done == nullptr) {
      const auto effect = wanted.deletes ? certainty::indefinite : certainty::definite;
      return answer(asked, store_failure{effect, errc::unavailable});
    }
    if (wanted.deletes) return answer(asked, purged{done->deleted});
    unknown_listed listed;
    for (const auto& [key, summary] : done->unknown) {
      if (listed.items.size() == wanted.limit) break;
      listed.items.push_back({key, summary});
    }
    answer(asked, std::move(listed));
  });
}

// Commands for one key take one lane, so that they stay in their order.
void redis_store::engine::route(order what) {
  if (!is_cluster()) return route_to(std::move(what), {});
  const address* where = slots_.node_of(what.slot);
  if (where != nullptr) return route_to(std::move(what), address(*where));
  atlas_->look_again();
  if (atlas_->link().is_down()) return refuse(what, {certainty::definite, errc::unavailable});
  route_later(std::move(what));
}

void redis_store::engine::route_to(order what, const address& where) {
  auto& lanes = node_at(where).lanes;
  lanes[what.slot % lanes.size()]->submit(std::move(what));
}

void redis_store::engine::route_later(order what) {
  if (what.queued_at + settings_.answer_timeout <= now_) return refuse(what, {certainty::definite, errc::timeout});
  parked_.emplace_back(now_ + parking_time, std::move(what));
}

void redis_store::engine::route_parked() {
  for (auto& [due, each] : std::exchange(parked_, {})) {
    if (due > now_) {
      parked_.emplace_back(due, std::move(each));
    } else {
      route(std::move(each));
    }
  }
}

void redis_store::engine::refuse(order& what, store_failure why) {
  if (auto* own = std::get_if<errand>(&what.what)) return own->then(nullptr);
  answer(std::get<pending_command>(what.what), why);
}

void redis_store::engine::work() {
  gather_at_server();
  route_parked();
  if (now_ >= next_look_) look_after_store();
  if (atlas_) atlas_->work();
  retire();
  bool any_down = false, any_up = false;
  for (const auto& [name, each] : nodes_) {
    for (const auto& lane : each->lanes) {
      lane->work();
      if (each->is_leaving) continue;
      any_down = any_down || lane->link().is_down();
      any_up = any_up || !lane->link().is_down();
    }
    each->keeper->work();
  }
  bulletin_->work();
  if (atlas_ && (any_down || !table_read_)) atlas_->look_again();
  // A part of a cluster that is lost takes its own keys with it, not those of the others.
  reachable_ = !is_others_ && (atlas_ ? any_up && !atlas_->link().is_down() : !any_down);
  const bool all_up = !any_down && (!atlas_ || !atlas_->link().is_down());
  if (std::exchange(all_up_, all_up) != all_up && all_up && options_.tell) options_.tell({event::kind::ready, {}});
}

std::vector<connection*> redis_store::engine::links() {
  std::vector<connection*> all{&bulletin_->link()};
  if (atlas_) all.push_back(&atlas_->link());
  for (const auto& [name, each] : nodes_) {
    for (const auto& lane : each->lanes)
      all.push_back(&lane->link());
    all.push_back(&each->keeper->link());
  }
  return all;
}

void redis_store::engine::wait() {
  const std::vector<connection*> polling = links();
  std::vector<pollfd> polled{{desk_.bell(), POLLIN, 0}};
  base::moment due = std::min(end_, next_look_);
  if (atlas_) due = std::min(due, atlas_->due());
  for (const auto& [when, each] : parked_)
    due = std::min(due, when);
  for (const auto& [name, each] : nodes_)
    due = std::min(due, each->keeper->due());
  for (const connection* each : polling) {
    polled.push_back({each->descriptor(), each->events(), 0});
    due = std::min(due, each->due());
  }
  int timeout_ms = -1;
  if (due != base::moment::max()) {
    const auto left = std::chrono::ceil<milliseconds>(due - read_clock()).count();
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  ::poll(polled.data(), polled.size(), timeout_ms);
  now_ = read_clock();
  if (polled.front().revents != 0) desk_.silence();
  for (std::size_t i = 0; i < polling.size(); ++i)
    polling[i]->turn(polled[i + 1].revents, now_);
}

bool redis_store::engine::is_done() const {
  if (end_ == base::moment::max()) return false;
  return now_ >= end_ || desk_.all_answered();
}

void redis_store::engine::give_up() {
  for (auto& [due, each] : std::exchange(parked_, {}))
    refuse(each, {certainty::definite, errc::closed});
  for (const auto& [name, each] : nodes_) {
    for (const auto& lane : each->lanes)
      lane->give_up();
    each->keeper->give_up();
  }
}

// ---- Nodes ---------------------------------------------------------------------------------------------------------

redis_store::engine::node& redis_store::engine::node_at(const address& where) {
  const std::string name = where.host.empty() ? std::string() : to_text(where);
  auto& found = nodes_[name];
  if (found != nullptr) return *found;
  found = std::make_unique<node>();
  const std::optional<address> named = where.host.empty() ? std::nullopt : std::optional<address>(where);
  for (std::size_t i = 0; i < options_.lanes; ++i) {
    found->lanes.push_back(std::make_unique<lane>(settings_, lane_settings_, named, static_cast<store_parts&>(*this)));
  }
  found->keeper = std::make_unique<caretaker>(settings_, named, static_cast<store_parts&>(*this),
                                              [this, made = found.get()](const record_counts& counts) {
                                                made->counts = counts;
                                                take_counts();
                                              });
  return *found;
}

void redis_store::engine::take_counts() {
  record_counts all;
  for (const auto& [name, each] : nodes_)
    all += each->counts;
  const std::lock_guard hold(counts_mutex_);
  counts_ = all;
}

void redis_store::engine::take_table(slot_table table) {
  slots_ = std::move(table);
  table_read_ = true;
  for (const auto& [name, each] : nodes_)
    each->is_leaving = true;
  for (const address& each : slots_.nodes())
    node_at(each).is_leaving = false;
}

// A node that has no slots any more is let go when nothing is under way there.
void redis_store::engine::retire() {
  for (auto each = nodes_.begin(); each != nodes_.end();) {
    node& leaving = *each->second;
    bool is_quiet = leaving.is_leaving;
    for (const auto& lane : leaving.lanes) {
      if (!leaving.is_leaving) break;
      for (order& what : lane->take_queue()) {
        if (what.asking) {
          lane->submit(std::move(what));
        } else {
          route(std::move(what));
        }
      }
      is_quiet = is_quiet && lane->is_quiet();
    }
    if (is_quiet) {
      leaving.keeper->give_up();
      each = nodes_.erase(each);
    } else {
      ++each;
    }
  }
}

void redis_store::engine::moved(std::size_t slot, const address& to) {
  if (!atlas_) return;
  slots_.move(slot, to);
  atlas_->look_again();
}

void redis_store::engine::look_again() {
  if (atlas_) atlas_->look_again();
}

void redis_store::engine::sweep(const sweep_request& wanted, std::function<void(const sweep_result* done)> then) {
  auto gathered = std::make_shared<gathering>();
  gathered->then = std::move(then);
  for (const auto& [name, each] : nodes_)
    gathered->missing += each->is_leaving ? 0u : 1u;
  if (gathered->missing == 0) return gathered->then(nullptr);
  for (const auto& [name, each] : nodes_) {
    if (each->is_leaving) continue;
    each->keeper->sweep(wanted, [gathered](const sweep_result* done) {
      gathered->failed = gathered->failed || done == nullptr;
      if (done != nullptr) {
        gathered->all.deleted += done->deleted;
        gathered->all.unknown.insert(done->unknown.begin(), done->unknown.end());
      }
      if (--gathered->missing == 0) gathered->then(gathered->failed ? nullptr : &gathered->all);
    });
  }
}

// ---- What all gateways share ---------------------------------------------------------------------------------------

void redis_store::engine::look_after_store() {
  next_look_ = now_ + look_interval;
  look_after_contents();
  raise_fence();
  look_after_secret();
}

// What a server has is named once, at random, by whichever gateway comes first. Another name is that of other contents:
// the server was emptied. Every gateway finds out so, also after one of them has put back what can be put back.
void redis_store::engine::look_after_contents() {
  if (std::exchange(looking_after_contents_, true)) return;
  encoded what{.which = script::keep, .arguments = {std::string(contents_name), random_name()}};
  const auto took = [this](const value* told) {
    looking_after_contents_ = false;
    if (told == nullptr) return;
    const std::string before = std::exchange(contents_, told->text);
    if (!before.empty() && before != contents_) tell_lacking("what was there before is gone");
  };
  route({.what = errand{std::move(what), took}, .slot = slot_of(contents_name), .queued_at = now_, .found = {}});
}

void redis_store::engine::tell_lacking(const std::string& why) {
  if (!options_.tell) return;
  desk_.deliver();
  options_.tell({event::kind::server_changed, "the server lacks some of what was acknowledged: " + why, true});
}

// A server that lost the secret gets it again, before another gateway makes one of its own. Where one did, neither
// finds the records of the other.
void redis_store::engine::look_after_secret() {
  if (secret_.empty() || std::exchange(looking_after_secret_, true)) return;
  encoded what{.which = script::keep, .arguments = {std::string(secret_name), secret_}};
  const auto took = [this](const value* told) {
    looking_after_secret_ = false;
    if (told == nullptr) return;
    is_others_ = told->text != secret_;
    if (is_others_)
      lost("the store is used with another secret now, and no record of this gateway's can be found there");
  };
  route({.what = errand{std::move(what), took}, .slot = slot_of(secret_name), .queued_at = now_, .found = {}});
}

// ---- Fences ---------------------------------------------------------------------------------------------------------

void redis_store::engine::saw_fence(fence token) {
  const auto number = static_cast<std::uint64_t>(token);
  if (number < fence_max) fence_floor_ = std::max(fence_floor_, number);
}

// All gateways learn of the highest fence that one of them has seen. A server that has a lower one than it was raised
// to has lost something.
void redis_store::engine::raise_fence() {
  if (std::exchange(raising_, true)) return;
  encoded what{.which = script::raise, .arguments = {std::string(fence_name), std::to_string(fence_floor_)}};
  const auto took = [this, raised = fence_floor_](const value* told) {
    raising_ = false;
    if (told == nullptr) return;
    const std::uint64_t before = std::strtoull(told->text.c_str(), nullptr, 10);
    if (before < fence_raised_) {
      tell_lacking("it has the fence " + std::to_string(before) + " and had " + std::to_string(fence_raised_));
    }
    fence_raised_ = std::max(raised, before);
    saw_fence(fence{before});
  };
  route({.what = errand{std::move(what), took}, .slot = slot_of(fence_name), .queued_at = now_, .found = {}});
}

// ---- For the parts -------------------------------------------------------------------------------------------------

void redis_store::engine::answer(const pending_command& to, reply value) {
  desk_.answer(to, std::move(value));
}

void redis_store::engine::acknowledged(const std::string& history, std::int64_t offset) {
  successions_.acknowledged(history, offset);
}

void redis_store::engine::connected(const address& server, const server_facts& facts) {
  next_look_ = now_;
  if (!is_cluster()) choose_server(server);
  const auto change = successions_.connected(server, facts);
  if (change && options_.tell) {
    desk_.deliver();
    options_.tell({event::kind::server_changed, change->detail, change->is_lacking});
  }
  if (!outage_.end() || !options_.tell) return;
  options_.tell({event::kind::connected, facts.version + " at " + to_text(server)});
}

// Two servers that both take writes are two stores. What sentinels say last holds; of several that are named, the one
// that is in use does.
void redis_store::engine::choose_server(const address& connected) {
  if (connected == server_) return;
  const std::vector<connection*> all = links();
  const bool is_in_use = std::any_of(
      all.begin(), all.end(), [this](const connection* each) { return each->is_up() && each->server() == server_; });
  if (settings_.where.kind == topology::sentinel || !is_in_use) server_ = connected;
}

// Before anything is sent: a server that hangs, or was left behind, is not waited for.
void redis_store::engine::gather_at_server() {
  if (is_cluster() || server_.host.empty()) return;
  for (connection* each : links()) {
    if (each->is_up() && each->server() != server_) each->leave_for(server_, now_);
  }
}

void redis_store::engine::lost(const std::string& why) {
  if (!outage_.is_news(why) || !options_.tell) return;
  options_.tell({event::kind::lost, why});
}

}  // namespace onceward::redis
