#include "stores/redis/deployment_secret.h"

#include <cstddef>
#include <span>

#include "base/hex.h"
#include "stores/redis/open_settings.h"
#include "stores/redis/session.h"

namespace onceward::redis {
namespace {

using failure = tl::unexpected<std::string>;

std::optional<std::string> from_hex(std::string_view digits) {
  std::string bytes(digits.size() / 2, '\0');
  if (!base::from_hex(digits, std::as_writable_bytes(std::span(bytes)))) return std::nullopt;
  return bytes;
}

}  // namespace

tl::expected<agreed_secret, std::string> agree_on_secret(const options& chosen, const std::string& identity,
                                                         const std::optional<std::string>& bytes) {
  const auto settings = open_settings(chosen);
  if (!settings) return failure(settings.error());
  auto with = session::open(*settings);
  const auto failed = [&](const std::string& why) {
    return failure("cannot agree on a secret with Redis at " + settings->where.description + ": " + why);
  };
  if (!with) return failed(with.error());
  // The secret in hexadecimal; without it where it is in a file.
  std::string offered = identity;
  if (bytes) offered += " " + base::to_hex(std::as_bytes(std::span(*bytes)));
  requests offer, read;
  offer.add("SET", secret_name, offered, "NX");
  read.add("GET", secret_name);
  // A server whose memory is used up can still be read.
  auto kept = (*with)->ask(read);
  if (kept && kept->is(value::kind::nothing)) {
    if (const auto told = (*with)->ask(offer); !told) return failed(told.error());
    kept = (*with)->ask(read);
  }
  if (!kept) return failed(kept.error());
  if (!kept->is(value::kind::text)) return failed("it did not keep it");
  const std::size_t space = kept->text.find(' ');
  agreed_secret agreed{kept->text, kept->text.substr(0, space), std::nullopt};
  if (space != std::string::npos) agreed.bytes = from_hex(std::string_view(kept->text).substr(space + 1));
  return agreed;
}

}  // namespace onceward::redis
