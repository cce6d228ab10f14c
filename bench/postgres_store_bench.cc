// The PostgreSQL store by itself, against the server in ONCEWARD_POSTGRES_URL: tests/conformance/with_postgres starts
// one that syncs every commit.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "store_bench.h"
#include "stores/postgres/migrate.h"
#include "stores/postgres/postgres_store.h"

onceward::store& onceward::bench::store_to_measure() {
  static const std::unique_ptr<postgres::postgres_store> only = [] {
    const char* url = std::getenv("ONCEWARD_POSTGRES_URL");
    postgres::options chosen;
    chosen.url = url == nullptr ? "" : url;
    const auto made = postgres::migrate(chosen.url);
    auto found = made ? postgres::postgres_store::open(std::move(chosen)) : tl::unexpected(made.error());
    if (!found) {
      std::fprintf(stderr, "%s\n", found.error().c_str());
      std::exit(1);
    }
    return *std::move(found);
  }();
  return *only;
}
