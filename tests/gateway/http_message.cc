#include "tests/gateway/http_message.h"

#include <cctype>

namespace onceward::test {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

int http_message::status() const {
  return start_line.starts_with("HTTP/") ? std::stoi(start_line.substr(start_line.find(' ') + 1)) : 0;
}

std::optional<std::string> http_message::field(std::string_view name) const {
  std::optional<std::string> joined;
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    at = end + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || lower(line.substr(0, colon)) != lower(name)) continue;
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    const std::string text = value == std::string::npos ? "" : line.substr(value);
    joined = joined ? *joined + ", " + text : text;
  }
  return joined;
}

bool message_reader::fill() {
  const std::string more = from_.read_some();
  unread_ += more;
  return !more.empty();
}

std::optional<std::string> message_reader::read_head() {
  std::size_t end;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string head = unread_.substr(0, end + 4);
  unread_.erase(0, end + 4);
  return head;
}

std::string message_reader::read_bytes(std::size_t count) {
  while (unread_.size() < count && fill()) {
  }
  std::string taken = unread_.substr(0, count);
  unread_.erase(0, count);
  return taken;
}

std::optional<http_message> message_reader::read(bool bodiless) {
  http_message message;
  const auto head = read_head();
  if (!head) return std::nullopt;
  message.head = *head;
  message.start_line = head->substr(0, head->find("\r\n"));
  const int status = message.status();
  if (bodiless || (status >= 100 && status < 200) || status == 204 || status == 304) return message;
  if (!read_body(message)) return std::nullopt;
  return message;
}

bool message_reader::read_body(http_message& message) {
  if (message.has("Transfer-Encoding")) return read_chunks(message.body);
  if (const auto length = message.field("Content-Length")) {
    const std::size_t bytes = std::stoul(*length);
    while (unread_.size() < bytes) {
      if (!fill()) return false;
    }
    message.body = unread_.substr(0, bytes);
    unread_.erase(0, bytes);
    return true;
  }
  if (message.status() == 0) return true;
  while (fill()) {
  }
  message.body.swap(unread_);
  return !from_.was_reset();
}

bool message_reader::read_chunks(std::string& body) {
  while (true) {
    std::size_t line_end;
    while ((line_end = unread_.find("\r\n")) == std::string::npos) {
      if (!fill()) return false;
    }
    const std::size_t bytes = std::stoul(unread_.substr(0, line_end), nullptr, 16);
    while (unread_.size() < line_end + 2 + bytes + 2) {
      if (!fill()) return false;
    }
    body += unread_.substr(line_end + 2, bytes);
    unread_.erase(0, line_end + 2 + bytes + 2);
    if (bytes == 0) return true;
  }
}

}  // namespace onceward::test
