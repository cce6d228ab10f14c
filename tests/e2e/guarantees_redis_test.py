#!/usr/bin/python3
"""The cells of docs/guarantees.md for Redis: alone, behind sentinels, as a cluster. A failover of Redis can lose what
was acknowledged; then it is seen that the loss is found out and counted, and that nothing runs twice.
"""

from support import books, link, power, redis, shared_store, story, upstream, wire
from support.waiting import Background, Gate, until

# Longer than any test waits: what is answered earlier was not answered because it ran out.
PATIENT = {"wait": "1h", "lease": "1h"}
UPSTREAM_PATIENT = {"upstream_response": "1h"}


class GuaranteesStory(shared_store.RedisStory):

    def setUp(self):
        self.books = books.Books(self)

    def start_link(self, server):
        made = link.Link((server.host, server.port))
        self.addCleanup(made.stop)
        return made

    def start_run(self, gateway):
        """An attempt that has taken effect and is not answered yet: (path, key, gate, its client)."""
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        client = Background(lambda: self.post(path, {}, key, via=gateway))
        self.upstream.wait_for_requests(path)
        return path, key, gate, client

    def metric(self, gateway, name):
        return gateway.metrics()[f"onceward_store_{name}_total"]

    def assert_broken(self, client):
        with self.assertRaises((OSError, wire.Closed, wire.Truncated)):
            client.result()

    @staticmethod
    def leave_replicas_behind(primary):
        """What it acknowledges from now on is on it alone."""
        primary.ask("ACL", "SETUSER", "default", "-psync", "-sync")
        primary.ask("CLIENT", "KILL", "TYPE", "replica")
        until(lambda: primary.info("replication")["connected_slaves"] == "0", "no replica follows")

    def lose_the_tail(self, gateway, primary, promote):
        """Charges that are replicated, charges and an attempt that are not, and a failover."""
        self.books.charge(10, gateway)
        until(lambda: self.has_followers_up_to_date(primary), "a replica has them all")
        self.leave_replicas_behind(primary)
        lost = books.Books(self)
        lost.charge(5, gateway)
        path, key, gate, client = self.start_run(gateway)
        primary.kill()
        promote()
        until(lambda: self.metric(gateway, "failovers") >= 1 and gateway.is_ready(), "the other server is found")
        until(lambda: self.metric(gateway, "records_lost") == 6, "the loss is found out")
        self.books.assert_kept(gateway)
        lost.assert_unknown(gateway)
        # Its claim was lost, too, and made again for the same attempt, which goes on and is recorded.
        gate.open()
        answer = client.result()
        self.assert_first(answer)
        self.assert_replay(self.post(path, {}, key, via=gateway), answer)
        self.assert_effects(path, 1)
        self.assertIn('"record-lost"', gateway.log())

    @staticmethod
    def has_followers_up_to_date(primary):
        told = primary.info("replication")
        offsets = [dict(word.split("=") for word in told[name].split(","))["offset"] for name in told
                   if name.startswith("slave") and name[5:].isdigit()]
        return offsets and all(each == told["master_repl_offset"] for each in offsets)


class Synced(GuaranteesStory):
    """One server, `durability: synced`."""

    def test_kill_of_the_gateway(self):
        first, second = self.start_shared(2, defaults={"wait": "0", "lease": "1s"})
        self.books.charge(10, first)
        path, key, gate, client = self.start_run(first)
        first.kill()
        gate.open()
        self.assert_broken(client)
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
        self.assert_no_store(gateway)
        self.server.start()
        self.books.told[path, key] = client.result()
        until(gateway.is_ready, "the gateway is ready again")
        self.books.assert_kept(gateway)
        self.assertEqual(self.metric(gateway, "records_lost"), 0)

    def test_a_gateway_cut_off_from_the_store(self):
        way = self.start_link(self.server)
        cut_off = self.start_shared(url=f"redis://{way.host}:{way.port}", defaults=PATIENT)[0]
        other = self.start_shared(defaults={"wait": "0"})[0]
        self.books.charge(10, cut_off, other)
        path, key, gate, client = self.start_run(cut_off)
        way.cut()
        gate.open()
        until(lambda: not cut_off.is_ready(), "the gateway notices")
        self.assert_no_store(cut_off)
        # The other one knows whose it is, and does not run it.
        self.assert_problem(self.post(path, {}, key, via=other), "in-flight")
        self.books.assert_kept(other)
        way.mend()
        self.books.told[path, key] = client.result()
        until(cut_off.is_ready, "the gateway is ready again")
        self.books.assert_kept(cut_off, other)

    def test_emptied_in_place_is_found_out_by_each_gateway(self):
        gateways = self.start_shared(2, defaults=PATIENT)
        lost = [books.Books(self) for _ in gateways]
        for each, gateway in zip(lost, gateways):
            each.charge(5, gateway)
        path, key, gate, client = self.start_run(gateways[0])
        until(lambda: self.server.ask("EXISTS", "onceward:contents") == "1", "what is there has a name")
        before = self.calls_of_scripts()
        until(lambda: self.calls_of_scripts() >= before + 20, "both have seen the name")
        self.server.ask("FLUSHALL")
        until(lambda: [self.metric(each, "records_lost") for each in gateways] == [6, 5], "both find their loss")
        for each in lost:
            each.assert_unknown(*gateways)
        # Its claim was made again for the same attempt, which goes on and is recorded.
        gate.open()
        answer = client.result()
        self.assert_first(answer)
        self.assert_replay(self.post(path, {}, key, via=gateways[1]), answer)
        self.assert_effects(path, 1)

    def calls_of_scripts(self):
        """A gateway that has nothing else to do looks after what all share with three, each second."""
        return int(self.server.info("commandstats").get("cmdstat_evalsha", "calls=0").split(",")[0].split("=")[1])


