#!/usr/bin/python3
"""Many of everything at once: keys, waiters for one key, clients that dawdle. What is within the limits is served, what
is beyond them is refused with the documented status, memory stays within what the limits allow, and other clients are
served meanwhile.

ONCEWARD_LIVENESS=long takes the large numbers, as far as the machine has descriptors. Memory is judged in builds
without sanitizers only: theirs is many times ours.
"""

import os
import resource
import subprocess
import sys

from crowd import Crowd, Peer, pump
from e2e import gateway, story, upstream, waiting, wire

LONG = os.environ.get("ONCEWARD_LIVENESS") == "long"
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
SPARE = 200  # Descriptors for all that is not one of the many.

KEYS = 1_000_000 if LONG else 3_000
FULL_STORE_BYTES = (256 if LONG else 4) << 20
WAITERS = min(100_000, DESCRIPTORS - SPARE) - 500 if LONG else 200
WAITERS_BEYOND = 300 if LONG else 20
SLOW = min(10_000, DESCRIPTORS - SPARE) if LONG else 150
SLOW_BEYOND = 200 if LONG else 10

# What one of each may take in memory, beside the journal's cache.
MIB = 1 << 20
CACHE_BYTES = 64 * MIB
RECORD_BYTES = 200
WAITER_BYTES = 16 << 10
CONNECTION_BYTES = 24 << 10
SLACK_BYTES = 64 * MIB


class Liveness(story.Story):
    settings = None

    def setUp(self):
        self.upstream = self.start_upstream()
        linked = subprocess.run(["ldd", gateway.binary()], capture_output=True, text=True, check=True).stdout
        self.sanitized = "libasan" in linked or "libtsan" in linked

    def started(self, upstreams=None, **settings):
        self.gateway = self.start_gateway(upstreams or self.upstream.url, **settings)
        self.bytes_at_start = self.gateway.resident_bytes()
        return self.gateway

    def assert_memory(self, allowed_bytes, what):
        """The process has grown by no more than that, beside the slack that every process has."""
        grown = self.gateway.resident_bytes() - self.bytes_at_start
        verdict = "not judged, sanitized" if self.sanitized else f"allowed {(allowed_bytes + SLACK_BYTES) / MIB:.0f}"
        self.tell(f"{what}: memory grew by {grown / MIB:.0f} MiB ({verdict})")
        if not self.sanitized:
            self.assertLessEqual(grown, allowed_bytes + SLACK_BYTES)

    def tell(self, line):
        print(f"{self.id().partition('.')[2]}: {line}", flush=True)

    def assert_served(self, count=20):
        """Other clients get their answers, guarded and not."""
        with self.gateway.connect() as connection:
            for _ in range(count):
                self.assert_served_on(connection)

    def assert_served_on(self, connection):
        path, key = story.new_path(), story.new_key()
        first = connection.request("POST", path, {"Idempotency-Key": key}, b"{}")
        self.assert_first(first)
        self.assert_replay(connection.request("POST", path, {"Idempotency-Key": key}, b"{}"), first)
        self.assert_first(connection.request("GET", path))


