#include "gateway/config_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace onceward::gateway {
namespace {

std::string_view kind_of(const config_node& node) {
  struct {
    std::string_view operator()(const config_null&) const { return "nothing"; }
    std::string_view operator()(const config_scalar&) const { return "one value"; }
    std::string_view operator()(const config_list&) const { return "a list"; }
    std::string_view operator()(const config_map&) const { return "a map"; }
  } constexpr name;
  return std::visit(name, node.value);
}

// The paths of all keys of this name, in the order of the reference.
void find_places(std::span<const key_description> keys, std::string_view name, const std::string& path,
                 std::vector<std::string>& places) {
  for (const key_description& key : keys) {
    if (key.name == name && !path.empty()) places.push_back(path);
    find_places(key.members, name, path.empty() ? key.name : path + "." + key.name, places);
  }
}

template <typename T>
std::optional<T> in_range(config_reader& reader, std::string_view name, const config_node& node, const parsed<T>& value,
                          T least, T most, std::string (*show)(T)) {
  if (!value) {
    reader.wrong(name, node, value.error());
    return std::nullopt;
  }
  if (*value < least || *value > most) {
    reader.wrong(name, node, fmt::format("must be from {} to {}, not {}", show(least), show(most), show(*value)));
    return std::nullopt;
  }
  return *value;
}

std::string count_text(std::uint64_t value) {
  return fmt::format("{}", value);
}

}  // namespace

void config_reader::error(config_position where, std::string text) {
  ++errors_;
  findings_.push_back({config_severity::error, where, std::move(text)});
}

bool config_reader::has_error_at(config_position where) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const config_finding& one) {
    return one.severity == config_severity::error && one.where == where;
  });
}

void config_reader::warn(config_position where, std::string text) {
  findings_.push_back({config_severity::warning, where, std::move(text)});
}

void config_reader::wrong(std::string_view name, const config_node& node, std::string_view text) {
  error(node.where, fmt::format("{} {}", in_quotes(name), text));
}

void config_reader::unknown(const config_entry& entry, std::span<const std::string_view> known) {
  std::string hint = did_you_mean(entry.name, known);
  if (hint.empty()) {
    std::vector<std::string> places;
    find_places(reference_, entry.name, "", places);
    constexpr std::size_t places_shown_max = 2;
    places.resize(std::min(places.size(), places_shown_max));
    if (!places.empty()) hint = fmt::format("; it belongs under `{}`", fmt::join(places, "` or `"));
  }
  if (hint.empty()) hint = fmt::format("; known here: {}", fmt::join(known, ", "));
  error(entry.where, fmt::format("unknown key {}{}", in_quotes(entry.name), hint));
}

const std::string* config_reader::scalar(std::string_view name, const config_node& node, std::string_view wanted) {
  if (const auto* found = std::get_if<config_scalar>(&node.value)) return &found->text;
  wrong(name, node, fmt::format("must be {}, not {}", wanted, kind_of(node)));
  return nullptr;
}

const config_map* config_reader::map(std::string_view name, const config_node& node) {
  static const config_map nothing;
  if (std::holds_alternative<config_null>(node.value)) return &nothing;
  if (const auto* found = std::get_if<config_map>(&node.value)) return found;
  wrong(name, node, fmt::format("must be a map, not {}", kind_of(node)));
  return nullptr;
}

std::optional<std::span<const config_node>> config_reader::items(std::string_view name, const config_node& node,
                                                                 std::string_view wanted) {
  if (std::holds_alternative<config_null>(node.value)) return std::span<const config_node>{};
  if (std::holds_alternative<config_scalar>(node.value)) return std::span{&node, 1};
  if (const auto* found = std::get_if<config_list>(&node.value)) return found->items;
  wrong(name, node, fmt::format("must be {}, not {}", wanted, kind_of(node)));
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> config_reader::duration(std::string_view name, const config_node& node,
                                                                 std::chrono::milliseconds least,
                                                                 std::chrono::milliseconds most) {
  const std::string* found = scalar(name, node, "a duration such as 10s");
  if (found == nullptr) return std::nullopt;
  return in_range<std::chrono::milliseconds>(*this, name, node, parse_duration(*found), least, most, duration_text);
}

std::optional<std::uint64_t> config_reader::bytes(std::string_view name, const config_node& node, std::uint64_t least,
                                                  std::uint64_t most) {
  const std::string* found = scalar(name, node, "a size such as 64KiB");
  if (found == nullptr) return std::nullopt;
  return in_range<std::uint64_t>(*this, name, node, parse_bytes(*found), least, most, bytes_text);
}

std::optional<std::uint64_t> config_reader::count(std::string_view name, const config_node& node, std::uint64_t least,
                                                  std::uint64_t most) {
  const std::string* found = scalar(name, node, "a whole number");
  if (found == nullptr) return std::nullopt;
  return in_range<std::uint64_t>(*this, name, node, parse_count(*found), least, most, count_text);
}

std::optional<bool> config_reader::boolean(std::string_view name, const config_node& node) {
  const std::string* found = scalar(name, node, "true or false");
  if (found == nullptr) return std::nullopt;
  const parsed<bool> value = parse_boolean(*found);
  if (value) return *value;
  wrong(name, node, value.error());
  return std::nullopt;
}

std::optional<std::size_t> config_reader::word(std::string_view name, const config_node& node,
                                               std::span<const std::string_view> words) {
  const std::string wanted = fmt::format("{}", fmt::join(words, ", "));
  const std::string* found = scalar(name, node, words.size() == 1 ? wanted : "one of " + wanted);
  if (found == nullptr) return std::nullopt;
  const auto at = std::find(words.begin(), words.end(), *found);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  wrong(name, node,
        fmt::format("must be {}{}, not {}{}", words.size() == 1 ? "" : "one of ", wanted, in_quotes(*found),
                    did_you_mean(*found, words)));
  return std::nullopt;
}

std::optional<std::string> config_reader::text(std::string_view name, const config_node& node, text_check check) {
  const std::string* found = scalar(name, node, "one value");
  if (found == nullptr) return std::nullopt;
  const std::optional<std::string> objection = check(*found);
  if (!objection) return *found;
  wrong(name, node, *objection);
  return std::nullopt;
}

std::optional<std::vector<std::string>> config_reader::texts(std::string_view name, const config_node& node,
                                                             text_check check, std::size_t most) {
  const auto found = items(name, node, "a list");
  if (!found) return std::nullopt;
  if (found->size() > most) {
    wrong(name, node, fmt::format("has {} items; at most {} are read", found->size(), most));
    return std::nullopt;
  }
  std::vector<std::string> values;
  bool complete = true;
  for (const config_node& item : *found) {
    std::optional<std::string> value = text(name, item, check);
    complete = complete && value.has_value();
    if (value) values.push_back(std::move(*value));
  }
  if (!complete) return std::nullopt;
  return values;
}

}  // namespace onceward::gateway
