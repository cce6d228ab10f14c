#include "tests/model/answers.h"

#include "base/assert.h"
#include "core/record_codec.h"

namespace onceward::model {
namespace {

std::uint16_t status_of(ending how) {
  switch (how) {
    case ending::rejected:
      return 404;
    case ending::refused:
      return 503;
    case ending::gateway_timeout:
      return 504;
    case ending::fulfilled:
    case ending::too_large:
    case ending::probed:
    case ending::resolved:
      return 200;
    case ending::none:
    case ending::unreachable:
    case ending::failed:
    case ending::timed_out:
      break;
  }
  onceward_unreachable("an ending without an answer has no status");
}

std::string location_of(answer_tag tag) {
  return "/answers/" + std::to_string(tag);
}

answer_tag find(const std::unordered_map<std::string, answer_tag>& book, const shared_bytes& bytes) {
  if (bytes == nullptr) return 0;
  const auto found = book.find(*bytes);
  return found == book.end() ? strange_tag : found->second;
}

}  // namespace

const char* to_string(ending how) {
  switch (how) {
    case ending::none:
      return "nothing";
    case ending::fulfilled:
      return "200";
    case ending::rejected:
      return "404, nothing done";
    case ending::too_large:
      return "200, with a body too large to keep";
    case ending::refused:
      return "503, nothing done";
    case ending::gateway_timeout:
      return "504";
    case ending::unreachable:
      return "connection refused";
    case ending::failed:
      return "connection lost after the request was sent";
    case ending::timed_out:
      return "no answer in time";
    case ending::probed:
      return "200 of the status URL";
    case ending::resolved:
      return "the operator's 200";
  }
  return "";
}

shared_bytes answer_book::response(answer_tag tag) {
  if (ending_of(tag) == ending::too_large) return nullptr;
  const std::string body = "answer " + std::to_string(tag);
  shared_bytes bytes = core::write_response({status_of(ending_of(tag)), {}, {}, body});
  responses_.try_emplace(*bytes, tag);
  return bytes;
}

shared_bytes answer_book::tombstone(answer_tag tag) {
  shared_bytes bytes = core::write_tombstone({status_of(ending_of(tag)), location_of(tag)});
  tombstones_.try_emplace(*bytes, tag);
  return bytes;
}

answer_tag answer_book::tag_of_response(const shared_bytes& bytes) const {
  return find(responses_, bytes);
}

answer_tag answer_book::tag_of_tombstone(const shared_bytes& bytes) const {
  return find(tombstones_, bytes);
}

answer_tag answer_book::tag_of_location(const std::string& location) const {
  for (const auto& [bytes, tag] : tombstones_) {
    if (location == location_of(tag)) return tag;
  }
  return location.empty() ? answer_tag{0} : strange_tag;
}

core::attempt_result answer_book::attempt_result(answer_tag tag) {
  switch (ending_of(tag)) {
    case ending::unreachable:
      return core::definite_failure::unreachable;
    case ending::failed:
      return core::indefinite_failure::failed;
    case ending::timed_out:
      return core::indefinite_failure::timed_out;
    case ending::none:
    case ending::fulfilled:
    case ending::rejected:
    case ending::too_large:
    case ending::refused:
    case ending::gateway_timeout:
    case ending::probed:
    case ending::resolved:
      break;
  }
  return core::upstream_answer{status_of(ending_of(tag)), std::nullopt, std::nullopt, response(tag), tombstone(tag)};
}

}  // namespace onceward::model
