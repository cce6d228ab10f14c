// Which node of a cluster has which slot, as one of its nodes tells: asked when something looks different, and every
// few seconds.
#pragma once

#include <functional>

#include "stores/redis/connection.h"
#include "stores/redis/slots.h"

namespace onceward::redis {

class atlas final : private connection_user {
 public:
  // `changed` is called with each table that is read.
  atlas(const connection_settings& settings, std::function<void(slot_table table)> changed,
        std::function<base::moment()> now);

  connection& link() { return connection_; }
  void look_again() { wanted_ = true; }
  base::moment due() const;
  void work();

 private:
  void on_connected(const server_facts& facts) override;
  void on_replies(std::vector<value> replies) override;
  void on_lost(const std::string& why) override;

  const std::function<void(slot_table table)> changed_;
  const std::function<base::moment()> now_;
  bool wanted_ = true;
  base::moment not_before_{};
  base::moment next_{};
  connection connection_;
};

}  // namespace onceward::redis
