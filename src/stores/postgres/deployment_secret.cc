#include "stores/postgres/deployment_secret.h"

#include <cstddef>
#include <span>

#include "base/hex.h"
#include "stores/postgres/session.h"

namespace onceward::postgres {
namespace {

using failure = tl::unexpected<std::string>;

// NULL where $1 is empty.
constexpr const char* offer_text =
    "UPDATE onceward.deployment SET secret = decode(nullif($1, ''), 'hex'), secret_id = $2 WHERE secret_id IS NULL";
constexpr const char* read_text = "SELECT secret_id, encode(secret, 'hex') FROM onceward.deployment";

std::optional<std::string> from_hex(const std::string& digits) {
  std::string bytes(digits.size() / 2, '\0');
  if (!base::from_hex(digits, std::as_writable_bytes(std::span(bytes)))) return std::nullopt;
  return bytes;
}

}  // namespace

tl::expected<agreed_secret, std::string> agree_on_secret(const std::string& url, const std::string& identity,
                                                         const std::optional<std::string>& bytes) {
  const auto where = parse_target(url);
  if (!where) return failure(where.error());
  auto with = session::open(*where);
  if (!with) return failure(with.error());
  const auto failed = [&](const std::string& why) {
    return failure("cannot agree on a secret with PostgreSQL at " + where->description + ": " + why);
  };
  const std::string digits = bytes ? base::to_hex(std::as_bytes(std::span(*bytes))) : std::string();
  if (const auto offered = with->ask(offer_text, {digits, identity}); !offered) return failed(offered.error().message);
  const auto found = with->ask(read_text);
  if (!found) return failed(found.error().message);
  if (found->size() != 1 || !(*found)[0][0]) return failed("onceward.deployment has no row");
  agreed_secret agreed{*(*found)[0][0], std::nullopt};
  if (const auto& kept = (*found)[0][1]) agreed.bytes = from_hex(*kept);
  return agreed;
}

}  // namespace onceward::postgres
