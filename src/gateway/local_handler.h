// Requests that the gateway answers by itself: the status lookup under the reserved prefix, and everything on the admin
// listener. A connection reads the message and writes the answer; a handler decides what it is.
#pragma once

#include <memory>
#include <string_view>

#include "core/prepared_policy.h"
#include "core/problem.h"
#include "http/request_head.h"
#include "onceward/store.h"

namespace onceward::gateway {

// A complete request. Views are valid during local_handler::start() only.
struct local_request_view {
  const http::request_head_view& head;
  std::string_view body;
  std::string_view peer_ip;
};

// Takes the answer, exactly once, on the loop; also from inside local_handler::start().
class local_responder {
 public:
  virtual ~local_responder() = default;

  virtual void document(int status, std::string_view content_type, std::string_view body) = 0;
  virtual void problem(const core::problem& what) = 0;
  // The stored response with the replay marker, as a retry under these rules gets it.
  virtual void replay(const shared_bytes& response, const core::prepared_policy& rules) = 0;
};

// An answer that is still to come. Destroyed by the connection when it was given or when the client has gone; takes
// back whatever it asked for.
class local_exchange {
 public:
  virtual ~local_exchange() = default;
};

// One for each worker, on its loop.
class local_handler {
 public:
  virtual ~local_handler() = default;

  // Null where the answer was given at once. The responder outlives the exchange that is returned.
  virtual std::unique_ptr<local_exchange> start(const local_request_view& request, local_responder& responder) = 0;
};

}  // namespace onceward::gateway
