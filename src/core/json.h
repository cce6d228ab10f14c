// JSON as a fingerprint needs it (RFC 8259, strictly): numbers stay the text that was sent, strings are compared by
// what they say and not by how they are escaped, and nothing is guessed about text that is not JSON.
//
// RFC 8785 is not used: it reads numbers as doubles, under which two large amounts can be equal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onceward/result.h"

namespace onceward::core {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

class json_document;

// A place in a document; valid as long as the document and the text that it was parsed from.
class json_value {
 public:
  json_kind kind() const;

  // A string's content as UTF-8, without its escapes (a lone surrogate as its three bytes); a number's or a literal's
  // text; empty for arrays and objects.
  std::string_view text() const;

  // Elements or members; 0 for everything else. Members are in the order of their names' code points.
  std::size_t size() const;
  json_value at(std::size_t index) const;
  std::string_view name_at(std::size_t index) const;  // Objects only.

  // Whether two members of this object have one name.
  bool has_duplicate_names() const;

  friend bool operator==(const json_value&, const json_value&) = default;

 private:
  friend class json_document;
  json_value(const json_document& document, std::uint32_t node) : document_(&document), node_(node) {}

  const json_document* document_;
  std::uint32_t node_;
};

class json_document {
 public:
  // `text` is borrowed for the life of the document. `invalid`: not JSON, or not UTF-8. `too_large`: beyond
  // json_depth_max or json_values_max.
  static result<json_document> parse(std::string_view text);

  json_value root() const { return {*this, root_}; }

  // Whether any object of the document has two members of one name, so that readers may differ about what it says.
  bool has_duplicate_names() const { return has_duplicate_names_; }

 private:
  friend class json_value;
  friend class json_parser;

  // borrows: from the text, or from unescaped_, as long as the document
  struct node {
    json_kind kind;
    bool duplicates = false;
    std::uint32_t first_child = 0;  // Into children_.
    std::uint32_t children = 0;
    std::string_view text = {};
    std::string_view name = {};  // Of a member.
  };

  std::vector<node> nodes_;
  std::vector<std::uint32_t> children_;
  std::unique_ptr<char[]> unescaped_;  // Where strings with escapes are kept; never moves.
  std::uint32_t root_ = 0;
  bool has_duplicate_names_ = false;
};

// A JSON pointer (RFC 6901), parsed once.
class json_pointer {
 public:
  // `invalid`: does not begin with a slash (and is not empty), or has a `~` that is not `~0` or `~1`. `too_large`:
  // beyond the limits of limits.h.
  static result<json_pointer> parse(std::string_view text);

  std::string_view text() const { return text_; }
  std::span<const std::string> tokens() const { return tokens_; }

 private:
  std::string text_;
  std::vector<std::string> tokens_;
};

struct json_absent {};
struct json_ambiguous {};  // An object on the way has two members of the name that is asked for.
using json_found = std::variant<json_value, json_absent, json_ambiguous>;

// `-`, which names the element after the last, finds nothing.
json_found find(json_value from, const json_pointer& pointer);

// Appends the canonical form: no white space, members in the order of their names' code points, the shortest escapes,
// each number as it was sent. Two documents without duplicate names have the same form if and only if they say the
// same, number texts compared as texts. Values in `without` are left out, with their names.
void append_canonical(std::string& out, json_value value, std::span<const json_value> without = {});

}  // namespace onceward::core
