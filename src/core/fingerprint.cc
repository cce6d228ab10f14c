#include "core/fingerprint.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/checksum.h"
#include "core/canonical_body.h"
#include "core/limits.h"
#include "http/characters.h"

namespace onceward::core {
namespace {

// The page docs/record-format.md has these; records hold them: never change a number.
constexpr char version = 1;
constexpr char compares_nothing = 0;
constexpr char compares = 1;
constexpr std::size_t head_bytes = 6;
constexpr std::size_t digest_bytes = 16;

enum part_kind : char {
  part_method = 1,
  part_target = 2,
  part_header = 3,  // With a name.
  part_body_raw = 4,
  part_body_json = 5,
  part_body_form = 6,
  part_body_multipart = 7,
  part_member = 8,  // Of a body, with a name.
};

constexpr bool has_name(char kind) {
  return kind == part_header || kind == part_member;
}
constexpr bool is_body(char kind) {
  return kind >= part_body_raw && kind <= part_body_multipart;
}

std::string lower_case(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), base::to_lower);
  return lower;
}

// The pointers in an order of their own, each once.
tl::expected<std::vector<json_pointer>, policy_error> parse_pointers(const std::vector<std::string>& texts,
                                                                     std::string_view setting) {
  std::vector<json_pointer> pointers;
  for (const std::string& text : texts) {
    result<json_pointer> pointer = json_pointer::parse(text);
    if (!pointer) {
      return tl::unexpected(policy_error{std::string(setting), "'" + text +
                                                                   "' is not a JSON pointer: it begins with a slash"
                                                                   ", as in /amount, and has ~ in ~0 and ~1 only."});
    }
    pointers.push_back(std::move(*pointer));
  }
  std::ranges::sort(pointers, {}, &json_pointer::text);
  const auto repeated = std::ranges::unique(pointers, {}, &json_pointer::text);
  pointers.erase(repeated.begin(), repeated.end());
  return pointers;
}

// Part of every stored fingerprint.
char number_of(body_recipe body) {
  switch (body) {
    case body_recipe::none:
      return 0;
    case body_recipe::raw:
      return 1;
    case body_recipe::json:
      return 2;
    case body_recipe::form:
      return 3;
    case body_recipe::multipart:
      return 4;
  }
  return 0;
}

void put_name(std::string& out, std::string_view name) {
  out.push_back(static_cast<char>(name.size() & 0xff));
  out.push_back(static_cast<char>(name.size() >> 8 & 0xff));
  out += name;
}

struct part_view {
  char kind;
  std::string_view name;
  std::string_view digest;

  bool same_label(const part_view& other) const { return kind == other.kind && name == other.name; }
};

struct print_view {
  std::string_view recipe;
  std::vector<part_view> parts;
};

std::optional<print_view> parse_print(std::string_view bytes) {
  if (bytes.size() < head_bytes || bytes[0] != version) return std::nullopt;
  print_view print{bytes.substr(0, head_bytes), {}};
  bytes.remove_prefix(head_bytes);
  while (!bytes.empty()) {
    part_view part{bytes[0], {}, {}};
    bytes.remove_prefix(1);
    if (has_name(part.kind)) {
      if (bytes.empty()) return std::nullopt;
      const std::size_t length = static_cast<unsigned char>(bytes[0]);
      if (bytes.size() < 1 + length) return std::nullopt;
      part.name = bytes.substr(1, length);
      bytes.remove_prefix(1 + length);
    }
    if (bytes.size() < digest_bytes) return std::nullopt;
    part.digest = bytes.substr(0, digest_bytes);
    bytes.remove_prefix(digest_bytes);
    print.parts.push_back(part);
  }
  return print;
}

std::string label_of(const part_view& part) {
  if (part.kind == part_method) return "method";
  if (part.kind == part_target) return "target";
  if (part.kind == part_header) return "header " + std::string(part.name);
  if (part.kind == part_member) return "body " + std::string(part.name);
  return is_body(part.kind) ? "body" : "recipe";
}

const part_view* same_part(const print_view& print, const part_view& wanted) {
  const auto found = std::ranges::find_if(print.parts, [&](const part_view& part) { return part.same_label(wanted); });
  return found == print.parts.end() ? nullptr : &*found;
}

