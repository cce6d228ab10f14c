// A library to preload into the gateway. It stands between the program and the system calls on a request's path, counts
// them by kind, and at a chosen one ends the process, freezes it, lets the call fail or only pretends to do it. So each
// step can be reached without a hook in the program.
//
// What the gateway sends with one io_submit(2) is a step for each of its entries: they are submitted one after the
// other, so that there is a place between any two. docs/decisions/0035.
//
// ONCEWARD_FAILPOINTS names the file through which `failpoints.py` says what is to be done, while the program runs. The
// two have the layout of the file and the order of the steps in common; path_test.py would see them disagree.

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace {

enum class step : std::uint32_t {
  client_accept,
  client_receive,
  client_send,
  client_close,
  upstream_connect,
  upstream_send,
  upstream_receive,
  upstream_close,
  journal_write,
  journal_sync,
  journal_read,
  loop_wake,
  file_open,
  file_allocate,
  file_settle,
  file_rename,
  file_remove,
  store_connect,
  store_send,
  store_receive,
};

enum class action : std::uint32_t { nothing, end, freeze, fail_once, fail_from_now, pretend_from_now };

enum class place : std::uint32_t { before, after };

// How a call comes: by itself, or as one of several of a batch.
enum class company : std::uint32_t { alone, batch };

constexpr std::uint8_t mark_of_batch = 0x80;  // On a step of the trace.
constexpr std::size_t trace_steps_max = 65536 - 40;

// The file. `todo` is written last by who arms it, and cleared by who does it.
struct control {
  std::atomic<std::uint32_t> todo;
  std::atomic<std::uint32_t> at;
  std::atomic<std::uint32_t> where;
  std::atomic<std::uint32_t> among;  // `batch`: only its entries count. `alone`: whatever comes does.
  std::atomic<std::int32_t> countdown;
  std::atomic<std::int32_t> error;
  std::atomic<std::uint32_t> times_done;
  std::atomic<std::uint32_t> admin_port;
  std::atomic<std::uint32_t> store_port;  // 0 where the store has none.
  std::atomic<std::uint32_t> traced;
  std::array<std::atomic<std::uint8_t>, trace_steps_max> trace;
};
static_assert(sizeof(control) == 65536);

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The one behind ours. No static with a guard: who waits for a guard does so with syscall(), and would come here again.
std::atomic<decltype(::syscall)*> real_syscall{nullptr};

template <typename... Arguments>
long call_system(long number, Arguments... arguments) {
  auto* real = real_syscall.load(std::memory_order_relaxed);
  if (real == nullptr) {
    real = next<decltype(::syscall)>("syscall");
    real_syscall.store(real, std::memory_order_relaxed);
  }
  return real(number, arguments...);
}

control* attach() {
  const char* const path = std::getenv("ONCEWARD_FAILPOINTS");
  if (path == nullptr) return nullptr;
  const auto file = static_cast<int>(call_system(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
  if (file < 0) return nullptr;
  void* const mapped = ::mmap(nullptr, sizeof(control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  call_system(SYS_close, file);
  return mapped == MAP_FAILED ? nullptr : static_cast<control*>(mapped);
}

// Made at the first call, which may come before this library's own initialisation.
control* shared() {
  static control* const attached = attach();
  return attached;
}

// What is at the other end of each descriptor.
enum class role : std::uint8_t { none, client, upstream, store, wake_up };
constexpr int descriptors_max = 65536;
std::array<std::atomic<role>, descriptors_max> roles;

role role_of(int descriptor) {
  return descriptor >= 0 && descriptor < descriptors_max ? roles[static_cast<std::size_t>(descriptor)].load()
                                                         : role::none;
}

void set_role(int descriptor, role is) {
  if (descriptor >= 0 && descriptor < descriptors_max) roles[static_cast<std::size_t>(descriptor)] = is;
}

// To the calling thread: it goes no further, and takes the others with it.
void stop_here(int signal) {
  call_system(SYS_tgkill, call_system(SYS_getpid), call_system(SYS_gettid), signal);
}

// What a step's visitor decides of its call.
enum class verdict { do_it, fail, pretend };

verdict visit(step at, place where, company among = company::alone) {
  control* const file = shared();
  if (file == nullptr) return verdict::do_it;
  if (where == place::before) {
    const std::uint32_t index = file->traced.fetch_add(1);
    const std::uint8_t mark = among == company::batch ? mark_of_batch : 0;
    if (index < trace_steps_max) file->trace[index] = static_cast<std::uint8_t>(at) | mark;
  }
  const auto todo = static_cast<action>(file->todo.load());
  if (todo == action::nothing || file->at != static_cast<std::uint32_t>(at) ||
      file->where != static_cast<std::uint32_t>(where) || file->among > static_cast<std::uint32_t>(among)) {
    return verdict::do_it;
  }
  const bool lasts = todo == action::fail_from_now || todo == action::pretend_from_now;
  const std::int32_t left = file->countdown.fetch_sub(1);
  if (lasts ? left > 1 : left != 1) return verdict::do_it;
  if (!lasts) file->todo = static_cast<std::uint32_t>(action::nothing);
  file->times_done.fetch_add(1);
  switch (todo) {
    case action::nothing:
      break;
    case action::end:
      stop_here(SIGKILL);
      for (;;)
        ::pause();
    case action::freeze:
      stop_here(SIGSTOP);
      break;
    case action::fail_once:
    case action::fail_from_now:
      errno = file->error;
      return verdict::fail;
    case action::pretend_from_now:
      return verdict::pretend;
  }
  return verdict::do_it;
}

// The call between its two visits, the second only where it came to something. `pretended` is what it would answer.
template <typename Call>
auto around(step at, Call call, decltype(call()) pretended = 0) -> decltype(call()) {
  const verdict decided = visit(at, place::before);
  if (decided == verdict::fail) return -1;
  if (decided == verdict::pretend) return pretended;
  const auto answer = call();
  if (answer >= 0) {
    const int kept = errno;
    visit(at, place::after);
    errno = kept;
  }
  return answer;
}

bool is_admin(int connection) {
  sockaddr_storage local{};
  socklen_t bytes = sizeof local;
  if (shared() == nullptr || ::getsockname(connection, reinterpret_cast<sockaddr*>(&local), &bytes) != 0) return true;
  const auto* const address = reinterpret_cast<const sockaddr_in*>(&local);
  return local.ss_family != AF_INET || ntohs(address->sin_port) == shared()->admin_port;
}

bool is_at_store(const sockaddr* to) {
  if (shared() == nullptr || to->sa_family != AF_INET) return false;
  return ntohs(reinterpret_cast<const sockaddr_in*>(to)->sin_port) == shared()->store_port;
}

// Sending is the one step that has two ways: send(2), and an entry of a batch.
std::optional<step> sending_to(int descriptor) {
  switch (role_of(descriptor)) {
    case role::client:
      return step::client_send;
    case role::upstream:
      return step::upstream_send;
    case role::store:
      return step::store_send;
    case role::none:
    case role::wake_up:
      break;
  }
  return std::nullopt;
}

// ---- Batches -------------------------------------------------------------------------------------------------------
//
// What is done here is enough for src/net/send_batch.cc and no more: writes to sockets that do not block, which are
// over when io_submit() returns; all results of a context fetched by the thread that submitted, before it turns to
// another context; no more at once than there is room for here. An entry that the kernel refuses is visited, and again
// when the program sends it by itself.

// What became of the calling thread's entries, for its io_getevents().
struct batch_results {
  aio_context_t of = 0;
  std::size_t count = 0;
  std::array<io_event, 256> all = {};  // A lot of send_batch.h at most.
};
thread_local batch_results results;

// False if the kernel does not take it; errno says why.
bool submit_alone(aio_context_t to, iocb* entry, io_event& result) {
  if (call_system(SYS_io_submit, to, 1L, &entry) != 1) return false;
  if (call_system(SYS_io_getevents, to, 1L, 1L, &result, nullptr) != 1) std::abort();
  return true;
}

// The entry between its two visits. What is refused or pretended here is told as the kernel tells what it did.
bool submit_visited(aio_context_t to, iocb* entry, company among, io_event& result) {
  const bool is_send = entry->aio_lio_opcode == IOCB_CMD_PWRITE;
  const auto at = is_send ? sending_to(static_cast<int>(entry->aio_fildes)) : std::nullopt;
  if (!at) return submit_alone(to, entry, result);
  result = {.data = entry->aio_data, .obj = reinterpret_cast<std::uint64_t>(entry), .res = 0, .res2 = 0};
  switch (visit(*at, place::before, among)) {
    case verdict::fail:
      result.res = -errno;
      return true;
    case verdict::pretend:
      result.res = static_cast<std::int64_t>(entry->aio_nbytes);
      return true;
    case verdict::do_it:
      break;
  }
  if (!submit_alone(to, entry, result)) return false;
  if (result.res >= 0) visit(*at, place::after, among);
  return true;
}

// As io_submit(2): how many entries were taken; what is wrong with the first, if none was.
long submit(aio_context_t to, long count, iocb** entries) {
  if (results.count > 0 && results.of != to) std::abort();
  results.of = to;
  const company among = count > 1 ? company::batch : company::alone;
  for (long i = 0; i < count; ++i) {
    const bool has_room = results.count < results.all.size();
    if (!has_room) errno = EAGAIN;
    if (!has_room || !submit_visited(to, entries[i], among, results.all[results.count])) return i > 0 ? i : -1;
    ++results.count;
  }
  return count;
}

// As io_getevents(2). The kernel has none of what was submitted here, and waits for ever where more is waited for.
long take_results(aio_context_t from, long at_least, long at_most, io_event* into, timespec* patience) {
  if (results.of != from || results.count == 0)
    return call_system(SYS_io_getevents, from, at_least, at_most, into, patience);
  const std::size_t taken = std::min(results.count, static_cast<std::size_t>(at_most));
  if (taken < static_cast<std::size_t>(at_least)) std::abort();
  std::copy_n(results.all.begin(), taken, into);
  std::copy(results.all.begin() + taken, results.all.begin() + results.count, results.all.begin());
  results.count -= taken;
  return static_cast<long>(taken);
}

}  // namespace

extern "C" {

// Who calls it need not have given six: what was not is whatever lies there, and the kernel does not look at it.
long syscall(long number, ...) noexcept {
  va_list given;
  va_start(given, number);
  std::array<long, 6> arguments;
  for (long& each : arguments)
    each = va_arg(given, long);
  va_end(given);
  const auto [first, second, third, fourth, fifth, sixth] = arguments;
  if (number == SYS_io_submit)
    return submit(static_cast<aio_context_t>(first), second, reinterpret_cast<iocb**>(third));
  if (number == SYS_io_getevents) {
    return take_results(static_cast<aio_context_t>(first), second, third, reinterpret_cast<io_event*>(fourth),
                        reinterpret_cast<timespec*>(fifth));
  }
  return call_system(number, first, second, third, fourth, fifth, sixth);
}

int accept4(int listener, sockaddr* from, socklen_t* from_bytes, int flags) {
  static auto* const real = next<decltype(accept4)>("accept4");
  const int accepted = real(listener, from, from_bytes, flags);
  if (accepted < 0 || is_admin(accepted)) return accepted;
  set_role(accepted, role::client);
  // Before it: the connection is made, and the program does not know it yet.
  visit(step::client_accept, place::before);
  visit(step::client_accept, place::after);
  return accepted;
}

int connect(int descriptor, const sockaddr* to, socklen_t to_bytes) {
  static auto* const real = next<decltype(connect)>("connect");
  if (to->sa_family != AF_INET && to->sa_family != AF_INET6) return real(descriptor, to, to_bytes);
  const bool is_store = is_at_store(to);
  const step at = is_store ? step::store_connect : step::upstream_connect;
  set_role(descriptor, is_store ? role::store : role::upstream);
  if (visit(at, place::before) == verdict::fail) return -1;
  const int answer = real(descriptor, to, to_bytes);
  const int kept = errno;
  visit(at, place::after);  // Under way, as a rule.
  errno = kept;
  return answer;
}

ssize_t recv(int descriptor, void* into, std::size_t bytes, int flags) {
  static auto* const real = next<decltype(recv)>("recv");
  const auto call = [&] { return real(descriptor, into, bytes, flags); };
  switch (role_of(descriptor)) {
    case role::client:
      return around(step::client_receive, call);
    case role::upstream:
      return around(step::upstream_receive, call);
    case role::store:
      return around(step::store_receive, call);
    case role::none:
    case role::wake_up:
      break;
  }
  return call();
}

ssize_t send(int descriptor, const void* from, std::size_t bytes, int flags) {
  static auto* const real = next<decltype(send)>("send");
  const auto call = [&] { return real(descriptor, from, bytes, flags); };
  const auto at = sending_to(descriptor);
  return at ? around(*at, call, static_cast<ssize_t>(bytes)) : call();
}

int close(int descriptor) {
  static auto* const real = next<decltype(close)>("close");
  const role was = role_of(descriptor);
  set_role(descriptor, role::none);
  const auto call = [&] { return real(descriptor); };
  if (was == role::client) return around(step::client_close, call);
  if (was == role::upstream) return around(step::upstream_close, call);
  return call();
}

int eventfd(unsigned initial, int flags) {
  static auto* const real = next<decltype(eventfd)>("eventfd");
  const int made = real(initial, flags);
  set_role(made, role::wake_up);
  return made;
}

// Another thread wakes an event loop by writing to its eventfd.
ssize_t write(int descriptor, const void* from, std::size_t bytes) {
  static auto* const real = next<decltype(write)>("write");
  const auto call = [&] { return real(descriptor, from, bytes); };
  return role_of(descriptor) == role::wake_up ? around(step::loop_wake, call) : call();
}

ssize_t pwrite(int descriptor, const void* from, std::size_t bytes, off_t offset) {
  static auto* const real = next<decltype(pwrite)>("pwrite");
  return around(
      step::journal_write, [&] { return real(descriptor, from, bytes, offset); }, static_cast<ssize_t>(bytes));
}

ssize_t pread(int descriptor, void* into, std::size_t bytes, off_t offset) {
  static auto* const real = next<decltype(pread)>("pread");
  return around(step::journal_read, [&] { return real(descriptor, into, bytes, offset); });
}

int fdatasync(int descriptor) {
  static auto* const real = next<decltype(fdatasync)>("fdatasync");
  return around(step::journal_sync, [&] { return real(descriptor); });
}

int fsync(int descriptor) {
  static auto* const real = next<decltype(fsync)>("fsync");
  return around(step::file_settle, [&] { return real(descriptor); });
}

int openat(int folder, const char* name, int flags, ...) {
  static auto* const real = next<decltype(openat)>("openat");
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
  va_end(rest);
  const auto call = [&] { return real(folder, name, flags, mode); };
  if (folder == AT_FDCWD) return call();
  return around(step::file_open, call);
}

int posix_fallocate(int descriptor, off_t offset, off_t bytes) {
  static auto* const real = next<decltype(posix_fallocate)>("posix_fallocate");
  if (visit(step::file_allocate, place::before) == verdict::fail) return errno;
  const int refused = real(descriptor, offset, bytes);
  visit(step::file_allocate, place::after);
  return refused;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  static auto* const real = next<decltype(renameat)>("renameat");
  return around(step::file_rename, [&] { return real(from_folder, from, to_folder, to); });
}

int unlinkat(int folder, const char* name, int flags) {
  static auto* const real = next<decltype(unlinkat)>("unlinkat");
  return around(step::file_remove, [&] { return real(folder, name, flags); });
}

}  // extern "C"
