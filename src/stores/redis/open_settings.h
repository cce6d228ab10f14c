// What every connection of a store needs, from the options that it is opened with.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "stores/redis/connection.h"
#include "stores/redis/redis_store.h"

namespace onceward::redis {

// The error is a sentence for the operator.
tl::expected<connection_settings, std::string> open_settings(const options& chosen);

}  // namespace onceward::redis
