#include "core/scope.h"

#include <algorithm>

#include "base/ascii.h"
#include "core/keyed_digest.h"

namespace onceward::core {
namespace {

// Part of every record key ever stored: never change a number.
enum class scope_source : char {
  anonymous = 1,
  credential = 2,
  cookies = 3,
  cookie = 4,
  trusted_header = 5,
  shared = 6
};

std::string lower_case(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), base::to_lower);
  return lower;
}

// So that the order in which a configuration lists fields does not matter.
void sort_and_deduplicate(std::vector<field_name>& names) {
  std::ranges::sort(names, {}, &field_name::text);
  const auto repeated = std::ranges::unique(names, {}, &field_name::text);
  names.erase(repeated.begin(), repeated.end());
}

// All lines of a field, in order. False if there is none.
bool add_field(keyed_digest& digest, scope_source source, const field_name& name, http::fields_view fields) {
  const auto lines = std::ranges::count_if(fields, [&](const http::field_view& field) { return name.names(field); });
  if (lines == 0) return false;
  digest.byte(static_cast<char>(source));
  digest.part(name.text());
  digest.length(static_cast<std::size_t>(lines));
  for (const http::field_view& field : fields) {
    if (name.names(field)) digest.part(field.value);
  }
  return true;
}

// Every pair of that name, in order: which of two a server takes is its own affair. False if there is none.
bool add_cookie(keyed_digest& digest, std::string_view name, http::fields_view fields) {
  bool found = false;
  for (const http::field_view& field : fields) {
    if (field.id != http::field_id::cookie) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      const std::string_view pair = http::trimmed(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      digest.byte(static_cast<char>(scope_source::cookie));
      digest.part(name);
      digest.part(pair.substr(equals + 1));
      found = true;
    }
  }
  return found;
}

}  // namespace

scope_reader::scope_reader(const scope_policy& rules)
    : kind_(rules.kind), cookie_(rules.cookie), credential_required_(rules.credential_required) {
  switch (kind_) {
    case scope_kind::credential:
      for (const std::string& name : rules.credential_headers)
        names_.emplace_back(lower_case(name));
      sort_and_deduplicate(names_);
      break;
    case scope_kind::header:
      names_.emplace_back(lower_case(rules.header));
      break;
    case scope_kind::shared:
      break;
  }
}

scope scope_reader::read(const deployment_secret& secret, http::fields_view fields, digest_memo* memo) const {
  keyed_digest digest(secret, digest_use::scope);
  bool identified = false;
  switch (kind_) {
    case scope_kind::credential:
      for (const field_name& name : names_)
        identified |= add_field(digest, scope_source::credential, name, fields);
      if (identified) break;
      identified = cookie_.empty() ? add_field(digest, scope_source::cookies, cookie_field_, fields)
                                   : add_cookie(digest, cookie_, fields);
      break;
    case scope_kind::header:
      identified = add_field(digest, scope_source::trusted_header, names_.front(), fields);
      break;
    case scope_kind::shared:
      digest.byte(static_cast<char>(scope_source::shared));
      identified = true;
      break;
  }
  if (!identified) digest.byte(static_cast<char>(scope_source::anonymous));
  return {digest.finish(memo), !identified};
}

}  // namespace onceward::core
