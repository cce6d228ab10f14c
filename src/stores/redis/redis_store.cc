#include "stores/redis/redis_store.h"

#include <cstdlib>
#include <utility>

#include "base/assert.h"
#include "stores/redis/engine.h"
#include "stores/redis/open_settings.h"
#include "stores/redis/session.h"

namespace onceward::redis {
namespace {

using failure = tl::unexpected<std::string>;

std::string level_text(const options& chosen) {
  std::string text(to_string(chosen.level));
  if (chosen.wait_replicas == 0) return text;
  return text + ", on " + std::to_string(chosen.wait_replicas) + (chosen.wait_replicas == 1 ? " replica" : " replicas");
}

// Of a cluster, each primary has to keep the durability.
std::optional<std::string> objection_to_others(session& with, const connection_settings& settings) {
  if (settings.where.kind != topology::cluster) return std::nullopt;
  requests ask;
  ask.add("CLUSTER", "SLOTS");
  const auto told = with.ask(ask);
  if (!told) return told.error();
  slot_table table;
  if (!table.read(*told, with.server())) return "the node does not tell who has the slots";
  for (const address& each : table.nodes()) {
    if (auto wrong = with.move_to(each)) return wrong;
  }
  return std::nullopt;
}

}  // namespace

tl::expected<connection_settings, std::string> open_settings(const options& chosen) {
  auto where = parse_target(chosen.where);
  if (!where) return failure(where.error());
  connection_settings settings{.where = *std::move(where),
                               .level = chosen.level,
                               .whom = nullptr,
                               .connect_timeout = chosen.connect_timeout,
                               .answer_timeout = chosen.answer_timeout};
  if (!settings.where.encrypted) return settings;
  auto whom = trust::make(settings.where.ca_file);
  if (!whom) return failure(whom.error());
  settings.whom = *std::move(whom);
  return settings;
}

tl::expected<std::unique_ptr<redis_store>, std::string> redis_store::open(options chosen) {
  onceward_assert(chosen.lanes > 0);
  auto settings = open_settings(chosen);
  if (!settings) return failure(settings.error());
  const std::string place = settings->where.description;
  const bool is_alone = settings->where.kind == topology::single && settings->where.nodes.size() == 1;
  // What failed begins with the server that it failed at.
  const std::string refusal = "cannot use Redis at " + (is_alone ? std::string() : place + ": ");
  auto with = session::open(*settings);
  if (!with) return failure(refusal + with.error());
  if (const auto wrong = objection_to_others(**with, *settings)) return failure(refusal + *wrong);
  requests ask;
  ask.add("GET", fence_name);
  const auto floor = (*with)->ask(ask);
  if (!floor) return failure(refusal + floor.error());
  const std::uint64_t fence = std::strtoull(floor->text.c_str(), nullptr, 10);
  std::string description = (*with)->facts().version + " at " + place + ", " + level_text(chosen);
  auto running = std::make_unique<engine>(std::move(chosen), *std::move(settings), std::move(description), fence);
  return std::unique_ptr<redis_store>(new redis_store(std::move(running)));
}

redis_store::redis_store(std::unique_ptr<engine> running) : engine_(std::move(running)) {}

redis_store::~redis_store() = default;

void redis_store::submit(command what, reply_sink& sink, std::uint64_t tag) {
  engine_->submit(std::move(what), sink, tag);
}

store_statistics redis_store::statistics() const {
  return engine_->statistics();
}

void redis_store::observe(record_observer* observer) {
  engine_->observe(observer);
}

void redis_store::keep_secret(std::string kept) {
  engine_->keep_secret(std::move(kept));
}

void redis_store::count() {
  engine_->count();
}

const std::string& redis_store::description() const {
  return engine_->description();
}

}  // namespace onceward::redis
