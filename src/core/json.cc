#include "core/json.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "core/limits.h"

namespace onceward::core {

// One pass over the text. Arrays and objects recurse, json_depth_max deep at most.
class json_parser {
 public:
  json_parser(std::string_view text, json_document& document) : text_(text), document_(document) {}

  std::optional<errc> run() {
    // One allocation for each table of a small document.
    const std::size_t values = std::min<std::size_t>(text_.size() / 8 + 2, 64);
    document_.nodes_.reserve(values);
    document_.children_.reserve(values);
    pending_.reserve(values);

    skip_white_space();
    if (value(0, document_.root_)) {
      skip_white_space();
      if (at_ == text_.size()) return std::nullopt;
    }
    return fault_;
  }

 private:
  using node = json_document::node;

  bool more() const { return at_ < text_.size(); }

  bool take(char expected) {
    if (!more() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  void skip_white_space() {
    while (more() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  std::uint32_t add(node added) {
    document_.nodes_.push_back(added);
    return static_cast<std::uint32_t>(document_.nodes_.size() - 1);
  }

  bool value(std::size_t depth, std::uint32_t& index) {
    if (!more()) return false;
    if (document_.nodes_.size() >= json_values_max) return too_large();
    switch (text_[at_]) {
      case '{':
        return object(depth + 1, index);
      case '[':
        return array(depth + 1, index);
      case '"':
        return string_value(index);
      case 't':
        return literal("true", json_kind::boolean, index);
      case 'f':
        return literal("false", json_kind::boolean, index);
      case 'n':
        return literal("null", json_kind::null, index);
      default:
        return number(index);
    }
  }

  bool literal(std::string_view word, json_kind kind, std::uint32_t& index) {
    if (text_.substr(at_, word.size()) != word) return false;
    index = add({.kind = kind, .text = text_.substr(at_, word.size())});
    at_ += word.size();
    return true;
  }

  bool digits() {
    const std::size_t start = at_;
    while (more() && base::is_digit(text_[at_]))
      ++at_;
    return at_ != start;
  }

  bool number(std::uint32_t& index) {
    const std::size_t start = at_;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    index = add({.kind = json_kind::number, .text = text_.substr(start, at_ - start)});
    return true;
  }

  bool string_value(std::uint32_t& index) {
    std::string_view content;
    if (!string(content)) return false;
    index = add({.kind = json_kind::string, .text = content});
    return true;
  }

  // Most strings have no escapes and are views into the text.
  bool string(std::string_view& content) {
    if (!take('"')) return false;
    const std::size_t start = at_;
    while (more()) {
      const char c = text_[at_];
      if (c == '"') {
        content = text_.substr(start, at_ - start);
        ++at_;
        return true;
      }
      if (c == '\\') return string_with_escapes(start, content);
      if (!character()) return false;
    }
    return false;
  }

  // One unescaped character.
  bool character() {
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte < 0x20) return false;
    const std::size_t length = byte < 0x80 ? 1 : base::utf8_length(text_.substr(at_, 4));
    at_ += length;
    return length != 0;
  }

  bool string_with_escapes(std::size_t start, std::string_view& content) {
    // What a string says is never longer than how it is written, so one block of the text's length holds them all.
    if (!document_.unescaped_) document_.unescaped_ = std::make_unique_for_overwrite<char[]>(text_.size());
    char* const begin = document_.unescaped_.get() + unescaped_used_;
    char* out = begin;
    std::memcpy(out, text_.data() + start, at_ - start);
    out += at_ - start;
    while (more()) {
      if (take('"')) {
        content = {begin, static_cast<std::size_t>(out - begin)};
        unescaped_used_ += content.size();
        return true;
      }
      if (take('\\')) {
        if (!escape(out)) return false;
        continue;
      }
      const std::size_t from = at_;
      if (!character()) return false;
      std::memcpy(out, text_.data() + from, at_ - from);
      out += at_ - from;
    }
    return false;
  }

  bool escape(char*& out) {
    if (!more()) return false;
    const char c = text_[at_++];
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *out++ = c;
        return true;
      case 'b':
        *out++ = '\b';
        return true;
      case 'f':
        *out++ = '\f';
        return true;
      case 'n':
        *out++ = '\n';
        return true;
      case 'r':
        *out++ = '\r';
        return true;
      case 't':
        *out++ = '\t';
        return true;
      case 'u':
        return unicode_escape(out);
      default:
        return false;
    }
  }

  bool unicode_escape(char*& out) {
    std::uint32_t unit = 0;
    if (!four_hex_digits(unit)) return false;
    const bool is_high = unit >= 0xd800 && unit <= 0xdbff;
    if (is_high && text_.substr(at_, 2) == "\\u") {
      const std::size_t before = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (!four_hex_digits(low)) return false;
      if (low >= 0xdc00 && low <= 0xdfff) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      } else {
        at_ = before;
      }
    }
    out += base::put_utf8(out, unit);
    return true;
  }

  bool four_hex_digits(std::uint32_t& unit) {
    if (text_.size() - at_ < 4) return false;
    for (int i = 0; i < 4; ++i) {
      const int digit = base::hex_digit_value(text_[at_++]);
      if (digit < 0) return false;
      unit = unit * 16 + static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  bool array(std::size_t depth, std::uint32_t& index) {
    if (!enter(depth)) return false;
    const std::size_t first = pending_.size();
    skip_white_space();
    if (!take(']')) {
      do {
        std::uint32_t element = 0;
        skip_white_space();
        if (!value(depth, element)) return false;
        pending_.push_back(element);
        skip_white_space();
      } while (take(','));
      if (!take(']')) return false;
    }
    index = close(json_kind::array, first);
    return true;
  }

  bool object(std::size_t depth, std::uint32_t& index) {
    if (!enter(depth)) return false;
    const std::size_t first = pending_.size();
    skip_white_space();
    if (!take('}')) {
      do {
        std::string_view name;
        std::uint32_t member = 0;
        skip_white_space();
        if (!string(name)) return false;
        skip_white_space();
        if (!take(':')) return false;
        skip_white_space();
        if (!value(depth, member)) return false;
        document_.nodes_[member].name = name;
        pending_.push_back(member);
        skip_white_space();
      } while (take(','));
      if (!take('}')) return false;
    }
    index = close(json_kind::object, first);
    return true;
  }

  bool enter(std::size_t depth) {
    ++at_;
    return depth <= json_depth_max || too_large();
  }

  bool too_large() {
    fault_ = errc::too_large;
    return false;
  }

  // Moves the children of one array or object, pending since `first`, to where they stay.
  std::uint32_t close(json_kind kind, std::size_t first) {
    const auto name = [this](std::uint32_t child) { return document_.nodes_[child].name; };
    const auto name_then_place = [&](std::uint32_t child) { return std::pair(name(child), child); };
    const auto begin = pending_.begin() + static_cast<std::ptrdiff_t>(first);
    bool duplicates = false;
    if (kind == json_kind::object) {
      std::ranges::sort(begin, pending_.end(), {}, name_then_place);
      duplicates = std::ranges::adjacent_find(begin, pending_.end(), {}, name) != pending_.end();
      document_.has_duplicate_names_ |= duplicates;
    }
    const node closed{.kind = kind,
                      .duplicates = duplicates,
                      .first_child = static_cast<std::uint32_t>(document_.children_.size()),
                      .children = static_cast<std::uint32_t>(pending_.size() - first)};
    document_.children_.insert(document_.children_.end(), begin, pending_.end());
    pending_.resize(first);
    return add(closed);
  }

  std::string_view text_;
  json_document& document_;
  std::size_t at_ = 0;
  std::size_t unescaped_used_ = 0;
  std::vector<std::uint32_t> pending_;
  errc fault_ = errc::invalid;
};

result<json_document> json_document::parse(std::string_view text) {
  json_document document;
  if (const auto fault = json_parser(text, document).run()) return tl::unexpected(*fault);
  return document;
}

json_kind json_value::kind() const {
  return document_->nodes_[node_].kind;
}
std::string_view json_value::text() const {
  return document_->nodes_[node_].text;
}
std::size_t json_value::size() const {
  return document_->nodes_[node_].children;
}
bool json_value::has_duplicate_names() const {
  return document_->nodes_[node_].duplicates;
}

json_value json_value::at(std::size_t index) const {
  onceward_assert(index < size());
  return {*document_, document_->children_[document_->nodes_[node_].first_child + index]};
}

std::string_view json_value::name_at(std::size_t index) const {
  return document_->nodes_[at(index).node_].name;
}

result<json_pointer> json_pointer::parse(std::string_view text) {
  if (text.size() > json_pointer_bytes_max) return tl::unexpected(errc::too_large);
  if (!text.empty() && text.front() != '/') return tl::unexpected(errc::invalid);
  json_pointer pointer;
  pointer.text_ = text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      pointer.tokens_.emplace_back();
      continue;
    }
    char c = text[i];
    if (c == '~') {
      if (++i == text.size() || (text[i] != '0' && text[i] != '1')) return tl::unexpected(errc::invalid);
      c = text[i] == '0' ? '~' : '/';
    }
    pointer.tokens_.back().push_back(c);
  }
  if (pointer.tokens_.size() > json_pointer_tokens_max) return tl::unexpected(errc::too_large);
  return pointer;
}

namespace {

json_found find_member(json_value object, std::string_view name) {
  json_found found = json_absent{};
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (object.name_at(i) != name) continue;
    if (!std::holds_alternative<json_absent>(found)) return json_ambiguous{};
    found = object.at(i);
  }
  return found;
}

json_found find_element(json_value array, std::string_view token) {
  const std::optional<std::uint64_t> index = base::parse_decimal(token);
  const bool has_leading_zero = token.size() > 1 && token.front() == '0';
  if (!index || has_leading_zero || *index >= array.size()) return json_absent{};
  return array.at(*index);
}

// The escape of the character that `text` begins with, and how many bytes of the text it stands for; nothing where the
// character stands for itself.
struct escaped_character {
  std::array<char, 6> bytes;
  std::size_t size = 0;
  std::size_t stands_for = 1;
};

escaped_character escape_of(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  switch (text[0]) {
    case '"':
      return {{'\\', '"'}, 2};
    case '\\':
      return {{'\\', '\\'}, 2};
    case '\b':
      return {{'\\', 'b'}, 2};
    case '\f':
      return {{'\\', 'f'}, 2};
    case '\n':
      return {{'\\', 'n'}, 2};
    case '\r':
      return {{'\\', 'r'}, 2};
    case '\t':
      return {{'\\', 't'}, 2};
    default:
      break;
  }
  if (byte(0) < 0x20) return {{'\\', 'u', '0', '0', hex[byte(0) >> 4], hex[byte(0) & 15]}, 6};
  if (byte(0) != 0xed || byte(1) < 0xa0) return {};
  // A lone surrogate, as its three bytes, has no form but its escape.
  const std::size_t low_bits = (byte(1) & 3u) << 2 | ((byte(2) >> 4) & 3u);
  return {{'\\', 'u', 'd', hex[(byte(1) >> 2) & 15], hex[low_bits], hex[byte(2) & 15]}, 6, 3};
}

// The bytes with which something begins that has an escape, or may have one.
constexpr auto begins_escape = [] {
  std::array<bool, 256> table{};
  std::fill_n(table.begin(), 0x20, true);
  table['"'] = table['\\'] = table[0xed] = true;
  return table;
}();

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!begins_escape[static_cast<unsigned char>(text[i])]) continue;
    const escaped_character escaped = escape_of(text.substr(i));
    if (escaped.size == 0) continue;
    out.append(text, plain, i - plain);
    out.append(escaped.bytes.data(), escaped.size);
    plain = i + escaped.stands_for;
    i = plain - 1;
  }
  out.append(text, plain);
  out.push_back('"');
}

}  // namespace

