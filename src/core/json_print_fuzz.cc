// The input grows a JSON document and says how it is written: one document written in two ways has one fingerprint, and
// one edit of what it says, anywhere in it, gives another.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "core/fingerprint.h"

namespace {

using namespace onceward::core;

// What is not there reads as zeros.
class dice {
 public:
  explicit dice(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t below(std::size_t bound) {
    if (bytes_.empty() || bound < 2) return 0;
    const std::size_t rolled = bytes_.front() % bound;
    bytes_ = bytes_.subspan(1);
    return rolled;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

// A string is code points, of which a lone surrogate may be one: it can be written as an escape.
using text = std::u32string;

struct value {
  json_kind kind = json_kind::null;
  text name = {};  // Of an object's member.
  bool truth = false;
  std::string number = {};
  text content = {};
  std::vector<value> children = {};
};

constexpr std::size_t depth_max = 5;
constexpr std::size_t children_max = 5;
constexpr std::size_t code_points_max = 6;

constexpr char32_t code_points[] = {U'a', U'b',    U'"',      U'\\',     U'/',      U'\0',         U'\n', U'\x1f',
                                    U'~', U'\x7f', U'\u00e9', U'\u6f22', U'\uffff', U'\U0001f600', U'{',  0xdc00};
constexpr std::string_view numbers[] = {
    "0", "-0", "1", "1.0", "10e-1", "1e0", "1E0", "-1", "0.1", "9007199254740993", "9007199254740992", "1e400"};

text grow_text(dice& roll) {
  text grown;
  for (std::size_t left = roll.below(code_points_max); left > 0; --left)
    grown += code_points[roll.below(std::size(code_points))];
  return grown;
}

bool has_name(const value& object, const text& name) {
  return std::any_of(object.children.begin(), object.children.end(),
                     [&](const value& child) { return child.name == name; });
}

value grow(dice& roll, std::size_t depth) {
  value grown{.kind = static_cast<json_kind>(roll.below(depth < depth_max ? 6 : 4)), .truth = roll.below(2) != 0};
  grown.number = numbers[roll.below(std::size(numbers))];
  if (grown.kind == json_kind::string) grown.content = grow_text(roll);
  if (grown.kind != json_kind::array && grown.kind != json_kind::object) return grown;
  for (std::size_t left = roll.below(children_max); left > 0; --left) {
    const bool named = grown.kind == json_kind::object;
    text name = named ? grow_text(roll) : text{};
    value child = grow(roll, depth + 1);
    if (named && has_name(grown, name)) continue;
    child.name = std::move(name);
    grown.children.push_back(std::move(child));
  }
  return grown;
}

// ---- Writing it in one of many ways --------------------------------------------------------------------------------

void write_space(std::string& out, dice& style) {
  constexpr std::string_view spaces[] = {"", "", "", " ", "\n", "\t\r\n  "};
  out += spaces[style.below(std::size(spaces))];
}

void write_escape(std::string& out, std::uint32_t unit, dice& style) {
  const std::string_view digits = style.below(2) == 0 ? "0123456789abcdef" : "0123456789ABCDEF";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4)
    out += digits[unit >> shift & 15U];
}

void write_utf8(std::string& out, std::uint32_t point) {
  const std::uint32_t more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  constexpr std::uint32_t first_bits[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(first_bits[more] | point >> (6 * more));
  for (std::uint32_t left = more; left > 0; --left)
    out += static_cast<char>(0x80U | (point >> (6 * (left - 1)) & 0x3fU));
}

void write(std::string& out, const text& content, dice& style) {
  out += '"';
  for (const char32_t each : content) {
    const auto point = static_cast<std::uint32_t>(each);
    const bool is_surrogate = point >= 0xd800 && point < 0xe000;
    const bool must_escape = point < 0x20 || point == '"' || point == '\\' || is_surrogate;
    const std::size_t how = style.below(4);
    if (how == 0 && (point == '"' || point == '\\' || point == '/')) {
      out += '\\';
      out += static_cast<char>(point);
    } else if (how == 0 && point == '\n') {
      out += "\\n";
    } else if (!must_escape && how < 3) {
      write_utf8(out, point);
    } else if (point >= 0x10000) {
      write_escape(out, 0xd800U + ((point - 0x10000U) >> 10), style);
      write_escape(out, 0xdc00U + ((point - 0x10000U) & 0x3ffU), style);
    } else {
      write_escape(out, point, style);
    }
  }
  out += '"';
}

void write(std::string& out, const value& from, dice& style);

void write_children(std::string& out, const value& from, dice& style) {
  const bool named = from.kind == json_kind::object;
  out += named ? '{' : '[';
  write_space(out, style);
  // An object's members may come in any order.
  const std::size_t first = named && !from.children.empty() ? style.below(from.children.size()) : 0;
  for (std::size_t i = 0; i < from.children.size(); ++i) {
    const value& child = from.children[(first + i) % from.children.size()];
    if (i > 0) out += ',';
    write_space(out, style);
    if (named) {
      write(out, child.name, style);
      write_space(out, style);
      out += ':';
    }
    write(out, child, style);
  }
  out += named ? '}' : ']';
}

void write(std::string& out, const value& from, dice& style) {
  write_space(out, style);
  switch (from.kind) {
    case json_kind::null:
      out += "null";
      break;
    case json_kind::boolean:
      out += from.truth ? "true" : "false";
      break;
    case json_kind::number:
      out += from.number;
      break;
    case json_kind::string:
      write(out, from.content, style);
      break;
    case json_kind::array:
    case json_kind::object:
      write_children(out, from, style);
      break;
  }
  write_space(out, style);
}

// ---- An edit of what it says ---------------------------------------------------------------------------------------

value& some_place(value& root, dice& roll) {
  value* place = &root;
  while (!place->children.empty() && roll.below(4) != 0)
    place = &place->children[roll.below(place->children.size())];
  return *place;
}

template <typename Text, typename Unit>
void edit_text(Text& content, Unit other, dice& roll) {
  const std::size_t at = roll.below(content.size() + 1);
  if (at == content.size()) {
    content += other;
  } else if (roll.below(2) == 0) {
    content.erase(at, 1);
  } else {
    content[at] = content[at] == other ? Unit{'z'} : other;
  }
}

text unused_name(const value& object) {
  text name = U"n";
  while (has_name(object, name))
    name += U'n';
  return name;
}

void edit_children(value& whole, dice& roll) {
  const bool named = whole.kind == json_kind::object;
  const std::size_t at = roll.below(whole.children.size() + 1);
  if (at == whole.children.size()) {
    whole.children.push_back({.name = named ? unused_name(whole) : text{}});
  } else if (named && roll.below(2) == 0) {
    whole.children[at].name = unused_name(whole);
  } else {
    whole.children.erase(whole.children.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void edit(value& whole, dice& roll) {
  value& place = some_place(whole, roll);
  if (roll.below(4) == 0) {  // Something else altogether.
    place.kind = place.kind == json_kind::null ? json_kind::boolean : json_kind::null;
    return;
  }
  switch (place.kind) {
    case json_kind::null:
      place.kind = json_kind::array;
      break;
    case json_kind::boolean:
      place.truth = !place.truth;
      break;
    case json_kind::number:  // The same number in other words counts as another one.
      place.number = place.number == numbers[2] ? numbers[3] : numbers[2];
      break;
    case json_kind::string:
      edit_text(place.content, code_points[roll.below(std::size(code_points))], roll);
      break;
    case json_kind::array:
    case json_kind::object:
      edit_children(place, roll);
      break;
  }
}

onceward::shared_bytes print_of(const value& body, dice& style) {
  static const deployment_secret secret("a secret of this fuzz target");
  static const fingerprint_recipe recipe = [] {
    fingerprint_policy rules;
    rules.body = body_recipe::json;
    return *fingerprint_recipe::make(rules);
  }();
  std::string written;
  write(written, body, style);
  return make_fingerprint(secret, recipe, "POST", "/", {}, written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> input(data, size);
  const std::size_t quarter = size / 4;
  dice shape(input.first(size - 2 * quarter));
  dice style(input.last(2 * quarter).first(quarter));
  dice other_style(input.last(quarter));

  value body = grow(shape, 0);
  const auto print = print_of(body, style);
  onceward_assert(same_request(*print, *print_of(body, other_style)));
  edit(body, shape);
  const auto edited = print_of(body, other_style);
  onceward_assert(!same_request(*print, *edited));
  onceward_assert(!differing_parts(*print, *edited).empty());
  return 0;
}
