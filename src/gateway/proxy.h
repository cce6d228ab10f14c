// Decides what becomes of each request of a client: refused, answered here, relayed, or guarded.
#pragma once

#include <optional>

#include "gateway/admission.h"
#include "gateway/connection.h"
#include "gateway/guarded_exchange.h"
#include "gateway/local_request.h"
#include "gateway/recycler.h"
#include "gateway/relay.h"
#include "gateway/worker_tools.h"

namespace onceward::gateway {

// One for each worker.
class proxy final : public request_dispatcher {
 public:
  // `lookup` answers under the reserved prefix; null where that is switched off.
  proxy(worker_tools& tools, local_handler* lookup, recycler<local_request>& locals);

  std::optional<accepted> dispatch(connection& from, const http::request_head_view& head) override;

  // Clients that merely wait for another's attempt are answered now.
  void drain_waiters();
  // No request is under way, not even one whose client has gone.
  bool is_quiet() const { return relays_.in_use() == 0 && guarded_.in_use() == 0; }

 private:
  bool is_reserved(std::string_view path) const;
  accepted relay_request(connection& from, const http::request_head_view& head, const route_match& route);
  std::optional<accepted> guard(connection& from, const http::request_head_view& head, const route_match& route);

  worker_tools& tools_;
  local_handler* lookup_;
  trusted_peers trusted_;
  recycler<local_request>& locals_;
  recycler<relay> relays_;
  recycler<guarded_exchange> guarded_;
};

}  // namespace onceward::gateway
