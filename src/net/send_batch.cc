#include "net/send_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

namespace onceward::net::detail {
namespace {

// io_setup(2), io_submit(2), io_getevents(2), io_destroy(2). What is submitted for a socket that does not block is done
// before io_submit returns; only then are there results to get.
bool set_up(unsigned events, aio_context_t& made) {
  return ::syscall(SYS_io_setup, events, &made) == 0;
}

// How many of them were taken; if the first is refused, an errno as a negative number.
long submit(aio_context_t to, std::span<iocb*> what) {
  const long taken = ::syscall(SYS_io_submit, to, what.size(), what.data());
  return taken < 0 ? -errno : taken;
}

// A descriptor that is none, or no room for the moment: that is one entry's bad luck, and not for good.
bool may_pass(long refusal) {
  return refusal == -EBADF || refusal == -EAGAIN;
}

std::size_t get_results(aio_context_t from, std::span<io_event> into) {
  long got;
  do {
    got = ::syscall(SYS_io_getevents, from, into.size(), into.size(), into.data(), nullptr);
  } while (got < 0 && errno == EINTR);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

}  // namespace

ssize_t send_now(int descriptor, std::string_view bytes) {
  ssize_t moved;
  do {
    moved = ::send(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (moved < 0 && errno == EINTR);
  return moved < 0 ? -errno : moved;
}

send_batch::send_batch() : can_submit_(set_up(entries_max, kernel_)) {}

send_batch::~send_batch() {
  onceward_assert(count_ == 0);
  if (kernel_ != 0) ::syscall(SYS_io_destroy, kernel_);
}

bool send_batch::leave(int descriptor, std::string_view bytes, sender& who) {
  if (!gathers_ || !can_submit_) return false;
  if (count_ == entries_max || bytes.size() > std::min(bytes_each_max, bytes_max - bytes_used_)) return false;
  char* const copy = bytes_.data() + bytes_used_;
  std::memcpy(copy, bytes.data(), bytes.size());
  bytes_used_ += bytes.size();
  entries_[count_++] = {&who, descriptor, {copy, bytes.size()}, 0};
  return true;
}

void send_batch::forget(const sender& who) {
  const std::span<entry> all(entries_.data(), count_);
  const auto found = std::find_if(all.begin(), all.end(), [&](const entry& each) { return each.who == &who; });
  if (found != all.end()) found->who = nullptr;
}

// Nothing more is left meanwhile: whoever is told sends at once.
void send_batch::end() {
  gathers_ = false;
  if (count_ == 0) return;
  send_all();
  for (std::size_t i = 0; i < count_; ++i) {
    if (sender* const who = std::exchange(entries_[i].who, nullptr)) who->on_sent(entries_[i].moved);
  }
  count_ = bytes_used_ = 0;
}

void send_batch::send_all() {
  std::array<iocb, entries_max> requests;
  std::array<iocb*, entries_max> places;
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (entries_[i].who == nullptr) continue;
    if (!entries_[i].who->still_sends()) {
      entries_[i].moved = -ECANCELED;
      continue;
    }
    iocb& request = requests[wanted];
    request = {};
    request.aio_data = i;
    request.aio_lio_opcode = IOCB_CMD_PWRITE;
    request.aio_fildes = static_cast<std::uint32_t>(entries_[i].descriptor);
    request.aio_buf = reinterpret_cast<std::uint64_t>(entries_[i].bytes.data());
    request.aio_nbytes = entries_[i].bytes.size();
    places[wanted++] = &request;
  }
  const auto send_alone = [&](const iocb& request) {
    entry& what = entries_[request.aio_data];
    what.moved = send_now(what.descriptor, what.bytes);
  };
  if (wanted == 1) return send_alone(requests[0]);

  std::size_t submitted = 0;
  std::size_t at = 0;
  while (at < wanted) {
    const long taken = submit(kernel_, std::span(places).subspan(at, wanted - at));
    if (taken > 0) {
      submitted += static_cast<std::size_t>(taken);
      at += static_cast<std::size_t>(taken);
      continue;
    }
    // One that the kernel does not take is sent as it would be without it.
    can_submit_ = can_submit_ && may_pass(taken);
    send_alone(requests[at++]);
  }
  std::array<io_event, entries_max> results;
  const std::size_t got = submitted == 0 ? 0 : get_results(kernel_, std::span(results).first(submitted));
  onceward_assert(got == submitted);
  for (const io_event& each : std::span(results).first(got))
    entries_[each.data].moved = each.res;
}

}  // namespace onceward::net::detail
