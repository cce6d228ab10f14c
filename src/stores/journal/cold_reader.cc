#include "stores/journal/cold_reader.h"

#include <utility>
#include <variant>

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
  const record_key key = std::visit([](const auto& each) { return each.key; }, wanted.asked.what);
  shard& home = engine_.index.of(key);
  const auto is_there = [&] {
    const slot* place = home.find(key);
    return place != nullptr && place->hot == nullptr && place->where == wanted.where;
  };
  std::shared_ptr<segment> in;
  {
    const std::lock_guard hold(home.mutex);
    if (is_there()) in = wanted.where.in->shared_from_this();
  }
  // Moved, read by somebody else, or gone: the command is decided by what is there now.
  if (in == nullptr) return engine_.decide(std::move(wanted.asked), without_space::wait);

  auto found = read_entry(*in, wanted.where, memory_);
  if (found && found->key == key) {
    const read_record read{wanted.where, std::make_shared<const core::record>(std::move(found->kept))};
    return engine_.decide(std::move(wanted.asked), without_space::wait, &read);
  }
  bool is_damaged;
  {
    const std::lock_guard hold(home.mutex);
    is_damaged = is_there();
  }
  if (!is_damaged) return engine_.decide(std::move(wanted.asked), without_space::wait);
  const errc reason = found ? errc::corrupt : found.error();
  give({wanted.asked.sink, wanted.asked.tag, store_failure{certainty::definite, reason}});
}

}  // namespace onceward::journal
