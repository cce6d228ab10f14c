// What the upstream can do with a forwarded request, and the bytes of its answers. Every answer says to which attempt
// and to which request it belongs, so that a mix-up is seen wherever it surfaces.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "core/exchange.h"

namespace onceward::model {

enum class ending : std::uint8_t {
  none,
  fulfilled,        // 200: it took effect.
  rejected,         // 404: it did not, and will not; that is the answer.
  too_large,        // 200, with a body that is not kept.
  refused,          // 503: it did not take effect, and will not.
  gateway_timeout,  // 504: nobody knows.
  unreachable,      // No byte arrived.
  failed,
  timed_out,
  probed,    // The status URL's answer of one that took effect.
  resolved,  // The operator's answer of one that took effect.
};

const char* to_string(ending how);

// Names an answer: how, by which attempt (its fence), to which kind of request. 0 for none.
using answer_tag = std::uint16_t;

constexpr answer_tag tag_of(ending how, unsigned fence, unsigned kind) {
  return static_cast<answer_tag>(static_cast<unsigned>(how) << 8 | fence << 4 | kind);
}
constexpr ending ending_of(answer_tag tag) {
  return static_cast<ending>(tag >> 8);
}
constexpr unsigned fence_of(answer_tag tag) {
  return tag >> 4 & 15u;
}
constexpr unsigned kind_of(answer_tag tag) {
  return tag & 15u;
}

// Bytes that no answer has.
constexpr answer_tag strange_tag = 0xffff;

// The bytes of answers as records keep them, and the way back.
class answer_book {
 public:
  // `response` is null for one that is too large.
  shared_bytes response(answer_tag tag);
  shared_bytes tombstone(answer_tag tag);

  // 0 for null, strange_tag for bytes that were never written.
  answer_tag tag_of_response(const shared_bytes& bytes) const;
  answer_tag tag_of_tombstone(const shared_bytes& bytes) const;
  answer_tag tag_of_location(const std::string& location) const;

  core::attempt_result attempt_result(answer_tag tag);
  core::probe_found found(answer_tag tag) { return {response(tag), tombstone(tag)}; }

 private:
  std::unordered_map<std::string, answer_tag> responses_;
  std::unordered_map<std::string, answer_tag> tombstones_;
};

}  // namespace onceward::model