// The parts of `print` that `other` has not, or has otherwise. Under two recipes only what both have can be compared.
void add_differing(const print_view& print, const print_view& other, std::vector<part_view>& differing) {
  for (const part_view& part : print.parts) {
    const part_view* const counterpart = same_part(other, part);
    const bool differs = counterpart == nullptr ? print.recipe == other.recipe : counterpart->digest != part.digest;
    if (differs) differing.push_back(part);
  }
}

}  // namespace

tl::expected<fingerprint_recipe, policy_error> fingerprint_recipe::make(const fingerprint_policy& rules) {
  const std::size_t selected = rules.headers.size() + rules.include.size() + rules.exclude.size();
  if (selected > fingerprint_selected_max)
    return tl::unexpected(policy_error{"headers", "Too many headers and pointers."});
  if (rules.body != body_recipe::json && !(rules.include.empty() && rules.exclude.empty())) {
    return tl::unexpected(
        policy_error{rules.include.empty() ? "exclude" : "include", "JSON pointers need body: json."});
  }
  fingerprint_recipe recipe;
  recipe.enabled_ = rules.enabled;
  recipe.body_ = rules.body;

  std::vector<std::string> headers;
  for (const std::string& name : rules.headers) {
    if (!http::is_token(name) || name.size() > 255) {
      return tl::unexpected(policy_error{"headers", "'" + name + "' is not the name of a field."});
    }
    headers.push_back(lower_case(name));
  }
  std::ranges::sort(headers);
  headers.erase(std::ranges::unique(headers).begin(), headers.end());
  for (std::string& name : headers)
    recipe.headers_.emplace_back(std::move(name));

  auto include = parse_pointers(rules.include, "include");
  if (!include) return tl::unexpected(std::move(include.error()));
  recipe.include_ = std::move(*include);
  auto exclude = parse_pointers(rules.exclude, "exclude");
  if (!exclude) return tl::unexpected(std::move(exclude.error()));
  recipe.exclude_ = std::move(*exclude);

  std::string description;
  description.push_back(number_of(recipe.body_));
  for (const field_name& name : recipe.headers_)
    put_name(description.append("h"), name.text());
  for (const json_pointer& pointer : recipe.include_)
    put_name(description.append("i"), pointer.text());
  for (const json_pointer& pointer : recipe.exclude_)
    put_name(description.append("e"), pointer.text());
  recipe.id_ = static_cast<std::uint32_t>(base::checksum(description));
  return recipe;
}

fingerprint_builder::fingerprint_builder(const deployment_secret& secret, const fingerprint_recipe& recipe,
                                         digest_memo* memo)
    : secret_(secret), recipe_(recipe), memo_(memo), raw_body_(secret, digest_use::fingerprint) {
  parts_.reserve(160);
  parts_.push_back(version);
  parts_.push_back(recipe_.enabled_ ? compares : compares_nothing);
  for (int shift = 0; shift < 32; shift += 8)
    parts_.push_back(static_cast<char>(recipe_.id_ >> shift & 0xff));
  onceward_assert(parts_.size() == head_bytes);
  raw_body_.byte(part_body_raw);
}

void fingerprint_builder::add_part(char kind, std::string_view name, base::sha256_digest digest) {
  parts_.push_back(kind);
  if (has_name(kind)) {
    onceward_assert(name.size() <= 255);
    parts_.push_back(static_cast<char>(name.size()));
    parts_ += name;
  }
  parts_.append(reinterpret_cast<const char*>(digest.data()), digest_bytes);
}

void fingerprint_builder::add_text(char kind, std::string_view name, std::string_view text, digest_memo* memo) {
  keyed_digest digest(secret_, digest_use::fingerprint);
  digest.byte(kind);
  if (has_name(kind)) digest.part(name);
  digest.raw(text);
  add_part(kind, name, digest.finish(memo));
}

