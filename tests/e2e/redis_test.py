#!/usr/bin/python3
"""One gateway and its Redis server: set up wrongly, down, slow, full, a replica, and back again. Whatever happens,
nothing is forwarded that is not claimed, and the operator is told what to change.
"""

import subprocess
import threading

from support import fault_proxy, redis, shared_store, story, upstream
from support.waiting import Background, Gate, until

PASSWORD = "correct-horse-battery"
PATIENT = {"lease": "1h", "wait": "1h"}


class RefusesToStart(shared_store.RedisStory):
    """Each time with a sentence that says what to do, and without a password."""

    def assert_refused(self, *words, configured=None, **settings):
        configured = configured or self.make_shared(**settings)
        configured.launch()
        self.assertEqual(configured.wait_for_end(), 1, configured.log())
        for word in words:
            self.assertIn(word, configured.log())
        self.assertNotIn(PASSWORD, configured.log())

    def start_server_with(self, **settings):
        server = redis.start(**settings)
        self.addCleanup(server.remove)
        return server

    def test_without_a_server(self):
        nobody = f"redis://onceward:{PASSWORD}@{self.server.host}:1"
        self.assert_refused(f"{self.server.host}:1", "refused", url=nobody)

    def test_on_a_server_that_may_lose_what_it_acknowledged(self):
        server = self.start_server_with(appendonly="no")
        self.assert_refused("set appendonly yes", url=server.url())
        server.configure("appendonly", "yes")
        server.configure("appendfsync", "everysec")
        self.assert_refused("set appendfsync always", "durability: written", url=server.url())
        server.configure("appendfsync", "always")
        server.configure("no-appendfsync-on-rewrite", "yes")
        self.assert_refused("set no-appendfsync-on-rewrite no", url=server.url())
        server.configure("no-appendfsync-on-rewrite", "no")
        server.configure("maxmemory-policy", "allkeys-lru")
        for level in ("synced", "written", "memory"):
            self.assert_refused("set maxmemory-policy noeviction", url=server.url(), store={"durability": level})
        server.configure("maxmemory-policy", "noeviction")
        gateway = self.start_shared(url=server.url())[0]
        self.assert_works(gateway)

    def test_each_level_on_the_least_that_it_needs(self):
        server = self.start_server_with(appendonly="no")
        self.assert_works(self.start_shared(url=server.url(), store={"durability": "memory"})[0])
        self.assert_refused("set appendonly yes", url=server.url(), store={"durability": "written"})
        server.configure("appendonly", "yes")
        gateway = self.start_shared(url=server.url(), store={"durability": "written"})[0]
        self.assert_works(gateway)
        self.assertIn("written", gateway.log())

    def test_on_a_replica(self):
        replica = self.start_server_with(**redis.SYNCED)
        replica.follow(self.server)
        self.assert_refused("is a replica", "name the primary", url=replica.url())
        # Of several, the one that takes writes is found.
        self.assert_works(self.start_shared(url=[replica.url(), self.server.url()])[0])

    def test_of_two_servers_that_take_writes_one_is_used(self):
        one, other = (self.start_server_with(**redis.SYNCED) for _ in range(2))
        gateway = self.start_shared(url=[one.url(), other.url()])[0]
        for _ in range(5):
            self.assert_works(gateway)
        one.stop()
        until(lambda: '"store-server-changed"' in gateway.log(), "the gateway found the other")
        until(gateway.is_ready, "every connection is at the other")
        one.start()
        for _ in range(10):
            self.assert_works(gateway)
        self.assertEqual(len(one.ask("KEYS", "onceward:{*}").split()), 5)
        # And the five that it does not have, which become unknown there.
        until(lambda: len(other.ask("KEYS", "onceward:{*}").split()) == 15, "what the other lacks is unknown there")

    def test_with_a_topology_that_it_is_not(self):
        self.assert_refused("not a node of a cluster", store={"cluster": True})
        self.assert_refused("the sentinel says", store={"sentinel": {"master": "records"}})

    def test_with_another_secret_than_the_server_is_used_with(self):
        server = self.start_server_with(**redis.SYNCED)
        self.start_shared(url=server.url())[0].stop()
        configured = self.make_shared(server.url())
        file = configured.folder / "secret"
        file.write_text("ab" * 32)
        file.chmod(0o600)
        configured.settings["secret_file"] = str(file)
        self.assert_refused("secret_file", configured=configured)
        # And the other way round: known by a file first.
        server.ask("FLUSHALL")
        configured.start().stop()
        self.assertNotIn("ab" * 32, server.ask("GET", "onceward:deployment"))
        self.assert_refused("secret_file", url=server.url())


