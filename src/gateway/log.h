// The log: one JSON object a line, on standard error.
//
// Every line has `time`, `level` and `event` (a stable word), then the fields of the event. It never holds an
// idempotency key, a credential or a byte of a body: what a line is about is told by key_hash(). A warning or error
// that repeats is written a bounded number of times; the next line of its event then says how many were left out.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "onceward/identity.h"

namespace onceward::gateway {

enum class log_level { debug, info, warning, error };

struct log_field_view {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  log_field_view(std::string_view field, std::string_view text) : name(field), value(text) {}
  log_field_view(std::string_view field, const std::string& text) : name(field), value(std::string_view(text)) {}
  log_field_view(std::string_view field, const char* text) : name(field), value(std::string_view(text)) {}
  log_field_view(std::string_view field, std::int64_t number) : name(field), value(number) {}
  log_field_view(std::string_view field, std::uint64_t number) : name(field), value(number) {}
  log_field_view(std::string_view field, std::int32_t number) : name(field), value(std::int64_t{number}) {}
  log_field_view(std::string_view field, std::uint32_t number) : name(field), value(std::uint64_t{number}) {}
  log_field_view(std::string_view field, double number) : name(field), value(number) {}
  log_field_view(std::string_view field, bool flag) : name(field), value(flag) {}
};

// Any thread. Writing never throws and is not buffered.
class logger {
 public:
  explicit logger(log_level least);
  // Hands each line, without its line end, to `write` instead.
  logger(log_level least, std::function<void(std::string_view line)> write);
  ~logger();

  bool logs(log_level level) const { return level >= least_; }

  void log(log_level level, std::string_view event, std::initializer_list<log_field_view> fields = {});

  void debug(std::string_view event, std::initializer_list<log_field_view> fields = {}) {
    log(log_level::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<log_field_view> fields = {}) {
    log(log_level::info, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<log_field_view> fields = {}) {
    log(log_level::warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<log_field_view> fields = {}) {
    log(log_level::error, event, fields);
  }

 private:
  struct output;

  log_level least_;
  std::unique_ptr<output> output_;
};

// What a record is called in logs: the first 16 hexadecimal digits of its record key, which tell nothing of the
// idempotency key to whoever does not have the deployment secret.
std::string key_hash(const record_key& key);

}  // namespace onceward::gateway
