// The Redis store by itself, against the server in ONCEWARD_REDIS_URL: tests/conformance/with_redis starts one that
// syncs every change.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "store_bench.h"
#include "stores/redis/redis_store.h"

onceward::store& onceward::bench::store_to_measure() {
  static const std::unique_ptr<redis::redis_store> only = [] {
    const char* url = std::getenv("ONCEWARD_REDIS_URL");
    redis::options chosen;
    chosen.where.urls = {url == nullptr ? "" : url};
    auto found = redis::redis_store::open(std::move(chosen));
    if (!found) {
      std::fprintf(stderr, "%s\n", found.error().c_str());
      std::exit(1);
    }
    return *std::move(found);
  }();
  return *only;
}
