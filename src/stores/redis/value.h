// What a server replies, in Redis's serialisation protocol (RESP2): read by hiredis, into values of ours, within
// bounds.
//
// A server is input like any other: what is longer, deeper or more than anything that we ask for is an error, and so is
// what is no such protocol. After an error the connection is of no more use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onceward/result.h"

namespace onceward::redis {

struct value {
  enum class kind { nothing, text, status, error, number, list };

  kind what = kind::nothing;
  std::string text;  // Of a text, a status and an error.
  std::int64_t number = 0;
  std::vector<value> items;

  bool is(kind wanted) const { return what == wanted; }
};

class value_reader {
 public:
  // Of one reply, in all. The longest are stored responses and pages of keys.
  static constexpr std::size_t bytes_max = std::size_t{80} << 20;
  static constexpr std::size_t items_max = 200'000;

  value_reader();
  ~value_reader();
  value_reader(const value_reader&) = delete;
  value_reader& operator=(const value_reader&) = delete;

  // False after too much of one reply.
  bool feed(std::string_view bytes);
  // The next reply; nothing while it is not whole; `corrupt` for what is none, `too_large` for what is beyond a bound.
  result<std::optional<value>> next();

 private:
  struct reading;
  std::unique_ptr<reading> reading_;
};

}  // namespace onceward::redis
