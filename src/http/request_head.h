// A parsed and checked request head. Everything that follows reads this and never the bytes again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"
#include "http/framing.h"
#include "http/method.h"
#include "http/target.h"

namespace onceward::http {

// All views point into the bytes that were fed and into the reader that made this: valid until either moves on.
// kept_head makes a copy that lives longer.
struct request_head_view {
  std::size_t bytes = 0;  // How much of the input the head took, a skipped empty line included.
  std::string_view raw;   // The head's own bytes, for kept_head alone.

  std::string_view method;
  method_id verb = method_id::other;  // The method as a number.

  std::string_view target;  // As received.
  target_form form = target_form::origin;
  std::string_view path;  // As in target_view, but never empty: `/` (for OPTIONS `*`) where an absolute form's is.
  std::optional<std::string_view> query;  // Without its `?`.
  std::string_view authority;             // Of an absolute form, else of Host. Empty only in HTTP/1.0.

  unsigned version_minor = 1;
  fields_view fields;  // As received but for names dropped by policy; Host may differ from `authority`.
  field_id_set ids;    // Of `fields`.
  body_framing framing;

  bool keep_alive = true;                // What the client asks for, versions considered.
  bool expects_continue = false;         // Expect: 100-continue in HTTP/1.1.
  bool asks_upgrade = false;             // Upgrade named in Connection, in HTTP/1.1.
  bool connection_names_fields = false;  // Connection has options besides close, keep-alive and upgrade.
};

}  // namespace onceward::http
