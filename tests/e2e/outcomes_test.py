#!/usr/bin/python3
"""What the gateway saw and what becomes of the key: each row of the published table."""

import socket

from support import addresses, story, upstream
from support.waiting import until


def listed(*statuses):
    return [str(status) for status in statuses]


class Answers(story.Story):
    settings = {
        "routes": [
            {"match": {"path": "/keep-500/**"}, "outcomes": {"complete": listed("2xx", "3xx", "4xx", 500)}},
            {"match": {"path": "/release-404/**"}, "outcomes": {"release": listed(404, "5xx")}},
            {"match": {"path": "/unknown-500/**"}, "outcomes": {"unknown": listed(500, 502, 504)}},
            {"match": {"path": "/release-502/**"}, "outcomes": {"release": listed("5xx", 502, 504)}},
        ],
    }

    def assert_completed(self, folder, status):
        path, key = story.new_path(folder), story.new_key()
        self.upstream.script(path, upstream.ok(status, (), b"" if status == 204 else b"said"), upstream.ok())
        first = self.post(path, {}, key)
        self.assert_first(first, status)
        self.assert_replay(self.post(path, {}, key), first)
        self.assertEqual(self.state_of(path, key), "completed")
        self.assert_requests(path, 1)

    def assert_released(self, folder, status):
        path, key = story.new_path(folder), story.new_key()
        fields = {"X-Reason": "because", "Retry-After": "3"}
        self.upstream.script(path, upstream.fail(status, fields, b"said"), upstream.ok())
        first = self.post(path, {}, key)
        self.assert_first(first, status)
        self.assertEqual((first.body, first["X-Reason"], first["Retry-After"]), (b"said", "because", "3"))
        self.assertIn(self.state_of(path, key), ("released", "absent"))
        self.assert_first(self.post(path, {}, key))
        self.assert_effects(path, 1)

    def assert_unknown(self, folder, status):
        path, key = story.new_path(folder), story.new_key()
        self.upstream.script(path, upstream.ok(status, (), b"said"), upstream.ok())
        first = self.post(path, {}, key)
        self.assert_first(first, status)
        self.assertEqual(first.body, b"said")
        self.assert_problem(self.post(path, {}, key), "outcome-unknown", retryable=False)
        self.assert_requests(path, 1)

    def test_2xx_3xx_4xx_complete(self):
        for status in (200, 201, 202, 204, 299, 301, 303, 308, 400, 402, 404, 405, 410, 412, 418, 422, 428, 451):
            with self.subTest(status):
                self.assert_completed("", status)

    def test_what_was_not_fulfilled_releases(self):
        for status in (401, 403, 407, 408, 409, 421, 423, 425, 429, 500, 501, 503, 507, 599):
            with self.subTest(status):
                self.assert_released("", status)

    def test_502_and_504_leave_it_unknown(self):
        for status in (502, 504):
            with self.subTest(status):
                self.assert_unknown("", status)

    def test_each_list_of_a_route_replaces_the_default_one(self):
        self.assert_completed("/keep-500", 500)
        self.assert_released("/keep-500", 503)
        self.assert_released("/release-404", 404)
        self.assert_completed("/release-404", 409)
        self.assert_unknown("/unknown-500", 500)
        self.assert_released("/unknown-500", 503)
        self.assert_released("/release-502", 502)

    # -- the upstream says so itself --

    def stated(self, status, outcome):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.ok(status, {"Idempotency-Outcome": outcome}, b"said"), upstream.ok())
        first = self.post(path, {}, key)
        self.assert_first(first, status)
        self.assertIsNone(first["Idempotency-Outcome"], "it is for the gateway alone")
        return path, key, first

    def test_completed_as_said(self):
        for status in (500, 502, 409):
            path, key, first = self.stated(status, "completed")
            again = self.post(path, {}, key)
            self.assert_replay(again, first)
            self.assertIsNone(again["Idempotency-Outcome"])

    def test_released_as_said(self):
        path, key, _ = self.stated(200, "released")
        self.assert_first(self.post(path, {}, key))
        self.assert_requests(path, 2)

    def test_unknown_as_said(self):
        path, key, _ = self.stated(200, "unknown")
        self.assert_problem(self.post(path, {}, key), "outcome-unknown")
        self.assert_requests(path, 1)

    def test_what_is_said_unintelligibly_does_not_count(self):
        path, key, first = self.stated(200, "perhaps")
        self.assert_replay(self.post(path, {}, key), first)

    def test_a_request_without_a_key_does_not_show_it_either(self):
        path = story.new_path()
        self.upstream.script(path, upstream.ok(200, {"Idempotency-Outcome": "completed"}))
        self.assert_first(self.post(path))

    # -- no complete answer --

    def assert_failed_and_unknown(self, step, kind="upstream-failed"):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, step, upstream.ok())
        self.assert_problem(self.post(path, {}, key), kind, retryable=False)
        self.assert_problem(self.post(path, {}, key), "outcome-unknown", retryable=False)
        self.assertEqual(self.state_of(path, key), "unknown")
        self.assert_requests(path, 1)

    def test_a_reset_after_the_request_was_sent(self):
        self.assert_failed_and_unknown(upstream.cut_before_effect)
        self.assert_failed_and_unknown(upstream.cut_after_effect)

    def test_an_end_without_an_answer(self):
        self.assert_failed_and_unknown(upstream.raw(b""))

    def test_an_end_inside_the_head(self):
        self.assert_failed_and_unknown(upstream.raw(b"HTTP/1.1 200 OK\r\nContent-Le"))

    def test_an_end_inside_the_body(self):
        self.assert_failed_and_unknown(upstream.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"))

    def test_an_end_inside_a_chunk_and_before_the_last(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assert_failed_and_unknown(upstream.raw(head + b"5\r\n123"))
        self.assert_failed_and_unknown(upstream.raw(head + b"5\r\n12345\r\n"))
        self.assert_failed_and_unknown(upstream.raw(head + b"5\r\n12345\r\n0\r\n"))

    def test_an_upstream_that_reads_nothing(self):
        self.assert_failed_and_unknown(upstream.cut_at_once)


class NoAnswer(story.Story):
    """What needs a gateway of its own: short timeouts, addresses where nobody is."""

    settings = None

    def test_an_upstream_that_never_answers(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url, timeouts={"upstream_response": "200ms"})
        gate, path, key = story.waiting.Gate(), story.new_path(), story.new_key()
        self.addCleanup(gate.open)
        self.upstream.script(path, upstream.held(gate))
        self.assert_problem(self.post(path, {}, key), "upstream-timeout", retryable=False)
        self.assert_problem(self.post(path, {}, key), "outcome-unknown")
        self.assert_requests(path, 1)

    def test_an_upstream_that_stops_inside_its_answer(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url, timeouts={"upstream_body": "200ms"})
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", keep_open=True))
        self.assert_problem(self.post(path, {}, key), "upstream-timeout", retryable=False)
        self.assert_problem(self.post(path, {}, key), "outcome-unknown")

    def nobody(self):
        """An address where nobody listens."""
        return "http://%s:%d" % (addresses.own_host(), addresses.free_port())

    def test_nobody_there_is_definite(self):
        port = addresses.free_port()
        self.gateway = self.start_gateway("http://%s:%d" % (addresses.own_host(), port),
                                          health={"failures_to_eject": 1000})
        path, key = story.new_path(), story.new_key()
        for _ in range(2):
            self.assert_problem(self.post(path, {}, key), "upstream-unreachable")
            self.assertIn(self.state_of(path, key), ("released", "absent"))
        self.upstream = self.start_upstream(port=port)
        self.assert_first(self.post(path, {}, key))
        self.assert_effects(path, 1)

    def test_a_name_that_does_not_exist_is_definite(self):
        self.gateway = self.start_gateway("http://nobody.invalid:80")
        path, key = story.new_path(), story.new_key()
        self.assert_problem(self.post(path, {}, key), "upstream-unreachable")
        self.assertIn(self.state_of(path, key), ("released", "absent"))

    def test_a_connect_that_never_ends_is_definite(self):
        # A listener whose queue is full drops further SYNs.
        with socket.socket() as listener:
            listener.bind((addresses.own_host(), 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                self.addCleanup(filler.close)
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            self.gateway = self.start_gateway("http://%s:%d" % listener.getsockname(),
                                              timeouts={"upstream_connect": "200ms"})
            path, key = story.new_path(), story.new_key()
            self.assert_problem(self.post(path, {}, key), "upstream-unreachable")
            self.assertIn(self.state_of(path, key), ("released", "absent"))

    def test_another_address_takes_over_at_once(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway([self.nobody(), self.upstream.url, self.nobody()])
        for _ in range(10):
            path, key = story.new_path(), story.new_key()
            self.assert_first(self.post(path, {}, key))
            self.assert_effects(path, 1)

    def test_once_a_byte_was_sent_no_other_address_is_tried(self):
        first, second = self.start_upstream(), self.start_upstream()
        for each in (first, second):
            each.answer_all(upstream.cut_before_effect)
        self.gateway = self.start_gateway([first.url, second.url], health={"failures_to_eject": 1000})
        path, key = story.new_path(), story.new_key()
        self.assert_problem(self.post(path, {}, key), "upstream-failed")
        self.assert_problem(self.post(path, {}, key), "outcome-unknown")
        self.assertEqual(len(first.ledger(path)) + len(second.ledger(path)), 1)


class KeepAliveRace(story.Story):
    settings = {"workers": 1, "timeouts": {"idle_reuse_max": "24h"}}

    def test_a_connection_that_the_upstream_has_closed_is_not_used(self):
        for _ in range(20):
            closed, path = story.waiting.Gate(), story.new_path()
            self.upstream.script(path, upstream.then_closed(closed))
            self.assert_first(self.post(path, {}, story.new_key()))
            closed.pass_through()

    def test_connections_are_reused(self):
        path = story.new_path()
        for _ in range(10):
            self.assert_first(self.post(path, {}, story.new_key()))
        self.assertLess(len({seen.connection for seen in self.upstream.ledger(path)}), 10)


class IdleConnections(story.Story):
    settings = {"workers": 1, "timeouts": {"idle_reuse_max": 0}}

    def test_one_that_was_idle_too_long_does_not_carry_a_guarded_request(self):
        path = story.new_path()
        for _ in range(5):
            self.assert_first(self.post(path, {}, story.new_key()))
        self.assertEqual(len({seen.connection for seen in self.upstream.ledger(path)}), 5)

    def test_others_still_use_it(self):
        path = story.new_path()
        for _ in range(10):
            self.assert_first(self.post(path, {}))
        until(lambda: len(self.upstream.ledger(path)) == 10, "all have arrived")
        self.assertLess(len({seen.connection for seen in self.upstream.ledger(path)}), 10)


if __name__ == "__main__":
    story.main()
