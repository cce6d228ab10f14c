#!/usr/bin/python3
"""kill -9 between forward and completion: the key is unknown afterwards, for every `on_unknown`; and what was answered
before a crash is still answered after it.
"""

from support import story, upstream, wire
from support.waiting import Background, Gate, in_parallel, until


class Crash(story.Story):
    settings = None

    def setUp(self):
        self.upstream = self.start_upstream()
        self.path, self.key = story.new_path(), story.new_key()

    def crash_between_forward_and_completion(self, *, effect=True, **defaults):
        """The gateway dies while the upstream runs, and starts again on its journal."""
        gate = Gate()
        self.upstream.script(self.path, upstream.run_then_held(gate) if effect else
                             upstream.held(gate, upstream.cut_before_effect), upstream.ok())
        self.gateway = self.start_gateway(self.upstream.url, defaults=defaults)
        client = Background(self.broken_post)
        self.upstream.wait_for_requests(self.path)
        self.gateway.kill()
        self.upstream.cut_connections()
        gate.open()
        client.result()
        self.gateway.start()

    def broken_post(self):
        with self.assertRaises((wire.Closed, wire.Truncated, ConnectionError)):
            self.post(self.path, {"amount": 100}, self.key)

    def retry(self):
        return self.post(self.path, {"amount": 100}, self.key)

    def test_refuse_tells_that_the_outcome_is_unknown(self):
        self.crash_between_forward_and_completion()
        self.assertEqual(self.state_of(self.path, self.key), "unknown")
        for _ in range(2):
            self.assert_problem(self.retry(), "outcome-unknown", retryable=False)
        self.assert_requests(self.path, 1)

    def test_refuse_survives_a_second_crash(self):
        self.crash_between_forward_and_completion()
        self.gateway.kill()
        self.gateway.start()
        self.assert_problem(self.retry(), "outcome-unknown", retryable=False)
        self.assert_requests(self.path, 1)

    def test_another_payload_is_a_mismatch_even_then(self):
        self.crash_between_forward_and_completion()
        answer = self.post(self.path, {"amount": 101}, self.key)
        self.assert_problem(answer, "mismatch", operation_state="unknown")
        self.assert_requests(self.path, 1)

    def test_redispatch_forwards_again_and_says_which_attempt_it_is(self):
        self.crash_between_forward_and_completion(on_unknown="redispatch")
        answer = self.retry()
        self.assert_first(answer)
        self.assert_replay(self.retry(), answer)
        first, second = self.upstream.ledger(self.path)
        self.assertEqual((first.key, second.key), (self.key, self.key))
        self.assertEqual((first.attempt, second.attempt), ("1", "2"))
        self.assertLess(int(first.fence), int(second.fence))
        self.assertEqual(first.request.body, second.request.body)

    # -- probe --

    def crash_under_probe(self, *statuses_and_bodies, effect=True):
        """The status URL gives these answers in turn."""
        self.status_path = f"/operations/{self.key}"
        self.upstream.script(self.status_path, *(upstream.fail(status, {"Content-Type": "application/json"}, body)
                                                 for status, body in statuses_and_bodies))
        self.crash_between_forward_and_completion(
            effect=effect, wait="60s",
            on_unknown={"probe": {"url": "/operations/{key}", "backoff": "10ms", "backoff_max": "20ms"}})

    def test_probe_that_finds_the_result_gives_it(self):
        self.crash_under_probe((200, b'{"effect":"found"}'))
        answer = self.retry()
        self.assert_status(answer, 200)
        self.assertEqual(answer.json, {"effect": "found"})
        self.assertEqual(self.retry().json, {"effect": "found"})
        self.assert_requests(self.path, 1)
        self.assert_requests(self.status_path, 1)
        self.assertEqual(self.state_of(self.path, self.key), "completed")

    def test_probe_that_finds_nothing_frees_the_key(self):
        self.crash_under_probe((404, b"{}"), effect=False)
        self.assert_first(self.retry())
        self.assert_effects(self.path, 1)
        self.assert_requests(self.path, 2)

    def test_probe_asks_again_while_the_upstream_still_runs(self):
        for status in (409, 202):
            with self.subTest(status):
                self.path, self.key = story.new_path(), story.new_key()
                self.crash_under_probe((status, b"{}"), (status, b"{}"), (200, b'{"effect":"late"}'))
                until(lambda: self.retry().status == 200, "the probe finds the result")
                self.assertEqual(self.retry().json, {"effect": "late"})
                self.assert_requests(self.path, 1)
                self.assertEqual(len(self.upstream.ledger(self.status_path)), 3)

    def test_probe_that_gets_anything_else_leaves_it_unknown(self):
        for status in (500, 403, 503):
            with self.subTest(status):
                self.path, self.key = story.new_path(), story.new_key()
                self.crash_under_probe((status, b"{}"))
                self.assert_problem(self.retry(), "outcome-unknown", retryable=True)
                self.assert_requests(self.path, 1)
                self.assertEqual(self.state_of(self.path, self.key), "unknown")

    # -- what was acknowledged stays --

    def test_what_was_answered_before_is_answered_after(self):
        self.gateway = self.start_gateway(self.upstream.url)
        cases = [(story.new_path(), story.new_key()) for _ in range(50)]
        firsts = in_parallel(len(cases), lambda index: self.post(cases[index][0], {"n": index}, cases[index][1]))
        self.gateway.kill()
        self.gateway.start()
        for index, (path, key) in enumerate(cases):
            self.assert_replay(self.post(path, {"n": index}, key), firsts[index])
            self.assert_effects(path, 1)

    def test_a_released_key_stays_free_and_its_attempts_are_counted_on(self):
        self.gateway = self.start_gateway(self.upstream.url)
        self.upstream.script(self.path, upstream.fail(503), upstream.ok())
        self.assert_first(self.retry(), 503)
        self.gateway.kill()
        self.gateway.start()
        self.assertIn(self.state_of(self.path, self.key), ("released", "absent"))
        self.assert_first(self.retry())
        first, second = self.upstream.ledger(self.path)
        self.assertEqual((first.attempt, second.attempt), ("1", "2"))
        self.assertLess(int(first.fence), int(second.fence))

    def test_the_memory_store_forgets(self):
        self.gateway = self.start_gateway(self.upstream.url, store="memory")
        self.assert_first(self.retry())
        self.gateway.kill()
        self.gateway.start()
        self.assert_first(self.retry())
        self.assert_effects(self.path, 2)


if __name__ == "__main__":
    story.main()
