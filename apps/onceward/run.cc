#include "run.h"

#include <signal.h>

#include <cstdio>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "core/secret.h"
#include "exit_codes.h"
#include "gateway/config_text.h"
#include "gateway/gateway.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/route_table.h"
#include "net/loop.h"
#include "net/signals.h"
#include "open_store.h"

namespace onceward::app {
namespace {

std::string upstreams_of(const gateway::settings& settings) {
  std::string text;
  for (const gateway::upstream_address& one : settings.upstreams)
    text += fmt::format("{}http://{}", text.empty() ? "" : ", ", gateway::host_and_port_text(one.host, one.port));
  return text;
}

int fail(std::string_view what) {
  fmt::print(stderr, "onceward: {}\n", what);
  return exit_failed;
}

void log_start(gateway::logger& log, const gateway::settings& settings, const gateway::gateway& running,
               const opened_store& opened) {
  log.info("started", {{"version", ONCEWARD_VERSION},
                       {"listen", net::to_string(running.listen_address())},
                       {"admin", settings.admin ? net::to_string(running.admin_address()) : std::string("off")},
                       {"upstreams", upstreams_of(settings)},
                       {"routes", std::uint64_t{settings.routes.size()}},
                       {"store", opened.description},
                       {"secret", opened.secret_place}});
}

// Ends the gateway: the first SIGTERM or SIGINT drains it, the second stops it at once. Made before there is anything
// to end, so that a signal that comes early waits until it can be obeyed.
class ending {
 public:
  explicit ending(gateway::logger& log)
      : log_(log), signals_(loop_, {SIGTERM, SIGINT}, [this](int number) { on_signal(number); }) {}

  // Returns when the gateway has stopped.
  void wait_for(gateway::gateway& running) {
    running_ = &running;
    std::thread watching([this] { loop_.run(); });
    running.wait();
    loop_.stop();
    watching.join();
  }

 private:
  void on_signal(int number) {
    log_.info(draining_ ? "stops-at-once" : "drains", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
    if (draining_) return running_->stop_now();
    draining_ = true;
    running_->begin_drain();
  }

  gateway::logger& log_;
  net::loop loop_;
  net::signal_watch signals_;
  gateway::gateway* running_ = nullptr;
  bool draining_ = false;
};

}  // namespace

int run(const run_options& options) {
  // A terminal that goes away is no reason to stop, and a peer that does is told by the call that wrote to it.
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  const auto loaded = load_settings(options);
  if (!loaded) return exit_misconfigured;
  const gateway::settings& settings = loaded->settings;
  const auto routes = gateway::route_table::make(settings);
  if (!routes) return fail(fmt::format("{}: {}", routes.error().setting, routes.error().message));

  gateway::logger log(settings.log.level);
  for (const std::string& warning : loaded->warnings)
    log.warning("configuration", {{"warning", warning}});
  ending end(log);
  auto opened = open_store(settings, log);
  if (!opened) return fail(opened.error());
  const core::deployment_secret secret(opened->secret);
  gateway::gateway running({settings, *routes, *opened->records, secret, log,
                            [](const auto& numbers) { return gateway::metrics_text(numbers, ONCEWARD_VERSION); }});
  if (const auto started = running.start(); !started) return fail(started.error());
  log_start(log, settings, running, *opened);
  end.wait_for(running);
  // Before the gateway goes, to whom it gives its last replies.
  opened->records.reset();
  log.info("stopped");
  return exit_good;
}

}  // namespace onceward::app
