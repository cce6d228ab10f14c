#include <array>
#include <chrono>
#include <initializer_list>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/limits.h"
#include "core/outcome.h"
#include "core/policy.h"
#include "gateway/config_checks.h"
#include "gateway/config_key_kinds.h"
#include "gateway/config_keys.h"

namespace onceward::gateway {
namespace {

using namespace std::chrono_literals;
using core::policy;

constexpr std::size_t names_max = 32;
constexpr std::chrono::milliseconds retention_max = 24h * 3660;

constexpr word_table<core::key_syntax, 2> syntax_words{{"lenient", "strict"},
                                                       {core::key_syntax::lenient, core::key_syntax::strict}};
constexpr word_table<core::key_presence, 3> presence_words{
    {"optional", "required", "forbidden"},
    {core::key_presence::optional, core::key_presence::required, core::key_presence::forbidden}};
constexpr word_table<core::key_format, 2> format_words{{"any", "uuid"},
                                                       {core::key_format::any, core::key_format::uuid}};
constexpr word_table<core::key_forwarding, 3> forward_words{
    {"as_sent", "bare", "quoted"},
    {core::key_forwarding::as_sent, core::key_forwarding::bare, core::key_forwarding::quoted}};
constexpr word_table<core::operation_kind, 3> operation_words{
    {"path", "route", "none"}, {core::operation_kind::path, core::operation_kind::route, core::operation_kind::none}};
constexpr word_table<core::body_recipe, 5> body_words{
    {"raw", "json", "form", "multipart", "none"},
    {core::body_recipe::raw, core::body_recipe::json, core::body_recipe::form, core::body_recipe::multipart,
     core::body_recipe::none}};
constexpr word_table<core::store_failure_policy, 2> store_failure_words{
    {"refuse", "pass"}, {core::store_failure_policy::refuse, core::store_failure_policy::pass}};
constexpr word_table<core::duplicate_policy, 2> duplicate_words{
    {"replay", "conflict"}, {core::duplicate_policy::replay, core::duplicate_policy::conflict}};
constexpr word_table<std::uint16_t, 5> in_flight_words{{"409", "423", "425", "429", "503"}, {409, 423, 425, 429, 503}};

config_keys<core::key_policy> key_keys() {
  using core::key_policy;
  return {
      text_key<key_policy>("header", &key_policy::header, check_request_field_name, "field name",
                           "The request field that carries the key."),
      texts_key<key_policy>("aliases", &key_policy::aliases, check_request_field_name, names_max, "field names",
                            "Further fields that may carry it. Two that are present must agree."),
      text_key<key_policy>("pointer", &key_policy::pointer, check_json_pointer, "JSON pointer",
                           "Where the key is in a JSON body, for clients that send it there."),
      word_key<key_policy>(
          "syntax", &key_policy::syntax, syntax_words,
          "`strict` takes a Structured Field String only (`\"k\"`), `lenient` also the bare form (`k`). "
          "Both forms are one key."),
      word_key<key_policy>("presence", &key_policy::presence, presence_words,
                           "`optional`: without a key a request passes unguarded. `required`: without a key 400. "
                           "`forbidden`: with a key 400."),
      word_key<key_policy>("format", &key_policy::format, format_words, "`uuid` refuses every other key."),
      text_key<key_policy>("pattern", &key_policy::pattern, check_nothing, "regular expression (RE2)",
                           "The whole key must match it."),
      count_key<key_policy>("min_length", &key_policy::length_min, 1, core::idempotency_key_bytes_max,
                            "In characters, without quotes."),
      count_key<key_policy>("max_length", &key_policy::length_max, 1, core::idempotency_key_bytes_max,
                            "In characters, without quotes."),
      word_key<key_policy>("forward", &key_policy::forwarding, forward_words,
                           "The form in which the upstream gets the key."),
      boolean_key<key_policy>("echo", &key_policy::echo, "The response carries the key in the same field."),
  };
}

config_keys<core::scope_policy> credential_keys() {
  using core::scope_policy;
  return {
      texts_key<scope_policy>("headers", &scope_policy::credential_headers, check_request_field_name, names_max,
                              "field names", "The fields that together say who calls."),
      text_key<scope_policy>(
          "cookie", &scope_policy::cookie, check_cookie_name, "cookie name",
          "Where none of them is present: the cookie that says so. `none`: the whole `Cookie` field."),
      boolean_key<scope_policy>("required", &scope_policy::credential_required,
                                "A request without any credential gets 400."),
  };
}

// Replaces the scope as a whole: a header next to credentials would be neither.
void read_scope(config_reader& reader, const config_entry& entry, policy& rules) {
  constexpr std::array<std::string_view, 3> words{"credential", "shared", "header"};
  core::scope_policy scope;
  if (std::holds_alternative<config_scalar>(entry.node.value)) {
    const auto index = reader.word(entry.name, entry.node, words);
    if (!index) return;
    if (words[*index] == "header") {
      return reader.wrong(entry.name, entry.node, "needs the name of the header: `scope: { header: X-Tenant }`");
    }
    scope.kind = *index == 0 ? core::scope_kind::credential : core::scope_kind::shared;
    rules.scope = scope;
    return;
  }
  const config_map* map = reader.map(entry.name, entry.node);
  if (map == nullptr) return;
  const config_keys<core::scope_policy> keys{
      text_key<core::scope_policy>("header", &core::scope_policy::header, check_request_field_name, "", ""),
      section_key<core::scope_policy>("credential", std::identity{}, credential_keys(), "")};
  if (map->entries.size() != 1) {
    return reader.wrong(entry.name, entry.node, "must have exactly one of `header` and `credential`");
  }
  read_keys(reader, *map, keys, scope);
  scope.kind = map->entries.front().name == "header" ? core::scope_kind::header : core::scope_kind::credential;
  rules.scope = scope;
}

config_key<policy> scope_key() {
  return {{"scope",
           "`credential`, `shared` or map",
           "credential",
           "Whose key it is: two scopes never meet in one record. `shared`: one tenant, whoever calls.",
           {{"header",
             "field name",
             "none",
             "The scope is this field, set by an authenticating proxy. Needs `trusted_peers`.",
             {}},
            {"credential", "map", "", "The scope is the caller's credential.", descriptions_of(credential_keys())}}},
          read_scope};
}

config_keys<core::fingerprint_policy> fingerprint_keys() {
  using core::fingerprint_policy;
  return {
      word_key<fingerprint_policy>(
          "body", &fingerprint_policy::body, body_words,
          "How bodies are compared: byte by byte, as JSON (white space and order of members do not count), as form "
          "fields, as parts, or not at all."),
      texts_key<fingerprint_policy>("headers", &fingerprint_policy::headers, check_request_field_name, names_max,
                                    "field names", "Fields that count, beside method, path and query."),
      texts_key<fingerprint_policy>("include", &fingerprint_policy::include, check_json_pointer, names_max,
                                    "JSON pointers", "Only these parts of the body count. Needs `body: json`."),
      texts_key<fingerprint_policy>("exclude", &fingerprint_policy::exclude, check_json_pointer, names_max,
                                    "JSON pointers", "These parts of the body do not count. Needs `body: json`."),
  };
}

void read_fingerprint(config_reader& reader, const config_entry& entry, policy& rules) {
  if (const auto* word = std::get_if<config_scalar>(&entry.node.value)) {
    if (word->text == "off") {
      rules.fingerprint.enabled = false;
    } else {
      reader.wrong(entry.name, entry.node, fmt::format("must be off or a map, not {}", in_quotes(word->text)));
    }
    return;
  }
  const config_map* map = reader.map(entry.name, entry.node);
  if (map == nullptr) return;
  rules.fingerprint.enabled = true;
  read_keys(reader, *map, fingerprint_keys(), rules.fingerprint);
}

config_key<policy> fingerprint_key() {
  return {{"fingerprint", "`off` or map", "",
           "What makes a duplicate the same request. `off`: every request with the key is.",
           descriptions_of(fingerprint_keys())},
          read_fingerprint};
}

std::string statuses_shown(const core::status_list& list) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < list.classes.size(); ++i) {
    if (list.classes.test(i)) all.push_back(fmt::format("{}xx", i));
  }
  for (std::size_t i = 0; i < list.numbers.size(); ++i) {
    if (list.numbers.test(i)) all.push_back(fmt::format("{}", i));
  }
  return shown(all);
}

