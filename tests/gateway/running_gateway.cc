#include "tests/gateway/running_gateway.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include <gtest/gtest.h>

#include "http/status.h"
#include "stores/memory/memory_store.h"

namespace onceward::test {
namespace {

gateway::route_table make_routes(const gateway::settings& from) {
  auto made = gateway::route_table::make(from);
  if (!made) throw std::runtime_error(made.error().message);
  return std::move(*made);
}

}  // namespace

void breakable_store::flush(caller is) {
  const std::lock_guard hold(mutex_);
  flusher_ = is;
  flushed_.notify_all();
}

bool breakable_store::is_flushed_by(caller who) {
  std::unique_lock hold(mutex_);
  return flushed_.wait_for(hold, std::chrono::seconds(60), [&] { return flusher_ == who; });
}

void breakable_store::submit(command what, reply_sink& sink, std::uint64_t tag) {
  if (answer_instead) {
    if (auto instead = answer_instead(what)) {
      tagged_reply one{tag, std::move(*instead)};
      return sink.deliver({&one, 1});
    }
  }
  behind_.submit(std::move(what), sink, tag);
}

gateway::settings settings_for(std::vector<std::uint16_t> upstream_ports) {
  gateway::settings chosen;
  chosen.listen = {"127.0.0.1", 0};
  chosen.admin = gateway::host_and_port{"127.0.0.1", 0};
  chosen.workers = 1;
  for (const std::uint16_t port : upstream_ports)
    chosen.upstreams.push_back({"127.0.0.1", port});
  chosen.defaults = *core::profile("default");
  chosen.timeouts.drain = std::chrono::seconds(30);
  return chosen;
}

running_gateway::running_gateway(gateway::settings chosen,
                                 std::function<std::optional<reply>(const command&)> answer_instead)
    : settings_(std::move(chosen)),
      secret_("a secret for tests"),
      log_(gateway::log_level::error, [](std::string_view) {}),
      routes_(make_routes(settings_)),
      memory_(std::make_unique<memory_store::memory_store>(
          memory_store::options{},
          [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); })),
      records_(std::make_unique<breakable_store>(*memory_)) {
  records_->answer_instead = std::move(answer_instead);
  whole_ = std::make_unique<gateway::gateway>(gateway::gateway_parts_view{
      .config = settings_,
      .routes = routes_,
      .records = *records_,
      .secret = secret_,
      .log = log_,
      .metrics_text = [](const gateway::gateway_numbers_view&) { return std::string("numbers\n"); }});
  if (auto started = whole_->start(); !started) throw std::runtime_error(started.error());
}

running_gateway::~running_gateway() {
  whole_->stop_now();
  whole_->wait();
  memory_.reset();
}

std::uint64_t running_gateway::answers(gateway::answer_kind kind) const {
  std::uint64_t sum = 0;
  for (const gateway::worker_counters* each : whole_->numbers().workers)
    sum += each->answers[gateway::slot(kind)].read();
  return sum;
}

http_message client::receive(bool bodiless) {
  auto message = messages.read(bodiless);
  if (!message) {
    ADD_FAILURE() << "no whole response; unread: " << messages.unread().substr(0, 1000);
    return {"HTTP/1.1 000", "HTTP/1.1 000\r\n\r\n", ""};
  }
  return std::move(*message);
}

bool client::is_closed() {
  return messages.unread().empty() && socket.read_some().empty();
}

std::string post(std::string_view path, std::string_view fields, std::string_view body) {
  std::string text = "POST ";
  text += path;
  text += " HTTP/1.1\r\nHost: api.test\r\n";
  text += fields;
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  text += body;
  return text;
}

std::string get(std::string_view path, std::string_view fields) {
  std::string text = "GET ";
  text += path;
  text += " HTTP/1.1\r\nHost: api.test\r\n";
  text += fields;
  text += "\r\n";
  return text;
}

std::string response(int status, std::string_view fields, std::string_view body) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + std::string(http::reason_of(status)) + "\r\n";
  text += fields;
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  text += body;
  return text;
}

}  // namespace onceward::test
