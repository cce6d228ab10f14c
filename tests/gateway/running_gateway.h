// A whole gateway on loopback, over a memory store that can be made to fail, and clients for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/secret.h"
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/route_table.h"
#include "gateway/settings.h"
#include "onceward/store.h"
#include "tests/gateway/http_message.h"
#include "tests/gateway/loopback_socket.h"

namespace onceward::test {

// Answers in the place of the store behind it when a test says so.
class breakable_store final : public store {
 public:
  explicit breakable_store(store& behind) : behind_(behind) {}

  // What to answer to a command instead; nothing to pass it on. Any thread.
  std::function<std::optional<reply>(const command&)> answer_instead;

  // Whether `who` comes to be the last that flushed, within a time far beyond what any machine needs. Any thread.
  bool is_flushed_by(caller who);

  void submit(command what, reply_sink& sink, std::uint64_t tag) override;
  void flush(caller is) override;
  store_statistics statistics() const override { return behind_.statistics(); }

 private:
  store& behind_;
  std::mutex mutex_;
  std::condition_variable flushed_;
  caller flusher_{};  // Guarded by mutex_.
};

// Settings for tests: one worker, any port, and no wait that a test has not asked for.
gateway::settings settings_for(std::vector<std::uint16_t> upstream_ports);

class running_gateway {
 public:
  explicit running_gateway(gateway::settings chosen,
                           std::function<std::optional<reply>(const command&)> answer_instead = nullptr);
  ~running_gateway();

  std::uint16_t port() const { return whole_->listen_address().port(); }
  std::uint16_t admin_port() const { return whole_->admin_address().port(); }
  gateway::gateway& whole() { return *whole_; }
  std::uint64_t answers(gateway::answer_kind kind) const;
  // Of the store. A client may have its answer before the turn ends in which it was given.
  bool is_flushed_by(caller who) { return records_->is_flushed_by(who); }

 private:
  gateway::settings settings_;
  core::deployment_secret secret_;
  gateway::logger log_;
  gateway::route_table routes_;
  std::unique_ptr<store> memory_;
  std::unique_ptr<breakable_store> records_;
  std::unique_ptr<gateway::gateway> whole_;
};

// A client's connection.
class client {
 public:
  explicit client(std::uint16_t port) : socket(loopback_socket::connect_to(port)), messages(socket) {}

  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void send(std::string_view bytes) { socket.write(bytes); }
  // The next response; fails the test where none comes.
  http_message receive(bool bodiless = false);
  http_message exchange(std::string_view request) {
    send(request);
    return receive();
  }
  // True when the gateway ends the connection, with nothing more before.
  bool is_closed();

  loopback_socket socket;
  message_reader messages;
};

// A request with Host and, unless it has no body, Content-Length. `fields` are whole lines.
std::string post(std::string_view path, std::string_view fields, std::string_view body);
std::string get(std::string_view path, std::string_view fields = {});
// A response with Content-Length.
std::string response(int status, std::string_view fields, std::string_view body);

}  // namespace onceward::test
