#include "tests/simulation/message.h"

#include <charconv>

namespace onceward::simulation {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string_view message::field(std::string_view name) const {
  std::string_view rest = fields;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find(line_end));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
      return line.substr(name.size() + 2);
    rest.remove_prefix(line.size() + line_end.size());
  }
  return {};
}

int message::status() const {
  return static_cast<int>(number_of(std::string_view(start_line).substr(std::min<std::size_t>(start_line.size(), 9))));
}

std::optional<message> message_reader::take() {
  const std::size_t head = bytes_.find(head_end);
  if (head == std::string::npos) return std::nullopt;
  const std::size_t first = bytes_.find(line_end);
  message found;
  found.start_line = bytes_.substr(0, first);
  if (first < head) found.fields = bytes_.substr(first + line_end.size(), head - first);
  const std::size_t length = number_of(found.field("Content-Length"));
  const std::size_t begin = head + head_end.size();
  if (bytes_.size() - begin < length) return std::nullopt;
  found.body = bytes_.substr(begin, length);
  bytes_.erase(0, begin + length);
  return found;
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  return number_of(text.substr(at + name.size()));
}

}  // namespace onceward::simulation
