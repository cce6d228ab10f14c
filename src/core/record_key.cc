#include "core/record_key.h"

#include "core/keyed_digest.h"

namespace onceward::core {
namespace {

// Part of every record key ever stored: never change a number.
constexpr char number_of(operation_kind kind) {
  switch (kind) {
    case operation_kind::path:
      return 1;
    case operation_kind::route:
      return 2;
    case operation_kind::none:
      return 3;
  }
  return 0;
}

std::string_view text(const base::sha256_digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

operation_view operation_of(const policy& rules, std::string_view method, std::string_view path) {
  switch (rules.operation) {
    case operation_kind::path:
      return {operation_kind::path, method, path};
    case operation_kind::route:
      return {operation_kind::route, {}, rules.name};
    case operation_kind::none:
      break;
  }
  return {operation_kind::none, {}, {}};
}

record_key make_record_key(const deployment_secret& secret, const scope& whose, const operation_view& operation,
                           std::string_view key, std::string_view fingerprint) {
  keyed_digest digest(secret, digest_use::record_key);
  digest.part(text(whose.digest));
  digest.byte(number_of(operation.kind));
  digest.part(operation.method);
  digest.part(operation.name);
  digest.part(key);
  digest.part(fingerprint);
  return {digest.finish()};
}

}  // namespace onceward::core
