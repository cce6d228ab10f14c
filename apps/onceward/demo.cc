#include "demo.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "child_process.h"
#include "demo_http.h"

namespace onceward::app {
namespace {

using std::chrono::milliseconds;

void say(std::string_view text = "") {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

// The API that everybody has: each POST charges the card once more.
class charging_api {
 public:
  explicit charging_api(std::uint16_t port)
      : server_(port, [this](const demo_request& request) { return answer(request); }) {}

  std::uint16_t port() const { return server_.port(); }
  int charges() const { return charges_; }
  // The next charge runs, but its answer is lost on the way.
  void lose_next_answer() { lose_ = true; }
  // The next charge runs, and its answer waits until release().
  void hold_next_answer() {
    held_ = true;
    hold_ = true;
  }
  bool has_charged_and_holds() const { return held_ && !hold_; }
  void release() { held_ = false; }

 private:
  std::optional<demo_response> answer(const demo_request& request) {
    if (request.method != "POST") {
      return demo_response{
          200, {{"content-type", "application/json"}}, fmt::format("{{\"charges\":{}}}\n", charges_.load())};
    }
    const int number = ++charges_;
    if (lose_.exchange(false)) return std::nullopt;
    if (hold_.exchange(false)) {
      while (held_)
        std::this_thread::yield();
      return std::nullopt;
    }
    return demo_response{201,
                         {{"content-type", "application/json"}, {"location", fmt::format("/v1/charges/ch_{}", number)}},
                         fmt::format("{{\"id\":\"ch_{}\",\"amount\":4200}}\n", number)};
  }

  std::atomic<int> charges_ = 0;
  std::atomic<bool> lose_ = false;
  std::atomic<bool> hold_ = false;
  std::atomic<bool> held_ = false;
  demo_server server_;
};

class temporary_folder {
 public:
  temporary_folder() : path_(std::filesystem::temp_directory_path() / "onceward-demo-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void print_file(const std::string& path) {
  std::ifstream file(path);
  std::cerr << file.rdbuf();
}

// The real gateway: this binary, in a process of its own, so that it can be killed.
class gateway_process {
 public:
  gateway_process(std::uint16_t listen, std::uint16_t admin, std::uint16_t upstream, const std::string& data,
                  const std::string& log)
      : log_(log),
        child_({"run", "--listen", fmt::format("127.0.0.1:{}", listen), "--admin", fmt::format("127.0.0.1:{}", admin),
                "--upstream", fmt::format("http://127.0.0.1:{}", upstream), "--data", data},
               log) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (true) {
      const auto ready = call(admin, {.target = "/readyz"}, milliseconds{500});
      if (ready && ready->status == 200) return;
      if (!child_.is_running() || std::chrono::steady_clock::now() > give_up) {
        print_file(log_);
        throw std::runtime_error("the gateway did not start");
      }
      std::this_thread::yield();
    }
  }
  pid_t id() const { return child_.id(); }
  bool is_running() { return child_.is_running(); }
  void kill_at_once() { child_.kill_at_once(); }

 private:
  std::string log_;
  child_process child_;
};

// What the story claims is checked: a demo that shows something else fails.
void expect(bool true_of_the_story, std::string_view what) {
  if (!true_of_the_story) throw std::runtime_error(fmt::format("this did not happen: {}", what));
}

demo_request charge(std::string_view key = "") {
  demo_request request{"POST",
                       "/v1/charges",
                       {{"content-type", "application/json"}, {"authorization", "Bearer alice"}},
                       "{\"amount\":4200}"};
  if (!key.empty()) request.fields["idempotency-key"] = key;
  return request;
}

std::string shown(const std::optional<demo_response>& answer) {
  if (!answer) return "  < (the connection broke: no answer)";
  const auto marker = answer->fields.find("idempotent-replayed");
  const std::string body = answer->body.substr(0, answer->body.find('\n'));
  return fmt::format("  < {}{}  {}", answer->status,
                     marker == answer->fields.end() ? "" : "  Idempotent-Replayed: true", body);
}

void show_charges(const charging_api& api) {
  const int charges = api.charges();
  say(fmt::format("  The card was charged {} time{}.", charges, charges == 1 ? "" : "s"));
}

void without_onceward() {
  say("1. WITHOUT onceward. A client charges a card; the answer is lost; it tries again.\n");
  charging_api api(0);
  api.lose_next_answer();
  say("  > POST /v1/charges");
  say(shown(call(api.port(), charge())));
  say("  > POST /v1/charges   (the retry)");
  say(shown(call(api.port(), charge())));
  show_charges(api);
  expect(api.charges() == 2, "without a gateway the retry charges twice");
}

void with_onceward(const temporary_folder& folder) {
  say("\n2. WITH onceward in between. The client sends one Idempotency-Key with each try.\n");
  charging_api api(0);
  const std::uint16_t port = free_port();
  gateway_process gateway(port, free_port(), api.port(), folder.path() + "/two", folder.path() + "/two.log");
  say("  > POST /v1/charges   Idempotency-Key: order-1");
  const auto first = call(port, charge("order-1"));
  say(shown(first));
  say("  > POST /v1/charges   Idempotency-Key: order-1   (the retry)");
  const auto second = call(port, charge("order-1"));
  say(shown(second));
  show_charges(api);
  expect(first && first->status == 201, "the first try succeeds");
  expect(second && second->status == 201 && second->body == first->body, "the retry gets the same answer");
  expect(api.charges() == 1, "with a gateway the retry does not charge again");

  say("\n  The same key for another payload is refused, not run:");
  demo_request other = charge("order-1");
  other.body = "{\"amount\":9900}";
  say("  > POST /v1/charges   Idempotency-Key: order-1   {\"amount\":9900}");
  const auto refused = call(port, other);
  say(refused ? fmt::format("  < {}  (the body differs)", refused->status) : shown(refused));
  expect(refused && refused->status == 422, "another payload under the key is refused");
}

void killed_in_the_middle(const temporary_folder& folder) {
  say("\n3. kill -9 WHILE the charge runs. Nobody can know its outcome, so onceward says so instead of charging "
      "again.\n");
  charging_api api(0);
  const std::uint16_t port = free_port();
  const std::string data = folder.path() + "/three";
  const std::string log = folder.path() + "/three.log";
  auto gateway = std::make_unique<gateway_process>(port, free_port(), api.port(), data, log);
  api.hold_next_answer();
  say("  > POST /v1/charges   Idempotency-Key: order-2");
  auto first = std::async(std::launch::async, [&] { return call(port, charge("order-2")); });
  while (!api.has_charged_and_holds())
    std::this_thread::yield();
  say(fmt::format("  kill -9 {}            (the gateway, after it forwarded, before it had an answer)", gateway->id()));
  gateway->kill_at_once();
  api.release();
  say(shown(first.get()));
  gateway = std::make_unique<gateway_process>(port, free_port(), api.port(), data, log);
  say("  The gateway is started again on the same data.");
  say("  > POST /v1/charges   Idempotency-Key: order-2   (the retry)");
  const auto retry = call(port, charge("order-2"));
  say(retry ? fmt::format("  < {}  {}", retry->status,
                          retry->body.find("outcome-unknown") != std::string::npos ? "outcome-unknown" : retry->body)
            : shown(retry));
  show_charges(api);
  expect(retry && retry->status == 409 && retry->body.find("outcome-unknown") != std::string::npos,
         "the key is openly unknown");
  expect(api.charges() == 1, "an unknown outcome is not charged again");
}

sigset_t ending_signals() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int each : {SIGINT, SIGTERM, SIGCHLD})
    sigaddset(&ends, each);
  return ends;
}

void keep_running(const demo_options& options) {
  charging_api api(options.api_port);
  const std::string log = options.data + "/demo.log";
  std::filesystem::create_directories(options.data);
  gateway_process gateway(options.listen_port, options.admin_port, api.port(), options.data, log);
  const std::string url = fmt::format("http://127.0.0.1:{}", options.listen_port);
  say(fmt::format("\nYour turn. The gateway listens on {}, in front of a demo API on http://127.0.0.1:{}.", url,
                  api.port()));
  say(fmt::format("Its records are in {}, its log in {}.\n", options.data, log));
  say("Send this twice, and see it run once:\n");
  say(
      fmt::format("  curl -i {}/v1/charges -H 'Idempotency-Key: my-order-1' -H 'Content-Type: application/json' -d "
                  "'{{\"amount\":4200}}'\n",
                  url));
  say("How often the card was charged, and what became of the key:\n");
  say(fmt::format("  curl {}/v1/charges", url));
  say(fmt::format(
      "  curl {}/.onceward/record -H 'Idempotency-Key: my-order-1' -H 'Onceward-Operation: POST /v1/charges'\n", url));
  say(fmt::format("Metrics: http://127.0.0.1:{}/metrics   Stop: Ctrl-C", options.admin_port));
  // The signals are blocked for the whole program, so that this is where they arrive.
  sigset_t ends;
  sigemptyset(&ends);
  for (const int each : {SIGINT, SIGTERM, SIGCHLD})
    sigaddset(&ends, each);
  int received = 0;
  while (sigwait(&ends, &received) == 0 && received == SIGCHLD && gateway.is_running()) {
  }
  if (received == SIGCHLD) {
    print_file(log);
    throw std::runtime_error("the gateway ended by itself");
  }
  say("\nStopped.");
}

}  // namespace

int run_demo(const demo_options& options) {
  if (options.keep_running) {
    // Before there is a thread, so that they arrive where they are waited for, and the gateway is always ended too.
    const sigset_t ends = ending_signals();
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  }
  try {
    temporary_folder folder;
    without_onceward();
    with_onceward(folder);
    killed_in_the_middle(folder);
    if (options.keep_running) keep_running(options);
  } catch (const std::exception& failure) {
    std::cerr << "onceward demo: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace onceward::app
