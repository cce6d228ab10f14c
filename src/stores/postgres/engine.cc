#include "stores/postgres/engine.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.h"

namespace onceward::postgres {
namespace {

// Of a store that is closed: for what was submitted before.
constexpr std::chrono::milliseconds patience_at_end{5'000};

base::moment read_clock() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return base::moment{std::chrono::duration_cast<base::moment::duration>(since_start)};
}

connection_settings settings_of(const options& chosen, target where) {
  return {.where = std::move(where),
          .level = chosen.level,
          .connect_timeout = chosen.connect_timeout,
          .answer_timeout = chosen.answer_timeout,
          .statement_timeout = chosen.statement_timeout,
          .lock_timeout = chosen.lock_timeout};
}

}  // namespace

postgres_store::engine::engine(options chosen, target where, std::string description)
    : options_(std::move(chosen)),
      description_(std::move(description)),
      settings_(settings_of(options_, std::move(where))),
      desk_({options_.commands_queued_max, options_.command_bytes_max, &wire_bytes}),
      now_(read_clock()),
      bulletin_(
          settings_, [this](std::span<const record_key> keys) { desk_.tell_observer(keys); }, [this] { return now_; }),
      caretaker_(settings_, options_.purge_margin, *this, [this](const record_counts& counts) {
        const std::lock_guard hold(counts_mutex_);
        counts_ = counts;
      }) {
  for (std::size_t i = 0; i < options_.lanes; ++i)
    lanes_.push_back(std::make_unique<lane>(settings_, static_cast<store_parts&>(*this)));
  thread_ = std::thread([this] { run(); });
}

postgres_store::engine::~engine() {
  desk_.close();
  thread_.join();
}

// ---- Any thread ----------------------------------------------------------------------------------------------------

store_statistics postgres_store::engine::statistics() const {
  const std::lock_guard hold(counts_mutex_);
  return {.records = counts_.records,
          .records_unknown = counts_.records_unknown,
          .bytes = counts_.bytes,
          .bytes_limit = 0,
          .accepts_claims = reachable_.load(std::memory_order_relaxed) && desk_.has_room()};
}

void postgres_store::engine::count() {
  desk_.post_and_wait([this](server::desk::errand done) { caretaker_.count(std::move(done)); });
}

// ---- The thread ----------------------------------------------------------------------------------------------------

void postgres_store::engine::run() {
  while (!is_done()) {
    work();
    desk_.deliver();
    wait();
    take_letters();
  }
  give_up();
  desk_.deliver();
}

void postgres_store::engine::take_letters() {
  const auto letters = desk_.take();
  if (desk_.is_closed() && end_ == base::moment::max()) end_ = now_ + patience_at_end;
  for (server::desk::letter& each : letters) {
    if (auto* asked = std::get_if<pending_command>(&each)) {
      asked->queued_at = now_;
      route(std::move(*asked));
    } else {
      std::get<server::desk::errand>(each)();
    }
  }
}

// As few lanes carry commands as can, because a command costs the less the more others it goes with. Commands for one
// key that are outstanding at once take one lane, so that they stay in their order.
void postgres_store::engine::route(pending_command what) {
  const record_key* key = key_of(what.what);
  if (key == nullptr) return caretaker_.submit(std::move(what));
  occupation& in_use = occupation_of(*key);
  if (in_use.commands == 0) in_use.lane = choose_lane();
  ++in_use.commands;
  lanes_[in_use.lane]->submit(std::move(what));
}

// The first that has room; where none has, the one that has the least to do. One that is not connected has no room.
std::size_t postgres_store::engine::choose_lane() const {
  const auto with_room =
      std::find_if(lanes_.begin(), lanes_.end(), [](const auto& each) { return each->takes_more(); });
  if (with_room != lanes_.end()) return static_cast<std::size_t>(with_room - lanes_.begin());
  const auto least = std::min_element(lanes_.begin(), lanes_.end(),
                                      [](const auto& left, const auto& right) { return left->load() < right->load(); });
  return static_cast<std::size_t>(least - lanes_.begin());
}

// Keys are uniform in every byte. Those that share a place share a lane at times, and that is all.
postgres_store::engine::occupation& postgres_store::engine::occupation_of(const record_key& key) {
  return occupations_[core::record_key_index{}(key) % occupations_.size()];
}

void postgres_store::engine::work() {
  for (const auto& each : lanes_)
    each->work();
  bulletin_.work();
  caretaker_.work();
  const bool reachable =
      std::none_of(lanes_.begin(), lanes_.end(), [](const auto& each) { return each->link().is_down(); });
  if (reachable_.exchange(reachable) != reachable && reachable) tell(event::kind::ready, {});
}

std::vector<connection*> postgres_store::engine::links() {
  std::vector<connection*> all;
  for (const auto& each : lanes_)
    all.push_back(&each->link());
  all.push_back(&bulletin_.link());
  all.push_back(&caretaker_.link());
  return all;
}

void postgres_store::engine::wait() {
  const std::vector<connection*> links = this->links();
  std::vector<pollfd> polled{{desk_.bell(), POLLIN, 0}};
  base::moment due = std::min(end_, caretaker_.due());
  for (const connection* each : links) {
    polled.push_back({each->descriptor(), each->events(), 0});
    due = std::min(due, each->due());
  }
  int timeout_ms = -1;
  if (due != base::moment::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - read_clock()).count();
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  ::poll(polled.data(), polled.size(), timeout_ms);
  now_ = read_clock();
  if (polled.front().revents != 0) desk_.silence();
  for (std::size_t i = 0; i < links.size(); ++i)
    links[i]->turn(polled[i + 1].revents, now_);
}

bool postgres_store::engine::is_done() const {
  if (end_ == base::moment::max()) return false;
  return now_ >= end_ || desk_.all_answered();
}

void postgres_store::engine::give_up() {
  for (const auto& each : lanes_)
    each->give_up();
  caretaker_.give_up();
}

// ---- For the parts -------------------------------------------------------------------------------------------------

void postgres_store::engine::answer(const pending_command& to, reply value) {
  if (const record_key* key = key_of(to.what)) --occupation_of(*key).commands;
  desk_.answer(to, std::move(value));
}

void postgres_store::engine::want_response_day(std::chrono::milliseconds retention,
                                               std::function<void(bool made)> then) {
  caretaker_.want_response_day(retention, std::move(then));
}

// All connections are to one server, and never to one that another has taken over from, though it may still answer.
// One lane alone serves a share of the keys only, so nobody waits out a pause when another has found the server.
void postgres_store::engine::connected(const server_facts& facts) {
  const server_identity found = identity_of(facts);
  if (!server_) server_ = found;
  if (is_past_of(found, *server_)) return leave_others(*server_);
  if (found != *server_) {
    const server_identity before = *std::exchange(server_, found);
    leave_others(found);
    // What the one before acknowledged is delivered first, and nothing has been sent to this one.
    desk_.deliver();
    tell(event::kind::server_changed, to_string(before) + " to " + to_string(found));
  }
  for (connection* each : links())
    each->end_pause();
  if (!outage_.end()) return;
  tell(event::kind::connected, "PostgreSQL " + facts.version);
}

void postgres_store::engine::leave_others(const server_identity& chosen) {
  for (connection* each : links()) {
    if (each->is_connected() && each->server() != chosen)
      each->refuse("another server has taken over: " + to_string(chosen), now_);
  }
}

void postgres_store::engine::lost(const std::string& why) {
  if (outage_.is_news(why)) tell(event::kind::lost, why);
}

void postgres_store::engine::tell(event::kind what, std::string detail) {
  if (options_.tell) options_.tell({what, std::move(detail)});
}

}  // namespace onceward::postgres