// A status or a class that a final response can have.
std::optional<std::string> check_statuses(std::string_view text) {
  core::status_list list;
  if (core::add_statuses(list, text) && text.front() != '1') return std::nullopt;
  return fmt::format("must be a status such as 404 or a class such as 4xx, not {}", in_quotes(text));
}

config_key<core::outcome_policy> statuses_key(std::string name, core::status_list core::outcome_policy::* member,
                                              std::string meaning) {
  constexpr std::size_t statuses_max = 600;
  return {{name, "list of statuses and classes", statuses_shown(core::default_outcomes().*member), std::move(meaning)},
          [=](config_reader& reader, const config_entry& entry, core::outcome_policy& outcomes) {
            const auto statuses = reader.texts(name, entry.node, check_statuses, statuses_max);
            if (!statuses) return;
            core::status_list list;
            list.level = reader.level;
            for (const std::string& one : *statuses)
              core::add_statuses(list, one);
            outcomes.*member = list;
          }};
}

config_keys<core::outcome_policy> outcome_keys() {
  using core::outcome_policy;
  return {
      statuses_key("complete", &outcome_policy::complete, "The operation has its answer: it is stored and replayed."),
      statuses_key("release", &outcome_policy::release, "The operation did not happen: the key is free again."),
      statuses_key("unknown", &outcome_policy::unknown, "Nobody knows whether it happened: the key is unknown."),
  };
}

