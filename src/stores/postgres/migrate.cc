#include "stores/postgres/migrate.h"

#include <cstdint>
#include <cstdlib>

#include "stores/postgres/schema.h"
#include "stores/postgres/server_facts.h"
#include "stores/postgres/session.h"

namespace onceward::postgres {
namespace {

using failure = tl::unexpected<std::string>;

// The number is arbitrary; it only has to be ours.
constexpr const char* lock_text = "SELECT pg_advisory_xact_lock(7164823915026481)";

tl::expected<bool, query_failure> upgrade(session& with, int version) {
  for (; version < schema_version; ++version) {
    if (const auto made = with.run(std::string(upgrade_text(version))); !made) return tl::unexpected(made.error());
  }
  const auto noted = with.ask("UPDATE onceward.deployment SET schema_version = $1::integer", {std::to_string(version)});
  if (!noted) return tl::unexpected(noted.error());
  return true;
}

tl::expected<bool, query_failure> migrate_inside(session& with) {
  if (const auto locked = with.ask(lock_text); !locked) return tl::unexpected(locked.error());
  const auto exists = with.ask("SELECT to_regclass('onceward.deployment') IS NOT NULL");
  if (!exists) return tl::unexpected(exists.error());
  if ((*exists)[0][0] == "t") {
    const auto found = with.ask("SELECT schema_version FROM onceward.deployment");
    if (!found) return tl::unexpected(found.error());
    const std::int64_t version = found->size() == 1 ? std::atoll((*found)[0][0].value_or("").c_str()) : 0;
    if (version >= 1 && version < schema_version) return upgrade(with, static_cast<int>(version));
    if (const auto wrong = objection_to_schema(version)) return tl::unexpected(query_failure{"", *wrong});
    return false;
  }
  if (const auto made = with.run(schema_text()); !made) return tl::unexpected(made.error());
  const auto noted = with.ask("INSERT INTO onceward.deployment (schema_version) VALUES ($1::integer)",
                              {std::to_string(schema_version)});
  if (!noted) return tl::unexpected(noted.error());
  return true;
}

}  // namespace

tl::expected<migrated, std::string> migrate(const std::string& url) {
  const auto where = parse_target(url);
  if (!where) return failure(where.error());
  auto with = session::open(*where);
  if (!with) return failure(with.error());
  const auto failed = [&](const query_failure& why) {
    return failure("cannot make the onceward schema in " + where->description + ": " + why.message);
  };
  if (const auto begun = with->run("BEGIN"); !begun) return failed(begun.error());
  const auto changed = migrate_inside(*with);
  if (!changed) return failed(changed.error());
  if (const auto committed = with->run("COMMIT"); !committed) return failed(committed.error());
  return migrated{*changed, where->description};
}

}  // namespace onceward::postgres
