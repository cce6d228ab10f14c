#include "http/hop_by_hop.h"

namespace onceward::http {

bool connection_names(fields_view fields, std::string_view name) {
  return has_token(fields, field_id::connection, name);
}

}  // namespace onceward::http
