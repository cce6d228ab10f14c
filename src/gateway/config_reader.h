// Takes values out of a document, and says of each that is not what it should be where it is and what it should be.
//
// Reading goes on after an error, so that one run shows all of them: a function without a value has left a finding.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"
#include "gateway/config_document.h"
#include "gateway/config_finding.h"
#include "gateway/config_text.h"

namespace onceward::gateway {

// What the reference says of a key. Also the memory of where a misplaced key belongs.
struct key_description {
  std::string name;
  std::string values;    // "duration, 1ms to 24h"
  std::string fallback;  // As one would write it; empty for a section.
  std::string meaning;
  std::vector<key_description> members = {};
};

// Says why a text is not acceptable, as the rest of a sentence, or nothing.
using text_check = std::optional<std::string> (*)(std::string_view);

class config_reader {
 public:
  // Both outlive the reader.
  config_reader(config_findings& findings, std::span<const key_description> reference)
      : findings_(findings), reference_(reference) {}

  void error(config_position where, std::string text);
  std::size_t errors() const { return errors_; }  // So far.
  bool has_error_at(config_position where) const;
  void warn(config_position where, std::string text);
  // "`name` " and the text, at the value.
  void wrong(std::string_view name, const config_node& node, std::string_view text);
  void unknown(const config_entry& entry, std::span<const std::string_view> known);

  // Null with a finding if the value is something else. A map that was left empty is an empty map.
  const std::string* scalar(std::string_view name, const config_node& node, std::string_view wanted);
  const config_map* map(std::string_view name, const config_node& node);
  // The items of a list; a scalar stands for a list of one, and a list that was left empty is an empty one.
  std::optional<std::span<const config_node>> items(std::string_view name, const config_node& node,
                                                    std::string_view wanted);

  std::optional<std::chrono::milliseconds> duration(std::string_view name, const config_node& node,
                                                    std::chrono::milliseconds least, std::chrono::milliseconds most);
  std::optional<std::uint64_t> bytes(std::string_view name, const config_node& node, std::uint64_t least,
                                     std::uint64_t most);
  std::optional<std::uint64_t> count(std::string_view name, const config_node& node, std::uint64_t least,
                                     std::uint64_t most);
  std::optional<bool> boolean(std::string_view name, const config_node& node);
  // The index of the word.
  std::optional<std::size_t> word(std::string_view name, const config_node& node,
                                  std::span<const std::string_view> words);
  std::optional<std::string> text(std::string_view name, const config_node& node, text_check check);
  // At most `most` items.
  std::optional<std::vector<std::string>> texts(std::string_view name, const config_node& node, text_check check,
                                                std::size_t most);

  // The level that the rules being read belong to.
  core::rule_level level = core::rule_level::built_in;

 private:
  config_findings& findings_;
  std::size_t errors_ = 0;
  std::span<const key_description> reference_;  // borrows: from whoever made the reader, as long as it lives
};

// A key: what it is called and means, and how its value gets into the settings.
template <typename Owner>
struct config_key {
  key_description about;
  std::function<void(config_reader&, const config_entry&, Owner&)> read;
};

template <typename Owner>
using config_keys = std::vector<config_key<Owner>>;

template <typename Owner>
void read_keys(config_reader& reader, const config_map& map, const config_keys<Owner>& keys, Owner& into) {
  for (const config_entry& entry : map.entries) {
    const config_key<Owner>* found = nullptr;
    for (const config_key<Owner>& key : keys) {
      if (key.about.name == entry.name) found = &key;
    }
    if (found != nullptr) {
      found->read(reader, entry, into);
      continue;
    }
    std::vector<std::string_view> known;
    for (const config_key<Owner>& key : keys)
      known.push_back(key.about.name);
    reader.unknown(entry, known);
  }
}

template <typename Owner>
std::vector<key_description> descriptions_of(const config_keys<Owner>& keys) {
  std::vector<key_description> all;
  for (const config_key<Owner>& key : keys)
    all.push_back(key.about);
  return all;
}

}  // namespace onceward::gateway
