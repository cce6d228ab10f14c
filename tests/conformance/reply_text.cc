#include "reply_text.h"

#include <chrono>
#include <cstdint>
#include <span>

#include "base/checksum.h"
#include "base/hex.h"

namespace onceward::conformance {
namespace {

std::string text(const shared_bytes& blob) {
  if (blob == nullptr) return "null";
  return std::to_string(blob->size()) + "#" + std::to_string(base::checksum(*blob));
}

std::string text(wall_time point) {
  return std::to_string(point.time_since_epoch().count());
}

std::string text(const record_summary& summary) {
  return " attempt=" + base::to_hex(summary.attempt.bytes) + " number=" + std::to_string(summary.attempt_number) +
         " fence=" + std::to_string(static_cast<std::uint64_t>(summary.token)) +
         " first_seen=" + text(summary.first_seen) + " ended_at=" + text(summary.ended_at) +
         " expires_at=" + text(summary.expires_at) + " fingerprint=" + text(summary.fingerprint);
}

struct kind_printer {
  std::string operator()(const claim_granted&) const { return "claim_granted"; }
  std::string operator()(const record_in_flight&) const { return "record_in_flight"; }
  std::string operator()(const record_completed&) const { return "record_completed"; }
  std::string operator()(const record_unknown&) const { return "record_unknown"; }
  std::string operator()(const record_released&) const { return "record_released"; }
  std::string operator()(const record_absent&) const { return "record_absent"; }
  std::string operator()(const applied&) const { return "applied"; }
  std::string operator()(const fenced&) const { return "fenced"; }
  std::string operator()(const unknown_listed&) const { return "unknown_listed"; }
  std::string operator()(const purged&) const { return "purged"; }
  std::string operator()(const store_failure&) const { return "store_failure"; }
};

struct detail_printer {
  std::string operator()(const claim_granted& granted) const {
    return " fence=" + std::to_string(static_cast<std::uint64_t>(granted.token)) +
           " number=" + std::to_string(granted.attempt_number) +
           " lease_left=" + std::to_string(granted.lease_left.count());
  }
  std::string operator()(const record_in_flight& running) const {
    return text(running.summary) + " lease_left=" + std::to_string(running.lease_left.count());
  }
  std::string operator()(const record_completed& done) const {
    return text(done.summary) + " response=" + text(done.response) + " tombstone=" + text(done.tombstone);
  }
  std::string operator()(const record_unknown& open) const { return text(open.summary); }
  std::string operator()(const record_released& gone) const { return text(gone.summary); }
  std::string operator()(const record_absent&) const { return {}; }
  std::string operator()(const applied&) const { return {}; }
  std::string operator()(const fenced&) const { return {}; }
  std::string operator()(const unknown_listed& listed) const {
    std::string lines;
    for (const auto& item : listed.items)
      lines += "\n  " + base::to_hex(item.key.bytes) + text(item.summary);
    return lines;
  }
  std::string operator()(const purged& done) const { return " records=" + std::to_string(done.records); }
  std::string operator()(const store_failure& failure) const {
    return std::string(failure.effect == certainty::definite ? " definite " : " indefinite ") +
           std::string(to_string(failure.reason));
  }
};

}  // namespace

std::string kind_of(const reply& value) {
  return std::visit(kind_printer{}, value);
}

std::string to_text(const reply& value) {
  return kind_of(value) + std::visit(detail_printer{}, value);
}

}  // namespace onceward::conformance
