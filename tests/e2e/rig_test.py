#!/usr/bin/python3
"""The rig itself: a fault that does not break, or a ledger that does not count, would let every other test pass."""

import unittest

from support import fault_proxy, story, upstream, wire
from support.waiting import Background, Gate


class TheUpstream(unittest.TestCase):
    def setUp(self):
        self.upstream = upstream.Upstream()
        self.addCleanup(self.upstream.stop)

    def call(self, path, body=b"x", address=None):
        return wire.call(address or self.upstream.address, "POST", path, {"Idempotency-Key": "k"}, body)

    def test_counts_effects_for_each_operation_and_keeps_the_bytes(self):
        self.call("/a")
        self.call("/a")
        self.call("/b", b"hello")
        self.assertEqual(self.upstream.all_effects(), {"/a": 2, "/b": 1})
        seen, = self.upstream.ledger("/b")
        self.assertEqual((seen.request.method, seen.request.body, seen.key), ("POST", b"hello", "k"))
        self.assertTrue(seen.request.raw.startswith(b"POST /b HTTP/1.1\r\n") and seen.request.raw.endswith(b"hello"))

    def test_takes_the_steps_of_a_script_in_turn_and_the_last_for_ever(self):
        self.upstream.script("/a", upstream.fail(500), upstream.ok(201, framing="chunked"), upstream.ok(body=b"z"))
        answers = [self.call("/a") for _ in range(4)]
        self.assertEqual([answer.status for answer in answers], [500, 201, 200, 200])
        self.assertEqual([answer.framing for answer in answers], ["length", "chunked", "length", "length"])
        self.assertEqual(self.upstream.effects("/a"), 3)

    def test_cuts_before_and_after_the_effect(self):
        self.upstream.script("/a", upstream.cut_at_once, upstream.cut_before_effect, upstream.cut_after_effect)
        for effects in (0, 0, 1):
            with self.assertRaises((wire.Closed, wire.Truncated)):
                self.call("/a")
            self.assertEqual(self.upstream.effects("/a"), effects)

    def test_holds_an_answer_until_the_gate_opens(self):
        gate = Gate()
        self.upstream.script("/a", upstream.run_then_held(gate))
        waiting = Background(lambda: self.call("/a"))
        self.upstream.wait_for_effects("/a")
        self.assertTrue(waiting.running)
        gate.open()
        self.assertEqual(waiting.result().status, 200)

    def test_reports_what_is_malformed(self):
        with wire.Connection(self.upstream.address) as connection:
            connection.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1")
            self.assertTrue(connection.reads_end())
        self.assertEqual(self.upstream.violations, ["both Content-Length and Transfer-Encoding"])
        self.assertEqual(self.upstream.ledger(), [])


class TheFaultProxy(unittest.TestCase):
    def setUp(self):
        self.upstream = upstream.Upstream()
        self.addCleanup(self.upstream.stop)
        self.proxy = fault_proxy.FaultProxy(self.upstream.address)
        self.addCleanup(self.proxy.stop)

    def call(self):
        return wire.call(self.proxy.address, "POST", "/a", {}, b"hello")

    def assert_broken(self, fault, requests, effects):
        self.proxy.plan(fault)
        with self.assertRaises((wire.Closed, wire.Truncated)):
            self.call()
        self.assertEqual((len(self.upstream.ledger()), self.upstream.effects("/a")), (requests, effects))
        self.assertEqual(self.call().status, 200)

    def test_breaks_before_the_request_is_forwarded(self):
        self.assert_broken(fault_proxy.CutAtOnce(), 0, 0)

    def test_breaks_when_the_whole_request_is_there(self):
        self.assert_broken(fault_proxy.CutBeforeForward(), 0, 0)

    def test_breaks_inside_the_request(self):
        self.assert_broken(fault_proxy.CutRequest(60), 0, 0)

    def test_loses_the_answer(self):
        self.assert_broken(fault_proxy.LoseAnswer(), 1, 1)

    def test_breaks_inside_the_answer(self):
        self.proxy.plan(fault_proxy.CutAnswer(body_bytes=3))
        with self.assertRaises(wire.Truncated) as broken:
            self.call()
        self.assertTrue(broken.exception.so_far.endswith(b'\r\n\r\n{"e'))
        self.assertEqual(self.upstream.effects("/a"), 1)

    def test_carries_many_requests_on_one_connection(self):
        with wire.Connection(self.proxy.address) as connection:
            for _ in range(3):
                self.assertEqual(connection.request("POST", "/a", {}, b"x").status, 200)
        self.assertEqual((self.proxy.connections, self.upstream.connections), (1, 1))


if __name__ == "__main__":
    story.main()
