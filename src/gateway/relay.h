// An unguarded request: passed to the upstream as it comes, and its response passed back as it comes. Neither is ever
// held as a whole; whoever is slow holds the other back.
#pragma once

#include <optional>

#include "gateway/connection.h"
#include "gateway/recycler.h"
#include "gateway/response_pipe.h"
#include "gateway/route_table.h"
#include "gateway/tunnel.h"
#include "gateway/upstream_call.h"
#include "gateway/worker_tools.h"

namespace onceward::gateway {

// Taken from its recycler for a request and given back, by itself, when that is over.
class relay final : public request_handler, private upstream_call_user {
 public:
  relay(worker_tools& tools, recycler<relay>& home);

  void begin(connection& from, const http::request_head_view& head, const route_match& route);

  // ---- For the connection -------------------------------------------------------------------------------------------
  void on_body(std::string_view piece, bool last) override;
  void on_body_pause() override;
  void on_output_sent() override { call_.go_on(); }
  void on_client_lost() override { end(); }

 private:
  void on_upstream_head(const http::response_head_view& head) override;
  void on_upstream_body(std::string_view piece, bool last) override;
  void on_upstream_pause() override;
  void on_upstream_sent() override { client_->go_on_with_body(); }
  void on_upstream_failed(const upstream_failure& why) override;

  void switch_protocols(const http::response_head_view& head);
  void end();

  worker_tools& tools_;
  recycler<relay>& home_;
  upstream_call call_;
  response_pipe pipe_;
  std::optional<tunnel> tunnel_;
  upstream_connection* tunnelled_ = nullptr;  // The tunnel's, until its end.
  connection* client_ = nullptr;
  route_match route_{};
  bool chunks_ = false;     // The request's body is sent in chunks.
  bool body_last_ = false;  // All of it was appended.
  bool body_sent_ = false;  // ... and handed to the call.
};

}  // namespace onceward::gateway
