#include "stores/postgres/statements.h"

namespace onceward::postgres {
namespace {

constexpr std::string_view clock = "WITH clock AS MATERIALIZED (SELECT onceward.now_ms() AS now)";

// What every statement about one record returns, but for its body.
constexpr std::string_view columns =
    "clock.now, r.attempt, r.attempt_number, r.fence, r.state, r.first_seen, r.ended_at, r.expires_at, r.retention, "
    "r.response_expires_at, r.fingerprint, r.tombstone";

// A function, because a join would make ready to look into every day for every command, most of which need no response.
constexpr std::string_view body_of_record =
    "CASE WHEN r.response_expires_at > clock.now THEN onceward.response_body(r.response_day, r.fence) END";

// The end of a statement that changes a record in the expression `changed`: what it became, or what it is.
std::string changed_or_found() {
  std::string text = "\nSELECT true, ";
  text.append(columns).append(", NULL::bytea FROM changed r, clock\nUNION ALL\nSELECT false, ").append(columns);
  text.append(", ").append(body_of_record).append(" FROM onceward.record r, clock");
  text.append("\nWHERE r.record_key = $1 AND NOT EXISTS (SELECT FROM changed)");
  return text;
}

std::string update(std::string_view set, std::string_view where, std::string_view further = {}) {
  std::string text(clock);
  text.append(",\nchanged AS (\n  UPDATE onceward.record r SET ").append(set);
  text.append("\n  FROM clock WHERE r.record_key = $1 AND r.attempt = $2 AND ").append(where);
  text.append("\n  RETURNING r.*)").append(further).append(changed_or_found());
  return text;
}

// A record that may be claimed: expired, released by another attempt, or taken over from the attempt in $6. `now` is
// the expression for the time.
std::string may_be_claimed(std::string_view now) {
  std::string text = "(r.expires_at <= ";
  text.append(now).append(" OR r.attempt <> $2 AND (r.state = 3 OR r.attempt IS NOT DISTINCT FROM $6 AND");
  text.append(" (r.state = 1 OR r.state = 0 AND r.ended_at <= ").append(now).append(")))");
  return text;
}

// A record that may not be claimed is found before anything is written, so that replays cost no write. The guard stands
// in the conflict's clause again, because the record may have come or changed since. The fence is drawn there once
// more: the first was drawn before the row was locked, and another grant may have come between.
std::string claim_text() {
  std::string text(clock);
  text.append(",\nbefore AS MATERIALIZED (\n  SELECT r.*, ").append(may_be_claimed("clock.now"));
  text.append(" AS is_free\n  FROM onceward.record r, clock WHERE r.record_key = $1),\n");
  text.append(
      "changed AS (\n"
      "  INSERT INTO onceward.record AS r (record_key, attempt, attempt_number, fence, state, first_seen,"
      " ended_at, expires_at, retention, fingerprint)\n"
      "  SELECT $1, $2, 1, nextval('onceward.fence'), 0, now, now + $3, now + $3 + $4, $4, $5\n"
      "  FROM clock WHERE NOT EXISTS (SELECT FROM before WHERE NOT is_free)\n"
      "  ON CONFLICT (record_key) DO UPDATE SET attempt = excluded.attempt,\n"
      "    attempt_number = CASE WHEN r.expires_at <= excluded.first_seen THEN 1"
      " ELSE r.attempt_number + 1 END,\n"
      "    fence = nextval('onceward.fence'), state = 0,\n"
      "    first_seen = CASE WHEN r.expires_at <= excluded.first_seen THEN excluded.first_seen"
      " ELSE r.first_seen END,\n"
      "    ended_at = excluded.ended_at, expires_at = excluded.expires_at, retention = excluded.retention,\n"
      "    response_expires_at = NULL, response_day = NULL, fingerprint = excluded.fingerprint,"
      " tombstone = NULL\n"
      "  WHERE ");
  text.append(may_be_claimed("excluded.first_seen")).append("\n  RETURNING r.*)");
  text.append("\nSELECT true, ").append(columns).append(", NULL::bytea FROM changed r, clock\nUNION ALL\n");
  text.append("SELECT false, ").append(columns).append(", ").append(body_of_record);
  text.append(" FROM before r, clock\nWHERE NOT EXISTS (SELECT FROM changed)");
  return text;
}

// Records that are there are found before anything is written, here too. Who came between is met by the conflict.
std::string claim_many_text() {
  std::string text(clock);
  text.append(
      ",\nasked AS MATERIALIZED (\n"
      "  SELECT a.*, r.* FROM unnest($1::bytea[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bytea[])\n"
      "    AS a (asked_key, asked_attempt, asked_lease, asked_retention, asked_fingerprint)\n"
      "  LEFT JOIN onceward.record r ON r.record_key = a.asked_key),\n"
      "changed AS (\n"
      "  INSERT INTO onceward.record AS r (record_key, attempt, attempt_number, fence, state, first_seen,"
      " ended_at, expires_at, retention, fingerprint)\n"
      "  SELECT asked_key, asked_attempt, 1, nextval('onceward.fence'), 0, now, now + asked_lease,\n"
      "    now + asked_lease + asked_retention, asked_retention, asked_fingerprint\n"
      "  FROM asked, clock WHERE record_key IS NULL\n"
      "  ON CONFLICT (record_key) DO NOTHING\n"
      "  RETURNING r.record_key, r.fence, r.ended_at)\n"
      "SELECT r.record_key, true, clock.now, NULL::uuid, 1, r.fence, 0::smallint, NULL::bigint, r.ended_at, "
      "NULL::bigint,\n"
      "  NULL::bigint, NULL::bigint, NULL::bytea, NULL::bytea, NULL::bytea FROM changed r, clock\n"
      "UNION ALL\nSELECT r.record_key, false, ");
  text.append(columns).append(", ").append(body_of_record);
  text.append(" FROM asked r, clock\nWHERE r.record_key IS NOT NULL");
  return text;
}

constexpr std::string_view complete_many_rest =
    ",\nchanged AS (\n"
    "  UPDATE onceward.record r SET state = 2, ended_at = clock.now,\n"
    "    expires_at = clock.now + greatest(a.response_kept, a.tombstone_kept),"
    " response_expires_at = clock.now + a.response_kept,\n"
    "    tombstone = a.new_tombstone, response_day = CASE WHEN a.body IS NULL THEN NULL"
    " ELSE ((clock.now + a.response_kept) / 86400000)::integer END\n"
    "  FROM clock, unnest($1::bytea[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[])\n"
    "    AS a (asked_key, asked_attempt, body, new_tombstone, response_kept, tombstone_kept)\n"
    "  WHERE r.record_key = a.asked_key AND r.attempt = a.asked_attempt AND r.state IN (0, 1)"
    " AND r.expires_at > clock.now\n"
    "  RETURNING r.record_key, r.response_day, r.fence, a.body),\n"
    "kept AS (\n  INSERT INTO onceward.response (expires_day, fence, body)\n"
    "  SELECT response_day, fence, body FROM changed WHERE response_day IS NOT NULL)\n"
    "SELECT record_key FROM changed";

std::string complete_text() {
  return update(
      "state = 2, ended_at = clock.now,"
      " expires_at = clock.now + greatest($5::bigint, $6::bigint), response_expires_at = clock.now + $5,"
      " tombstone = $4,\n    response_day = CASE WHEN $3::bytea IS NULL THEN NULL"
      " ELSE ((clock.now + $5) / 86400000)::integer END",
      "r.state IN (0, 1) AND r.expires_at > clock.now",
      ",\nkept AS (\n  INSERT INTO onceward.response (expires_day, fence, body)\n"
      "  SELECT response_day, fence, $3 FROM changed WHERE response_day IS NOT NULL)");
}

std::string find_text() {
  std::string text(clock);
  text.append("\nSELECT false, ").append(columns).append(", ").append(body_of_record);
  text.append(" FROM onceward.record r, clock\nWHERE r.record_key = $1");
  return text;
}

constexpr std::string_view is_unknown =
    "(r.state = 1 OR r.state = 0 AND r.ended_at <= clock.now) AND r.expires_at > clock.now";

std::string list_unknown_text() {
  std::string text(clock);
  text.append("\nSELECT false, ").append(columns).append(", NULL::bytea, r.record_key FROM onceward.record r, clock");
  text.append("\nWHERE r.record_key > $1 AND ").append(is_unknown);
  text.append("\nORDER BY r.record_key LIMIT $2");
  return text;
}

// $1: records that expired less long ago stay. Nothing waits for a record that somebody else has locked.
constexpr std::string_view purge_text =
    "WITH clock AS MATERIALIZED (SELECT onceward.now_ms() - $1::bigint AS now),\n"
    "due AS (\n"
    "  SELECT r.record_key FROM onceward.record r, clock\n"
    "  WHERE r.expires_day <= (clock.now / 86400000)::integer AND r.expires_at <= clock.now\n"
    "  LIMIT $2 FOR UPDATE OF r SKIP LOCKED),\n"
    "gone AS (DELETE FROM onceward.record r USING due WHERE r.record_key = due.record_key RETURNING 1)\n"
    "SELECT count(*) FROM gone";

constexpr std::string_view drop_days_text =
    "SELECT onceward.drop_response_days(((onceward.now_ms() - $1::bigint) / 86400000)::integer)::bigint";

// $1: a retention; the day on which a response that is completed now expires, and the one after it, for the midnight
// that may come between.
constexpr std::string_view add_day_text =
    "SELECT count(onceward.add_response_day(((onceward.now_ms() + $1::bigint) / 86400000)::integer + day))\n"
    "FROM generate_series(0, 1) AS day";

std::string count_text() {
  std::string text(clock);
  text.append("\nSELECT count(*), count(*) FILTER (WHERE ").append(is_unknown);
  text.append(
      "),\n"
      "  (SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c"
      " WHERE c.relnamespace = 'onceward'::regnamespace AND c.relkind = 'r')\n"
      "FROM onceward.record r, clock");
  return text;
}

}  // namespace

std::string_view name_of(statement which) {
  switch (which) {
    case statement::claim:
      return "claim";
    case statement::claim_many:
      return "claim_many";
    case statement::renew:
      return "renew";
    case statement::complete:
      return "complete";
    case statement::complete_many:
      return "complete_many";
    case statement::give_up:
      return "give_up";
    case statement::release:
      return "release";
    case statement::find:
      return "find";
    case statement::list_unknown:
      return "list_unknown";
    case statement::purge:
      return "purge";
    case statement::drop_days:
      return "drop_days";
    case statement::add_day:
      return "add_day";
    case statement::count:
      return "count";
    case statement::notify:
      return "notify";
  }
  return {};
}

std::string text_of(statement which) {
  switch (which) {
    case statement::claim:
      return claim_text();
    case statement::claim_many:
      return claim_many_text();
    case statement::renew:
      return update(
          "ended_at = greatest(r.ended_at, clock.now + $3),"
          " expires_at = greatest(r.ended_at, clock.now + $3) + r.retention",
          "r.state = 0 AND r.ended_at > clock.now");
    case statement::complete:
      return complete_text();
    case statement::complete_many:
      return std::string(clock).append(complete_many_rest);
    case statement::give_up:
      return update("state = 1, ended_at = clock.now, retention = $3, expires_at = clock.now + $3",
                    "r.state = 0 AND r.ended_at > clock.now");
    case statement::release:
      return update("state = 3, ended_at = clock.now, expires_at = clock.now + r.retention",
                    "r.state IN (0, 1) AND r.expires_at > clock.now");
    case statement::find:
      return find_text();
    case statement::list_unknown:
      return list_unknown_text();
    case statement::purge:
      return std::string(purge_text);
    case statement::drop_days:
      return std::string(drop_days_text);
    case statement::add_day:
      return std::string(add_day_text);
    case statement::count:
      return count_text();
    case statement::notify:
      return "SELECT pg_notify('" + std::string(wake_up_channel) + "', $1)";
  }
  return {};
}

}  // namespace onceward::postgres
