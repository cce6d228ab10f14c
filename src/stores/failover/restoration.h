// What is asked and written for one record after a failover, to find out whether it was lost and, if so, to make it
// known again: in flight where its attempt still ran, unknown where it had ended, because its outcome is gone.
//
// A machine: next() is the command to submit, take() its reply. Commands are those of the port, so that whoever shares
// the store sees what they wrote. Every step may be repeated.
#pragma once

#include <span>

#include "onceward/store.h"
#include "stores/failover/recent_records.h"

namespace onceward::failover {

class restoration {
 public:
  explicit restoration(recent_record what) : what_(std::move(what)) {}

  enum class verdict {
    goes_on,  // next() is another command.
    failed,   // The store did not say; next() begins again.
    done,
  };

  command next() const;

  // `held`: attempts of this process whose claims of the key have not been answered. Where one of them was granted
  // meanwhile, it will not run: it is made unknown as well.
  verdict take(const reply& answer, std::span<const attempt_id> held);

  // Once done.
  bool was_lost() const { return lost_; }
  // The record as it is at the new server, if it is still the one that was remembered.
  const recent_record* remains() const { return remains_ ? &what_ : nullptr; }

 private:
  enum class step { finding, claiming, ending };

  verdict found(const reply& answer, std::span<const attempt_id> held);
  verdict found_own(const reply& answer);
  verdict found_other(const record_summary& other, const reply& answer, std::span<const attempt_id> held);
  verdict claim_again();
  verdict end(const attempt_id& which);

  recent_record what_;
  attempt_id ended_{};
  step step_ = step::finding;
  bool lost_ = false;
  bool remains_ = false;
};

}  // namespace onceward::failover
