// The admin listener: is it alive, is it ready, what does it count, and what became of a record that only a person can
// resolve. It binds to loopback by default and asks for no credential: whoever reaches it is an operator.
//
//   GET  /livez /readyz /metrics
//   GET  /records?state=unknown&limit=100&after=<record>
//   GET  /records/<record>
//   POST /records/<record>/resolve   {"outcome": "release"} or {"outcome": "complete", "response": {...}}
//   POST /records/purge
#pragma once

#include <functional>
#include <string>

#include "core/prepared_policy.h"
#include "gateway/local_handler.h"
#include "gateway/log.h"
#include "io/exchange_shell.h"

namespace onceward::gateway {

struct admin_sources {
  std::function<bool()> is_ready;             // False while it starts, drains or cannot claim.
  std::function<std::string()> metrics_text;  // In Prometheus' text format.
};

class admin final : public local_handler {
 public:
  // All are borrowed. `defaults` says how long a resolved record is kept and which of its fields.
  admin(const admin_sources& sources, const core::prepared_policy& defaults, io::worker_context& context, logger& log);

  std::unique_ptr<local_exchange> start(const local_request_view& request, local_responder& responder) override;

 private:
  std::unique_ptr<local_exchange> records(const local_request_view& request, local_responder& responder);

  const admin_sources& sources_;
  const core::prepared_policy& defaults_;
  io::worker_context& context_;
  logger& log_;
};

}  // namespace onceward::gateway
