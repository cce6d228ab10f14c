#!/usr/bin/python3
"""One gateway and its database: set up wrongly, down, slow, read-only, and back again. Whatever happens, nothing is
forwarded that is not claimed, and the operator is told what to change.
"""

import subprocess

from support import pgbouncer, postgres, shared_store, story, upstream
from support.waiting import Background, Gate, in_parallel, until

PASSWORD = "correct-horse-battery"


def make_certificate(server):
    """A key and a certificate that the server takes; nobody checks who signed it."""
    key, certificate = server.data / "server.key", server.data / "server.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    for file in (key, certificate):
        server.give(file)
        file.chmod(0o600)


class RefusesToStart(shared_store.SharedStoreStory):
    """Each time with a sentence that says what to do, and without a password."""

    def assert_refused(self, *words, configured=None, **settings):
        configured = configured or self.make_shared(**settings)
        configured.launch()
        self.assertEqual(configured.wait_for_end(), 1, configured.log())
        for word in words:
            self.assertIn(word, configured.log())
        self.assertNotIn(PASSWORD, configured.log())

    def test_without_a_server(self):
        nobody = f"postgres://onceward:{PASSWORD}@{self.server.host}:1/records"
        self.assert_refused(f"{self.server.host}:1/records", "refused", url=nobody)

    def test_without_the_schema_and_with_another_version_of_it(self):
        url = self.server.create_database("bare")
        self.assert_refused("onceward store migrate", url=url)
        configured = self.make_shared(url)
        self.assertEqual(shared_store.migrate(configured).returncode, 0)
        self.server.sql("UPDATE onceward.deployment SET schema_version = 99", "bare")
        self.assert_refused("version 99", "onceward store migrate", configured=configured)
        self.assertEqual(shared_store.migrate(configured).returncode, 1)

    def test_on_a_server_that_may_lose_what_it_acknowledged(self):
        url = self.server.create_database("unsafe")
        shared_store.migrate(self.make_shared(url))
        self.server.sql("ALTER DATABASE unsafe SET synchronous_commit = off", "postgres")
        self.assert_refused("set synchronous_commit = on", url=url)
        self.server.sql("ALTER DATABASE unsafe RESET synchronous_commit", "postgres")
        self.assert_refused("synchronous_standby_names", url=url, durability="replicated")
        self.server.sql("ALTER DATABASE unsafe SET default_transaction_read_only = on", "postgres")
        self.assert_refused("default_transaction_read_only = off", url=url)

    def test_with_another_secret_than_the_database_is_used_with(self):
        url = self.server.create_database("secrets")
        self.start_shared(url=url)[0].stop()
        configured = self.make_shared(url)
        file = configured.folder / "secret"
        file.write_text("ab" * 32)
        file.chmod(0o600)
        configured.settings["secret_file"] = str(file)
        self.assert_refused("secret_file", configured=configured)
        # And the other way round: known by a file first.
        configured.settings["store"]["postgres"]["url"] = self.server.create_database("secrets_of_files")
        shared_store.migrate(configured)
        configured.start().stop()
        self.assertEqual(self.server.sql("SELECT secret IS NULL FROM onceward.deployment", "secrets_of_files"), "t")
        self.assert_refused("secret_file", url=self.server.url("secrets_of_files"))

    def test_migrations_at_the_same_time_are_one(self):
        configured = self.make_shared(self.server.create_database("contended"))
        done = in_parallel(8, lambda _: shared_store.migrate(configured))
        self.assertEqual([each.returncode for each in done], [0] * 8, [each.stderr for each in done])
        self.assertEqual(len([each for each in done if "was made" in each.stdout]), 1)


