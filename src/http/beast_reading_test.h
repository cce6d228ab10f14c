// The heads that we accept, read by Boost.Beast's parser as well: a second implementation, which has to find the same
// parts in the same places. It accepts more than we do, so nothing follows from a head that we refuse.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

#include "base/assert.h"
#include "http/fields.h"
#include "http/request_head.h"
#include "http/response_head.h"

namespace onceward::http {

template <bool is_request>
class beast_reading final : public boost::beast::http::basic_parser<is_request> {
 public:
  // Reads one whole head.
  explicit beast_reading(std::string_view head) {
    this->header_limit(std::numeric_limits<std::uint32_t>::max());
    this->body_limit(boost::none);
    boost::beast::error_code failure;
    const std::size_t taken = this->put(boost::asio::const_buffer(head.data(), head.size()), failure);
    accepted = !failure && this->is_header_done() && taken == head.size();
  }

  bool accepted = false;
  std::string_view method;
  std::string_view target;
  int status = 0;
  std::string_view reason;
  int version = 0;
  std::vector<field_view> fields;

 private:
  using text = boost::beast::string_view;
  using failure_code = boost::beast::error_code;

  static std::string_view view_of(text from) { return {from.data(), from.size()}; }

  void on_request_impl(boost::beast::http::verb, text found_method, text found_target, int found_version,
                       failure_code&) override {
    method = view_of(found_method);
    target = view_of(found_target);
    version = found_version;
  }
  void on_response_impl(int found_status, text found_reason, int found_version, failure_code&) override {
    status = found_status;
    reason = view_of(found_reason);
    version = found_version;
  }
  void on_field_impl(boost::beast::http::field, text name, text value, failure_code&) override {
    fields.push_back(make_field(view_of(name), view_of(value)));
  }
  void on_header_impl(failure_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, failure_code&) override {}
  std::size_t on_body_impl(text, failure_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, text, failure_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text, failure_code&) override { return 0; }
  void on_finish_impl(failure_code&) override {}
};

// The head was read with every field kept.
inline void compare_with_beast(const request_head_view& head) {
  const beast_reading<true> other(head.raw);
  onceward_assert(other.accepted);
  onceward_assert(other.method == head.method && other.target == head.target);
  onceward_assert(other.version == 10 + static_cast<int>(head.version_minor));
  onceward_assert(std::ranges::equal(other.fields, head.fields));
}

// The head without white space before its colons, which Beast does not take.
inline std::string without_padded_names(std::string_view head) {
  std::string out;
  while (!head.empty()) {
    const std::size_t line_end = head.find('\n') + 1;
    const std::string_view line = head.substr(0, line_end);
    head.remove_prefix(line_end);

    const bool is_status_line = out.empty();
    const std::size_t colon = line.find(':');
    if (is_status_line || colon == std::string_view::npos) {
      out += line;
      continue;
    }
    out += trimmed(line.substr(0, colon));
    out += line.substr(colon);
  }
  return out;
}

inline void compare_with_beast(const response_head_view& head) {
  const std::string unpadded = without_padded_names(head.raw);
  const beast_reading<false> other(unpadded);
  onceward_assert(other.accepted);
  onceward_assert(other.status == head.status && other.reason == head.reason);
  onceward_assert(other.version == 10 + static_cast<int>(head.version_minor));
  onceward_assert(std::ranges::equal(other.fields, head.fields));
}

}  // namespace onceward::http