class InTrouble(shared_store.RedisStory):

    def setUp(self):
        # What a test does to the server stays with it.
        server = redis.start(**redis.SYNCED)
        self.addCleanup(server.remove)
        self.server, self.url = server, server.url()

    def test_a_server_that_goes_down_and_comes_back(self):
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

    def test_a_server_that_is_killed_while_an_attempt_runs(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
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
        self.assertIn("a history of its own", gateway.log())

    def test_a_server_that_does_not_answer(self):
        gateway = self.start_shared(defaults={"lease": "5s"})[0]
        self.assert_works(gateway)
        self.server.pause()
        try:
            self.assert_no_store(gateway)
        finally:
            self.server.resume()
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_a_server_whose_memory_is_used_up(self):
        gateway = self.start_shared(defaults=PATIENT)[0]
        gate, running, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(running, upstream.held(gate, upstream.ok(body=b"x" * 100_000)))
        runs = Background(lambda: self.post(running, {}, key, via=gateway))
        self.upstream.wait_for_requests(running)
        path, known = story.new_path(), story.new_key()
        first = self.post(path, {}, known, via=gateway)
        self.server.configure("maxmemory", "1mb")
        self.assert_no_store(gateway)
        until(lambda: not self.ready(gateway), "the gateway is not ready")
        # What is known is replayed, and the outcome of what runs is taken.
        self.assert_replay(self.post(path, {}, known, via=gateway), first)
        gate.open()
        answer = runs.result()
        self.assert_first(answer)
        self.assert_replay(self.post(running, {}, key, via=gateway), answer)
        # So does a gateway that comes anew.
        other = self.make_shared()
        other.launch()
        until(lambda: '"started"' in other.log(), "it has started")
        self.assert_replay(self.post(path, {}, known, via=other), first)
        self.server.configure("maxmemory", "0")
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_a_server_that_becomes_a_replica_while_it_is_used(self):
        gateway = self.start_shared()[0]
        self.assert_works(gateway)
        other = redis.start(**redis.SYNCED)
        self.addCleanup(other.remove)
        self.server.follow(other)
        self.assert_no_store(gateway)
        until(lambda: "is a replica" in gateway.log(), "the operator is told")
        self.assertFalse(self.ready(gateway))
        self.server.ask("REPLICAOF", "NO", "ONE")
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_a_server_that_is_set_up_otherwise_while_it_is_used(self):
        gateway = self.start_shared()[0]
        self.server.configure("appendfsync", "everysec")
        self.end_sessions()
        until(lambda: "set appendfsync always" in gateway.log(), "the operator is told")
        self.assert_no_store(gateway)
        self.server.configure("appendfsync", "always")
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_a_server_that_forgets_the_scripts(self):
        gateway = self.start_shared()[0]
        self.server.ask("SCRIPT", "FLUSH")
        self.assert_works(gateway)

    def test_a_server_that_lost_everything(self):
        gateway = self.start_shared()[0]
        self.assert_works(gateway)
        until(lambda: int(self.server.ask("GET", "onceward:fence") or 0) > 0, "the fences are known")
        self.server.ask("FLUSHALL")
        until(lambda: "lacks some of what was acknowledged" in gateway.log(), "the loss is noticed")

    def test_a_server_that_lost_the_secret(self):
        gateway = self.start_shared()[0]
        kept = self.server.ask("GET", "onceward:deployment")
        self.server.ask("FLUSHALL")
        until(lambda: self.server.ask("GET", "onceward:deployment") == kept, "it has it again")
        self.assert_works(gateway)
        self.server.ask("SET", "onceward:deployment", "another")
        until(lambda: "another secret" in gateway.log(), "the operator is told")
        self.assert_no_store(gateway)
        self.assertFalse(self.ready(gateway))
        self.server.ask("SET", "onceward:deployment", kept)
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)

    def test_long_responses_and_those_that_end_before_their_record(self):
        gateway = self.start_shared(defaults={"retention": "2h", "retention_tombstone": "3h"})[0]
        for body in (b"", b"short", b"x" * 5_000, b"y" * 1_000_000):
            path, key = story.new_path(), story.new_key()
            self.upstream.script(path, upstream.ok(body=body))
            first = self.post(path, {}, key, via=gateway)
            self.assertEqual(first.body, body)
            self.assert_replay(self.post(path, {}, key, via=gateway), first)
            self.assert_effects(path, 1)
        self.assertEqual(len(self.server.ask("KEYS", "onceward:{*}:*").split()), 4)

    def test_a_response_that_somebody_took_away_is_not_made_up(self):
        gateway = self.start_shared()[0]
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.ok(body=b"z" * 10_000))
        self.assert_first(self.post(path, {}, key, via=gateway))
        self.server.ask("DEL", *self.server.ask("KEYS", "onceward:{*}:*").split())
        self.assert_problem(self.post(path, {}, key, via=gateway), "store-unavailable")
        self.assert_effects(path, 1)

    def test_what_an_operator_asks(self):
        gateway = self.start_shared(defaults={"lease": "1s", "wait": "0"})[0]
        keys = [story.new_key() for _ in range(3)]
        path = story.new_path()
        for key in keys:
            self.upstream.script(path, upstream.cut_after_effect)
            self.post(path, {}, key, via=gateway)
        until(lambda: len(gateway.unknown_records()) == 3, "they are listed")
        until(lambda: gateway.metrics()["onceward_records_unknown"] == 3, "they are counted")
        self.assertEqual(gateway.admin("POST", "/records/purge").status, 200)
        self.assertEqual(len(gateway.unknown_records()), 3)