// A field that is not there has no part, which is something else than an empty one.
void fingerprint_builder::add_header(const field_name& name, http::fields_view fields) {
  const auto is_named = [&](const http::field_view& field) { return name.names(field); };
  if (std::ranges::none_of(fields, is_named)) return;
  const bool without_boundary = recipe_.body_ == body_recipe::multipart && name.id() == http::field_id::content_type;
  keyed_digest digest(secret_, digest_use::fingerprint);
  digest.byte(part_header);
  digest.part(name.text());
  for (const http::field_view& field : fields) {
    if (!is_named(field)) continue;
    if (without_boundary) {
      digest.part(content_type_without_boundary(field.value));
    } else {
      digest.part(field.value);
    }
  }
  add_part(part_header, name.text(), digest.finish(memo_));
}

void fingerprint_builder::head(std::string_view method, std::string_view target, http::fields_view fields) {
  if (!recipe_.enabled_) return;
  add_text(part_method, {}, method, memo_);
  add_text(part_target, {}, target, memo_);
  for (const field_name& name : recipe_.headers_)
    add_header(name, fields);
  if (recipe_.body_ == body_recipe::form || recipe_.body_ == body_recipe::multipart) {
    content_type_ = http::find(fields, http::field_id::content_type).value_or("");
  }
}

void fingerprint_builder::body(std::string_view piece) {
  if (!recipe_.enabled_ || recipe_.body_ == body_recipe::none) return;
  if (recipe_.body_ == body_recipe::raw) {
    raw_body_.raw(piece);
  } else {
    body_ += piece;
  }
}

void fingerprint_builder::add_structured_body(std::string_view body) {
  std::optional<canonical_body> canonical;
  char kind = part_body_raw;
  switch (recipe_.body_) {
    case body_recipe::none:
      return;
    case body_recipe::raw:
      break;
    case body_recipe::json:
      kind = part_body_json;
      canonical = canonical_json_body(body, recipe_.include_, recipe_.exclude_);
      break;
    case body_recipe::form:
      kind = part_body_form;
      canonical = canonical_form_body(body, content_type_);
      break;
    case body_recipe::multipart:
      kind = part_body_multipart;
      canonical = canonical_multipart_body(body, content_type_);
      break;
  }
  if (!canonical) return add_text(part_body_raw, {}, body);
  add_text(kind, {}, canonical->text);
  for (const canonical_body::member& member : canonical->members)
    add_text(part_member, member.name, member.text);
}

shared_bytes fingerprint_builder::take() {
  return std::make_shared<const std::string>(std::move(parts_));
}

shared_bytes fingerprint_builder::finish() {
  if (recipe_.enabled_) {
    if (recipe_.body_ == body_recipe::raw) {
      add_part(part_body_raw, {}, raw_body_.finish());
    } else {
      add_structured_body(body_);
    }
  }
  return take();
}

shared_bytes make_fingerprint(const deployment_secret& secret, const fingerprint_recipe& recipe,
                              std::string_view method, std::string_view target, http::fields_view fields,
                              std::string_view body) {
  fingerprint_builder builder(secret, recipe);
  builder.head(method, target, fields);
  if (recipe.enabled_) builder.add_structured_body(body);
  return builder.take();
}

bool same_request(std::string_view stored, std::string_view presented) {
  const bool anything_goes =
      presented.size() == head_bytes && presented[0] == version && presented[1] == compares_nothing;
  return anything_goes || stored == presented;
}

std::vector<std::string> differing_parts(std::string_view stored, std::string_view presented) {
  if (same_request(stored, presented)) return {};
  const std::optional<print_view> left = parse_print(stored);
  const std::optional<print_view> right = parse_print(presented);
  if (!left || !right) return {"recipe"};

  std::vector<part_view> differing;
  add_differing(*left, *right, differing);
  add_differing(*right, *left, differing);
  // A body's digest covers its members: where members are named, it says nothing more.
  if (std::ranges::any_of(differing, [](const part_view& part) { return part.kind == part_member; })) {
    std::erase_if(differing, [](const part_view& part) { return is_body(part.kind); });
  }

  std::vector<std::string> labels;
  if (left->recipe != right->recipe || differing.empty()) labels.emplace_back("recipe");
  for (const part_view& part : differing) {
    std::string label = label_of(part);
    if (std::ranges::find(labels, label) == labels.end()) labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace onceward::core
