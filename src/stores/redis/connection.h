// One connection to a server, never blocking: it finds the server, connects, verifies what it is, loads the scripts,
// sends requests and hands the replies on; when it is lost it comes back by itself, after a pause that grows.
//
// On one thread, which polls the descriptor and calls back with what it saw.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "net/backoff.h"
#include "stores/redis/channel.h"
#include "stores/redis/commands.h"
#include "stores/redis/request.h"
#include "stores/redis/server_facts.h"
#include "stores/redis/target.h"
#include "stores/redis/value.h"

namespace onceward::redis {

// Whoever uses a connection. Calls come from inside turn() and drop().
class connection_user {
 public:
  virtual ~connection_user() = default;
  // It may send from now on.
  virtual void on_connected(const server_facts& facts) = 0;
  // To all that was sent at once, in its order; what was sent first is answered first.
  virtual void on_replies(std::vector<value> replies) = 0;
  // Somebody told the channel.
  virtual void on_message(std::string_view word) { static_cast<void>(word); }
  // It is gone, or could not be made; what was sent and not answered may have had effects. `why` is for people.
  virtual void on_lost(const std::string& why) = 0;
};

struct connection_settings {
  target where;
  durability level = durability::synced;
  std::shared_ptr<trust> whom;  // Null without TLS.
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds answer_timeout{10'000};  // Beyond it the connection is given up.
};

class connection {
 public:
  struct purpose {
    bool carries_records = true;  // The server is to keep the durability; otherwise any node will do.
    bool loads_scripts = false;
    bool carries_commands = false;  // Tells others, and has several exchanges under way.
    bool listens = false;
    std::optional<address> node = std::nullopt;  // Of a cluster; nothing: one of those that are named.
  };

  // The settings outlive it, and the user.
  connection(const connection_settings& settings, purpose what, connection_user& user);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // -1 while there is nothing to poll.
  int descriptor() const;
  short events() const;
  // When to call turn() at the latest.
  base::moment due() const { return due_; }
  // `ready` is what poll() said of the descriptor.
  void turn(short ready, base::moment now);

  // Connected, verified, and nothing is under way; or, where it carries commands, not too much.
  bool can_send() const {
    return state_ == state::idle ||
           (state_ == state::busy && purpose_.carries_commands && expected_.size() < exchanges_max);
  }
  bool is_up() const { return state_ == state::idle || state_ == state::busy; }
  // The last try to connect failed, or was refused by the verification.
  bool is_down() const { return state_ != state::idle && state_ != state::busy && failed_; }

  // Once on_connected() was called: how the server names the scripts, who it is, and what it is.
  const script_names& scripts() const { return scripts_; }
  const address& server() const { return server_; }
  const server_facts& facts() const { return facts_; }

  void send(const requests& what, base::moment now);

  // Gives the connection up, and tries for another.
  void drop(const std::string& why, base::moment now);
  // Gives it up for one to another server, where it can choose.
  void leave_for(const address& server, base::moment now);

 private:
  // More would make batches smaller, and gain nothing: the server does one thing at a time.
  static constexpr std::size_t exchanges_max = 2;

  enum class state { waiting, connecting, asking_sentinel, setting_up, idle, busy };

  void begin(base::moment now);
  void open(const address& where, base::moment now);
  void go_on_connecting(base::moment now);
  void ask_sentinel(base::moment now);
  void set_up(base::moment now);
  void put(const requests& what, state next, std::chrono::milliseconds timeout, base::moment now);
  void transfer(short ready, base::moment now);
  void note_sent(std::size_t bytes);
  bool flush(base::moment now);
  bool receive(base::moment now);
  bool take(value told);
  void end_exchanges(base::moment now);
  void end_exchange(base::moment now);
  std::vector<value> take_replies();
  void take_sentinels_word(base::moment now);
  std::optional<std::string> take_facts();

  const connection_settings& settings_;
  const purpose purpose_;
  connection_user& user_;
  std::optional<channel> channel_;
  std::unique_ptr<value_reader> reader_;
  state state_ = state::waiting;
  base::moment due_{};    // At once.
  std::size_t turn_ = 0;  // Of those that are named: whom to ask first.
  bool failed_ = false;
  bool proven_ = false;  // Something was answered, or told, since it connected.
  bool knows_primary_ = false;
  bool wants_to_write_ = false;
  std::string out_;
  std::size_t out_sent_ = 0;
  std::deque<std::size_t> expected_;  // Replies to what was sent at once each time.
  std::size_t expected_in_all_ = 0;
  std::vector<value> replies_;
  script_names scripts_;
  address server_;
  server_facts facts_;
  net::backoff pause_;
  std::uint32_t random_;
};

}  // namespace onceward::redis
