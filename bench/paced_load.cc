// Load at a fixed rate: POSTs leave when they are due, whether or not earlier ones were answered, and each latency
// counts from when its request was due. So a server that stalls for a second is charged with every request of that
// second, not with the one that each connection happened to have outstanding.
//
// A request that is due while all connections are busy leaves with the next one that is free. The result is a line of
// JSON; the first tenth of the time is not counted.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds patience{10};  // For answers that are still out when the time is over.

struct choices {
  std::uint16_t port = 0;
  std::string path = "/v1/charges";
  double rate = 500;
  std::size_t connections = 64;
  double seconds = 5;
  std::size_t body_bytes = 200;
  std::string keys = "new";
  std::string nonce = "paced";
};

// What is sent, and which key with it.
class requests {
 public:
  explicit requests(const choices& chosen) : keys_(chosen.keys), nonce_(chosen.nonce) {
    const std::string body = R"({"note":")" + std::string(chosen.body_bytes - 11, 'x') + "\"}";
    before_ = fmt::format(
        "POST {} HTTP/1.1\r\nHost: bench.test\r\nContent-Type: application/json\r\n"
        "Authorization: Bearer bench\r\nContent-Length: {}\r\n",
        chosen.path, body.size());
    behind_ = "\r\n" + body;
  }

  std::string next() {
    const std::size_t number = number_++;
    if (keys_ == "none") return before_ + behind_;
    return fmt::format("{}Idempotency-Key: {}-{}\r\n{}", before_, nonce_, keys_ == "thousand" ? number % 1000 : number,
                       behind_);
  }

 private:
  std::string keys_;
  std::string nonce_;
  std::string before_;
  std::string behind_;
  std::size_t number_ = 0;
};

// One answer, as it arrives: whole or not yet, and its status.
class answer {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  void clear() { bytes_.clear(); }

  bool is_whole() const {
    const std::size_t head = bytes_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t body = bytes_.size() - head - 4;
    if (const std::string_view length = field("content-length"); !length.empty()) {
      std::size_t expected = 0;
      std::from_chars(length.data(), length.data() + length.size(), expected);
      return body >= expected;
    }
    return bytes_.ends_with("\r\n0\r\n\r\n");  // Chunks; nobody here sends neither.
  }
  bool is_good() const { return bytes_.size() > 9 && (bytes_[9] == '2' || bytes_[9] == '3'); }
  bool closes() const { return field("connection") == "close"; }

 private:
  std::string_view field(std::string_view name) const {
    const std::string_view head = std::string_view(bytes_).substr(0, bytes_.find("\r\n\r\n") + 2);
    for (std::size_t at = head.find("\r\n") + 2; at < head.size(); at = head.find("\r\n", at) + 2) {
      const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
      const std::size_t colon = line.find(':');
      if (colon == name.size() && strncasecmp(line.data(), name.data(), colon) == 0) {
        const std::size_t value = line.find_first_not_of(' ', colon + 1);
        return value == std::string_view::npos ? std::string_view() : line.substr(value);
      }
    }
    return {};
  }

  std::string bytes_;
};

struct connection {
  int socket = -1;
  clock_type::time_point due;  // Of the request that is out.
  answer got;
};

