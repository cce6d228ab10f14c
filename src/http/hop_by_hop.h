// Which fields end at this hop (RFC 9110 section 7.6.1) and which go on.
#pragma once

#include <string_view>

#include "http/fields.h"

namespace onceward::http {

// Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade and HTTP2-Settings.
constexpr bool is_hop_by_hop(field_id id) {
  return id == field_id::connection || id == field_id::keep_alive || id == field_id::proxy_connection ||
         id == field_id::te || id == field_id::trailer || id == field_id::transfer_encoding ||
         id == field_id::upgrade || id == field_id::http2_settings;
}

// Whether a line of Connection names this field.
bool connection_names(fields_view fields, std::string_view name);

// Hop by hop by its own name, or because Connection names it. `connection_names_fields` is the head's flag of that
// name: where it is false, Connection need not be searched.
bool ends_here(const field_view& field, fields_view fields, bool connection_names_fields);

}  // namespace onceward::http