class Sabotage:
    """Breaks the connection that carries the next command about a record, once for each time that it is armed: within
    the "request", or instead of the "reply".
    """

    def __init__(self):
        self._where = None
        self._lock = threading.Lock()
        self.done = threading.Event()

    def arm(self, where):
        self.done.clear()
        self._where = where

    def take(self, where):
        with self._lock:
            if self._where != where:
                return False
            self._where = None
            self.done.set()
            return True


class SabotagedLink(fault_proxy.Fault):

    def __init__(self, sabotage):
        self._sabotage = sabotage
        self._loses = False

    def request(self, data):
        if b"EVALSHA" in data and b"onceward:{" in data:
            if self._sabotage.take("request"):
                raise fault_proxy.Cut(data[:-1])
            self._loses = self._sabotage.take("reply")
        return data

    def answer(self, data):
        if self._loses:
            raise fault_proxy.Cut
        return data


class BrokenConnections(shared_store.RedisStory):

    def start_behind(self, sabotage, **settings):
        proxy = fault_proxy.FaultProxy((self.server.host, self.server.port))
        self.addCleanup(proxy.stop)
        proxy.plan(*(SabotagedLink(sabotage) for _ in range(1_000)))
        return self.start_shared(url="redis://%s:%d" % proxy.address, defaults=PATIENT, **settings)[0], proxy

    def test_a_claim_or_an_outcome_whose_request_or_reply_is_lost(self):
        sabotage = Sabotage()
        gateway, _ = self.start_behind(sabotage)
        for where in ("request", "reply") * 3:
            for body in (b"short", b"x" * 10_000):
                for during in ("claim", "outcome"):
                    gate, path, key = Gate(), story.new_path(), story.new_key()
                    self.upstream.script(path, upstream.held(gate, upstream.ok(body=body)))
                    if during == "claim":
                        sabotage.arm(where)
                    runs = Background(lambda p=path, k=key: self.post(p, {}, k, via=gateway))
                    self.upstream.wait_for_requests(path)
                    if during == "outcome":
                        sabotage.arm(where)
                    gate.open()
                    first = runs.result()
                    self.assertTrue(sabotage.done.is_set())
                    self.assert_first(first)
                    self.assert_replay(self.post(path, {}, key, via=gateway), first)
                    self.assert_requests(path, 1)

    def test_a_release_whose_reply_is_lost(self):
        sabotage = Sabotage()
        gateway, _ = self.start_behind(sabotage)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate, upstream.fail(503)), upstream.ok())
        runs = Background(lambda: self.post(path, {}, key, via=gateway))
        self.upstream.wait_for_requests(path)
        sabotage.arm("reply")
        gate.open()
        self.assert_status(runs.result(), 503)
        self.assert_first(self.post(path, {}, key, via=gateway))
        self.assert_effects(path, 1)

    def test_connections_that_break_all_the_time(self):
        gateway, proxy = self.start_behind(Sabotage())
        stop = threading.Event()

        def break_them():
            while not stop.is_set():
                count = proxy.connections
                proxy.cut_connections()
                until(lambda c=count: stop.is_set() or proxy.connections > c + 2, "the gateway comes back")

        breaks = Background(break_them)
        try:
            for _ in range(60):
                path, key = story.new_path(), story.new_key()
                answers = [self.post(path, {}, key, via=gateway) for _ in range(3)]
                good = {each.body for each in answers if each.status == 200}
                self.assertLessEqual(len(good), 1)
                self.assertLessEqual({each.status for each in answers}, {200, 409, 503})
                self.assertLessEqual(self.upstream.effects(path), 1)
        finally:
            stop.set()
            breaks.result()
        until(lambda: self.ready(gateway), "the gateway is ready again")
        self.assert_works(gateway)


