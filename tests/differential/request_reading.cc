// Reads connections from standard input, each with its length in decimal and a line feed before it, and writes for each
// request that it understood one line: method, target and, in hexadecimal, the fields and the body. Then one line with
// how the connection ended: `end`, `incomplete` or the name of the fault.

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

#include "http/body_reader.h"
#include "http/head_reader.h"

namespace {

using namespace onceward::http;

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) / 16];
    text += digits[static_cast<unsigned char>(c) % 16];
  }
  return text;
}

std::string written(const request_head_view& head) {
  std::string line = std::string(head.method) + ' ' + std::string(head.target);
  for (const field_view& field : head.fields)
    line += ' ' + hexadecimal(field.name) + ':' + hexadecimal(field.value);
  return line;
}

// How the body ended, after appending its data.
std::string take_body(body_reader& body, std::string_view& input, std::string& data) {
  while (!body.done()) {
    const auto step = body.consume(input);
    if (const auto* error = std::get_if<parse_error>(&step)) return std::string(name_of(*error));
    const auto& progress = std::get<body_progress>(step);
    data += progress.data;
    input.remove_prefix(progress.consumed);
    if (progress.consumed == 0 && input.empty()) return "incomplete";
  }
  return "";
}

void read_connection(std::string_view input) {
  request_head_reader reader({}, underscore_policy::keep);
  while (true) {
    const auto outcome = reader.feed(input);
    if (const auto* error = std::get_if<parse_error>(&outcome)) {
      std::cout << name_of(*error) << '\n';
      return;
    }
    if (std::holds_alternative<need_more>(outcome)) {
      std::cout << (reader.idle() ? "end\n" : "incomplete\n");
      return;
    }
    const auto& head = std::get<request_head_view>(outcome);
    std::string line = written(head);
    input.remove_prefix(head.bytes);
    body_reader body(head.framing, {});
    std::string data;
    const std::string fault = take_body(body, input, data);
    if (!fault.empty()) {
      std::cout << fault << '\n';
      return;
    }
    std::cout << line << " | " << hexadecimal(data) << '\n';
    reader.next();
  }
}

}  // namespace

int main() {
  const std::string all{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::size_t line_end = rest.find('\n');
    const std::size_t size = std::stoul(std::string(rest.substr(0, line_end)));
    read_connection(rest.substr(line_end + 1, size));
    rest.remove_prefix(line_end + 1 + size);
  }
  return 0;
}
