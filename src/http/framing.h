// Where a message body ends (RFC 9112 section 6.3), decided once from a whole head and never twice.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "http/errors.h"
#include "http/fields.h"

namespace onceward::http {

// No body: the next message begins right after the head.
struct no_body {
  friend bool operator==(const no_body&, const no_body&) = default;
};

struct content_length {
  std::uint64_t bytes = 0;
  friend bool operator==(const content_length&, const content_length&) = default;
};

struct chunked {
  friend bool operator==(const chunked&, const chunked&) = default;
};

// The body is whatever comes until the peer closes. Responses only.
struct until_close {
  friend bool operator==(const until_close&, const until_close&) = default;
};

using body_framing = std::variant<no_body, content_length, chunked, until_close>;

// What the fields, of which `ids` is the set, declare. Refuses every combination that two implementations could read
// differently: both kinds, a kind twice, a coding other than `chunked`, Transfer-Encoding in HTTP/1.0. Without a
// declaration: no_body.
std::variant<body_framing, parse_error> declared_framing(fields_view fields, field_id_set ids, unsigned version_minor);

}  // namespace onceward::http
