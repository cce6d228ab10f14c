// The upstream: takes requests, has an effect or none, answers, or does one of the many things that upstreams do
// instead. What it did is written down by the observer, and its status URL tells the truth.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/message.h"
#include "tests/simulation/network.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/operations.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/schedule.h"

namespace onceward::simulation {

class upstream final : public network::host {
 public:
  upstream(schedule& time, const scenario& about, const operations& all, observer& sees, std::uint64_t seed);
  ~upstream() override;

  // From now on every request is answered well.
  void calm_down() { calm_ = true; }
  // Refuses connections, or lets them come to nothing, and breaks those that there are.
  void go_down(bool silently);
  void come_up() { down_ = admission::accepted; }
  // For a while it ends connections that wait for another request, as servers do.
  void end_idle() { ends_idle_until_ = time_.now() + milliseconds{2'000}; }

  // What became of an operation, as it knows; nothing while something may still come of it.
  std::optional<std::uint64_t> truth(operation_number which) const;

  admission admit() override { return down_; }
  void accept(const std::shared_ptr<wire>& made) override;

 private:
  // How a request ends.
  enum class ending {
    answered,
    rejected,
    refused,
    gateway_timeout,
    gateway_timeout_after,
    cut_before,
    cut_after,
    truncated,
    hung,
    hung_after,
    large,
    stated_completed,
    stated_released,
    stated_unknown,
  };
  struct task {
    std::uint64_t attempt;
    ending how;
  };
  class session;

  ending choose(dice& random) const;
  void take(session& from, const message& request);
  void take_guarded(session& from, operation_number which, const message& request);
  void tell_status(session& to, operation_number which);
  void work(const std::shared_ptr<session>& from, task what, milliseconds effect_after, milliseconds answer_after);
  void answer(session& to, task what);
  std::string answer_text(int status, std::uint64_t attempt, std::string_view extra, std::size_t bytes) const;

  schedule& time_;
  const scenario& about_;
  const operations& all_;
  observer& sees_;
  std::uint64_t seed_;
  dice random_;
  bool calm_ = false;
  admission down_ = admission::accepted;
  base::moment ends_idle_until_{};
  std::vector<std::shared_ptr<session>> sessions_;
};

}  // namespace onceward::simulation
