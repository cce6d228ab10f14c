#!/usr/bin/python3
"""The cells of docs/guarantees.md for PostgreSQL: at each level, what a fault takes, and that nothing runs twice in
silence. Servers are killed, cut off and promoted; the networks between them are ours.
"""

from support import books, link, postgres, power, shared_store, story, upstream, wire
from support.waiting import Background, Gate, until

# Longer than any test waits: what is answered earlier was not answered because it ran out.
PATIENT = {"wait": "1h", "lease": "1h"}
UPSTREAM_PATIENT = {"upstream_response": "1h"}


class PostgresStory(shared_store.SharedStoreStory):

    def setUp(self):
        self.books = books.Books(self)

    def start_link(self, server):
        """A way of its own to a server."""
        made = link.Link((server.host, server.port))
        self.addCleanup(made.stop)
        return made

    def start_standby(self, via=None, name="standby"):
        """A standby that follows; `via` a link, if one is given."""
        standby = postgres.Postgres()
        self.addCleanup(standby.remove)
        standby.create_standby_of(via or self.server, name).start()
        until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1",
              "the standby follows")
        return standby

    def wait_until_replicated(self):
        until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()")
              == "1", "the standby has them all")

    def url_of(self, *servers):
        """Of whichever takes writes."""
        hosts = ",".join(f"{each.host}:{each.port}" for each in servers)
        return f"postgres://onceward@{hosts}/records?target_session_attrs=read-write"

    def start_run(self, gateway):
        """An attempt that has taken effect and is not answered yet: (path, key, gate, its client)."""
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        client = Background(lambda: self.post(path, {}, key, via=gateway))
        self.upstream.wait_for_requests(path)
        return path, key, gate, client

    def assert_not_forwarded(self, gateway):
        path = story.new_path()
        self.assert_problem(self.post(path, {}, story.new_key(), via=gateway), "store-unavailable")
        self.assert_requests(path, 0)

    def rebuild(self):
        """A server as the class began with; the one before is past."""
        cls = type(self)
        cls.server.remove()
        cls.server = postgres.start(**cls.server_options)
        cls.addClassCleanup(cls.server.remove)
        cls.url = cls.server.create_database("records")

    def metric(self, gateway, name):
        return gateway.metrics()[f"onceward_store_{name}_total"]

    def wait_for_failover(self, gateway):
        until(lambda: self.metric(gateway, "failovers") == 1 and gateway.is_ready(), "the other server is found")


class Settings(PostgresStory):
    """What the durability of a server hangs on, each of it switched off."""

    def test_that_lose_acknowledged_records_are_refused(self):
        for name in ("fsync", "full_page_writes"):
            unsafe = postgres.start(**{name: "off"})
            self.addCleanup(unsafe.remove)
            configured = self.make_shared(unsafe.create_database("records"))
            configured.launch()
            self.assertEqual(configured.wait_for_end(), 1, configured.log())
            self.assertIn(f"set {name} = on", configured.log())

    def test_of_a_table_that_is_not_logged_is_refused(self):
        url = self.server.create_database("unlogged")
        configured = self.make_shared(url)
        self.assertEqual(shared_store.migrate(configured).returncode, 0)
        # A logged table may not refer to one that is not.
        self.server.sql("ALTER TABLE onceward.recovery_point SET UNLOGGED", "unlogged")
        self.server.sql("ALTER TABLE onceward.record SET UNLOGGED", "unlogged")
        configured.launch()
        self.assertEqual(configured.wait_for_end(), 1, configured.log())
        self.assertIn("SET LOGGED", configured.log())

    def test_that_change_while_it_runs_are_noticed_when_it_connects_again(self):
        gateway = self.start_shared()[0]
        self.books.charge(3, gateway)
        self.server.sql("ALTER SYSTEM SET fsync = off", "postgres")
        try:
            self.server.stop()
            self.server.start()
            until(lambda: "set fsync = on" in gateway.log(), "the operator is told")
            self.assert_not_forwarded(gateway)
        finally:
            self.server.sql("ALTER SYSTEM RESET fsync", "postgres")
            self.server.sql("SELECT pg_reload_conf()", "postgres")
        until(gateway.is_ready, "the gateway is ready again")
        self.books.assert_kept(gateway)


