// A YAML document as a tree in which every value knows its place. Only the part of YAML that a configuration needs: one
// document of maps with plain keys, lists and scalars. Anchors, aliases and tags are refused, so that a small file
// stays small and means what it shows.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/config_finding.h"

namespace onceward::gateway {

// Beyond any of these the file is refused.
inline constexpr std::size_t config_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t config_depth_max = 16;
inline constexpr std::size_t config_values_max = 20'000;

struct config_node;
struct config_entry;

// Nothing, `~` or `null`.
struct config_null {};

struct config_scalar {
  std::string text;
};

struct config_list {
  std::vector<config_node> items;
};

struct config_map {
  std::vector<config_entry> entries;  // As written; names are unique.

  const config_entry* find(std::string_view name) const;
};

struct config_node {
  config_position where;
  std::variant<config_null, config_scalar, config_list, config_map> value;
};

struct config_entry {
  std::string name;
  config_position where;
  config_node node;
};

// Nothing if the text is no such document; `findings` then says why and where. A name that a map has twice is a finding
// and not kept the second time. An empty text is config_null.
std::optional<config_node> parse_config_document(std::string_view text, config_findings& findings);

}  // namespace onceward::gateway
