// docs/configuration.md lists every key as the tables have it. To write the list anew:
//   ONCEWARD_WRITE_REFERENCE=1 onceward_gateway_test --gtest_filter='config_reference.*'

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/ascii.h"
#include "gateway/config.h"
#include "gateway/config_keys.h"

namespace onceward::gateway {
namespace {

constexpr std::string_view path = ONCEWARD_SOURCE_DIR "/docs/configuration.md";
constexpr std::string_view begin_mark = "<!-- keys: begin -->\n";
constexpr std::string_view end_mark = "<!-- keys: end -->\n";

std::string page() {
  std::ifstream file{std::string(path)};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// As GitHub makes the anchor of a heading.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ') anchor += '-';
    if (base::is_alnum(c) || c == '_' || c == '-') anchor += base::to_lower(c);
  }
  return anchor;
}

// `suffix` tells the sections of rules from those of the whole gateway.
struct renderer {
  std::string out;

  void section(const std::string& title, std::string_view intro, std::span<const key_description> keys,
               const std::string& prefix, const std::string& suffix) {
    out += "## " + title + "\n\n";
    if (!intro.empty()) out += std::string(intro) + "\n\n";
    out += "| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const key_description& key : keys) {
      const bool has_own_section = !key.members.empty() || key.name == "routes";
      std::string meaning = key.meaning;
      if (has_own_section) meaning += " See [below](#" + anchor_of(title_of(prefix + key.name, suffix)) + ").";
      out += "| `" + key.name + "` | " + key.values + " | " + (key.fallback.empty() ? "" : shown(key.fallback)) +
             " | " + meaning + " |\n";
    }
    out += "\n";
    for (const key_description& key : keys) {
      if (key.name == "defaults" || key.name == "routes" || key.members.empty()) continue;
      section(title_of(prefix + key.name, suffix), key.meaning, key.members, prefix + key.name + ".", suffix);
    }
  }

  static std::string title_of(const std::string& name, const std::string& suffix) {
    if (name == "defaults") return "Rules";
    return "`" + name + "`" + suffix;
  }

  // Code, but for words about the default.
  static std::string shown(const std::string& fallback) {
    const bool is_words = fallback == "none" || (fallback.find(' ') != std::string::npos && fallback.front() != '[');
    return is_words ? fallback : "`" + fallback + "`";
  }
};

std::string reference() {
  renderer made;
  const auto& all = configuration_reference();
  made.section("The file", "", all, "", "");
  made.section("`routes`", "Beside the [rules](#rules):", descriptions_of(route_keys()), "", " of a route");
  made.section(
      "Rules",
      "What `defaults` and each route may say. A route starts from its `profile`, or else from that of `defaults`; "
      "over it go the other keys of `defaults`, and over these its own.",
      descriptions_of(policy_keys()), "", " of a route");
  return made.out;
}

TEST(config_reference, lists_every_key_as_it_is_read) {
  std::string text = page();
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + begin_mark.size();
  const std::string expected = "\n" + reference();
  if (std::getenv("ONCEWARD_WRITE_REFERENCE") != nullptr) {
    text.replace(from, end - from, expected);
    std::ofstream{std::string(path)} << text;
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), expected);
}

TEST(config_reference, has_one_meaning_for_every_key) {
  const auto check = [](const auto& self, std::span<const key_description> keys) -> void {
    std::set<std::string> names;
    for (const key_description& key : keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name;
      EXPECT_FALSE(key.meaning.empty()) << key.name;
      EXPECT_FALSE(key.values.empty()) << key.name;
      self(self, key.members);
    }
  };
  check(check, configuration_reference());
}

// Every default in the reference that can be written as it stands is read back as what it is.
TEST(config_reference, tells_defaults_that_are_accepted) {
  std::string text = "defaults:\n";
  for (const key_description& key : descriptions_of(policy_keys())) {
    if (key.members.empty() && key.fallback != "none") text += "  " + key.name + ": " + key.fallback + "\n";
  }
  for (const key_description& key : configuration_reference()) {
    if (key.name == "timeouts" || key.name == "limits" || key.name == "health" || key.name == "log") {
      text += key.name + ":\n";
      for (const key_description& member : key.members)
        text += "  " + member.name + ": " + member.fallback + "\n";
    }
  }
  const configuration read = read_configuration(text);
  for (const config_finding& one : read.findings)
    ADD_FAILURE() << describe(one, text);
  EXPECT_EQ(read.settings.defaults.lease, core::policy{}.lease);
  EXPECT_EQ(read.settings.limits.header_bytes_max, limit_settings{}.header_bytes_max);
}

}  // namespace
}  // namespace onceward::gateway