class generator {
 public:
  explicit generator(const choices& chosen)
      : chosen_(chosen),
        requests_(chosen),
        every_(static_cast<std::int64_t>(1e9 / chosen.rate)),
        planned_(static_cast<std::size_t>(chosen.rate * chosen.seconds)),
        connections_(chosen.connections) {
    poll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    timer_ = checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create");
    watch(timer_, connections_.size());
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      open(i);
      free_.push_back(i);
    }
  }

  void run() {
    start_ = clock_type::now() + std::chrono::milliseconds(5);
    const auto end = start_ + every_ * static_cast<std::int64_t>(planned_) + patience;
    arm();
    while (answered_ + errors_ < planned_ && clock_type::now() < end) {
      std::array<epoll_event, 256> events;
      const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) {
        const std::size_t which = events[static_cast<std::size_t>(i)].data.u64;
        if (which < connections_.size()) read(which);
      }
      send_what_is_due();
    }
  }

  void tell() {
    errors_ += planned_ - answered_ - errors_;
    std::sort(latencies_.begin(), latencies_.end());
    const auto share = [&](double part) {
      if (latencies_.empty()) return 0.0;
      const auto at = static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1));
      return static_cast<double>(latencies_[at].count()) / 1e3;
    };
    fmt::print(R"({{"asked_per_s":{},"answered":{},"errors":{},"seconds":{:.4f},"late_max_ms":{:.3f},)"
               R"("latency_us_p50":{:.1f},"latency_us_p90":{:.1f},"latency_us_p99":{:.1f},"latency_us_p999":{:.1f},)"
               R"("latency_us_max":{:.1f}}})"
               "\n",
               chosen_.rate, answered_, errors_, std::chrono::duration<double>(last_ - start_).count(),
               std::chrono::duration<double, std::milli>(late_max_).count(), share(0.5), share(0.9), share(0.99),
               share(0.999), share(1.0));
  }

 private:
  static int checked(int result, const char* what) {
    if (result < 0) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
    return result;
  }

  void watch(int descriptor, std::size_t which) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = which;
    checked(epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
  }

  void open(std::size_t which) {
    connection& here = connections_[which];
    here.socket = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(chosen_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(connect(here.socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
    const int on = 1;
    checked(setsockopt(here.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    here.got.clear();
    watch(here.socket, which);
  }

  clock_type::time_point due(std::size_t number) const { return start_ + every_ * static_cast<std::int64_t>(number); }

  // Wakes for the next request that is due. Those that wait for a connection leave when one is read.
  void arm() const {
    if (sent_ >= planned_) return;
    const auto at = due(sent_).time_since_epoch();
    itimerspec when{};
    when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(at).count();
    when.it_value.tv_nsec = (at % std::chrono::seconds(1)).count();
    checked(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr), "timerfd_settime");
  }

  void send_what_is_due() {
    const auto now = clock_type::now();
    bool sent_any = false;
    while (sent_ < planned_ && due(sent_) <= now && !free_.empty()) {
      if (!had_to_wait_) late_max_ = std::max<nanoseconds>(late_max_, now - due(sent_));
      had_to_wait_ = false;
      const std::size_t which = free_.front();
      free_.pop_front();
      connections_[which].due = due(sent_++);
      const std::string bytes = requests_.next();
      if (send(connections_[which].socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(bytes.size())) {
        fail(which);
      }
      sent_any = true;
    }
    had_to_wait_ = sent_ < planned_ && due(sent_) <= now;
    if (sent_any && !had_to_wait_) arm();
  }

  void read(std::size_t which) {
    connection& here = connections_[which];
    std::array<char, 16384> bytes;
    const ssize_t count = recv(here.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return fail(which);
    here.got.add({bytes.data(), static_cast<std::size_t>(count)});
    if (!here.got.is_whole()) return;
    last_ = clock_type::now();
    if (!here.got.is_good()) {
      ++errors_;
    } else {
      ++answered_;
      if (here.due >= start_ + every_ * static_cast<std::int64_t>(planned_ / 10)) {
        latencies_.push_back(last_ - here.due);
      }
    }
    const bool closes = here.got.closes();
    here.got.clear();
    if (closes) reopen(which);
    free_.push_back(which);
    if (had_to_wait_) send_what_is_due();
  }

  void fail(std::size_t which) {
    ++errors_;
    reopen(which);
    free_.push_back(which);
  }

  void reopen(std::size_t which) {
    close(connections_[which].socket);
    open(which);
  }

  choices chosen_;
  requests requests_;
  nanoseconds every_;
  std::size_t planned_;
  std::vector<connection> connections_;
  std::deque<std::size_t> free_;
  int poll_ = -1;
  int timer_ = -1;
  clock_type::time_point start_;
  clock_type::time_point last_;
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  std::size_t errors_ = 0;
  bool had_to_wait_ = false;  // The next request is due, and no connection was free for it.
  nanoseconds late_max_{0};
  std::vector<nanoseconds> latencies_;
};

}  // namespace

int main(int argc, char** argv) try {
  choices chosen;
  CLI::App program("Load at a fixed rate, with latencies counted from when each request was due", "paced_load");
  program.add_option("PORT", chosen.port, "Of 127.0.0.1")->required();
  program.add_option("PATH", chosen.path);
  program.add_option("--rate", chosen.rate, "Requests per second")->check(CLI::Range(1.0, 1e6));
  program.add_option("--connections", chosen.connections)->check(CLI::Range(1, 10'000));
  program.add_option("--seconds", chosen.seconds)->check(CLI::Range(0.1, 3600.0));
  program.add_option("--body-bytes", chosen.body_bytes)->check(CLI::Range(11, 10'000));
  program.add_option("--keys", chosen.keys)->check(CLI::IsMember({"none", "new", "thousand"}));
  program.add_option("--nonce", chosen.nonce, "Goes into every key");
  CLI11_PARSE(program, argc, argv);
  prctl(PR_SET_TIMERSLACK, 1000);  // The default, 50 µs, is what is measured here.
  generator load(chosen);
  load.run();
  load.tell();
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "paced_load: {}\n", error.what());
  return 1;
}
