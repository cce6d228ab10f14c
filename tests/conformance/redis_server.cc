#include "redis_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

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

// What the server says to one request, over a connection for it alone.
std::string ask(const std::vector<std::string>& words) {
  redis::options chosen;
  chosen.where.urls = {from_launcher("ONCEWARD_REDIS_URL")};
  auto with = redis::session::open(*redis::open_settings(chosen));
  if (!with) die(with.error());
  redis::requests request;
  request.begin(words.size());
  for (const std::string& each : words)
    request.word(each);
  const auto told = (*with)->ask(request);
  if (!told) die(told.error());
  return told->text;
}

}  // namespace

std::unique_ptr<redis::redis_store> open_redis(redis::options chosen) {
  chosen.where.urls = {from_launcher("ONCEWARD_REDIS_URL")};
  auto opened = redis::redis_store::open(std::move(chosen));
  if (!opened) die(opened.error());
  return *std::move(opened);
}

void empty_redis() {
  ask({"FLUSHALL"});
}

void forget_redis_scripts() {
  ask({"SCRIPT", "FLUSH"});
}

void wait_for_fence(fence token) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (std::strtoull(ask({"GET", std::string(redis::fence_name)}).c_str(), nullptr, 10) <
         static_cast<std::uint64_t>(token)) {
    if (std::chrono::steady_clock::now() > end) die("the server was never told of the fence");
    std::this_thread::yield();
  }
}

void set_redis_clock(wall_time now) {
  const std::int64_t ms = now.time_since_epoch().count();
  const int file = ::open(from_launcher("ONCEWARD_SERVER_CLOCK").c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::pwrite(file, &ms, sizeof ms, 0) != sizeof ms) die("cannot set the server's clock");
  ::close(file);
}

}  // namespace onceward::conformance
