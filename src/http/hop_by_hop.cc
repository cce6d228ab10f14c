#include "http/hop_by_hop.h"

namespace onceward::http {

bool connection_names(fields_view fields, std::string_view name) {
  return has_token(fields, field_id::connection, name);
}

bool ends_here(const field_view& field, fields_view fields, bool connection_names_fields) {
  return is_hop_by_hop(field.id) || (connection_names_fields && connection_names(fields, field.name));
}

}  // namespace onceward::http
