// A parsed and checked response head; the same promises as request_head.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"
#include "http/framing.h"

namespace onceward::http {

struct response_head_view {
  std::size_t bytes = 0;  // How much of the input the head took.
  std::string_view raw;   // The head's own bytes, for kept_head alone.

  int status = 0;  // 100 to 599.
  std::string_view reason;
  unsigned version_minor = 1;
  fields_view fields;
  field_id_set ids;  // Of `fields`.

  // How this response's body ends, the request's method considered: no_body after HEAD and for 1xx, 204 and 304.
  body_framing framing;
  // Content-Length as declared, also where no body follows: after HEAD it is the length of another response's body.
  std::optional<std::uint64_t> declared_length;

  bool keep_alive = false;               // The connection can carry another request, if the body is read to its end.
  bool connection_names_fields = false;  // Connection has options besides close, keep-alive and upgrade.

  // A 1xx that is followed by another head. 101 is not: after it the connection speaks another protocol.
  bool is_interim() const { return status < 200 && status != 101; }
};

}  // namespace onceward::http