class Power(GuaranteesStory):
    """A server whose machine loses its power: what it had not synced is gone."""

    def powered(self, durability, **settings):
        """Charges before a power cut; the gateway, when its server is back."""
        server = redis.Redis(**settings)
        self.addCleanup(server.remove)
        disk = server.folder / "disk"
        disk.mkdir()
        server.settings["dir"] = disk
        supply = power.Power(disk)
        server.environment = supply.environment()
        server.start()
        gateway = self.start_shared(url=server.url(), store={"durability": durability}, defaults=PATIENT)[0]
        self.books.charge(1, gateway)
        until(lambda: supply.has("*.incr.aof"), "the log is synced for the first time")
        self.books.charge(20, gateway)
        supply.cut(server)
        server.start()
        until(lambda: self.metric(gateway, "failovers") >= 1 and gateway.is_ready(), "the server is found again")
        return gateway

    def test_takes_nothing_that_was_synced(self):
        self.books.assert_kept(self.powered("synced", **redis.SYNCED))

    def test_takes_what_was_only_written_and_that_is_found_out(self):
        gateway = self.powered("written", appendonly="yes", appendfsync="everysec")
        states = [self.post(path, {}, key, via=gateway).status for path, key in self.books.told]
        self.assertEqual(states.count(409), self.metric(gateway, "records_lost"))
        self.assertEqual(states.count(200), len(states) - states.count(409))
        for path, _ in self.books.told:
            self.assert_effects(path, 1)


class Less(GuaranteesStory):
    """Servers that promise less than their disk could keep, each made for its test."""

    def restarted(self, durability, **settings):
        """A gateway whose server was killed after ten charges and started again."""
        server = redis.start(**settings)
        self.addCleanup(server.remove)
        gateway = self.start_shared(url=server.url(), store={"durability": durability}, defaults=PATIENT)[0]
        self.books.charge(10, gateway)
        server.kill()
        server.start()
        until(lambda: self.metric(gateway, "failovers") >= 1 and gateway.is_ready(), "the server is found again")
        return gateway

    def test_kill_of_a_store_that_has_nothing_on_disk_is_found_out(self):
        gateway = self.restarted("memory")
        until(lambda: self.metric(gateway, "records_lost") == 10, "the loss is found out")
        self.books.assert_unknown(gateway)

    def test_kill_of_a_store_that_syncs_each_second_takes_nothing_in_silence(self):
        gateway = self.restarted("written", appendonly="yes", appendfsync="everysec")
        states = []
        for (path, key), answer in self.books.told.items():
            again = self.post(path, {}, key, via=gateway)
            states.append(again.status)
            if again.status == 200:
                self.assert_replay(again, answer)
            else:
                self.assert_problem(again, "outcome-unknown", retryable=False)
            self.assert_effects(path, 1)
        # As a rule the kernel had all of it.
        self.assertEqual(states.count(409), self.metric(gateway, "records_lost"))


class Failover(GuaranteesStory):
    """A primary, replicas, and sentinels that promote one; made anew for each test."""

    def setUp(self):
        super().setUp()
        self.watched = redis.start_watched(**redis.SYNCED)
        self.addCleanup(self.watched.remove)

    def start_behind_sentinels(self, count=1, **store):
        urls = [each.url() for each in self.watched.sentinels]
        return self.start_shared(count, url=urls, store={"sentinel": {"master": "records"}, **store},
                                 defaults=PATIENT, timeouts=UPSTREAM_PATIENT)

    def test_that_loses_what_was_acknowledged_is_found_out(self):
        gateway = self.start_behind_sentinels()[0]
        self.lose_the_tail(gateway, self.watched.primary, self.watched.new_primary)

    def test_of_a_primary_that_stands_still_and_goes_on_afterwards(self):
        gateway = self.start_behind_sentinels()[0]
        self.books.charge(5, gateway)
        until(lambda: self.has_followers_up_to_date(self.watched.primary), "a replica has them all")
        self.watched.primary.pause()
        self.watched.new_primary()
        until(lambda: self.metric(gateway, "failovers") >= 1 and gateway.is_ready(), "the other server is found")
        self.watched.primary.resume()
        self.books.charge(5, gateway)
        self.books.assert_kept(gateway)
        self.assertEqual(self.metric(gateway, "records_lost"), 0)

    def test_with_replicas_waited_for_loses_nothing_that_they_have(self):
        gateway = self.start_behind_sentinels(wait_replicas=2)[0]
        self.books.charge(10, gateway)
        self.watched.primary.kill()
        self.watched.new_primary()
        until(lambda: self.metric(gateway, "failovers") >= 1, "the other server is found")
        self.assertEqual(self.metric(gateway, "records_lost"), 0)

    def test_a_primary_cut_off_from_replicas_that_are_waited_for_acknowledges_nothing(self):
        gateway = self.start_behind_sentinels(wait_replicas=1)[0]
        self.books.charge(3, gateway)
        self.leave_replicas_behind(self.watched.primary)
        self.assert_no_store(gateway)


