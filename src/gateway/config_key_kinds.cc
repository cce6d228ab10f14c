#include "gateway/config_key_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onceward::gateway {

std::string shown(std::string_view text) {
  return text.empty() ? "none" : std::string(text);
}

std::string shown(const std::vector<std::string>& texts) {
  return texts.empty() ? "none" : fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string range_shown(std::string_view kind, const std::string& least, const std::string& most) {
  return fmt::format("{}, {} to {}", kind, least, most);
}

std::string words_shown(std::span<const std::string_view> words) {
  return fmt::format("`{}`", fmt::join(words, "`, `"));
}

}  // namespace onceward::gateway
