#include "gateway/log.h"

#include <chrono>
#include <exception>
#include <mutex>
#include <span>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/time.h"
#include "gateway/log_throttle.h"

namespace onceward::gateway {
namespace {

std::string_view to_string(log_level level) {
  switch (level) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warning:
      return "warning";
    case log_level::error:
      return "error";
  }
  return "error";
}

base::moment now() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return base::moment{std::chrono::duration_cast<base::monotonic::duration>(since_start)};
}

std::string timestamp() {
  const auto time = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

// Bytes that are no UTF-8 are replaced: a line is JSON whatever it was given.
std::string json_text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append(std::string& line, std::string_view name, const nlohmann::json& value) {
  line += line.empty() ? '{' : ',';
  line += json_text(name);
  line += ':';
  line += json_text(value);
}

std::function<void(std::string_view)> standard_error() {
  auto lines = std::make_shared<spdlog::logger>("onceward", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  lines->set_pattern("%v");
  lines->set_level(spdlog::level::trace);
  lines->flush_on(spdlog::level::trace);
  return [lines = std::move(lines)](std::string_view line) {
    lines->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  };
}

}  // namespace

struct logger::output {
  std::function<void(std::string_view)> write;
  std::mutex throttle_mutex;
  log_throttle throttle;

  std::optional<std::uint64_t> admit(log_level level, std::string_view event) {
    if (level < log_level::warning) return 0;
    const std::lock_guard lock(throttle_mutex);
    return throttle.admit(event, now());
  }
};

logger::logger(log_level least) : logger(least, standard_error()) {}

logger::logger(log_level least, std::function<void(std::string_view)> write)
    : least_(least), output_(std::make_unique<output>()) {
  output_->write = std::move(write);
}

logger::~logger() = default;

void logger::log(log_level level, std::string_view event, std::initializer_list<log_field_view> fields) {
  if (!logs(level)) return;
  const auto left_out = output_->admit(level, event);
  if (!left_out) return;
  std::string line;
  append(line, "time", timestamp());
  append(line, "level", to_string(level));
  append(line, "event", event);
  for (const log_field_view& field : fields) {
    std::visit([&](const auto& value) { append(line, field.name, value); }, field.value);
  }
  if (*left_out > 0) append(line, "left_out", *left_out);
  line += '}';
  output_->write(line);
}

std::string key_hash(const record_key& key) {
  constexpr std::size_t bytes_shown = 8;
  return base::to_hex(std::span(key.bytes).first(bytes_shown));
}

}  // namespace onceward::gateway
