#include "gateway/resolution.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "http/characters.h"
#include "http/head_reader.h"

namespace onceward::gateway {
namespace {

using json = nlohmann::json;
using failure = tl::unexpected<std::string>;

tl::expected<std::string, std::string> field_lines(const json& headers) {
  std::string lines;
  for (const auto& [name, value] : headers.items()) {
    if (!value.is_string()) return failure(fmt::format("response.headers.{} must be a string", name));
    const auto& text = value.get_ref<const std::string&>();
    if (name.find_first_of("\r\n") != std::string::npos || text.find_first_of("\r\n") != std::string::npos) {
      return failure("a response header holds a line end");
    }
    lines += fmt::format("{}: {}\r\n", name, text);
  }
  return lines;
}

// The answer is written as a message and read back by the reader of upstreams' answers, so that an operator can store
// nothing that an upstream could not have sent.
tl::expected<resolution, std::string> read_response(const json& response, const core::replay_rules& rules) {
  if (!response.is_object()) return failure("response must be an object with status, headers and body");
  for (const auto& [name, value] : response.items()) {
    if (name != "status" && name != "headers" && name != "body") {
      return failure(fmt::format("response.{} is not known; there are status, headers and body", name));
    }
  }
  const json status = response.value("status", json{});
  if (!status.is_number_unsigned() || status.get<std::uint64_t>() < 200 || status.get<std::uint64_t>() > 599) {
    return failure("response.status must be a number from 200 to 599");
  }
  const json headers = response.value("headers", json::object());
  if (!headers.is_object()) return failure("response.headers must be an object of strings");
  const json body = response.value("body", json(""));
  if (!body.is_string()) return failure("response.body must be a string");
  const auto lines = field_lines(headers);
  if (!lines) return failure(lines.error());

  const auto& text = body.get_ref<const std::string&>();
  const std::string message =
      fmt::format("HTTP/1.1 {} \r\n{}Content-Length: {}\r\n\r\n", status.get<std::uint64_t>(), *lines, text.size());
  http::response_head_reader reader;
  reader.start(http::method_id::post);
  const auto read = reader.feed(message);
  const auto* head = std::get_if<http::response_head_view>(&read);
  if (head == nullptr) {
    const auto* error = std::get_if<http::parse_error>(&read);
    return failure(error == nullptr ? "the response is no complete message"
                                    : std::string(http::describe(*error).detail));
  }
  if (std::holds_alternative<http::no_body>(head->framing) && !text.empty())
    return failure("a response of this status has no body");
  return resolved_completed{rules.keep(*head, text), core::keep_tombstone(*head)};
}

}  // namespace

tl::expected<resolution, std::string> read_resolution(std::string_view text, const core::replay_rules& rules) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return failure("the body must be a JSON object with the member outcome");
  const json outcome = document.value("outcome", json{});
  if (outcome == "release") return resolved_released{};
  if (outcome == "complete") return read_response(document.value("response", json{}), rules);
  return failure("outcome must be \"release\" or \"complete\"");
}

}  // namespace onceward::gateway
