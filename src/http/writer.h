// Messages as bytes, made from the parsed form only and appended to a flat buffer.
//
// Nothing of the peer's framing or connection handling is copied: lengths, codings and hop-by-hop fields are written
// anew. Names and values that come from outside were checked when they were parsed; those that come from us are
// asserted, so that no caller can write a line end into a head.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/bytes.h"
#include "http/characters.h"
#include "http/fields.h"
#include "http/framing.h"
#include "http/request_head.h"
#include "http/response_head.h"
#include "http/status.h"

namespace onceward::http {

// A field of ours that never changes, as `Name: value`: looked at by the compiler instead of each time it is written.
// borrows: a string literal, for ever.
class constant_field {
 public:
  consteval constant_field(const char* line) : line_(line) {  // NOLINT(google-explicit-constructor): reads as text.
    const std::size_t colon = line_.find(": ");
    const bool is_good = colon != line_.npos && is_token(line_.substr(0, colon)) && !line_.substr(colon + 2).empty() &&
                         std::ranges::all_of(line_, [](char c) { return c >= ' ' && c <= '~'; });
    if (!is_good) throw "not a field";  // Does not compile.
  }

  std::string_view line() const { return line_; }

 private:
  std::string_view line_;
};

// Building blocks. A head is one start line, fields, one framing, end_of_head.
void append_request_line(base::byte_buffer& out, std::string_view method, std::string_view target);
void append_status_line(base::byte_buffer& out, int status, std::string_view reason);
void append_field(base::byte_buffer& out, std::string_view name, std::string_view value);
void append_field(base::byte_buffer& out, constant_field line);
void append_end_of_head(base::byte_buffer& out);

// Content-Length, or Transfer-Encoding: chunked, or nothing for no_body and until_close.
void append_framing(base::byte_buffer& out, const body_framing& framing);

// One chunk with its data, which must not be empty; and the end of a chunked body, without trailers.
void append_chunk(base::byte_buffer& out, std::string_view data);
void append_last_chunk(base::byte_buffer& out);

// What is written as Connection.
enum class connection_option : std::uint8_t { none, close, keep_alive };

// How a request goes on. borrows: from the caller, for the call.
struct request_forwarding {
  std::string_view host = {};            // Written as Host; empty: the head's authority.
  body_framing framing = {};             // As it will be sent; not until_close.
  fields_view extra = {};                // Written after the forwarded fields.
  const field_name_set* drop = nullptr;  // Names that are not forwarded; null: none.
  connection_option connection = connection_option::none;
  bool upgrade = false;  // Passes Upgrade on, with a Connection that names it.
};

// The request line in origin form (asterisk form stays), Host, the forwarded fields in their order, the extra ones, and
// the framing. Not forwarded: Host, Content-Length, Expect, what ends_here() and what `drop` includes. Not for CONNECT.
void append_forwarded_request_head(base::byte_buffer& out, const request_head_view& head,
                                   const request_forwarding& how);

// How a response goes on. borrows: from the caller, for the call.
struct response_forwarding {
  // As it will be sent. Under no_body a declared length is passed on where the status allows it.
  body_framing framing = {};
  fields_view extra = {};
  const field_name_set* drop = nullptr;
  connection_option connection = connection_option::none;
  bool upgrade = false;  // For 101: passes Upgrade on, with a Connection that names it.
};

// The status line, the forwarded fields in their order, the extra ones, and the framing.
void append_forwarded_response_head(base::byte_buffer& out, const response_head_view& head,
                                    const response_forwarding& how);

}  // namespace onceward::http
