// Reads message heads from a connection's buffer, however the bytes arrive.
//
// The caller keeps the unread bytes of the connection in one flat buffer and feeds all of them whenever there are more.
// A reader remembers how far it has looked, so that feeding byte by byte costs the same as feeding once, and its
// verdict does not depend on where the input was cut. Nothing after the head is looked at. The steps are: a strict scan
// of the raw bytes (head_scanner), the parser, and the rules on what the fields say together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "http/errors.h"
#include "http/head_scanner.h"
#include "http/limits.h"
#include "http/method.h"
#include "http/request_head.h"
#include "http/response_head.h"

namespace onceward::http {

// What happens to a request field whose name contains `_`. Gateways to CGI-like servers must not keep it: such a server
// takes `Content_Length` for `Content-Length`.
enum class underscore_policy : std::uint8_t { drop, refuse, keep };

// The head is not complete: feed again when more bytes have arrived.
struct need_more {
  friend bool operator==(const need_more&, const need_more&) = default;
};

// borrows: its fields from the input of the last feed(), until next().
class request_head_reader {
 public:
  using outcome = std::variant<need_more, request_head_view, parse_error>;

  explicit request_head_reader(const head_limits& limits = {}, underscore_policy underscores = underscore_policy::drop);

  // `input` is every byte since the last head's end (since the body's end, if there was one), and may move between
  // calls. After a head or an error, call next() before feeding again.
  outcome feed(std::string_view input);

  // Forgets the message; views of its head become invalid.
  void next();

  // Nothing of a message has arrived yet, but for an empty line that is skipped: a connection may be closed here
  // without a message being lost.
  bool idle() const { return scanner_.idle(); }

 private:
  std::optional<parse_error> take_head(std::string_view input, const head_scanner::found& marks,
                                       request_head_view& head);

  head_limits limits_;
  underscore_policy underscores_;
  head_scanner scanner_;
  std::vector<field_view> fields_;
};

// borrows: its fields from the input of the last feed(), until next() or start().
class response_head_reader {
 public:
  using outcome = std::variant<need_more, response_head_view, parse_error>;

  explicit response_head_reader(const head_limits& limits = {});

  // Call before the first byte of the response to each request: what follows the head depends on the request's method.
  void start(method_id request_method);

  // As request_head_reader::feed. After an interim head, call next() and feed the bytes behind it.
  outcome feed(std::string_view input);

  // Begins the next head of the same exchange; views of the last become invalid.
  void next();

  bool idle() const { return scanner_.idle(); }

 private:
  std::optional<parse_error> take_head(std::string_view input, const head_scanner::found& marks,
                                       response_head_view& head);

  head_limits limits_;
  method_id request_method_ = method_id::other;
  std::size_t interim_responses_ = 0;
  head_scanner scanner_;
  std::vector<field_view> fields_;
};

}  // namespace onceward::http
