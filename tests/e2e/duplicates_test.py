#!/usr/bin/python3
"""What a duplicate gets: each row of the published table, and the waiting in between."""

from support import story, upstream
from support.waiting import Background, Gate, until

MIB = 1 << 20


class Duplicates(story.Story):
    settings = {
        "defaults": {"wait": "60s"},
        "routes": [
            {"match": {"path": "/at-once/**"}, "wait": 0},
            {"match": {"path": "/short/**"}, "wait": "100ms"},
            *({"match": {"path": f"/status-{status}/**"}, "wait": 0, "in_flight_status": status}
              for status in (423, 425, 429, 503)),
            {"match": {"path": "/conflict/**"}, "duplicate": "conflict"},
            {"match": {"path": "/small/**"}, "limits": {"body_bytes_stored_max": 1000}},
            {"match": {"path": "/hints/**"}, "wait": 0,
             "retry_hints": ["x-should-retry", "stripe-should-retry", "retry-after-ms"]},
        ],
    }

    def in_flight(self, folder=""):
        """A path and key whose first request is held at the upstream; the gate; the first client."""
        gate, path, key = Gate(), story.new_path(folder), story.new_key()
        self.addCleanup(gate.open)
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, key))
        self.upstream.wait_for_requests(path)
        return path, key, gate, first

    # -- in flight --

    def test_in_flight_it_waits_and_is_woken(self):
        path, key, gate, first = self.in_flight()
        second = Background(lambda: self.post(path, {}, key))
        until(lambda: self.gateway.waiters() == 1, "the duplicate waits")
        gate.open()
        self.assert_first(first.result())
        self.assert_replay(second.result(), first.result())
        self.assert_requests(path, 1)

    def test_in_flight_the_bound_ends_the_wait(self):
        path, key, gate, first = self.in_flight("/short")
        answer = self.post(path, {}, key)
        self.assert_problem(answer, "in-flight", title="A request is outstanding for this Idempotency-Key")
        self.assertRegex(answer["Retry-After"], r"^[1-9][0-9]*$")
        gate.open()
        self.assert_replay(self.retry_until_replay(path, key), first.result())

    def retry_until_replay(self, path, key):
        return until(lambda: (answer := self.post(path, {}, key))["Idempotent-Replayed"] and answer, "a replay")

    def test_in_flight_without_a_wait_it_is_told_at_once(self):
        path, key, gate, first = self.in_flight("/at-once")
        self.assert_problem(self.post(path, {}, key), "in-flight")
        gate.open()
        self.assert_replay(self.retry_until_replay(path, key), first.result())

    def test_in_flight_status_is_configurable(self):
        for status in (423, 425, 429, 503):
            path, key, gate, first = self.in_flight(f"/status-{status}")
            self.assert_problem(self.post(path, {}, key), "in-flight", http_status=status)
            gate.open()
            first.result()

    def test_retry_hints_only_where_they_are_asked_for(self):
        names = ("x-should-retry", "stripe-should-retry", "retry-after-ms")
        path, key, gate, first = self.in_flight("/hints")
        answer = self.post(path, {}, key)
        self.assertEqual([answer[name] for name in names[:2]], ["true", "true"])
        self.assertGreater(int(answer["retry-after-ms"]), 0)
        gate.open()
        first.result()
        path, key, gate, first = self.in_flight("/at-once")
        answer = self.post(path, {}, key)
        self.assertEqual([answer[name] for name in names], [None, None, None])

    # -- completed --

    def test_completed_it_is_replayed_for_every_status_that_answers(self):
        for status in (200, 201, 202, 204, 303, 400, 404, 410, 422):
            with self.subTest(status):
                path, key = story.new_path(), story.new_key()
                self.upstream.script(path, upstream.ok(status, {"Location": "/x"}, b"" if status == 204 else b"body"))
                first = self.post(path, {}, key)
                self.assert_first(first, status)
                again = self.post(path, {}, key)
                self.assert_replay(again, first)
                self.assertEqual(again["Location"], "/x")
                self.assert_effects(path, 1)

    def test_completed_it_can_be_a_conflict_instead(self):
        path, key = story.new_path("/conflict"), story.new_key()
        self.upstream.script(path, upstream.ok(201, {"Location": "/charges/7"}))
        self.assert_first(self.post(path, {}, key), 201)
        answer = self.post(path, {}, key)
        document = self.assert_problem(answer, "duplicate")
        self.assertEqual(document["result"], {"status": 201, "location": "/charges/7"})
        self.assertEqual(answer["Location"], "/charges/7")
        self.assert_requests(path, 1)

    # -- tombstone --

    def assert_body_gone(self, path, key, size, framing="length"):
        body = b"0123456789abcdef" * (size // 16)
        self.upstream.script(path, upstream.ok(201, {"Location": "/reports/7"}, body, framing))
        first = self.post(path, {}, key)
        self.assert_first(first, 201)
        self.assertEqual(len(first.body), len(body))
        self.assertEqual(first.body, body)
        answer = self.post(path, {}, key)
        document = self.assert_problem(answer, "result-gone")
        self.assertEqual(document["result"], {"status": 201, "location": "/reports/7"})
        self.assertEqual(answer["Location"], "/reports/7")
        self.assert_problem(self.post(path, {"other": 1}, key), "mismatch", operation_state="completed")
        self.assert_requests(path, 1)

    def test_a_body_over_the_limit_is_streamed_and_not_kept(self):
        for framing in ("length", "chunked", "close"):
            with self.subTest(framing):
                self.assert_body_gone(story.new_path(), story.new_key(), 3 * MIB, framing)

    def test_the_limit_and_one_byte_more(self):
        for size, is_kept in ((1000, True), (1001, False)):
            for framing in ("length", "chunked"):
                with self.subTest(size=size, framing=framing):
                    path, key = story.new_path("/small"), story.new_key()
                    self.upstream.script(path, upstream.ok(body=b"x" * size, framing=framing))
                    first = self.post(path, {}, key)
                    self.assert_first(first)
                    self.assertEqual(first.body, b"x" * size)
                    answer = self.post(path, {}, key)
                    if is_kept:
                        self.assert_replay(answer, first)
                    else:
                        self.assert_problem(answer, "result-gone")

    def test_the_tombstone_is_there_before_the_body_has_passed(self):
        gate, path, key = Gate(), story.new_path("/small"), story.new_key()
        self.addCleanup(gate.open)

        def step(exchange):
            exchange.run()
            exchange.send(upstream.response_bytes(body=b"x" * 5000)[:-1000])
            gate.pass_through()
            exchange.send(b"x" * 1000)

        self.upstream.script(path, step)
        first = Background(lambda: self.post(path, {}, key))
        self.wait_for_state("completed", path, key)
        self.assertTrue(first.running)
        self.assert_problem(self.post(path, {}, key), "result-gone")
        gate.open()
        self.assertEqual(first.result().body, b"x" * 5000)

    def test_a_cut_after_the_tombstone_changes_nothing(self):
        path, key = story.new_path("/small"), story.new_key()

        def step(exchange):
            exchange.run()
            exchange.send(upstream.response_bytes(body=b"x" * 5000)[:-1000])
            exchange.close()

        self.upstream.script(path, step)
        with self.assertRaises(story.wire.Truncated):
            self.post(path, {}, key)
        self.assert_problem(self.post(path, {}, key), "result-gone")
        self.assertEqual(self.state_of(path, key), "completed")


if __name__ == "__main__":
    story.main()
