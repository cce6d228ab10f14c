// A request that is answered here: its message is read as a whole and given to a local_handler.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/connection.h"
#include "gateway/local_handler.h"
#include "gateway/recycler.h"
#include "gateway/worker_tools.h"
#include "http/kept_head.h"

namespace onceward::gateway {

// Taken from its recycler for a request and given back, by itself, when that is over.
class local_request final : public request_handler, private local_responder {
 public:
  // Of a body: 413 beyond.
  static constexpr std::uint64_t body_bytes_max = 2 << 20;

  local_request(worker_tools& tools, recycler<local_request>& home) : tools_(tools), home_(home) {}

  void begin(connection& from, const http::request_head_view& head, local_handler& by);

  // ---- For the connection -------------------------------------------------------------------------------------------
  void on_body(std::string_view piece, bool last) override;
  void on_body_pause() override;
  void on_output_sent() override {}
  void on_client_lost() override;

 private:
  void document(int status, std::string_view content_type, std::string_view body) override;
  void problem(const core::problem& what) override;
  void replay(const shared_bytes& response, const core::prepared_policy& rules) override;

  bool head_only() const { return head_.view().verb == http::method_id::head; }
  // The answer is given, or nobody wants it any more.
  void end();

  worker_tools& tools_;
  recycler<local_request>& home_;
  connection* client_ = nullptr;
  local_handler* handler_ = nullptr;
  http::kept_request_head head_;
  std::string body_;
  bool body_done_ = false;
  bool starting_ = false;
  std::unique_ptr<local_exchange> exchange_;
};

}  // namespace onceward::gateway