json_found find(json_value from, const json_pointer& pointer) {
  json_found found = from;
  for (const std::string& token : pointer.tokens()) {
    const json_value* here = std::get_if<json_value>(&found);
    if (here == nullptr) return found;
    switch (here->kind()) {
      case json_kind::object:
        found = find_member(*here, token);
        break;
      case json_kind::array:
        found = find_element(*here, token);
        break;
      case json_kind::null:
      case json_kind::boolean:
      case json_kind::number:
      case json_kind::string:
        return json_absent{};
    }
  }
  return found;
}

void append_canonical(std::string& out, json_value value, std::span<const json_value> without) {
  const json_kind kind = value.kind();
  if (kind == json_kind::string) return append_string(out, value.text());
  if (kind != json_kind::array && kind != json_kind::object) {
    out += value.text();
    return;
  }
  const bool is_object = kind == json_kind::object;
  out.push_back(is_object ? '{' : '[');
  bool first = true;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const json_value child = value.at(i);
    if (std::ranges::find(without, child) != without.end()) continue;
    if (!first) out.push_back(',');
    first = false;
    if (is_object) {
      append_string(out, value.name_at(i));
      out.push_back(':');
    }
    append_canonical(out, child, without);
  }
  out.push_back(is_object ? '}' : ']');
}

}  // namespace onceward::core
