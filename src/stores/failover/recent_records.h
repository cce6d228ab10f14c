// What a store acknowledged to this process lately: the records that a failover may have lost.
//
// Kept are the records whose grants or outcomes are no older than the loss window, and those whose attempts still run,
// but no more than a number: beyond it the oldest are forgotten. Time is measured from one acknowledgement to the next:
// while nothing is acknowledged, nothing grows old.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/record.h"
#include "onceward/store.h"

namespace onceward::failover {

struct recent_record {
  enum class state { in_flight, completed, unknown };

  record_key key;
  attempt_id attempt;
  std::uint32_t attempt_number = 0;  // 0 where the grant was not seen, or is forgotten.
  shared_bytes fingerprint{};        // Null likewise.
  std::chrono::milliseconds lease{};
  std::chrono::milliseconds retention{};
  state acknowledged = state::in_flight;
  base::moment at{};       // Of the last acknowledgement.
  base::moment expires{};  // From then on the record may rightly be gone.
};

class recent_records {
 public:
  recent_records(std::chrono::milliseconds loss_window, std::size_t records_max);

  // `answer` came for `asked`.
  void learn(const command& asked, const reply& answer, base::moment now);
  void remember(recent_record what, base::moment now);

  // All that may not be gone yet; none of it is remembered any more.
  std::vector<recent_record> take_all(base::moment now);
  std::size_t size() const { return places_.size(); }

 private:
  using place = std::list<recent_record>::iterator;

  void learn_from(const claim& asked, const reply& answer, base::moment now);
  void learn_from(const renew& asked, const reply& answer, base::moment now);
  void learn_from(const complete& asked, const reply& answer, base::moment now);
  void learn_from(const release& asked, const reply& answer, base::moment now);
  recent_record* of(const record_key& key, const attempt_id& attempt);
  void forget(const record_key& key);
  void forget_old(base::moment now);

  const std::chrono::milliseconds loss_window_;
  const std::size_t records_max_;
  std::list<recent_record> in_order_;  // The oldest first.
  std::unordered_map<record_key, place, core::record_key_index> places_;
};

}  // namespace onceward::failover