void read_outcomes(config_reader& reader, const config_entry& entry, policy& rules) {
  const config_map* map = reader.map(entry.name, entry.node);
  if (map == nullptr) return;
  read_keys(reader, *map, outcome_keys(), rules.outcomes);
}

config_key<policy> outcomes_key() {
  return {
      {"outcomes", "map", "",
       "What the status of a complete answer makes of the key. A number beats a class; a list given here replaces the "
       "inherited list of its name and wins over the others.",
       descriptions_of(outcome_keys())},
      read_outcomes};
}

config_keys<core::probe_policy> probe_keys() {
  using core::probe_policy;
  return {
      text_key<probe_policy>("url", &probe_policy::url, check_probe_url, "path with `{key}` or `{/pointer}`",
                             "Asked with GET: 200 is the outcome, 404 frees the key, 409 and 202 mean ask again."),
      duration_key<probe_policy>("timeout", &probe_policy::timeout, 1ms, 1min, "For one answer."),
      duration_key<probe_policy>("backoff", &probe_policy::backoff, 1ms, 1min,
                                 "Before the second question; then doubled."),
      duration_key<probe_policy>("backoff_max", &probe_policy::backoff_max, 1ms, 1min, "The longest pause."),
  };
}

void read_on_unknown(config_reader& reader, const config_entry& entry, policy& rules) {
  constexpr std::array<std::string_view, 3> words{"refuse", "redispatch", "probe"};
  constexpr std::array values{core::unknown_policy::refuse, core::unknown_policy::redispatch,
                              core::unknown_policy::probe};
  if (!std::holds_alternative<config_map>(entry.node.value)) {
    if (const auto index = reader.word(entry.name, entry.node, words)) rules.on_unknown = values[*index];
    return;
  }
  const config_keys<policy> keys{section_key<policy>("probe", &policy::probe, probe_keys(), "")};
  rules.on_unknown = core::unknown_policy::probe;
  read_keys(reader, std::get<config_map>(entry.node.value), keys, rules);
}

config_key<policy> on_unknown_key() {
  return {
      {"on_unknown",
       "`refuse`, `redispatch` or map",
       "refuse",
       "What a duplicate of an unknown outcome gets. `refuse`: 409. `redispatch`: it is forwarded again, because the "
       "upstream itself deduplicates by the key.",
       {{"probe", "map", "", "The upstream is asked what became of it.", descriptions_of(probe_keys())}}},
      read_on_unknown};
}

void read_mismatch(config_reader& reader, const config_entry& entry, policy& rules) {
  constexpr std::array<std::string_view, 4> words{"422", "409", "400", "new_operation"};
  constexpr std::array<std::uint16_t, 3> statuses{422, 409, 400};
  const auto index = reader.word(entry.name, entry.node, words);
  if (!index) return;
  if (*index < statuses.size()) {
    rules.on_mismatch = core::mismatch_policy::refuse;
    rules.mismatch_status = statuses[*index];
  } else {
    rules.on_mismatch = core::mismatch_policy::new_operation;
  }
}

config_key<policy> mismatch_key() {
  return {
      {"mismatch", "`422`, `409`, `400`, `new_operation`", "422",
       "What another request under the same key gets: a refusal with this status, or (`new_operation`) a record of its "
       "own."},
      read_mismatch};
}

config_keys<core::replay_policy> replay_keys() {
  using core::replay_policy;
  return {
      text_key<replay_policy>("marker", &replay_policy::marker, check_field_name, "field name",
                              "Set to `true` on every replay."),
      texts_key<replay_policy>("drop", &replay_policy::dropped, check_field_name, names_max, "field names",
                               "Response fields that are not stored, beside those that belong to the connection."),
      texts_key<replay_policy>("rename", &replay_policy::renamed, check_field_name, names_max, "field names",
                               "Response fields that come back as `Original-NAME`."),
  };
}

