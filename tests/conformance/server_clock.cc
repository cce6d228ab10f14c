// Loaded into a server with LD_PRELOAD: its clock is the eight bytes of the file that ONCEWARD_SERVER_CLOCK names, in
// milliseconds since 1970-01-01 UTC, and stands still until a test writes others. (libfaketime does not get along with
// the allocator of Redis.)

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile std::int64_t* map_clock() {
  const char* path = std::getenv("ONCEWARD_SERVER_CLOCK");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const mapped = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return mapped == MAP_FAILED ? nullptr : static_cast<const volatile std::int64_t*>(mapped);
}

std::int64_t now_ms() {
  static const volatile std::int64_t* const clock = map_clock();
  return clock == nullptr ? 0 : *clock;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int gettimeofday(struct timeval* out, void*) noexcept {
  const std::int64_t ms = now_ms();
  *out = {.tv_sec = ms / 1'000, .tv_usec = ms % 1'000 * 1'000};
  return 0;
}

__attribute__((visibility("default"))) time_t time(time_t* out) noexcept {
  const time_t seconds = now_ms() / 1'000;
  if (out != nullptr) *out = seconds;
  return seconds;
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t which, struct timespec* out) noexcept {
  if (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE) {
    return static_cast<int>(::syscall(SYS_clock_gettime, which, out));
  }
  const std::int64_t ms = now_ms();
  *out = {.tv_sec = ms / 1'000, .tv_nsec = ms % 1'000 * 1'000'000};
  return 0;
}

}  // extern "C"