class InTrouble(shared_store.SharedStoreStory):

    def test_a_database_that_goes_down_and_comes_back(self):
        gateway = self.start_shared()[0]
        path, key = story.new_path(), story.new_key()
        first = self.post(path, {}, key, via=gateway)
        self.server.stop()
        until(lambda: not self.ready(gateway), "the gateway is not ready")
        for _ in range(3):
            self.assert_no_store(gateway)
        self.assertIn('"store-lost"', gateway.log())
        self.server.start()
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assertIn('"store-connected"', gateway.log())
        self.assert_replay(self.post(path, {}, key, via=gateway), first)
        self.assert_works(gateway)

    def test_a_database_that_crashes_while_an_attempt_runs(self):
        gateway = self.start_shared(defaults={"lease": "1h", "wait": "1h"})[0]
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        runs = Background(lambda: self.post(path, {}, key, via=gateway))
        self.upstream.wait_for_requests(path)
        self.server.kill()
        gate.open()
        until(lambda: not self.ready(gateway), "the gateway is not ready")
        self.server.start()
        # The outcome was sent until it was taken.
        first = runs.result()
        self.assert_first(first)
        self.assert_replay(self.post(path, {}, key, via=gateway), first)
        self.assert_effects(path, 1)

    def test_a_database_that_does_not_answer(self):
        gateway = self.start_shared(defaults={"lease": "5s"})[0]
        self.assert_works(gateway)
        self.server.pause()
        try:
            self.assert_no_store(gateway)
        finally:
            self.server.resume()
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_a_record_that_is_locked_by_somebody_else(self):
        gateway = self.start_shared()[0]
        self.assert_works(gateway)
        with self.server.open_session("records") as other:
            other.ask("BEGIN; LOCK TABLE onceward.record IN EXCLUSIVE MODE")
            self.assert_no_store(gateway)
        self.assert_works(gateway)

    def test_a_database_that_becomes_read_only_while_it_is_used(self):
        gateway = self.start_shared()[0]
        self.assert_works(gateway)
        try:
            self.server.sql("ALTER DATABASE records SET default_transaction_read_only = on", "postgres")
            self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'onceward'")
            until(lambda: "default_transaction_read_only = off" in gateway.log(), "the operator is told")
            self.assert_no_store(gateway)
        finally:
            self.server.sql("ALTER DATABASE records RESET default_transaction_read_only", "postgres")
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_a_schema_that_is_taken_away(self):
        url = self.server.create_database("doomed")
        gateway = self.start_shared(url=url)[0]
        self.assert_works(gateway)
        self.server.sql("DROP SCHEMA onceward CASCADE", "doomed")
        self.assert_no_store(gateway)
        until(lambda: "onceward store migrate" in gateway.log(), "the operator is told")
        self.assertFalse(self.ready(gateway))

    def test_pgbouncer_between_them(self):
        between = pgbouncer.PgBouncer(self.server)
        self.addCleanup(between.stop)
        between.start()
        first, second = self.start_shared(2, url=between.url("records"), defaults={"lease": "1h", "wait": "1h"})
        self.assert_works(first)
        both = self.run_and_wait(first, second)
        both.gate.open()
        self.assert_replay(both.waits.result(), both.runs.result())
        between.stop()
        until(lambda: not self.ready(first), "the gateway is not ready")
        between.start()
        until(lambda: self.ready(first), "the gateway is ready again")
        self.assert_works(first)


class Credentials(shared_store.SharedStoreStory):
    """A server that asks for a password and speaks TLS."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.remove()
        cls.server = postgres.Postgres(password=PASSWORD, ssl="on").create()
        cls.addClassCleanup(cls.server.remove)
        make_certificate(cls.server)
        cls.server.start()
        cls.url = cls.server.create_database("records")

    def started(self, url, **environment):
        gateway = self.make_shared(url)
        gateway.environment.update(environment)
        done = shared_store.migrate(gateway)
        self.assertEqual(done.returncode, 0, done.stderr)
        gateway.start()
        self.assert_first(self.post(story.new_path(), {}, story.new_key(), via=gateway))
        self.assertNotIn(PASSWORD, gateway.log())
        return gateway

    def test_of_a_role_that_only_runs_gateways(self):
        self.started(self.url, PGPASSWORD=PASSWORD).stop()
        self.sql(f"CREATE ROLE runner LOGIN PASSWORD '{PASSWORD}'; GRANT USAGE ON SCHEMA onceward TO runner;"
                 "GRANT SELECT, INSERT, UPDATE, DELETE ON onceward.record, onceward.response, onceward.deployment"
                 " TO runner; GRANT USAGE ON SEQUENCE onceward.fence TO runner")
        gateway = self.make_shared(self.server.url("records", user="runner", password=PASSWORD)).start()
        path, key = story.new_path(), story.new_key()
        first = self.post(path, {}, key, via=gateway)
        self.assert_replay(self.post(path, {}, key, via=gateway), first)
        self.assertEqual(gateway.admin("POST", "/records/purge").status, 200)
        until(lambda: gateway.metrics()["onceward_records"] >= 1, "it counts")
        self.assertNotIn("store-lost", gateway.log())

    def test_from_the_url_the_environment_and_a_file(self):
        self.started(self.server.url("records", password=PASSWORD)).stop()
        self.started(self.url, PGPASSWORD=PASSWORD).stop()
        file = self.server.folder / "passwords"
        file.write_text(f"*:*:*:*:{PASSWORD}\n")
        file.chmod(0o600)
        self.started(self.url, PGPASSFILE=str(file)).stop()

    def test_a_wrong_password_is_not_shown(self):
        gateway = self.make_shared(self.server.url("records", password="wrong-" + PASSWORD))
        gateway.launch()
        self.assertEqual(gateway.wait_for_end(), 1)
        self.assertIn("password authentication failed", gateway.log())
        self.assertNotIn(PASSWORD, gateway.log())

    def test_tls_is_what_the_url_says(self):
        gateway = self.started(self.server.url("records", password=PASSWORD) + "?sslmode=require")
        self.assertEqual(self.sql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                  " WHERE application_name = 'onceward'"), "t")
        gateway.stop()
        refused = self.make_shared(self.server.url("records", password=PASSWORD) + "?sslmode=verify-full")
        refused.launch()
        self.assertEqual(refused.wait_for_end(), 1)
        self.assertIn("certificate", refused.log())
        self.assertNotIn(PASSWORD, refused.log())


if __name__ == "__main__":
    story.main()
