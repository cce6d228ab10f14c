// Asks the upstream what became of an operation whose outcome nobody knows.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/exchange.h"
#include "core/prepared_policy.h"
#include "gateway/upstream_call.h"
#include "gateway/worker_tools.h"
#include "http/kept_head.h"
#include "net/deadline.h"

namespace onceward::gateway {

class upstream_probe final : private upstream_call_user {
 public:
  // `on_ended` is called once for each start(), unless cancel() comes before; it may be called from inside start().
  upstream_probe(worker_tools& tools, std::function<void(core::probe_result)> on_ended);

  // `request` is the one whose outcome is asked for: its Host and its caller's credentials go with the question. The
  // rules are borrowed until the end.
  void start(const core::prepared_policy& rules, const http::request_head_view& request, const std::string& target);
  void cancel();

 private:
  void on_upstream_head(const http::response_head_view& head) override;
  void on_upstream_body(std::string_view piece, bool last) override;
  void on_upstream_pause() override {}
  void on_upstream_sent() override {}
  void on_upstream_failed(const upstream_failure& why) override;

  void end(core::probe_result result);
  core::probe_result result() const;

  worker_tools& tools_;
  std::function<void(core::probe_result)> on_ended_;
  upstream_call call_;
  net::deadline deadline_;
  const core::prepared_policy* rules_ = nullptr;
  http::kept_response_head head_;
  std::string body_;
  bool too_large_ = false;
};

}  // namespace onceward::gateway
