// The kinds of keys. Each makes a key of a struct from a member of it, so that the name in the file, the range that is
// checked, and what the reference says about both are written once.
//
// A member is a pointer to member, or a function from the struct to the value.
#pragma once

#include <array>
#include <functional>
#include <type_traits>
#include <utility>

#include "gateway/config_reader.h"

namespace onceward::gateway {

// The last part of a description: the default of a freshly made Owner, as `show` writes it.
template <typename Owner, typename Member, typename Show>
std::string fallback_of(Member member, Show show) {
  const Owner fresh{};
  return show(std::invoke(member, fresh));
}

// How lists and texts are shown in the reference.
std::string shown(std::string_view text);
std::string shown(const std::vector<std::string>& texts);
std::string range_shown(std::string_view kind, const std::string& least, const std::string& most);
std::string words_shown(std::span<const std::string_view> words);

template <typename Owner, typename Member>
config_key<Owner> duration_key(std::string name, Member member, std::chrono::milliseconds least,
                               std::chrono::milliseconds most, std::string meaning) {
  return {{name, range_shown("duration", duration_text(least), duration_text(most)),
           fallback_of<Owner>(member, duration_text), std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            if (const auto value = reader.duration(name, entry.node, least, most)) std::invoke(member, owner) = *value;
          }};
}

template <typename Owner, typename Member>
config_key<Owner> bytes_key(std::string name, Member member, std::uint64_t least, std::uint64_t most,
                            std::string meaning) {
  return {{name, range_shown("size", bytes_text(least), bytes_text(most)), fallback_of<Owner>(member, bytes_text),
           std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            if (const auto value = reader.bytes(name, entry.node, least, most)) std::invoke(member, owner) = *value;
          }};
}

template <typename Owner, typename Member>
config_key<Owner> count_key(std::string name, Member member, std::uint64_t least, std::uint64_t most,
                            std::string meaning) {
  const auto show = [](auto value) { return std::to_string(value); };
  return {{name, range_shown("number", std::to_string(least), std::to_string(most)), fallback_of<Owner>(member, show),
           std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            const auto value = reader.count(name, entry.node, least, most);
            if (!value) return;
            using target = std::remove_cvref_t<decltype(std::invoke(member, owner))>;
            std::invoke(member, owner) = static_cast<target>(*value);
          }};
}

template <typename Owner, typename Member>
config_key<Owner> boolean_key(std::string name, Member member, std::string meaning) {
  const auto show = [](bool value) { return std::string(value ? "true" : "false"); };
  return {{name, "`true`, `false`", fallback_of<Owner>(member, show), std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            if (const auto value = reader.boolean(name, entry.node)) std::invoke(member, owner) = *value;
          }};
}

// One of a few words, each with its value. Words are literals.
template <typename Value, std::size_t Size>
struct word_table {
  std::array<std::string_view, Size> words;  // borrows: literals, for ever
  std::array<Value, Size> values;
};

template <typename Owner, typename Member, typename Value, std::size_t Size>
config_key<Owner> word_key(std::string name, Member member, const word_table<Value, Size>& table, std::string meaning) {
  const auto show = [&](Value value) {
    for (std::size_t i = 0; i < Size; ++i) {
      if (table.values[i] == value) return std::string(table.words[i]);
    }
    return std::string{};
  };
  return {{name, words_shown(table.words), fallback_of<Owner>(member, show), std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            const auto index = reader.word(name, entry.node, table.words);
            if (index) std::invoke(member, owner) = table.values[*index];
          }};
}

template <typename Owner, typename Member>
config_key<Owner> text_key(std::string name, Member member, text_check check, std::string kind, std::string meaning) {
  return {{name, std::move(kind), fallback_of<Owner>(member, [](const auto& value) { return shown(value); }),
           std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            if (auto value = reader.text(name, entry.node, check)) std::invoke(member, owner) = std::move(*value);
          }};
}

template <typename Owner, typename Member>
config_key<Owner> texts_key(std::string name, Member member, text_check check, std::size_t most, std::string kind,
                            std::string meaning) {
  return {{name, "list of " + kind + ", at most " + std::to_string(most),
           fallback_of<Owner>(member, [](const auto& value) { return shown(value); }), std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            if (auto values = reader.texts(name, entry.node, check, most)) {
              std::invoke(member, owner) = std::move(*values);
            }
          }};
}

// A map of further keys.
template <typename Owner, typename Member, typename Section>
config_key<Owner> section_key(std::string name, Member member, config_keys<Section> keys, std::string meaning) {
  return {{name, "map", "", std::move(meaning), descriptions_of(keys)},
          [=](config_reader& reader, const config_entry& entry, Owner& owner) {
            if (const config_map* map = reader.map(name, entry.node)) {
              read_keys(reader, *map, keys, std::invoke(member, owner));
            }
          }};
}

}  // namespace onceward::gateway
