#include "stores/journal/cold_reader.h"

#include <utility>
#include <variant>
#include <vector>

#include "stores/journal/log_reader.h"

namespace onceward::journal {

cold_reader::cold_reader(engine& shared, run_by who) : engine_(shared) {
  if (who == run_by::threads) thread_ = std::thread([this] { run(); });
}

cold_reader::~cold_reader() {
  engine_.reads.close();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    step();
  }
}

void cold_reader::run() {
  while (engine_.reads.take(group_))
    read_group();
}

void cold_reader::step() {
  while (engine_.reads.take_now(group_))
    read_group();
}

void cold_reader::read_group() {
  for (read_request& each : group_)
    read(std::move(each));
}

void cold_reader::read(read_request wanted) {
  const record_key key = std::visit([](const auto& each) { return each.key; }, wanted.what);
  const auto found = read_cold(engine_, key, memory_);
  if (!found) return give({wanted.sink, wanted.tag, store_failure{certainty::definite, found.error()}});
  engine_.decide(std::move(wanted), without_space::wait, &*found);
}

result<cold_reading> read_cold(engine& in, const record_key& key, block_buffer& memory) {
  shard& home = in.index.of(key);
  std::vector<location> places;
  cold_reading read;
  {
    const std::lock_guard hold(home.mutex);
    if (home.find(key) == nullptr) places = home.cold_of(key, in.now(), in.segments);
    for (const location& each : places)
      read.segments.push_back(each.in->shared_from_this());
  }

  for (const location& each : places) {
    auto found = read_entry(*each.in, each, memory);
    if (found && found->key == key) {
      read.where = each;
      read.kept = std::move(found->kept);
      return read;
    }
    {
      // It may have been moved, and its segment be another one's by now. What was read counts for nothing then.
      const std::lock_guard hold(home.mutex);
      if (home.find(key) != nullptr || !home.is_cold_at(key, each)) return read;
    }
    if (!found) return tl::unexpected(found.error());
    read.others.push_back(each);
  }
  return read;
}

}  // namespace onceward::journal
