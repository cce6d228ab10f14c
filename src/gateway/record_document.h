// How a record is shown to its client and to operators: JSON without any value of the request or the response.
#pragma once

#include <optional>
#include <string>

#include "onceward/store.h"

namespace onceward::gateway {

// RFC 3339, UTC, with milliseconds: "2026-11-22T16:00:00.000Z".
std::string rfc3339(wall_time when);

// The record as a find found it: `state`, and as far as there is a record `attempt`, `first_seen`, `completed_at`,
// `expires_at`, and for a completed one `status`, `location` and `body_kept`. `named`: adds `record`, its key.
std::string record_document(const reply& found, const std::optional<record_key>& named = std::nullopt);

// {"records": [...]}, each as above.
std::string record_list_document(const unknown_listed& listed);

}  // namespace onceward::gateway
