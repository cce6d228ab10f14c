// Passes an upstream's response on to a client as it comes, and holds the upstream back where the client is slow.
#pragma once

#include <string_view>

#include "gateway/connection.h"
#include "gateway/upstream_call.h"
#include "http/response_head.h"

namespace onceward::gateway {

class response_pipe {
 public:
  // A 1xx head, for clients that know such. Before begin().
  static void pass_interim(connection& to, const http::response_head_view& head);

  // Appends the head, with Date where it has none and without what is meant for the gateway. `whole_body`: its length,
  // where the body is already there in full.
  void begin(connection& to, const http::response_head_view& head, std::string_view date, http::fields_view extra = {},
             std::optional<std::uint64_t> whole_body = std::nullopt);
  // Appends a piece of the body; the last completes the message.
  void append(connection& to, std::string_view piece, bool last);

  // Sends what was appended. False if the client is lost.
  [[nodiscard]] static bool pass_on(connection& to, upstream_call& from);

 private:
  bool chunks_ = false;
};

}  // namespace onceward::gateway
