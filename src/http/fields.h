// Header fields as views: what a parsed head holds and what later stages switch on.
//
// A field's name is resolved to a field_id once, when the head is parsed, so that nobody compares names again for a
// field that this program knows. All views point into the head they came from and live as long as it does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "base/assert.h"
#include "base/inplace_vector.h"
#include "http/characters.h"

namespace onceward::http {

// The names that some stage of this program acts on; every other name is `other`.
enum class field_id : std::uint8_t {
  other,
  age,
  api_key,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_language,
  content_length,
  content_type,
  cookie,
  date,
  expect,
  host,
  http2_settings,
  idempotency_attempt,
  idempotency_fence,
  idempotency_key,
  idempotency_outcome,
  idempotent_replayed,
  keep_alive,
  link,
  location,
  prefer,
  proxy_connection,
  request_id,
  retry_after,
  server,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  via,
  x_api_key,
  x_correlation_id,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_request_id,
};

// The canonical spelling; empty for `other`.
std::string_view name_of(field_id id);

// The id of a name, whatever its case.
field_id identify(std::string_view name);

struct field_view {
  std::string_view name;   // As received.
  std::string_view value;  // Without the SP and HTAB around it.
  field_id id = field_id::other;

  friend bool operator==(const field_view&, const field_view&) = default;
};

using fields_view = std::span<const field_view>;

// Which known names a head has, and which of them on more than one line: asked before its fields are searched.
class field_id_set {
 public:
  constexpr field_id_set() = default;
  constexpr field_id_set(std::initializer_list<field_id> ids) {
    for (const field_id id : ids)
      add(id);
  }

  constexpr void add(field_id id) {
    const std::uint64_t bit = bit_of(id);
    repeated_ |= present_ & bit;
    present_ |= bit;
  }
  constexpr bool has(field_id id) const { return (present_ & bit_of(id)) != 0; }
  constexpr bool repeats(field_id id) const { return (repeated_ & bit_of(id)) != 0; }

 private:
  static constexpr std::uint64_t bit_of(field_id id) { return std::uint64_t{1} << static_cast<unsigned>(id); }

  std::uint64_t present_ = 0;
  std::uint64_t repeated_ = 0;
};
static_assert(static_cast<unsigned>(field_id::x_request_id) < 64);

// A field whose name was not resolved yet.
inline field_view make_field(std::string_view name, std::string_view value) {
  return {name, value, identify(name)};
}

// A field of a name that this program knows, in its canonical spelling.
inline field_view make_field(field_id id, std::string_view value) {
  return {name_of(id), value, id};
}

namespace detail {

// Of two texts of one length.
bool same_name(std::string_view a, std::string_view b);

}  // namespace detail

// ASCII letters without case; every other byte exactly.
inline bool names_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && detail::same_name(a, b);
}

// Names that fields are looked for in: by number where they have one, so that only names that this program does not
// know are compared. borrows: the names.
class field_name_set {
 public:
  field_name_set() = default;
  field_name_set(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
      add(make_field(name, {}));
  }

  void add(field_id name) { known_.add(name); }
  // The name of this field.
  void add(const field_view& field) {
    if (field.id != field_id::other) return add(field.id);
    others_.emplace_back(field.name);
  }

  bool includes(const field_view& field) const {
    if (field.id != field_id::other) return known_.has(field.id);
    return std::ranges::any_of(others_, [&](std::string_view name) { return names_equal(name, field.name); });
  }

 private:
  static constexpr std::size_t others_max = 32;

  field_id_set known_;
  base::inplace_vector<std::string_view, others_max> others_;
};

std::size_t count(fields_view fields, field_id id);
std::size_t count(fields_view fields, std::string_view name);

// The value of the first line of a name that is there.
inline std::string_view first_value(fields_view fields, field_id id) {
  const auto found = std::ranges::find(fields, id, &field_view::id);
  onceward_assert(found != fields.end());
  return found->value;
}

// The value of the only line of that name; nothing if there is none or more than one.
std::optional<std::string_view> find(fields_view fields, field_id id);
std::optional<std::string_view> find(fields_view fields, std::string_view name);

// Calls `visit` with each non-empty element of a comma-separated list, trimmed, until it returns false; says whether it
// never did. For lists of tokens: a comma inside a quoted string separates too.
template <class Visit>
bool for_each_token(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trimmed(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    if (!element.empty() && !visit(element)) return false;
  }
  return true;
}

// As above, over every line of that name, in order.
template <class Visit>
bool for_each_token(fields_view fields, field_id id, Visit&& visit) {
  for (const field_view& field : fields) {
    if (field.id == id && !for_each_token(field.value, visit)) return false;
  }
  return true;
}

// Whether a list of tokens holds this one, whatever its case.
bool has_token(fields_view fields, field_id id, std::string_view token);

}  // namespace onceward::http
