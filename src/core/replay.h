// Which parts of a response are kept, and how a kept response is sent again: the same status, fields and bytes, plus a
// marker that says so.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "core/field_name.h"
#include "core/policy.h"
#include "core/record_codec.h"
#include "http/fields.h"
#include "http/response_head.h"
#include "http/writer.h"
#include "onceward/store.h"

namespace onceward::core {

enum class field_fate {
  dropped,
  kept,
  renamed,  // Comes back as Original-<name>.
};

// A route's replay rules, prepared. Constant; any thread.
class replay_rules {
 public:
  explicit replay_rules(const replay_policy& rules);

  // Never kept, whatever the policy says: hop-by-hop fields and those that Connection names, Content-Length (made
  // anew), Age, Idempotency-Outcome, and the replay marker itself.
  field_fate fate_of(const http::field_view& field, const http::response_head_view& head) const;

  // The bytes to store of a complete response.
  shared_bytes keep(const http::response_head_view& head, std::string_view body) const;

  // The field that marks a replay, with its line end.
  std::string_view marker_line() const { return marker_line_; }

 private:
  field_name marker_;
  std::string marker_line_;
  field_names dropped_;
  field_names renamed_;
};

// The bytes of a tombstone: status and Location.
shared_bytes keep_tombstone(const http::response_head_view& head);

// What the caller adds to a stored response when it is sent.
// borrows: from the caller, until the response is appended
struct stored_response_sending {
  std::string_view date;  // http::http_date() of now.
  std::span<const http::field_view> extra = {};
  http::connection_option connection = http::connection_option::none;
};

// Appends the whole message: the marker, Cache-Control: no-store unless the upstream said otherwise, renamed fields as
// Original-<name>, Content-Length anew.
void append_replay(base::byte_buffer& out, const stored_response_view& stored, const replay_rules& rules,
                   const stored_response_sending& how);

// Appends the answer for those who waited for the attempt it ended: no marker, no other name. Its own Date where it has
// one.
void append_shared_answer(base::byte_buffer& out, const stored_response_view& stored,
                          const stored_response_sending& how);

}  // namespace onceward::core
