// The server that the launcher with_redis started for a test.
#pragma once

#include <memory>
#include <string>

#include "onceward/store.h"
#include "stores/redis/redis_store.h"

namespace onceward::conformance {

// Opens a store on it, with what else is chosen. Ends the process where that fails.
std::unique_ptr<redis::redis_store> open_redis(redis::options chosen);

// Deletes everything.
void empty_redis();

// The server knows no script any more.
void forget_redis_scripts();

// Returns when the server was told of the fence, or of a higher one.
void wait_for_fence(fence token);

void set_redis_clock(wall_time now);

}  // namespace onceward::conformance
