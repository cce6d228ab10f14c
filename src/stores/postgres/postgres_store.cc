#include "stores/postgres/postgres_store.h"

#include <cstdlib>
#include <utility>

#include "base/assert.h"
#include "stores/postgres/engine.h"
#include "stores/postgres/session.h"

namespace onceward::postgres {
namespace {

using failure = tl::unexpected<std::string>;

std::string unusable(const target& where, const std::string& why) {
  return "cannot use PostgreSQL at " + where.description + ": " + why;
}

// What every connection will be asked again.
tl::expected<server_facts, std::string> verify(const target& where, durability level) {
  auto with = session::open(where);
  if (!with) return failure(with.error());
  const auto told = with->ask(std::string(server_facts_text()));
  if (!told) return failure(unusable(where, told.error().message));
  std::vector<column_view> columns;
  for (const auto& each : told->at(0))
    columns.push_back(each ? column_view(*each) : std::nullopt);
  const auto facts = read_server_facts(columns);
  if (!facts) return failure(unusable(where, "the server does not tell what it is"));
  if (const auto wrong = objection_to(*facts, level)) return failure(unusable(where, *wrong));

  std::optional<std::int64_t> version;
  const auto exists = with->ask("SELECT to_regclass('onceward.deployment') IS NOT NULL");
  if (!exists) return failure(unusable(where, exists.error().message));
  if ((*exists)[0][0] == "t") {
    const auto found = with->ask("SELECT schema_version FROM onceward.deployment");
    if (!found) return failure(unusable(where, found.error().message));
    if (found->size() == 1) version = std::atoll((*found)[0][0].value_or("").c_str());
  }
  if (const auto wrong = objection_to_schema(version)) return failure(unusable(where, *wrong));
  return *facts;
}

}  // namespace

tl::expected<std::unique_ptr<postgres_store>, std::string> postgres_store::open(options chosen) {
  onceward_assert(chosen.lanes > 0);
  auto where = parse_target(chosen.url);
  if (!where) return failure(where.error());
  const auto facts = verify(*where, chosen.level);
  if (!facts) return failure(facts.error());
  std::string description =
      "PostgreSQL " + facts->version + " at " + where->description + ", " + std::string(to_string(chosen.level));
  auto running = std::make_unique<engine>(std::move(chosen), *std::move(where), std::move(description));
  return std::unique_ptr<postgres_store>(new postgres_store(std::move(running)));
}

postgres_store::postgres_store(std::unique_ptr<engine> running) : engine_(std::move(running)) {}

postgres_store::~postgres_store() = default;

void postgres_store::submit(command what, reply_sink& sink, std::uint64_t tag) {
  engine_->submit(std::move(what), sink, tag);
}

store_statistics postgres_store::statistics() const {
  return engine_->statistics();
}

void postgres_store::observe(record_observer* observer) {
  engine_->observe(observer);
}

void postgres_store::count() {
  engine_->count();
}

const std::string& postgres_store::description() const {
  return engine_->description();
}

}  // namespace onceward::postgres
