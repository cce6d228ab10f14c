// Whoever believes nothing but what it saw: what the store was asked and answered, what reached the upstream and took
// effect there, what clients were told. From that it says which promise of docs/architecture.md was broken.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/policy.h"
#include "onceward/store.h"
#include "tests/simulation/operations.h"
#include "tests/simulation/schedule.h"
#include "tests/simulation/sometimes.h"
#include "tests/simulation/timeline.h"

namespace onceward::simulation {

struct violation {
  std::string invariant;
  std::string why;
};

// One request as the upstream took it. Its number, from 1, is in the answer.
enum class effect { possible, done, none };
struct attempt_at_upstream {
  operation_number operation;
  unsigned body;
  std::uint64_t token;   // Its fence.
  std::uint64_t number;  // Of the client's try that it came from.
  effect what = effect::possible;
  std::vector<int> results{};  // The statuses of those of its answers that are to be recorded.
  bool past = false;           // Of a record that has expired since.

  bool is_result(int status) const { return std::find(results.begin(), results.end(), status) != results.end(); }
};

// What a client got.
struct told {
  int status = 0;
  bool replayed = false;
  std::string problem;  // The last word of its type; empty where it is no problem of ours.
  bool new_key_safe = false;
  std::optional<std::uint64_t> answer;  // The attempt whose answer it is.
  std::uint64_t digest = 0;             // Of status and body.
};

class observer {
 public:
  observer(const schedule& time, const core::policy& rules, const operations& all, bool deduplicates, timeline& tells,
           sometimes_counts& counts);

  const std::optional<violation>& found() const { return found_; }
  void report(std::string invariant, std::string why);
  void saw(sometimes what) { counts_.hit(what); }

  // ---- The store, by its own clock ----

  // `owner` is who submitted it, so that its end can be told.
  void store_asked(unsigned owner, const command& what);
  void store_answered(unsigned owner, const command& what, const reply& value, wall_time asked_at, wall_time now);
  // A journal was opened again, and says what it has.
  void store_reopened(operation_number which, const reply& found, wall_time now);
  // A failover lost what the store had last been told of the operation, which is promised.
  void store_lost(operation_number which);
  // The process is over: it forwards nothing any more.
  void process_ended(unsigned owner);

  // ---- The upstream ----

  std::uint64_t upstream_got(operation_number which, unsigned body, std::uint64_t token, std::uint64_t number);
  void upstream_did(std::uint64_t attempt);
  void upstream_will_not(std::uint64_t attempt);
  // Under a status that it gives to nothing else.
  void upstream_gave_result(std::uint64_t attempt, int status) { attempts_[attempt - 1].results.push_back(status); }
  const attempt_at_upstream& attempt(std::uint64_t number) const { return attempts_[number - 1]; }
  // What a truthful upstream says of an operation: the attempt that took effect; 0 if none has or will; nothing if one
  // may yet, also one that has not left its gateway.
  std::optional<std::uint64_t> truth(operation_number which) const;
  // The same of what has reached it.
  std::optional<std::uint64_t> truth_at_upstream(operation_number which) const;

  // ---- The clients ----

  void client_sent(std::uint64_t number, operation_number which, unsigned body);
  void client_told(std::uint64_t number, const told& what);
  void client_left(std::uint64_t number) { sent_[number - 1].left = true; }

  // ---- The end ----

  void store_at_end(operation_number which, const reply& found, wall_time now);
  void finish();

 private:
  enum class state { absent, in_flight, completed, released, unknown };
  enum class change { claim, result, unknown, release };
  // Submitted, and not answered.
  struct open_change {
    change what;
    attempt_id owner;
    std::uint64_t answer;
  };
  struct grant_seen {
    operation_number operation;
    std::uint64_t token;
    attempt_id attempt;
    unsigned owner;
    base::moment when;
    bool forwarded = false;
    bool closed = false;  // It will not be forwarded any more.
  };
  struct history {
    state now = state::absent;
    attempt_id owner{};
    std::uint64_t token = 0;
    std::uint64_t highest_token = 0;
    wall_time lease_end{};
    wall_time keep_until{};
    std::uint64_t answer = 0;
    base::moment recorded_at{};
    std::vector<open_change> open;
    bool lost = false;  // By a failover: nothing is promised about it any more.
    std::optional<std::uint64_t> told_digest;
    std::uint64_t told_answer = 0;
    unsigned bodies_sent = 0;  // A bit for each.
  };
  struct sent {
    operation_number operation;
    unsigned body;
    base::moment when;
    bool left = false;
  };
  struct safe_claim {
    std::uint64_t number;
    base::moment sent_at;
  };

  void after_claim(unsigned owner, const claim& asked, const reply& value, wall_time asked_at);
  void after_grant(unsigned owner, const claim& asked, const claim_granted& granted, wall_time asked_at);
  void after_complete(const complete& asked, wall_time asked_at);
  void after_release(const release& asked, wall_time asked_at);
  void after_renew(const renew& asked, wall_time asked_at);
  void sees(operation_number which, const reply& value);
  void check_result(operation_number which, std::uint64_t answer, int status);
  void check_found(operation_number which, const reply& found);
  void begin_life(operation_number which);
  bool has_expired(const history& of) const { return of.keep_until <= wall_highest_; }
  bool lease_is_over(const history& of) const { return of.lease_end <= wall_highest_; }
  bool may_have(const history& of, change what, const attempt_id& owner) const;
  std::uint64_t effect_of(operation_number which, std::uint64_t but_for = 0) const;
  void told_answer(std::uint64_t number, const told& what);
  std::string name(operation_number which) const { return all_.name_of(which); }

  const schedule& time_;
  const core::policy& rules_;
  const operations& all_;
  const bool deduplicates_;
  timeline& tells_;
  sometimes_counts& counts_;

  std::optional<violation> found_;
  wall_time wall_highest_{};
  std::vector<history> histories_;
  std::vector<grant_seen> grants_;
  std::vector<attempt_at_upstream> attempts_;
  std::vector<sent> sent_;  // By their numbers, from 1.
  std::vector<safe_claim> safe_claims_;
};

// The attempt whose answer is in the bytes that a store keeps; 0 where there is none.
std::uint64_t answer_in(const shared_bytes& response, const shared_bytes& tombstone);

}  // namespace onceward::simulation
