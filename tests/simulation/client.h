// A client that wants one thing done and sends its request, with the same key, until it has an answer that it can keep.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/simulation/message.h"
#include "tests/simulation/network.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/operations.h"

namespace onceward::simulation {

// What clients have in common.
struct client_surroundings {
  schedule& time;
  network& net;
  const operations& all;
  observer& sees;
  std::uint64_t seed;
  std::function<process&(dice&)> choose_gateway;
  std::uint64_t tries = 0;  // So far, of all.
  bool probes = false;      // An unknown outcome may be resolved by asking again.
};

class client final : public outsider {
 public:
  struct wish {
    std::uint64_t name;  // Numbers its dice.
    operation_number operation;
    unsigned body;
    bool leaves;  // Soon, without an answer.
    std::uint64_t tries_max;
  };

  client(client_surroundings& around, const wish& what);
  ~client() override;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void begin();
  bool done() const { return stage_ == stage::done; }
  // It has an answer that stays.
  bool answered() const { return answered_; }
  const wish& wants() const { return wish_; }

  void on_bytes(std::string_view bytes) override;
  void on_ended() override { lost(); }
  void on_lost() override { lost(); }

 private:
  enum class stage { resting, waiting, done };

  void send();
  void lost();
  void rest();
  void take(const message& response);
  bool is_final(const told& what) const;
  void hang_up();

  client_surroundings& around_;
  wish wish_;
  dice random_;
  stage stage_ = stage::resting;
  std::shared_ptr<wire> wire_;
  message_reader reader_;
  std::uint64_t tries_ = 0;
  std::uint64_t number_ = 0;  // Of the present try.
  bool answered_ = false;
};

}  // namespace onceward::simulation
