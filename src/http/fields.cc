#include "http/fields.h"

#include <array>
#include <cstring>

#include "base/ascii.h"

namespace onceward::http {

namespace {

// In the order of field_id.
constexpr std::array<std::string_view, 40> names = {
    "",
    "Age",
    "Api-Key",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Date",
    "Expect",
    "Host",
    "HTTP2-Settings",
    "Idempotency-Attempt",
    "Idempotency-Fence",
    "Idempotency-Key",
    "Idempotency-Outcome",
    "Idempotent-Replayed",
    "Keep-Alive",
    "Link",
    "Location",
    "Prefer",
    "Proxy-Connection",
    "Request-Id",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
    "X-Api-Key",
    "X-Correlation-Id",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Request-Id",
};
static_assert(names.size() == static_cast<std::size_t>(field_id::x_request_id) + 1);

// A perfect hash over length, first and last letter: no two names share a slot, so one comparison settles it. The
// compiler looks for the factors.
constexpr std::size_t slots = 128;

struct slot_factors {
  unsigned size;
  unsigned first;
  unsigned last;
};

constexpr std::size_t slot_of(std::string_view name, slot_factors by) {
  const auto first = static_cast<unsigned char>(name.front()) | 0x20U;
  const auto last = static_cast<unsigned char>(name.back()) | 0x20U;
  return (static_cast<unsigned>(name.size()) * by.size + first * by.first + last * by.last) % slots;
}

constexpr bool all_apart(slot_factors by) {
  std::array<bool, slots> taken{};
  for (std::size_t i = 1; i < names.size(); ++i) {
    bool& slot = taken[slot_of(names[i], by)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

constexpr slot_factors find_factors() {
  for (unsigned size = 1; size < slots; size += 2) {
    for (unsigned first = 1; first < slots; first += 2) {
      for (unsigned last = 1; last < slots; ++last) {
        const slot_factors by{size, first, last};
        if (all_apart(by)) return by;
      }
    }
  }
  return {};
}

constexpr slot_factors factors = find_factors();
static_assert(factors.size != 0, "no perfect hash: give it more slots or another letter");

constexpr std::array<field_id, slots> make_table() {
  std::array<field_id, slots> table{};
  for (std::size_t i = 1; i < names.size(); ++i)
    table[slot_of(names[i], factors)] = static_cast<field_id>(i);
  return table;
}

constexpr std::array<field_id, slots> table = make_table();

template <class Matches>
std::size_t count_if(fields_view fields, Matches matches) {
  std::size_t found = 0;
  for (const field_view& field : fields)
    found += matches(field) ? 1U : 0U;
  return found;
}

template <class Matches>
std::optional<std::string_view> find_only(fields_view fields, Matches matches) {
  std::optional<std::string_view> only;
  for (const field_view& field : fields) {
    if (!matches(field)) continue;
    if (only) return std::nullopt;
    only = field.value;
  }
  return only;
}

}  // namespace

std::string_view name_of(field_id id) {
  return names[static_cast<std::size_t>(id)];
}

field_id identify(std::string_view name) {
  if (name.empty()) return field_id::other;
  const field_id candidate = table[slot_of(name, factors)];
  return names_equal(name_of(candidate), name) ? candidate : field_id::other;
}

bool detail::same_name(std::string_view a, std::string_view b) {
  // Most names come in the spelling that they are compared with.
  return std::memcmp(a.data(), b.data(), a.size()) == 0 || base::equals_ignoring_case(a, b);
}

std::size_t count(fields_view fields, field_id id) {
  return count_if(fields, [id](const field_view& field) { return field.id == id; });
}

std::size_t count(fields_view fields, std::string_view name) {
  return count_if(fields, [name](const field_view& field) { return names_equal(field.name, name); });
}

std::optional<std::string_view> find(fields_view fields, field_id id) {
  return find_only(fields, [id](const field_view& field) { return field.id == id; });
}

std::optional<std::string_view> find(fields_view fields, std::string_view name) {
  return find_only(fields, [name](const field_view& field) { return names_equal(field.name, name); });
}

bool has_token(fields_view fields, field_id id, std::string_view token) {
  return !for_each_token(fields, id, [token](std::string_view element) { return !names_equal(element, token); });
}

}  // namespace onceward::http
