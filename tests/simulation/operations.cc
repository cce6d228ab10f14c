#include "tests/simulation/operations.h"

#include <array>

#include "core/record_key.h"
#include "tests/simulation/message.h"

namespace onceward::simulation {
namespace {

constexpr std::array<std::string_view, operations::scopes> credentials = {"alice", "bob"};
constexpr std::array<std::string_view, operations::bodies> texts = {"pay 10", "pay 20"};
constexpr std::string_view path = "/things";
constexpr std::string_view key_prefix = "key-";

}  // namespace

const core::deployment_secret& operations::secret() {
  static const core::deployment_secret made("the secret of every simulation");
  return made;
}

operations::operations(const core::prepared_policy& rules, unsigned keys) : keys_(keys) {
  for (const std::string_view credential : credentials) {
    const std::array fields = {http::make_field("Authorization", credential)};
    const core::scope whose = rules.scopes.read(secret(), fields);
    for (unsigned key = 0; key < keys; ++key) {
      records_.push_back(core::make_record_key(secret(), whose, core::operation_of(rules.rules, "POST", path),
                                               std::string(key_prefix) + std::to_string(key)));
    }
  }
}

std::optional<operation_number> operations::with_record(const record_key& record) const {
  for (operation_number each = 0; each < records_.size(); ++each) {
    if (records_[each] == record) return each;
  }
  return std::nullopt;
}

std::optional<operation_number> operations::with(std::string_view credential, std::string_view key) const {
  const auto number = number_after(key, key_prefix);
  if (!number || *number >= keys_) return std::nullopt;
  for (unsigned scope = 0; scope < scopes; ++scope) {
    if (credentials[scope] == credential) return number_of(scope, static_cast<unsigned>(*number));
  }
  return std::nullopt;
}

std::string operations::credential_of(operation_number which) const {
  return std::string(credentials[which / keys_]);
}

std::string operations::key_of(operation_number which) const {
  return std::string(key_prefix) + std::to_string(which % keys_);
}

std::string operations::request(operation_number which, unsigned body, std::uint64_t number) const {
  std::string text = "POST ";
  text += path;
  text += " HTTP/1.1\r\nHost: api.test\r\nAuthorization: ";
  text += credentials[which / keys_];
  text += "\r\nContent-Type: text/plain\r\nIdempotency-Key: ";
  text += key_of(which);
  text += "\r\nX-Try: ";
  text += std::to_string(number);
  text += "\r\nContent-Length: ";
  text += std::to_string(texts[body].size());
  text += "\r\n\r\n";
  text += texts[body];
  return text;
}

}  // namespace onceward::simulation
