#include "transaction/answers.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "core/record_codec.h"
#include "core/replay.h"
#include "http/characters.h"

namespace onceward::transaction {
namespace {

using refusal = tl::unexpected<std::string>;

void add_fields(std::string_view lines, std::string_view prefix, std::vector<field>& into) {
  core::field_lines_view view(lines);
  http::field_view each;
  while (view.next(each))
    into.push_back({std::string(prefix).append(each.name), std::string(each.value)});
}

begun replay_of(const record_completed& record) {
  replayed again;
  if (record.response != nullptr) {
    const auto stored = core::read_response(*record.response);
    if (!stored) return failure{failure_kind::refused, "the stored response is damaged or of another version"};
    again.answer.status = stored->status;
    add_fields(stored->fields, "", again.answer.fields);
    add_fields(stored->renamed_fields, "Original-", again.answer.fields);
    again.answer.body = stored->body;
    return again;
  }
  const auto left = core::read_tombstone(*record.tombstone);
  if (!left) return failure{failure_kind::refused, "the stored tombstone is damaged or of another version"};
  again.answer.status = left->status;
  if (!left->location.empty()) again.answer.fields.push_back({"Location", std::string(left->location)});
  again.body_kept = false;
  return again;
}

struct finder {
  const identity& who;

  begun operator()(const record_in_flight& record) const {
    return unless_mismatch(record.summary, in_flight{record.lease_left});
  }
  begun operator()(const record_completed& record) const { return unless_mismatch(record.summary, replay_of(record)); }
  begun operator()(const record_unknown& record) const {
    return unless_mismatch(record.summary, unknown{record.summary.ended_at});
  }
  // No other reply answers a claim that was not granted.
  template <typename Other>
  begun operator()(const Other&) const {
    return failure{failure_kind::refused, "the store gave an answer that no claim gets"};
  }

 private:
  begun unless_mismatch(const record_summary& summary, begun otherwise) const {
    if (core::same_request(*summary.fingerprint, *who.fingerprint)) return otherwise;
    return mismatch{core::differing_parts(*summary.fingerprint, *who.fingerprint)};
  }
};

}  // namespace

std::string_view to_string(failure_kind kind) {
  switch (kind) {
    case failure_kind::run_again:
      return "run again";
    case failure_kind::aborted:
      return "aborted";
    case failure_kind::fenced:
      return "fenced";
    case failure_kind::refused:
      return "refused";
    case failure_kind::connection_lost:
      return "connection lost";
    case failure_kind::commit_unknown:
      return "commit unknown";
  }
  return "refused";
}

claim make_claim(const identifier& rules, const identity& who) {
  base::random_source random;  // Of this call alone, so that a process may fork.
  const core::policy& policy = rules.details().policy.rules;
  return {.key = who.key,
          .attempt = {random.take<16>()},
          .lease = policy.lease,
          .retention = std::max(policy.retention, policy.retention_tombstone),
          .fingerprint = who.fingerprint};
}

begun found(const reply& answer, const identity& who) {
  return std::visit(finder{who}, answer);
}

tl::expected<outcome_completed, std::string> outcome_of(const identifier& rules, const response& answer) {
  if (answer.status < 200 || answer.status > 599) return refusal("a response has a status from 200 to 599");
  const core::prepared_policy& policy = rules.details().policy;
  std::vector<http::field_view> fields;
  for (const field& each : answer.fields) {
    if (!http::is_token(each.name)) return refusal("a field's name is no token: " + each.name);
    if (!http::is_field_value(each.value)) {
      return refusal("a field's value has characters that it may not have: " + each.name);
    }
    fields.push_back(http::make_field(each.name, each.value));
  }
  http::response_head_view head;
  head.status = answer.status;
  head.fields = fields;
  head.connection_names_fields = true;
  for (const http::field_view& each : fields)
    head.ids.add(each.id);
  const bool kept = answer.body.size() <= policy.rules.body_bytes_stored_max;
  return outcome_completed{.response = kept ? policy.replays.keep(head, answer.body) : nullptr,
                           .tombstone = core::keep_tombstone(head),
                           .retention = policy.rules.retention,
                           .retention_tombstone = policy.rules.retention_tombstone};
}

}  // namespace onceward::transaction
