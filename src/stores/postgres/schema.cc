#include "stores/postgres/schema.h"

#include "base/assert.h"

namespace onceward::postgres {
namespace {

// Times are milliseconds since 1970 by the server's clock. Updates of a record leave its key and, mostly, the day of
// its expiry as they are; with room on the page they touch no index.
constexpr std::string_view version_1 = R"(
CREATE SCHEMA onceward;

CREATE TABLE onceward.deployment (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  schema_version integer NOT NULL,
  secret bytea,
  secret_id text
);
COMMENT ON COLUMN onceward.deployment.secret IS 'Null where it is kept in a file.';

CREATE SEQUENCE onceward.fence CACHE 1;

CREATE TABLE onceward.record (
  record_key bytea PRIMARY KEY CHECK (octet_length(record_key) = 32),
  attempt uuid NOT NULL,
  attempt_number integer NOT NULL,
  fence bigint NOT NULL,
  state smallint NOT NULL,
  first_seen bigint NOT NULL,
  ended_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  expires_day integer NOT NULL GENERATED ALWAYS AS ((expires_at / 86400000)::integer) STORED,
  retention bigint NOT NULL,
  response_expires_at bigint,
  response_day integer,
  fingerprint bytea NOT NULL,
  tombstone bytea
) WITH (fillfactor = 70);
CREATE INDEX record_expires_day ON onceward.record (expires_day);
COMMENT ON COLUMN onceward.record.state IS '0 in flight, 1 unknown, 2 completed, 3 released';
COMMENT ON COLUMN onceward.record.ended_at IS 'While in flight: when the lease ends.';

CREATE TABLE onceward.response (
  expires_day integer NOT NULL,
  fence bigint NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (expires_day, fence)
) PARTITION BY RANGE (expires_day);
COMMENT ON TABLE onceward.response IS 'The response that was recorded under a fence.';

CREATE FUNCTION onceward.now_ms() RETURNS bigint LANGUAGE sql VOLATILE
AS 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

CREATE FUNCTION onceward.response_body(day integer, of_fence bigint) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT p.body FROM onceward.response p WHERE p.expires_day = day AND p.fence = of_fence);
END $$;

CREATE FUNCTION onceward.add_response_day(day integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('onceward.response'));
  IF to_regclass(format('onceward.response_%s', day)) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE onceward.response_%s (LIKE onceward.response INCLUDING ALL)', day);
  EXECUTE format('ALTER TABLE onceward.response_%s ALTER COLUMN body SET STORAGE EXTERNAL', day);
  EXECUTE format('ALTER TABLE onceward.response ATTACH PARTITION onceward.response_%s FOR VALUES FROM (%s) TO (%s)',
                 day, day, day + 1);
END $$;

CREATE FUNCTION onceward.drop_response_days(before integer) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
  partition text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('onceward.response'));
  FOR partition IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'onceward.response'::regclass AND substr(c.relname, 10)::integer < before
  LOOP
    EXECUTE format('DROP TABLE onceward.%I', partition);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
)";

// For src/transaction: where a run of several phases goes on, and what is to be sent after a commit. A recovery point
// goes with its record; the server sees to that as the tables' owner, so that whoever purges needs no right for it.
constexpr std::string_view from_1_to_2 = R"(
CREATE TABLE onceward.recovery_point (
  record_key bytea PRIMARY KEY REFERENCES onceward.record ON DELETE CASCADE,
  attempt uuid NOT NULL,
  phase integer NOT NULL,
  state bytea NOT NULL
);
COMMENT ON COLUMN onceward.recovery_point.attempt IS 'Counts only while the record is this attempt''s.';

CREATE TABLE onceward.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  record_key bytea NOT NULL,
  created_at bigint NOT NULL DEFAULT onceward.now_ms(),
  topic text NOT NULL,
  payload bytea NOT NULL
);
)";

}  // namespace

std::string schema_text() {
  return std::string(version_1).append(from_1_to_2);
}

std::string_view upgrade_text(int from) {
  onceward_assert(from == 1);
  return from_1_to_2;
}

}  // namespace onceward::postgres