class Cluster(GuaranteesStory):
    """Six nodes, three of them replicas; made anew for each test."""

    def setUp(self):
        super().setUp()
        self.cluster = redis.start_cluster(**redis.SYNCED)
        self.addCleanup(self.cluster.remove)

    def start_on_cluster(self):
        return self.start_shared(url=self.cluster.urls(), store={"cluster": True}, defaults=PATIENT,
                                 timeouts=UPSTREAM_PATIENT)[0]

    def test_kill_of_a_node_and_its_start(self):
        gateway = self.start_on_cluster()
        self.books.charge(12, gateway)
        primary, replica = self.cluster.primaries[0], self.cluster.replicas[0]
        primary.kill()
        until(lambda: replica.info("replication")["role"] == "master", "its replica takes over")
        primary.start()
        until(lambda: primary.info("replication")["role"] == "slave", "it follows the one that took over")
        # The gateway is ready as long as it has any node.
        for path, key in self.books.told:
            until(lambda path=path, key=key: self.post(path, {}, key, via=gateway).status in (200, 409),
                  "the keys of the node are answered again")
            self.assert_effects(path, 1)

    def test_failover_of_a_node_that_loses_what_was_acknowledged_is_found_out(self):
        gateway = self.start_on_cluster()
        self.books.charge(10, gateway)
        primary, replica = self.cluster.primaries[0], self.cluster.replicas[0]
        until(lambda: self.has_followers_up_to_date(primary), "the replica has them all")
        self.leave_replicas_behind(primary)
        before = int(primary.ask("DBSIZE"))
        lost = books.Books(self)
        lost.charge(30, gateway)
        self.assertGreater(int(primary.ask("DBSIZE")), before, "some of them are at this node")
        primary.kill()
        until(lambda: replica.info("replication")["role"] == "master", "its replica takes over")
        until(lambda: self.metric(gateway, "failovers") >= 1 and gateway.is_ready(), "the other server is found")
        until(lambda: self.metric(gateway, "records_lost") > 0, "the loss is found out")
        self.books.assert_kept(gateway)
        unknown = 0
        for (path, key), answer in lost.told.items():
            again = self.post(path, {}, key, via=gateway)
            unknown += again.status == 409
            if again.status == 200:
                self.assert_replay(again, answer)
            else:
                self.assert_problem(again, "outcome-unknown", retryable=False)
            self.assert_effects(path, 1)
        self.assertEqual(unknown, self.metric(gateway, "records_lost"))

    def test_a_node_that_is_emptied_in_place_is_found_out_if_it_has_the_name_of_what_is_there(self):
        gateway = self.start_on_cluster()
        self.books.charge(30, gateway)
        named = self.node_of("onceward:contents")
        until(lambda: named.ask("EXISTS", "onceward:contents") == "1", "what is there has a name")
        other = next(each for each in self.cluster.primaries if each not in (named, self.node_of("onceward:fence")))
        other.ask("FLUSHALL")
        for path, key in self.books.told:
            self.assert_status(self.post(path, {}, key, via=gateway), 200)
        effects = [self.upstream.effects(path) for path, _ in self.books.told]
        self.assertIn(2, effects)
        self.assertEqual(self.metric(gateway, "records_lost"), 0)
        # Of another node it is the name that is gone.
        named.ask("FLUSHALL")
        until(lambda: self.metric(gateway, "records_lost") > 0, "the loss is found out")

    def node_of(self, name):
        slot = int(self.cluster.primaries[0].ask("CLUSTER", "KEYSLOT", name))

        def has_it(node):
            mine = next(line.split() for line in node.ask("CLUSTER", "NODES").splitlines() if "myself" in line)
            ranges = [each.split("-") for each in mine[8:]]
            return any(int(each[0]) <= slot <= int(each[-1]) for each in ranges)
        return next(each for each in self.cluster.primaries if has_it(each))


if __name__ == "__main__":
    story.main()
