// Which fields end at this hop (RFC 9110 section 7.6.1) and which go on.
#pragma once

#include <string_view>

#include "http/fields.h"

namespace onceward::http {

constexpr bool is_hop_by_hop(field_id id) {
  using enum field_id;
  constexpr field_id_set ids{connection, keep_alive,        proxy_connection, te,
                             trailer,    transfer_encoding, upgrade,          http2_settings};
  return ids.has(id);
}

// Whether a line of Connection names this field.
bool connection_names(fields_view fields, std::string_view name);

// Hop by hop by its own name, or because Connection names it. `connection_names_fields` is the head's flag of that
// name: where it is false, Connection need not be searched.
inline bool ends_here(const field_view& field, fields_view fields, bool connection_names_fields) {
  return is_hop_by_hop(field.id) || (connection_names_fields && connection_names(fields, field.name));
}

}  // namespace onceward::http
