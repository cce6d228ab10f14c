#include "redis_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "stores/redis/open_settings.h"
#include "stores/redis/session.h"

namespace onceward::conformance {
namespace {

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

std::string from_launcher(const char* variable) {
  const char* given = std::getenv(variable);
  if (given == nullptr) die(std::string(variable) + " is not set: run the test with tests/conformance/with_redis");
  return given;
}

}  // namespace

std::unique_ptr<redis::redis_store> open_redis(redis::options chosen) {
  chosen.where.urls = {from_launcher("ONCEWARD_REDIS_URL")};
  auto opened = redis::redis_store::open(std::move(chosen));
  if (!opened) die(opened.error());
  return *std::move(opened);
}

void empty_redis() {
  redis::options chosen;
  chosen.where.urls = {from_launcher("ONCEWARD_REDIS_URL")};
  auto with = redis::session::open(*redis::open_settings(chosen));
  if (!with) die(with.error());
  redis::requests ask;
  ask.add("FLUSHALL");
  if (const auto told = (*with)->ask(ask); !told) die(told.error());
}

void set_redis_clock(wall_time now) {
  const std::int64_t ms = now.time_since_epoch().count();
  const int file = ::open(from_launcher("ONCEWARD_SERVER_CLOCK").c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::pwrite(file, &ms, sizeof ms, 0) != sizeof ms) die("cannot set the server's clock");
  ::close(file);
}

}  // namespace onceward::conformance