class Synced(PostgresStory):
    """`durability: synced`, one server."""

    def test_kill_of_the_gateway(self):
        first, second = self.start_shared(2, defaults={"wait": "0", "lease": "1s"})
        self.books.charge(10, first)
        path, key, gate, client = self.start_run(first)
        first.kill()
        gate.open()
        with self.assertRaises((OSError, wire.Closed, wire.Truncated)):
            client.result()
        first.start()
        self.books.assert_kept(first, second)
        self.wait_for_state("unknown", path, key, via=second)
        for via in (first, second):
            self.assert_problem(self.post(path, {}, key, via=via), "outcome-unknown", retryable=False)
        self.assert_effects(path, 1)

    def test_kill_of_the_store(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
        self.books.charge(20, gateway)
        path, key, gate, client = self.start_run(gateway)
        self.server.kill()
        gate.open()
        until(lambda: not gateway.is_ready(), "the gateway notices")
        self.assert_not_forwarded(gateway)
        self.server.start()
        # The outcome was kept, and written when the store was back.
        self.books.told[path, key] = client.result()
        until(gateway.is_ready, "the gateway is ready again")
        self.books.assert_kept(gateway)
        self.assertEqual(self.metric(gateway, "failovers"), 0)
        self.assertEqual(self.metric(gateway, "records_lost"), 0)

    def test_power_at_the_store(self):
        server = postgres.Postgres(checkpoint_timeout="1h").create("--wal-segsize=1")
        self.addCleanup(server.remove)
        supply = power.Power(server.data)
        server.process_environment = supply.environment()
        server.start()
        gateway = self.start_shared(url=server.create_database("records"), defaults=PATIENT)[0]
        self.books.charge(20, gateway)
        path, key, gate, client = self.start_run(gateway)
        supply.cut(server)
        gate.open()
        until(lambda: not gateway.is_ready(), "the gateway notices")
        server.start()
        self.books.told[path, key] = client.result()
        until(gateway.is_ready, "the gateway is ready again")
        self.books.assert_kept(gateway)
        self.assertEqual(self.metric(gateway, "records_lost"), 0)

    def test_a_gateway_cut_off_from_the_store(self):
        way = self.start_link(self.server)
        cut_off = self.start_shared(url=self.url_of(way), defaults=PATIENT)[0]
        other = self.start_shared(defaults={"wait": "0"})[0]
        self.books.charge(10, cut_off, other)
        path, key, gate, client = self.start_run(cut_off)
        way.cut()
        gate.open()
        until(lambda: not cut_off.is_ready(), "the gateway notices")
        self.assert_not_forwarded(cut_off)
        # The other one knows whose it is, and does not run it.
        self.assert_problem(self.post(path, {}, key, via=other), "in-flight")
        self.books.assert_kept(other)
        way.mend()
        self.books.told[path, key] = client.result()
        until(cut_off.is_ready, "the gateway is ready again")
        self.books.assert_kept(cut_off, other)

    def test_a_gateway_whose_store_hears_and_is_not_heard(self):
        """Commands take effect and their replies are lost: the worst that a network can do to a claim."""
        way = self.start_link(self.server)
        deaf = self.start_shared(url=self.url_of(way), defaults={"wait": "0", "lease": "1s"})[0]
        other = self.start_shared(defaults={"wait": "0"})[0]
        self.books.charge(5, deaf)
        way.freeze("back")
        path, key = story.new_path(), story.new_key()
        self.assert_problem(self.post(path, {}, key, via=deaf), "store-unavailable")
        self.assert_requests(path, 0)
        way.mend()
        until(deaf.is_ready, "the gateway is ready again")
        self.books.assert_kept(deaf, other)
        # Claimed without anybody's knowledge: given back, or unknown with its lease; in no case it ran.
        until(lambda: self.state_of(path, key, via=other) != "in-flight", "the lease ends")
        self.assertIn(self.state_of(path, key, via=other), ("unknown", "released", "absent"))

    def test_failover_to_a_standby_that_lacks_what_was_acknowledged(self):
        """The tail is lost; that is seen and counted, and no operation runs a second time."""
        replication = self.start_link(self.server)
        primary = self.server
        standby = self.start_standby(replication)
        try:
            gateway, other = self.start_shared(2, url=self.url_of(primary, standby), defaults=PATIENT,
                                               timeouts=UPSTREAM_PATIENT)
            self.books.charge(10, gateway, other)
            self.wait_until_replicated()
            replication.freeze()
            lost = books.Books(self)
            lost.charge(5, gateway)
            path, key, gate, client = self.start_run(gateway)
            primary.kill()
            standby.promote()
            self.wait_for_failover(gateway)
            self.wait_for_failover(other)
            until(lambda: self.metric(gateway, "records_lost") == 6, "the loss is found out")
            self.assertEqual(self.metric(other, "records_lost"), 0)
            self.books.assert_kept(gateway, other)
            lost.assert_unknown(gateway, other)
            # Its claim was lost, too, and made again for the same attempt, which goes on and is recorded.
            gate.open()
            answer = client.result()
            self.assert_first(answer)
            for via in (gateway, other):
                self.assert_replay(self.post(path, {}, key, via=via), answer)
            self.assert_effects(path, 1)
            self.assertIn('"record-lost"', gateway.log())
            self.assertIn('"store-server-changed"', gateway.log())
        finally:
            self.rebuild()

    def test_failover_that_is_trusted_only_counts(self):
        replication = self.start_link(self.server)
        standby = self.start_standby(replication)
        try:
            gateway = self.make_shared(self.url_of(self.server, standby), defaults=PATIENT)
            gateway.settings["store"]["postgres"]["on_failover"] = {"then": "trust"}
            shared_store.migrate(gateway)
            gateway.start()
            self.books.charge(3, gateway)
            self.wait_until_replicated()
            replication.freeze()
            path, key = story.new_path(), story.new_key()
            self.assert_first(self.post(path, {}, key, via=gateway))
            self.server.kill()
            standby.promote()
            self.wait_for_failover(gateway)
            self.books.assert_kept(gateway)
            # As its operator chose.
            self.assert_first(self.post(path, {}, key, via=gateway))
            self.assert_effects(path, 2)
            self.assertEqual(self.metric(gateway, "records_lost"), 0)
        finally:
            self.rebuild()

    def test_a_primary_that_another_has_taken_over_from_is_not_used_again(self):
        way, standby = self.start_link(self.server), self.start_standby()
        other_way = self.start_link(standby)
        try:
            gateway = self.start_shared(url=self.url_of(way, other_way), defaults=PATIENT)[0]
            self.books.charge(5, gateway)
            self.wait_until_replicated()
            way.cut()
            standby.promote()
            self.wait_for_failover(gateway)
            self.books.charge(5, gateway)
            # The one before is back, takes writes, and is the only one that can be reached.
            way.mend()
            other_way.cut()
            until(lambda: "another server has taken over" in gateway.log(), "it was there and left")
            until(lambda: not gateway.is_ready(), "the gateway notices")
            self.assert_not_forwarded(gateway)
            other_way.mend()
            until(gateway.is_ready, "the gateway is ready again")
            self.books.assert_kept(gateway)
            self.assertEqual(self.metric(gateway, "failovers"), 1)
            self.assertEqual(self.metric(gateway, "records_lost"), 0)
        finally:
            self.rebuild()


    def test_a_primary_that_stands_still_and_goes_on_after_a_failover(self):
        standby = self.start_standby()
        try:
            gateway = self.start_shared(url=self.url_of(self.server, standby), defaults=PATIENT,
                                        timeouts=UPSTREAM_PATIENT)[0]
            self.books.charge(5, gateway)
            path, key, gate, client = self.start_run(gateway)
            self.wait_until_replicated()
            self.server.pause()
            standby.promote()
            gate.open()
            self.wait_for_failover(gateway)
            self.server.resume()
            self.books.told[path, key] = client.result()
            self.books.charge(5, gateway)
            self.books.assert_kept(gateway)
            self.assertEqual(self.metric(gateway, "records_lost"), 0)
        finally:
            self.rebuild()


class Replicated(PostgresStory):
    """`durability: replicated`, a primary and a synchronous standby, made anew for each test."""

    # Until there is a standby, nobody waits for one.
    server_options = {"synchronous_standby_names": "standby", "synchronous_commit": "local"}
    is_new = True

    def setUp(self):
        super().setUp()
        if not self.is_new:
            self.rebuild()
        type(self).is_new = False
        self.primary = self.server
        self.way, self.replication = self.start_link(self.primary), self.start_link(self.primary)
        self.standby = self.start_standby(self.replication)
        self.primary.sql("ALTER DATABASE records SET synchronous_commit = on", "postgres")
        until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1",
              "the standby is synchronous")

    def start_replicated(self, count=1, **defaults):
        url = self.url_of(self.way, self.standby)
        made = [self.make_shared(url, durability="replicated", defaults={**PATIENT, **defaults}) for _ in range(count)]
        done = shared_store.migrate(made[0])
        self.assertEqual(done.returncode, 0, done.stderr)
        return [each.start() for each in made]

    def test_kill_of_the_gateway(self):
        first, second = self.start_replicated(2, lease="1s", wait="0")
        self.books.charge(10, first)
        path, key, gate, client = self.start_run(first)
        first.kill()
        gate.open()
        with self.assertRaises((OSError, wire.Closed, wire.Truncated)):
            client.result()
        self.books.assert_kept(second)
        self.wait_for_state("unknown", path, key, via=second)
        self.assert_problem(self.post(path, {}, key, via=second), "outcome-unknown", retryable=False)
        self.assert_effects(path, 1)

    def test_kill_of_the_store_and_its_start(self):
        gateway = self.start_replicated()[0]
        self.books.charge(10, gateway)
        path, key, gate, client = self.start_run(gateway)
        self.primary.kill()
        gate.open()
        until(lambda: not gateway.is_ready(), "the gateway notices")
        self.assert_not_forwarded(gateway)
        self.primary.start()
        self.books.told[path, key] = client.result()
        until(gateway.is_ready, "the gateway is ready again")
        self.books.assert_kept(gateway)
        self.assertEqual(self.metric(gateway, "failovers"), 0)

    def test_a_gateway_cut_off_from_the_store(self):
        gateway = self.start_replicated()[0]
        self.books.charge(5, gateway)
        path, key, gate, client = self.start_run(gateway)
        self.way.cut()
        gate.open()
        until(lambda: not gateway.is_ready(), "the gateway notices")
        self.assert_not_forwarded(gateway)
        self.way.mend()
        self.books.told[path, key] = client.result()
        until(gateway.is_ready, "the gateway is ready again")
        self.books.assert_kept(gateway)

    def test_a_primary_cut_off_from_its_standby_acknowledges_nothing(self):
        gateway = self.start_replicated(lease="2s", wait="0")[0]
        self.books.charge(5, gateway)
        self.replication.freeze()
        path, key = story.new_path(), story.new_key()
        self.assert_problem(self.post(path, {}, key, via=gateway), "store-unavailable")
        self.assert_requests(path, 0)
        # And nothing of it is needed when the standby takes over.
        self.primary.kill()
        self.standby.promote()
        self.standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''", "postgres")
        loose = self.make_shared(self.url_of(self.standby), defaults=PATIENT).start()
        self.books.assert_kept(loose)
        self.assert_first(self.post(path, {}, key, via=loose))
        self.assert_effects(path, 1)

    def test_a_wait_for_the_standby_that_is_cancelled_is_taken_up_by_the_primary_alone(self):
        """Not what one would want: the command is sent again, and finds what it did, which the standby has not."""
        gateway = self.start_replicated()[0]
        self.replication.freeze()
        path, key = story.new_path(), story.new_key()
        client = Background(lambda: self.post(path, {}, key, via=gateway))
        waits = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

        def cancelled():
            self.sql(f"SELECT pg_cancel_backend(pid) {waits}")
            return not client.running
        until(cancelled, "every wait of the exchange is cancelled")
        self.assert_first(client.result())
        self.assertEqual(self.standby.sql("SELECT count(*) FROM onceward.record", "records"), "0")

    def test_failover_loses_nothing(self):
        gateway = self.make_shared(self.url_of(self.way, self.standby), defaults=PATIENT)
        self.assertEqual(shared_store.migrate(gateway).returncode, 0)
        gateway.start()
        strict = self.start_replicated()[0]
        self.books.charge(20, gateway, strict)
        path, key, gate, client = self.start_run(gateway)
        self.primary.kill()
        self.standby.promote()
        gate.open()
        self.books.told[path, key] = client.result()
        self.wait_for_failover(gateway)
        self.books.assert_kept(gateway)
        self.assertEqual(self.metric(gateway, "records_lost"), 0)
        # Who was promised two machines is not served by one.
        until(lambda: "synchronous_standby_names is empty" in strict.log(), "the operator is told")
        self.assert_not_forwarded(strict)


if __name__ == "__main__":
    story.main()
