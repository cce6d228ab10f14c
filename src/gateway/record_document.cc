#include "gateway/record_document.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "base/hex.h"
#include "core/problem.h"
#include "core/record_codec.h"

namespace onceward::gateway {
namespace {

using json = nlohmann::ordered_json;

json document_of(core::operation_state state, const std::optional<record_key>& named) {
  json document;
  if (named) document["record"] = base::to_hex(named->bytes);
  document["state"] = core::to_string(state);
  return document;
}

void add_summary(json& document, const record_summary& summary) {
  document["attempt"] = summary.attempt_number;
  document["fence"] = static_cast<std::uint64_t>(summary.token);
  document["first_seen"] = rfc3339(summary.first_seen);
  document["expires_at"] = rfc3339(summary.expires_at);
}

void add_result(json& document, const record_completed& done) {
  document["completed_at"] = rfc3339(done.summary.ended_at);
  if (const auto left = core::read_tombstone(*done.tombstone)) {
    document["status"] = left->status;
    if (!left->location.empty()) document["location"] = left->location;
  }
  document["body_kept"] = done.response != nullptr;
}

// A Location is bytes of an upstream and need not be UTF-8.
std::string text_of(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

json describe(const reply& found, const std::optional<record_key>& named) {
  if (const auto* running = std::get_if<record_in_flight>(&found)) {
    json document = document_of(core::operation_state::in_flight, named);
    add_summary(document, running->summary);
    document["lease_ends_at"] = rfc3339(running->summary.ended_at);
    return document;
  }
  if (const auto* done = std::get_if<record_completed>(&found)) {
    json document = document_of(core::operation_state::completed, named);
    add_summary(document, done->summary);
    add_result(document, *done);
    return document;
  }
  if (const auto* open = std::get_if<record_unknown>(&found)) {
    json document = document_of(core::operation_state::unknown, named);
    add_summary(document, open->summary);
    document["unknown_since"] = rfc3339(open->summary.ended_at);
    return document;
  }
  if (const auto* gone = std::get_if<record_released>(&found)) {
    json document = document_of(core::operation_state::released, named);
    add_summary(document, gone->summary);
    return document;
  }
  return document_of(core::operation_state::absent, named);
}

}  // namespace

std::string rfc3339(wall_time when) {
  const auto milliseconds = when.time_since_epoch().count();
  const std::int64_t fraction = ((milliseconds % 1'000) + 1'000) % 1'000;
  const std::time_t seconds = (milliseconds - fraction) / 1'000;
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, fraction);
}

std::string record_document(const reply& found, const std::optional<record_key>& named) {
  return text_of(describe(found, named));
}

std::string record_list_document(const unknown_listed& listed) {
  json records = json::array();
  for (const unknown_listed::item& each : listed.items) {
    records.push_back(describe(record_unknown{each.summary}, each.key));
  }
  json document;
  document["records"] = std::move(records);
  return text_of(document);
}

}  // namespace onceward::gateway
