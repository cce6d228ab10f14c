// One connection to the server, never blocking: it connects, verifies the server, prepares the statements, sends
// batches and hands their results on; when it is lost it comes back by itself, after a pause that grows.
//
// A batch is one transaction: its statements go out in libpq's pipeline mode with one synchronisation at the end, and
// take effect together or not at all.
//
// On one thread, which polls the descriptor and calls back with what it saw.
#pragma once

#include <postgresql/libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "net/backoff.h"
#include "stores/postgres/parameters.h"
#include "stores/postgres/rows.h"
#include "stores/postgres/server_facts.h"
#include "stores/postgres/statements.h"
#include "stores/postgres/target.h"

namespace onceward::postgres {

// What one statement of a batch came to.
class statement_result {
 public:
  explicit statement_result(PGresult* taken);

  // SQLSTATE where it failed; "" where libpq itself did.
  std::optional<std::string> error_state() const;
  // Another statement of its batch failed before it.
  bool was_aborted() const;
  std::string error_text() const;
  std::size_t rows() const;
  // Valid as long as this is.
  std::vector<column_view> row(std::size_t number) const;

 private:
  struct clear {
    void operator()(PGresult* result) const;
  };
  std::unique_ptr<PGresult, clear> result_;
};

// What the end of a batch means for its statements.
enum class batch_end {
  committed,
  rolled_back,  // A statement failed: none of them had an effect.
  indefinite,   // They may have had.
};

// Whoever uses a connection. Calls come from inside turn().
class connection_user {
 public:
  virtual ~connection_user() = default;
  // It may send from now on.
  virtual void on_connected(const server_facts& facts) = 0;
  virtual void on_batch(batch_end end, std::vector<statement_result> results) = 0;
  // Another session notified the channel.
  virtual void on_notification(std::string_view text) = 0;
  // It is gone, or could not be made; a batch under way is indefinite. `why` is for people.
  virtual void on_lost(const std::string& why) = 0;
};

struct connection_settings {
  target where;
  durability level = durability::synced;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds answer_timeout{10'000};    // Of a batch; beyond it the connection is given up.
  std::chrono::milliseconds statement_timeout{5'000};  // Kept by the server.
  std::chrono::milliseconds lock_timeout{2'000};       // Kept by the server.
};

class connection {
 public:
  // What it prepares when it has connected. Listens on the channel for notifications if it is to.
  struct purpose {
    std::vector<statement> statements;
    bool listens = false;
    bool finds_by_key = false;  // They find all that they need by an index, also in a table that is empty yet.
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

  // Connected, verified, and no batch is under way.
  bool can_send() const { return state_ == state::idle; }
  // The last try to connect failed, or was refused by the verification.
  bool is_down() const { return state_ != state::idle && state_ != state::busy && failed_; }

  // A batch: add() for each statement, then send() once. After add() the command may go.
  void add(statement which, const parameters& with);
  void send(base::moment now);

  // Which server it was connected to last.
  const server_identity& server() const { return server_; }
  bool is_connected() const { return state_ == state::idle || state_ == state::busy; }

  // Gives the connection up, and tries for another.
  void drop(const std::string& why, base::moment now);
  // Likewise, and for another server of a list first.
  void refuse(const std::string& why, base::moment now);
  // There is reason to believe that the server is back: the pause before the next try, if there is one, ends.
  void end_pause();

 private:
  enum class state { waiting, connecting, setting_up, idle, busy };
  struct finish {
    void operator()(PGconn* made) const;
  };

  void begin(base::moment now);
  void go_on_connecting(base::moment now);
  void set_up(base::moment now);
  void transfer(short ready, base::moment now);
  // True when the synchronisation of what was sent has come.
  bool take_results();
  void take_notifications();
  std::string last_words() const;
  void end_setting_up(base::moment now);
  void end_batch();
  std::optional<std::string> objection(std::optional<server_facts>& facts) const;
  static void take_notice(void* self, const PGresult* notice);

  const connection_settings& settings_;
  const purpose purpose_;
  connection_user& user_;
  std::unique_ptr<PGconn, finish> made_;
  state state_ = state::waiting;
  base::moment due_{};            // At once.
  std::size_t first_server_ = 0;  // Of a list: whom to ask first.
  server_identity server_;
  bool failed_ = false;
  bool proven_ = false;  // A batch was committed since it connected.
  bool wants_to_write_ = false;
  bool commit_unacknowledged_ = false;
  std::vector<statement_result> results_;
  net::backoff pause_;
  std::uint32_t random_;
};

}  // namespace onceward::postgres