class Credentials(shared_store.RedisStory):
    """A server that asks who it is, and speaks TLS only."""

    @classmethod
    def start_server(cls):
        server = redis.Redis(**redis.SYNCED)
        cls.addClassCleanup(server.remove)
        make_certificate(server)
        server.settings.update({
            "port": 0, "tls-port": server.port, "tls-cert-file": server.folder / "server.crt",
            "tls-key-file": server.folder / "server.key", "tls-ca-cert-file": server.folder / "ca.crt",
            "tls-auth-clients": "no",
            "user": [f"default on >{PASSWORD} ~* &* +@all",
                     f"gateway on >{PASSWORD}-2 ~onceward:* &onceward:* -@all +auth +select +client|setname +info"
                     " +config|get +script|load +subscribe +publish +evalsha +eval +time +get +getrange +set +del"
                     " +pexpireat +scan +role +wait"]})
        server.cli_flags = ["--tls", "--cacert", str(server.folder / "ca.crt"), "-a", PASSWORD, "--no-auth-warning"]
        cls.server = server.start()
        cls.url = server.url(user="gateway", password=PASSWORD + "-2", scheme="rediss")
        cls.ca = {"ca_file": str(server.folder / "ca.crt")}

    def started(self, url, store=None, **environment):
        gateway = self.make_shared(url, store={**self.ca, **(store or {})})
        gateway.environment.update(environment)
        gateway.start()
        self.assert_works(gateway)
        self.assertNotIn(PASSWORD, gateway.log())
        return gateway

    def refused(self, url, store=None):
        gateway = self.make_shared(url, store=store)
        gateway.launch()
        self.assertEqual(gateway.wait_for_end(), 1)
        self.assertNotIn(PASSWORD, gateway.log())
        return gateway.log()

    def test_of_a_user_that_may_do_only_what_gateways_do(self):
        gateway = self.started(self.url)
        self.assertEqual(gateway.admin("POST", "/records/purge").status, 200)
        until(lambda: gateway.metrics()["onceward_records"] >= 1, "it counts")
        self.assertNotIn("store-lost", gateway.log())

    def test_of_a_user_that_may_not_do_enough(self):
        may = ("~onceward:* &onceward:* +auth +info +config|get +script|load +subscribe +publish +evalsha +eval +time"
               " +get +set +del +pexpireat")
        self.started(self.url).stop()
        for missing in ("set", "evalsha", "scan"):
            words = [word for word in may.split() if word != f"+{missing}"]
            self.server.ask("ACL", "SETUSER", missing, "on", f">{PASSWORD}", "-@all", *words)
            gateway = self.make_shared(self.server.url(user=missing, password=PASSWORD, scheme="rediss"), self.ca)
            gateway.launch()
            until(lambda log=gateway.log: '"started"' in log(), "it has started")
            self.post(story.new_path(), {}, story.new_key(), via=gateway)
            told = "user executing the script" if missing == "set" else f"permissions to run the '{missing}' command"
            until(lambda log=gateway.log, words=told: words in log(), "the operator is told")
            self.assertNotIn(PASSWORD, gateway.log())

    def test_from_the_url_the_environment_and_a_file(self):
        self.started(self.server.url(user="default", password=PASSWORD, scheme="rediss")).stop()
        plain = f"rediss://{self.server.address}"
        self.started(plain, ONCEWARD_REDIS_PASSWORD=PASSWORD).stop()
        self.started(plain, REDISCLI_AUTH=PASSWORD).stop()
        file = self.server.folder / "password"
        file.write_text(f"{PASSWORD}-2\n")
        self.started(f"rediss://gateway@{self.server.address}", {"password_file": str(file)}).stop()

    def test_a_wrong_password_is_not_shown(self):
        wrong = self.server.url(user="gateway", password="wrong-" + PASSWORD, scheme="rediss")
        self.assertIn("WRONGPASS", self.refused(wrong, self.ca))
        self.assertIn("NOAUTH", self.refused(f"rediss://{self.server.address}", self.ca))

    def test_a_certificate_that_nobody_trusts(self):
        self.assertIn("certificate", self.refused(self.url))
        self.assertIn("needs rediss://", self.refused(self.url.replace("rediss:", "redis:")))
        self.assertIn("ca_file", self.refused(self.url, {"ca_file": "/nowhere"}))


def make_certificate(server):
    """A certificate for the server's address, and the authority that signed it."""

    def run(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=server.folder)

    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key",
        "-out", "ca.crt")
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr")
    (server.folder / "names").write_text(f"subjectAltName=IP:{server.host}\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", "names", "-out", "server.crt")


if __name__ == "__main__":
    story.main()
