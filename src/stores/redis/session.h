// A connection that blocks, for what is done before there is anything to wait beside: verifying at start, and the
// deployment secret.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "stores/redis/connection.h"

namespace onceward::redis {

class session final : private connection_user {
 public:
  // Asks one server after the other until one can be used. The error is a sentence that names the last.
  static tl::expected<std::unique_ptr<session>, std::string> open(const connection_settings& settings);

  // One request, at the server that has the key. The error is what the server says, or why there was no answer.
  tl::expected<value, std::string> ask(const requests& what);

  // Goes on with another server. What is wrong with it, if something is.
  std::optional<std::string> move_to(const address& server);

  const server_facts& facts() const { return link_->facts(); }
  const address& server() const { return link_->server(); }

 private:
  explicit session(const connection_settings& settings);

  void on_connected(const server_facts&) override {}
  void on_replies(std::vector<value> replies) override { replies_ = std::move(replies); }
  void on_lost(const std::string& why) override { why_ = why; }

  bool connect(std::optional<address> node, std::size_t tries);
  void turn();

  const connection_settings settings_;
  std::vector<value> replies_;
  std::string why_;
  std::unique_ptr<connection> link_;
};

}  // namespace onceward::redis
