#include "stores/journal/responder.h"

#include <utility>
#include <variant>

#include "stores/journal/log_reader.h"

namespace onceward::journal {

responder::responder(engine& shared) : engine_(shared), thread_([this] { run(); }) {}

responder::~responder() {
  engine_.responses.close();
  thread_.join();
}

void responder::run() {
  std::vector<response_item> group;
  std::vector<read_request> reads;
  while (engine_.responses.take(group)) {
    for (response_item& each : group) {
      if (auto* known = std::get_if<answer>(&each)) {
        replies_.add(*known->sink, known->tag, std::move(known->value));
      } else {
        reads.push_back(std::get<read_request>(std::move(each)));
      }
    }
    replies_.deliver();
    for (read_request& each : reads)
      read(std::move(each));
    reads.clear();
    replies_.deliver();
  }
}

void responder::read(read_request wanted) {
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
  replies_.add(*wanted.asked.sink, wanted.asked.tag, store_failure{certainty::definite, reason});
}

}  // namespace onceward::journal
