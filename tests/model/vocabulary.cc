#include "tests/model/vocabulary.h"

#include <array>

#include "base/assert.h"
#include "core/fingerprint.h"
#include "core/record_key.h"
#include "core/scope.h"

namespace onceward::model {
namespace {

// Of the model's own; a real one is random.
const core::deployment_secret& secret() {
  static const core::deployment_secret made(std::string(32, 's'));
  return made;
}

vocabulary::identity identify(const request_kind& what, const core::policy& rules) {
  constexpr std::string_view method = "POST";
  constexpr std::string_view path = "/charges";
  const std::array fields = {
      http::field_view{"Authorization", what.credential, http::field_id::authorization},
      http::field_view{"Content-Type", "text/plain", http::field_id::content_type},
  };
  const core::scope whose = core::scope_reader(rules.scope).read(secret(), fields);
  const auto recipe = core::fingerprint_recipe::make(rules.fingerprint);
  onceward_assert(recipe.has_value());
  return {
      .key = 0,
      .record = core::make_record_key(secret(), whose, core::operation_of(rules, method, path), what.idempotency_key),
      .fingerprint = core::make_fingerprint(secret(), *recipe, method, path, fields, what.body),
      .text = what.credential + "'s \"" + what.body + "\" with key " + what.idempotency_key};
}

const record_key& key_of(const command& what) {
  static const record_key none{};
  if (const auto* c = std::get_if<claim>(&what)) return c->key;
  if (const auto* c = std::get_if<renew>(&what)) return c->key;
  if (const auto* c = std::get_if<complete>(&what)) return c->key;
  if (const auto* c = std::get_if<release>(&what)) return c->key;
  if (const auto* c = std::get_if<find>(&what)) return c->key;
  return none;
}

owner_name owner_of_command(const command& what) {
  if (const auto* c = std::get_if<claim>(&what)) return owner_of(c->attempt);
  if (const auto* c = std::get_if<renew>(&what)) return owner_of(c->attempt);
  if (const auto* c = std::get_if<complete>(&what)) return owner_of(c->attempt);
  if (const auto* c = std::get_if<release>(&what)) return owner_of(c->attempt);
  return no_owner;
}

const record_summary* summary_of(const reply& value) {
  if (const auto* r = std::get_if<record_in_flight>(&value)) return &r->summary;
  if (const auto* r = std::get_if<record_completed>(&value)) return &r->summary;
  if (const auto* r = std::get_if<record_unknown>(&value)) return &r->summary;
  if (const auto* r = std::get_if<record_released>(&value)) return &r->summary;
  return nullptr;
}

}  // namespace

attempt_id first_attempt_id(unsigned exchange_name) {
  attempt_id id;
  id.bytes.front() = static_cast<std::byte>(exchange_name);
  return id;
}

owner_name owner_of(const attempt_id& id) {
  return static_cast<owner_name>(std::to_integer<unsigned>(id.bytes.front()) << 8 |
                                 std::to_integer<unsigned>(id.bytes.back()));
}

std::string to_string(owner_name owner) {
  std::string text = "request " + std::to_string(owner >> 8);
  if ((owner & 0xff) != 0) text += " (claim " + std::to_string((owner & 0xff) + 1) + ")";
  return text;
}

vocabulary::vocabulary(const scenario& about) {
  for (const request_kind& each : about.kinds) {
    identity made = identify(each, about.rules);
    made.key = key_number(made.record);
    if (made.key == key_count_) ++key_count_;
    kinds_.push_back(std::move(made));
  }
}

unsigned vocabulary::key_number(const record_key& key) const {
  for (const identity& each : kinds_) {
    if (each.record == key) return each.key;
  }
  return key_count_;
}

unsigned vocabulary::kind_with(unsigned key, const shared_bytes& fingerprint) const {
  for (unsigned number = 0; number < kinds_.size(); ++number) {
    if (kinds_[number].key == key && *kinds_[number].fingerprint == *fingerprint) return number;
  }
  onceward_unreachable("a fingerprint that no request has");
}

std::uint32_t vocabulary::add(const command& value) {
  const std::uint32_t id = commands_.add(value);
  if (id <= command_facts_.size()) return id;
  command_facts facts;
  facts.type = value.index();
  facts.key = key_number(key_of(value));
  facts.owner = owner_of_command(value);
  if (const auto* asked = std::get_if<claim>(&value)) {
    facts.kind = kind_with(facts.key, asked->fingerprint);
    if (asked->over_unknown) facts.over_unknown = owner_of(*asked->over_unknown);
  }
  if (const auto* ended = std::get_if<complete>(&value)) {
    if (const auto* done = std::get_if<outcome_completed>(&ended->outcome))
      facts.answer = answers_.tag_of_tombstone(done->tombstone);
  }
  command_facts_.push_back(facts);
  return id;
}

std::uint32_t vocabulary::add(const reply& value) {
  const std::uint32_t id = replies_.add(value);
  if (id <= reply_facts_.size()) return id;
  reply_facts facts;
  facts.type = value.index();
  if (const auto* failure = std::get_if<store_failure>(&value)) facts.definite = failure->effect == certainty::definite;
  if (const auto* granted = std::get_if<claim_granted>(&value)) {
    facts.token = static_cast<unsigned>(granted->token);
    facts.attempt_number = granted->attempt_number;
  }
  if (const record_summary* summary = summary_of(value)) {
    facts.token = static_cast<unsigned>(summary->token);
    facts.attempt_number = summary->attempt_number;
    facts.owner = owner_of(summary->attempt);
    for (unsigned number = 0; number < kinds_.size(); ++number) {
      if (*kinds_[number].fingerprint == *summary->fingerprint) facts.kind = number;
    }
  }
  if (const auto* done = std::get_if<record_completed>(&value)) {
    facts.response = answers_.tag_of_response(done->response);
    facts.tombstone = answers_.tag_of_tombstone(done->tombstone);
  }
  reply_facts_.push_back(facts);
  return id;
}

std::string vocabulary::text_of_answer(answer_tag tag) const {
  if (tag == 0) return "no answer";
  if (tag == strange_tag) return "an answer that nobody gave";
  return "the answer of attempt " + std::to_string(fence_of(tag)) + " (" + to_string(ending_of(tag)) + ") to " +
         kinds_[kind_of(tag)].text;
}

std::string vocabulary::text_of_command(std::uint32_t id) const {
  const command_facts& facts = facts_of_command(id);
  switch (facts.type) {
    case command_type<claim>:
      return "claim of " + to_string(facts.owner) +
             (facts.over_unknown == no_owner ? "" : " over the unknown attempt of " + to_string(facts.over_unknown));
    case command_type<renew>:
      return "renewal of " + to_string(facts.owner);
    case command_type<complete>:
      if (facts.answer == 0) return "\"outcome unknown\" of " + to_string(facts.owner);
      return "completion of " + to_string(facts.owner) + " with " + text_of_answer(facts.answer);
    case command_type<release>:
      return "release of " + to_string(facts.owner);
    default:
      return "find";
  }
}

std::string vocabulary::text_of_reply(std::uint32_t id) const {
  const reply_facts& facts = facts_of_reply(id);
  switch (facts.type) {
    case reply_type<claim_granted>:
      return "granted, fence " + std::to_string(facts.token) + ", attempt number " +
             std::to_string(facts.attempt_number);
    case reply_type<record_in_flight>:
      return "in flight, held by " + to_string(facts.owner);
    case reply_type<record_completed>:
      return "completed with " + text_of_answer(facts.tombstone) + (facts.response == 0 ? ", body not kept" : "");
    case reply_type<record_unknown>:
      return "unknown, last owned by " + to_string(facts.owner);
    case reply_type<record_released>:
      return "released by " + to_string(facts.owner);
    case reply_type<record_absent>:
      return "absent";
    case reply_type<applied>:
      return "applied";
    case reply_type<fenced>:
      return "fenced";
    case reply_type<store_failure>:
      return facts.definite ? "failed, definitely without effect" : "no reply in time";
    default:
      return "?";
  }
}

}  // namespace onceward::model