class Keys(Liveness):
    """One connection of the load sends its next request when it has its answer."""

    CONNECTIONS = 64

    @staticmethod
    def request(number):
        return wire.request_bytes("POST", "/charges", {"Idempotency-Key": f"key-{number}"}, b"{}")

    def start_plain_upstream(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plain_upstream.py")
        self.plain = subprocess.Popen([sys.executable, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_plain_upstream)
        return "http://" + self.plain.stdout.readline().strip()

    def end_plain_upstream(self):
        """How many requests it has seen."""
        if self.plain.returncode is None:
            self.requests_seen = int(self.plain.communicate(timeout=waiting.DEADLINE_S)[0])
        return self.requests_seen

    def test_many_distinct_keys(self):
        self.started(self.start_plain_upstream())
        statuses = {}

        def count(answer):
            status = answer[9:12]
            statuses[status] = statuses.get(status, 0) + 1

        seconds, longest = pump(self.gateway.address, self.CONNECTIONS, map(self.request, range(KEYS)), count)
        self.assertEqual(statuses, {b"200": KEYS})
        self.assertEqual(self.gateway.metrics()["onceward_records"], KEYS)
        sample = range(0, KEYS, max(1, KEYS // 1000))
        replays = []
        pump(self.gateway.address, self.CONNECTIONS, map(self.request, sample), replays.append)
        self.assertEqual(sum(b"\r\nIdempotent-Replayed: true\r\n" in answer for answer in replays), len(sample))
        self.assertEqual(self.end_plain_upstream(), KEYS)
        self.tell(f"{KEYS} keys in {seconds:.0f} s, longest answer {longest:.2f} s, {len(sample)} replayed")
        self.assert_memory(CACHE_BYTES + KEYS * RECORD_BYTES, f"{KEYS} records")

    def test_a_full_store_refuses_new_keys_and_keeps_the_others(self):
        self.started(self.start_plain_upstream(), store={"memory": {"bytes_limit": f"{FULL_STORE_BYTES}"}})
        taken, refused = [0], []

        def sort(answer):
            if answer.startswith(b"HTTP/1.1 200"):
                taken[0] += 1
            else:
                refused.append(answer)

        def until_enough():
            number = 0
            while len(refused) < 500:
                yield self.request(number)
                number += 1

        pump(self.gateway.address, self.CONNECTIONS, until_enough(), sort)
        for answer in refused:
            self.assertTrue(answer.startswith(b"HTTP/1.1 503"), answer)
            self.assertIn(b"urn:onceward:problem:store-unavailable", answer)
            self.assertIn(b"\r\nRetry-After:", answer)
        replay = self.gateway.call("POST", "/charges", {"Idempotency-Key": "key-0"}, b"{}")
        self.assertEqual((replay.status, replay["Idempotent-Replayed"]), (200, "true"))
        self.assert_first(self.gateway.call("PUT", "/charges", (), b"{}"))
        metrics = self.gateway.metrics()
        self.assertEqual(metrics["onceward_records"], taken[0], "no record made room for another")
        self.assertLessEqual(metrics["onceward_store_bytes"], FULL_STORE_BYTES)
        self.tell(f"{taken[0]} records in {FULL_STORE_BYTES / MIB:.0f} MiB, then {len(refused)} refused with 503")
        self.assert_memory(FULL_STORE_BYTES * 3 // 2, "full store")


class Waiters(Liveness):
    def test_many_waiters_on_one_key(self):
        self.started(limits={"connections_max": DESCRIPTORS - 50 if LONG else 1000, "waiters_max": WAITERS,
                             "waiters_per_key_max": WAITERS, "waiters_per_scope_max": WAITERS},
                     defaults={"wait": "1h", "lease": "10s"}, timeouts={"client_idle": "1h"})
        gate, path, key = waiting.Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(PatientGate(gate)))
        first = waiting.Background(lambda: self.post(path, b"{}", key))
        self.upstream.wait_for_requests(path)
        duplicate = wire.request_bytes("POST", path, {"Idempotency-Key": key}, b"{}")

        crowd = Crowd()
        self.addCleanup(crowd.close)
        for _ in range(WAITERS):
            crowd.join(Peer(self.gateway.address)).send(duplicate)
        crowd.receive_until(lambda: self.gateway.waiters() == WAITERS, f"{WAITERS} requests wait")
        self.assert_memory(WAITERS * WAITER_BYTES, f"{WAITERS} waiters")

        for _ in range(WAITERS_BEYOND):
            self.assert_problem(self.post(path, b"{}", key), "in-flight")
        self.assert_served()
        self.assertEqual(self.gateway.waiters(), WAITERS)

        gate.open()
        self.assert_first(first.result())
        crowd.receive_until(lambda: all(peer.answer_length() or peer.ended for peer in crowd.peers), "all are answered")
        for peer in crowd.peers:
            self.assertTrue(peer.received.startswith(b"HTTP/1.1 200 "), bytes(peer.received[:300]))
            self.assertIn(b"\r\nIdempotent-Replayed: true\r\n", peer.received)
            self.assertTrue(peer.received.endswith(first.result().body))
        self.assert_requests(path, 1)
        self.assertEqual(self.gateway.waiters(), 0)
        self.tell(f"{WAITERS} waiters answered by one effect, {WAITERS_BEYOND} beyond refused with 409")


class PatientGate:
    """A gate that may stay closed for as long as the many need to gather."""

    def __init__(self, gate):
        self._gate = gate

    def pass_through(self):
        self._gate.wait(20 * waiting.DEADLINE_S)


class SlowConnections(Liveness):
    LARGE = b"x" * (400 << 10)  # More than the kernel takes for a reader who does not read.

    def test_many_slow_clients(self):
        served_before = 10
        self.started(limits={"connections_max": SLOW + served_before},
                     timeouts={"client_head": "10m", "client_body": "10m", "client_write": "10m", "client_idle": "10m"})
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.ok(body=self.LARGE))
        self.post(path, b"{}", key)
        waiting.until(lambda: self.client_connections() == 0, "nobody is connected")
        good = [self.gateway.connect() for _ in range(served_before)]
        for connection in good:
            self.addCleanup(connection.close)
            self.assert_served_on(connection)

        replay = wire.request_bytes("POST", path, {"Idempotency-Key": key}, b"{}")
        slow = (b"POST /slow HTTP/1.1\r\nHost: a\r\nIdempoten",  # A head that does not end,
                wire.request_bytes("POST", "/slow", {"Idempotency-Key": "s"}, b"x" * 1000)[:-500],  # a body, a reader.
                replay)
        crowd = Crowd()
        self.addCleanup(crowd.close)
        for number in range(SLOW):
            peer = Peer(self.gateway.address)
            crowd.peers.append(peer)
            peer.send(slow[number % len(slow)])
        waiting.until(lambda: self.client_connections() == SLOW + served_before, "all are connected")

        for _ in range(SLOW_BEYOND):
            with self.gateway.connect() as beyond:
                self.assert_problem(beyond.read_response(), "overloaded", http_status=503, operation_state="unknown",
                                    new_key_safe=False)
                self.assertTrue(beyond.reads_end())
        for connection in good:
            self.assert_served_on(connection)
        self.assert_requests("/slow", 0)
        self.assert_memory(SLOW * CONNECTION_BYTES, f"{SLOW} slow clients, {SLOW // 3} with a large answer unread")

        crowd.close()
        waiting.until(lambda: self.client_connections() == served_before, "the slow ones are gone")
        self.assert_served()
        self.tell(f"{SLOW} slow clients, {SLOW_BEYOND} beyond refused with 503, others served meanwhile")

    def client_connections(self):
        return self.gateway.metrics()["onceward_client_connections"] - 1  # The one that asks.


if __name__ == "__main__":
    story.main()
