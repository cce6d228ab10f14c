// The journal, through the port that the gateway uses.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store_filler.h"
#include "stores/journal/journal.h"
#include "synced_groups.h"
#include "waiting_sink.h"

namespace onceward::bench {
namespace {

wall_time now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::unique_ptr<journal::journal> opened(const std::string& directory, journal::durability level) {
  journal::options chosen;
  chosen.level = level;
  chosen.bytes_limit = 256ull << 30;
  auto found = journal::journal::open(directory, chosen, now);
  require(found.has_value(), found ? "" : found.error().message);
  return *std::move(found);
}

class journal_engine final : public engine {
 public:
  explicit journal_engine(const std::string& directory) : journal_(opened(directory, journal::durability::synced)) {}

  void claim(std::span<const new_record> group) override {
    submit(group, [&](const new_record& each) {
      return onceward::claim{each.key, each.attempt, std::chrono::seconds(30), std::chrono::hours(24), fingerprint_};
    });
  }
  void complete(std::span<const new_record> group) override {
    submit(group, [&](const new_record& each) {
      return onceward::complete{
          each.key, each.attempt,
          outcome_completed{response_, tombstone_, std::chrono::hours(24), std::chrono::hours(24)}};
    });
  }

 private:
  template <typename Make>
  void submit(std::span<const new_record> group, Make make) {
    std::vector<command> commands;
    commands.reserve(group.size());
    for (const new_record& each : group)
      commands.emplace_back(make(each));
    waiting_sink sink;
    require(sink.submit_and_wait(*journal_, std::move(commands)), "the journal refuses a command");
  }

  std::unique_ptr<journal::journal> journal_;
  shared_bytes fingerprint_ = std::make_shared<const std::string>(fingerprint_bytes, 'f');
  shared_bytes response_ = std::make_shared<const std::string>(response_bytes, 'r');
  shared_bytes tombstone_ = std::make_shared<const std::string>(tombstone_bytes, 't');
};

class journal_kind final : public engine_kind {
 public:
  std::string name() const override { return "journal"; }
  std::unique_ptr<engine> open(const std::string& directory) override {
    return std::make_unique<journal_engine>(directory);
  }
  void fill(const std::string& directory, std::uint64_t count) override {
    const auto into = opened(directory, journal::durability::written);
    fill_plan plan;
    plan.records = count;
    // Not in their order, which record keys never come in: the journal counts on it that they are uniform.
    constexpr std::uint64_t step = 1'000'003;  // A prime, so that each of them comes once.
    require(count < step || count % step != 0, "this number of records cannot be told apart");
    bench::fill(*into, plan, [&](std::uint64_t index) {
      const new_record made = stored_record(index * step % count, count);
      return std::pair(made.key, made.attempt);
    });
  }
};

}  // namespace
}  // namespace onceward::bench

int main(int argc, char** argv) {
  onceward::bench::journal_kind kind;
  return onceward::bench::run(kind, argc, argv);
}
