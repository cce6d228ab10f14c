// HTTP messages as those outside write and read them: no more of it than clients and upstreams of a simulation need,
// and nothing of ours, because what we do with HTTP is what is under test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onceward::simulation {

struct message {
  std::string start_line;
  std::string fields;  // Lines, each with its end.
  std::string body;

  // Empty where there is none.
  std::string_view field(std::string_view name) const;
  // Of a response.
  int status() const;
};

// Gathers bytes until there is a whole message.
class message_reader {
 public:
  void append(std::string_view bytes) { bytes_ += bytes; }
  // The next message with a Content-Length, or without a body. Removes it.
  std::optional<message> take();
  bool empty() const { return bytes_.empty(); }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

// The number behind `name` in a text like "answer=17 of=3"; nothing if it is not there.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name);

}  // namespace onceward::simulation
