#!/usr/bin/python3
"""Redis servers that take each other's place: a replica that sentinels promote, and a cluster whose slots move. What
the new server has is used; what it lacks is noticed.
"""

from support import redis, shared_store, story, upstream
from support.waiting import Background, Gate, in_parallel, until

PATIENT = {"lease": "1h", "wait": "1h"}


class BehindSentinels(shared_store.RedisStory):

    @classmethod
    def start_server(cls):
        """Each test loses its own."""

    def setUp(self):
        self.watched = redis.start_watched(**redis.SYNCED)
        self.addCleanup(self.watched.remove)
        self.server = self.watched.primary
        self.url = [each.url() for each in self.watched.sentinels]

    def make_shared(self, url=None, store=None, **settings):
        return super().make_shared(url, {"sentinel": {"master": "records"}, **(store or {})}, **settings)

    def test_a_failover_is_followed_and_what_was_replicated_is_known(self):
        first, second = self.start_shared(2, store={"wait_replicas": 2}, defaults=PATIENT)
        recorded = [(story.new_path(), story.new_key()) for _ in range(10)]
        answers = [self.post(path, {}, key, via=via) for (path, key), via in zip(recorded, [first, second] * 5)]
        self.watched.primary.kill()
        for via in (first, second):
            until(lambda via=via: not self.ready(via), "the gateway is not ready")
            self.assert_no_store(via)
        self.watched.new_primary()
        for via in (first, second):
            until(lambda via=via: self.ready(via), "the gateway is ready again")
            self.assertIn('"store-server-changed"', via.log())
        # Sentinels of a slow machine may promote one replica after the other; both have all that was acknowledged.
        for (path, key), answer in zip(recorded, answers):
            self.assert_replay(self.post(path, {}, key, via=second), answer)
            self.assert_effects(path, 1)
        for via in (first, second):
            self.assertNotIn('"record-lost"', via.log())

    def test_an_attempt_that_runs_through_a_failover_is_recorded(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        runs = Background(lambda: self.post(path, {}, key, via=gateway))
        self.upstream.wait_for_requests(path)
        offset = int(self.server.info("replication")["master_repl_offset"])
        until(lambda: all(int(each.info("replication")["master_repl_offset"]) >= offset
                          for each in self.watched.replicas), "the replicas have the claim")
        self.watched.primary.kill()
        gate.open()
        self.watched.new_primary()
        first = runs.result()
        self.assert_first(first)
        self.assert_replay(self.post(path, {}, key, via=gateway), first)
        self.assert_effects(path, 1)

    def test_an_acknowledged_record_that_is_lost_in_a_failover_is_noticed(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
        self.assert_works(gateway)
        for each in self.watched.replicas:
            each.pause()
        # What is on its way to them would reach them in the end.
        self.server.ask("CLIENT", "KILL", "TYPE", "replica")
        lost, key = story.new_path(), story.new_key()
        self.assert_first(self.post(lost, {}, key, via=gateway))
        self.watched.primary.kill()
        for each in self.watched.replicas:
            each.resume()
        self.watched.new_primary()
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assertIn("lacks some of what was acknowledged", gateway.log())
        # The gateway knows that it was acknowledged, and not what came of it: nothing runs again.
        self.assert_problem(self.post(lost, {}, key, via=gateway), "outcome-unknown", retryable=False)
        self.assert_effects(lost, 1)
        self.assertEqual(gateway.metrics()["onceward_store_records_lost_total"], 1)

    def test_a_primary_that_hangs_is_left_with_all_connections(self):
        first, second = self.start_shared(2, defaults=PATIENT)
        self.assert_works(first)
        self.watched.primary.pause()
        try:
            self.watched.new_primary()
            for via in (first, second):
                until(lambda via=via: '"store-server-changed"' in via.log(), "the gateway found the other")
                for _ in range(8):
                    self.assert_works(via)
            # Also those on which gateways hear of each other.
            both = self.run_and_wait(first, second)
            both.gate.open()
            self.assert_replay(both.waits.result(), both.runs.result())
        finally:
            self.watched.primary.resume()

    def test_without_enough_replicas_nothing_is_acknowledged(self):
        gateway = self.start_shared(store={"wait_replicas": 2}, defaults=PATIENT)[0]
        self.assert_works(gateway)
        self.watched.replicas[0].pause()
        try:
            self.assert_no_store(gateway)
        finally:
            self.watched.replicas[0].resume()
        self.assert_works(gateway)

    def test_a_name_that_sentinels_do_not_know(self):
        gateway = self.make_shared(store={"sentinel": {"master": "others"}})
        gateway.launch()
        self.assertEqual(gateway.wait_for_end(), 1)
        self.assertIn("does not know a primary of the name `others`", gateway.log())


class OnACluster(shared_store.RedisStory):

    @classmethod
    def start_server(cls):
        cls.cluster = redis.start_cluster(**redis.SYNCED)
        cls.addClassCleanup(cls.cluster.remove)
        cls.server = cls.cluster.primaries[0]
        cls.url = cls.cluster.urls()

    def setUp(self):
        until(self.cluster.is_well, "the cluster is well")

    def make_shared(self, url=None, store=None, **settings):
        return super().make_shared(url, {"cluster": True, **(store or {})}, **settings)

    def slots_of(self, node):
        """The slots of the records that the node has."""
        return sorted({int(node.ask("CLUSTER", "KEYSLOT", name)) for name in node.ask("KEYS", "onceward:{*}").split()})

    def test_keys_are_spread_and_waits_cross_gateways(self):
        first, second = self.start_shared(2, url=self.cluster.primaries[1].url(), defaults=PATIENT)
        for _ in range(20):
            path, key = story.new_path(), story.new_key()
            answers = in_parallel(6, lambda i: self.post(path, {}, key, via=(first, second)[i % 2]))
            self.assertEqual({(each.status, each.body) for each in answers}, {(200, answers[0].body)})
            self.assert_effects(path, 1)
        for node in self.cluster.primaries:
            self.assertTrue(self.slots_of(node))
        both = self.run_and_wait(first, second)
        both.gate.open()
        self.assert_replay(both.waits.result(), both.runs.result())
        until(lambda: first.metrics()["onceward_records"] >= 21, "they are counted on all nodes")

    def test_slots_that_move_while_they_are_used(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
        source, target = self.cluster.primaries[:2]
        before = self.slots_of(source)
        recorded = []
        while len(self.slots_of(source)) < len(before) + 3:
            path, key = story.new_path(), story.new_key()
            self.upstream.script(path, upstream.ok(body=b"x" * 10_000))
            recorded.append((path, key, self.post(path, {}, key, via=gateway)))
        moving = self.slots_of(source)
        for slot in moving:
            self.cluster.begin_to_move(slot, source, target)
        # Half of the keys are here, half there; new ones are asked for there.
        for slot in moving:
            self.cluster.move_keys(slot, source, target, count=1)
        for path, key, answer in recorded:
            self.assert_replay(self.post(path, {}, key, via=gateway), answer)
        for _ in range(30):
            self.assert_works(gateway)
        for slot in moving:
            while self.cluster.move_keys(slot, source, target):
                pass
            self.cluster.end_to_move(slot, source, target)
        for path, key, answer in recorded:
            self.assert_replay(self.post(path, {}, key, via=gateway), answer)
            self.assert_effects(path, 1)
        self.assertNotIn("store-lost", gateway.log())

    def test_a_node_that_does_not_keep_the_durability(self):
        last = self.cluster.primaries[2]
        last.configure("appendfsync", "everysec")
        try:
            gateway = self.make_shared()
            gateway.launch()
            self.assertEqual(gateway.wait_for_end(), 1)
            self.assertIn(f"{last.address}: `durability: synced` needs appendfsync always", gateway.log())
        finally:
            last.configure("appendfsync", "always")

    def test_a_node_that_is_lost_and_its_replica_that_takes_over(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
        recorded = []
        for _ in range(30):
            path, key = story.new_path(), story.new_key()
            recorded.append((path, key, self.post(path, {}, key, via=gateway)))
        lost, heir = self.cluster.primaries[2], self.cluster.replicas[2]
        offset = int(lost.info("replication")["master_repl_offset"])
        until(lambda: int(heir.info("replication")["master_repl_offset"]) >= offset, "the replica has everything")
        lost.kill()
        until(lambda: heir.info("replication")["role"] == "master", "the replica takes over")
        until(lambda: '"store-server-changed"' in gateway.log(), "the gateway found the other")
        for path, key, answer in recorded:
            self.assert_replay(self.post(path, {}, key, via=gateway), answer)
            self.assert_effects(path, 1)
        for _ in range(10):
            self.assert_works(gateway)
        self.assertTrue(self.ready(gateway))
        # What it was comes back as a replica.
        lost.start()
        self.cluster.primaries[2], self.cluster.replicas[2] = heir, lost


if __name__ == "__main__":
    story.main()
