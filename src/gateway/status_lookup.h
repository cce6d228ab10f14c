// Asking what became of a request, without running anything: the reserved path prefix of the listener.
//
// No SDK retries a truncated answer, and a client that waited may have died. With the credential and the key of the
// request, whoever sent it learns its state (`record`), or gets its stored response (`response`). Another caller's key
// and a key that never was get the same answer; whose word on a caller counts for requests counts here, and no other.
// `problems/<word>` are the pages that describe the problem documents.
#pragma once

#include "core/secret.h"
#include "gateway/admission.h"
#include "gateway/local_handler.h"
#include "gateway/route_table.h"
#include "io/exchange_shell.h"

namespace onceward::gateway {

class status_lookup final : public local_handler {
 public:
  // All are borrowed. `prefix` begins and ends with a slash.
  status_lookup(std::string_view prefix, const route_table& routes, const core::deployment_secret& secret,
                core::digest_memo& digests, trusted_peers trusted, io::worker_context& context);

  std::unique_ptr<local_exchange> start(const local_request_view& request, local_responder& responder) override;

 private:
  std::unique_ptr<local_exchange> look_up(const local_request_view& request, bool wants_response,
                                          local_responder& responder);

  std::string_view prefix_;  // borrows: from the settings, as long as the worker runs
  const route_table& routes_;
  const core::deployment_secret& secret_;
  core::digest_memo& digests_;
  const trusted_peers trusted_;
  io::worker_context& context_;
};

}  // namespace onceward::gateway