void read_retry_hints(config_reader& reader, const config_entry& entry, policy& rules) {
  constexpr std::array<std::string_view, 3> words{"x-should-retry", "stripe-should-retry", "retry-after-ms"};
  const auto items = reader.items(entry.name, entry.node, "a list");
  if (!items) return;
  core::retry_hint_policy hints;
  const std::array<bool*, 3> flags{&hints.should_retry, &hints.stripe_should_retry, &hints.retry_after_ms};
  for (const config_node& item : *items) {
    if (const auto index = reader.word(entry.name, item, words)) *flags[*index] = true;
  }
  rules.retry_hints = hints;
}

config_key<policy> retry_hints_key() {
  return {{"retry_hints", "list of `x-should-retry`, `stripe-should-retry`, `retry-after-ms`", "none",
           "Fields for the client libraries of some vendors, on refusals. A `false` in them makes some stop for good."},
          read_retry_hints};
}

config_keys<policy> body_limit_keys() {
  constexpr std::uint64_t body_bytes_max = std::uint64_t{1} << 30;
  // Half of the longest record that a journal takes, which leaves room for the fields.
  constexpr std::uint64_t stored_bytes_max = std::uint64_t{4} << 20;
  return {
      bytes_key<policy>("request_body_bytes_max", &policy::request_body_bytes_max, 0, body_bytes_max,
                        "Of a guarded request, which is read whole before anything else: beyond it 413."),
      bytes_key<policy>("body_bytes_stored_max", &policy::body_bytes_stored_max, 0, stored_bytes_max,
                        "Of a response: beyond it only status and `Location` are kept."),
  };
}

// Read before all others by config.cc; here it only has its place in the reference.
config_key<policy> profile_key() {
  return {{"profile", words_shown(core::profile_names()), "default",
           "Sets several keys in one word. Every key that is given wins over it; a route's profile replaces that of "
           "`defaults`."},
          [](config_reader&, const config_entry&, policy&) {}};
}

config_keys<policy> make_policy_keys() {
  return {
      profile_key(),
      texts_key<policy>("guarded_methods", &policy::methods, check_guarded_method, names_max, "methods",
                        "Requests of other methods pass through. Where a route gives `match.methods` and not this, it "
                        "guards those of them that are not safe."),
      section_key<policy>("key", &policy::key, key_keys(), "Which value of a request is its idempotency key."),
      scope_key(),
      word_key<policy>("operation", &policy::operation, operation_words,
                       "What one key can name: method and path, the route, or (`none`) the whole API."),
      fingerprint_key(),
      duration_key<policy>(
          "wait", &policy::wait, 0ms, 1h,
          "How long a duplicate waits for the first request's answer before it gets `in_flight_status`."),
      duration_key<policy>("lease", &policy::lease, 100ms, 1h,
                           "How long a claim outlives the process that holds it; renewed while the attempt lives."),
      duration_key<policy>("retention", &policy::retention, 100ms, retention_max,
                           "How long a record is kept, from its completion."),
      duration_key<policy>("retention_tombstone", &policy::retention_tombstone, 100ms, retention_max,
                           "How long status and `Location` are kept; the longer of the two counts."),
      outcomes_key(),
      on_unknown_key(),
      word_key<policy>("on_store_failure", &policy::on_store_failure, store_failure_words,
                       "`refuse`: 503 while the store cannot answer. `pass`: forwarded unguarded, marked and counted."),
      word_key<policy>("duplicate", &policy::duplicate, duplicate_words,
                       "What a duplicate of a completed request gets: its answer, or 409 with its `Location`."),
      mismatch_key(),
      word_key<policy>("in_flight_status", &policy::in_flight_status, in_flight_words,
                       "The status when `wait` is over and the first request is not."),
      section_key<policy>("replay", &policy::replay, replay_keys(), "How stored answers come back."),
      retry_hints_key(),
      boolean_key<policy>(
          "prefer_live_response", &policy::prefer_live_response,
          "Where the store did not take the outcome: `true` gives the client the upstream's answer, marked "
          "as not recorded, instead of 503."),
      section_key<policy>("limits", std::identity{}, body_limit_keys(), "Sizes."),
      boolean_key<policy>("unguarded_upgrades", &policy::unguarded_upgrades,
                          "Upgrades (WebSocket) pass where no key guards the request."),
  };
}

}  // namespace

const config_keys<core::policy>& policy_keys() {
  static const config_keys<policy> keys = make_policy_keys();
  return keys;
}

}  // namespace onceward::gateway
