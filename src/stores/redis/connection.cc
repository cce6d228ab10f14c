#include "stores/redis/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/random.h"

namespace onceward::redis {
namespace {

constexpr std::size_t read_bytes = 64 << 10;
// What was long is not kept for what is short.
constexpr std::size_t out_bytes_kept = 256 << 10;

std::string within(const char* what, std::chrono::milliseconds timeout) {
  return std::string(what) + " within " + std::to_string(timeout.count()) + " ms";
}

}  // namespace

// ---- Coming up -----------------------------------------------------------------------------------------------------

connection::connection(const connection_settings& settings, purpose what, connection_user& user)
    : settings_(settings), purpose_(std::move(what)), user_(user) {
  const auto seed = base::random_source().take<sizeof random_>();
  std::memcpy(&random_, seed.data(), sizeof random_);
}

connection::~connection() = default;

int connection::descriptor() const {
  return channel_ ? channel_->descriptor() : -1;
}

short connection::events() const {
  if (state_ == state::connecting) return wants_to_write_ ? POLLOUT : POLLIN;
  return static_cast<short>(wants_to_write_ ? POLLIN | POLLOUT : POLLIN);
}

void connection::turn(short ready, base::moment now) {
  switch (state_) {
    case state::waiting:
      if (now >= due_) begin(now);
      return;
    case state::connecting:
      if (now >= due_) return drop(within("no connection", settings_.connect_timeout), now);
      if (ready != 0) go_on_connecting(now);
      return;
    case state::asking_sentinel:
    case state::setting_up:
      if (now >= due_) return drop(within("no answer", settings_.connect_timeout), now);
      return transfer(ready, now);
    case state::busy:
      if (now >= due_) return drop(within("no answer", settings_.answer_timeout), now);
      return transfer(ready, now);
    case state::idle:
      return transfer(ready, now);
  }
}

void connection::begin(base::moment now) {
  knows_primary_ = settings_.where.kind != topology::sentinel;
  open(purpose_.node ? *purpose_.node : settings_.where.nodes[turn_ % settings_.where.nodes.size()], now);
}

void connection::open(const address& where, base::moment now) {
  server_ = where;
  state_ = state::connecting;
  due_ = now + settings_.connect_timeout;
  wants_to_write_ = true;
  auto begun = channel::begin(where, settings_.whom, turn_ / settings_.where.nodes.size());
  if (!begun) return drop(begun.error(), now);
  channel_ = *std::move(begun);
  reader_ = std::make_unique<value_reader>();
}

void connection::go_on_connecting(base::moment now) {
  switch (channel_->connect()) {
    case channel::progress::wants_to_read:
      wants_to_write_ = false;
      return;
    case channel::progress::wants_to_write:
      wants_to_write_ = true;
      return;
    case channel::progress::failed:
      return drop(channel_->why(), now);
    case channel::progress::done:
      return knows_primary_ ? set_up(now) : ask_sentinel(now);
  }
}

void connection::ask_sentinel(base::moment now) {
  requests ask;
  ask.add("SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings_.where.primary_name);
  put(ask, state::asking_sentinel, settings_.connect_timeout, now);
}

void connection::take_sentinels_word(base::moment now) {
  const value told = std::move(take_replies().front());
  if (told.is(value::kind::error)) return drop("the sentinel says: " + told.text, now);
  std::optional<address> primary;
  if (told.items.size() == 2) primary = read_address(told.items[0].text + ":" + told.items[1].text);
  if (!primary) {
    return drop("the sentinel does not know a primary of the name `" + settings_.where.primary_name + "`", now);
  }
  knows_primary_ = true;
  channel_.reset();
  open(*primary, now);
}

// The replies that the verification needs are the last but those of the scripts with the word, and the subscription.
void connection::set_up(base::moment now) {
  const target& where = settings_.where;
  requests ask;
  if (!where.password.empty()) {
    if (where.user.empty()) {
      ask.add("AUTH", where.password);
    } else {
      ask.add("AUTH", where.user, where.password);
    }
  }
  if (where.database != 0) ask.add("SELECT", where.database);
  ask.add("CLIENT", "SETNAME", "onceward");
  ask.add("INFO");
  ask.add("CONFIG", "GET", "appendfsync", "no-appendfsync-on-rewrite");
  if (purpose_.loads_scripts) {
    for (const script each : all_scripts)
      ask.add("SCRIPT", "LOAD", text_of(each));
  }
  // That it may; this word says nothing.
  if (purpose_.carries_commands) ask.add("PUBLISH", wake_up_channel, "");
  if (purpose_.listens) ask.add("SUBSCRIBE", wake_up_channel);
  put(ask, state::setting_up, settings_.connect_timeout, now);
}

std::optional<std::string> connection::take_facts() {
  const std::vector<value> told = take_replies();
  const std::size_t loads = purpose_.loads_scripts ? all_scripts.size() : 0;
  const std::size_t others = (purpose_.carries_commands ? 1u : 0u) + (purpose_.listens ? 1u : 0u);
  const std::size_t config = told.size() - 1 - loads - others;
  const std::size_t info = config - 1;
  for (std::size_t place = 0; place < told.size(); ++place) {
    const bool may_fail = place == info - 1 || place == config;  // CLIENT SETNAME, CONFIG GET.
    if (told[place].is(value::kind::error) && !may_fail) return "the server says: " + told[place].text;
  }
  const auto facts = read_server_facts(told[info], told[config]);
  if (!facts) return "the server does not tell what it is";
  if (purpose_.carries_records) {
    if (auto wrong = objection_to(*facts, settings_.level, settings_.where.kind == topology::cluster)) return wrong;
  }
  facts_ = *facts;
  for (std::size_t i = 0; i < loads; ++i)
    scripts_[all_scripts[i]] = told[config + 1 + i].text;
  return std::nullopt;
}

// ---- Requests and replies ------------------------------------------------------------------------------------------

void connection::send(const requests& what, base::moment now) {
  onceward_assert(can_send() && what.count() > 0);
  put(what, state::busy, settings_.answer_timeout, now);
}

// A failure here is one that the next turn sees.
void connection::put(const requests& what, state next, std::chrono::milliseconds timeout, base::moment now) {
  const bool was_idle = expected_.empty();
  out_.append(what.bytes());
  expected_.push_back(what.count());
  expected_in_all_ += what.count();
  state_ = next;
  if (was_idle) due_ = now + timeout;
  std::size_t sent = 0;
  const auto rest = std::string_view(out_).substr(out_sent_);
  if (channel_->write(rest, sent) == channel::progress::done) note_sent(sent);
  wants_to_write_ = !out_.empty();
}

void connection::note_sent(std::size_t bytes) {
  out_sent_ += bytes;
  if (out_sent_ < out_.size()) return;
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > out_bytes_kept) out_.shrink_to_fit();
}

bool connection::flush(base::moment now) {
  while (!out_.empty()) {
    std::size_t sent = 0;
    const auto made = channel_->write(std::string_view(out_).substr(out_sent_), sent);
    if (made == channel::progress::failed) {
      drop(channel_->why(), now);
      return false;
    }
    if (made != channel::progress::done) break;
    note_sent(sent);
  }
  wants_to_write_ = !out_.empty();
  return true;
}

bool connection::receive(base::moment now) {
  std::array<char, read_bytes> buffer;
  for (;;) {
    std::size_t count = 0;
    const auto made = channel_->read(buffer, count);
    if (made == channel::progress::failed) {
      drop(channel_->why(), now);
      return false;
    }
    if (made != channel::progress::done) return true;
    if (!reader_->feed({buffer.data(), count})) {
      drop("the server's reply is too long", now);
      return false;
    }
    for (;;) {
      auto told = reader_->next();
      if (!told || (*told && !take(**std::move(told)))) {
        drop("the server does not speak as a Redis server does", now);
        return false;
      }
      if (!*told) break;
    }
  }
}

// False for what nobody asked for.
bool connection::take(value told) {
  const bool may_be_message = purpose_.listens && (state_ == state::idle || state_ == state::setting_up);
  if (may_be_message && told.items.size() == 3 && told.items[0].text == "message") {
    proven_ = true;
    pause_.reset();
    user_.on_message(told.items[2].text);
    return true;
  }
  if (replies_.size() >= expected_in_all_) return false;
  replies_.push_back(std::move(told));
  return true;
}

void connection::transfer(short ready, base::moment now) {
  if (wants_to_write_ && !flush(now)) return;
  if ((ready & (POLLIN | POLLERR | POLLHUP)) != 0 && !receive(now)) return;
  end_exchanges(now);
}

// Whoever gets the replies may drop the connection.
void connection::end_exchanges(base::moment now) {
  while (!expected_.empty() && replies_.size() >= expected_.front())
    end_exchange(now);
}

void connection::end_exchange(base::moment now) {
  if (state_ == state::asking_sentinel) return take_sentinels_word(now);
  const bool was_setting_up = state_ == state::setting_up;
  std::vector<value> replies;
  if (was_setting_up) {
    if (const auto wrong = take_facts()) return drop(*wrong, now);
  } else {
    replies = take_replies();
  }
  failed_ = false;
  state_ = expected_.empty() ? state::idle : state::busy;
  due_ = expected_.empty() ? base::moment::max() : now + settings_.answer_timeout;
  if (was_setting_up) return user_.on_connected(facts_);
  proven_ = true;
  pause_.reset();
  user_.on_replies(std::move(replies));
}

// Of the oldest exchange, which ends with it.
std::vector<value> connection::take_replies() {
  const std::size_t count = expected_.front();
  expected_.pop_front();
  expected_in_all_ -= count;
  if (replies_.size() == count) return std::exchange(replies_, {});
  const auto end = replies_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<value> taken(std::make_move_iterator(replies_.begin()), std::make_move_iterator(end));
  replies_.erase(replies_.begin(), end);
  return taken;
}

void connection::leave_for(const address& server, base::moment now) {
  const auto& nodes = settings_.where.nodes;
  const auto named = std::find(nodes.begin(), nodes.end(), server);
  if (named != nodes.end()) turn_ = static_cast<std::size_t>(named - nodes.begin());
  drop("given up for " + to_text(server) + ", which is used now", now);
}

void connection::drop(const std::string& why, base::moment now) {
  const bool was_used = state_ == state::idle || state_ == state::busy;
  std::string said = to_text(server_) + ": " + why;
  const bool said_nothing = (state_ == state::setting_up || state_ == state::asking_sentinel) && replies_.empty();
  if (said_nothing && settings_.whom == nullptr) said += " (a server that speaks TLS needs rediss://)";
  channel_.reset();
  reader_.reset();
  replies_.clear();
  out_.clear();
  out_sent_ = expected_in_all_ = 0;
  expected_.clear();
  wants_to_write_ = false;
  failed_ = !was_used;
  if (failed_) ++turn_;
  state_ = state::waiting;
  random_ = random_ * 1664525u + 1013904223u;
  // What worked until now is tried again at once.
  due_ = std::exchange(proven_, false) ? now : now + pause_.next(random_ >> 8);
  user_.on_lost(said);
}

}  // namespace onceward::redis
