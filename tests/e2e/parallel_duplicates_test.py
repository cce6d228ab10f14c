#!/usr/bin/python3
"""Many requests with one key at once: one forward, and everybody gets that answer."""

from support import story, upstream
from support.waiting import Background, Gate, in_parallel, until

COUNT = 100


class ParallelDuplicates(story.Story):
    settings = {"defaults": {"wait": "60s"}}

    def waiters_of(self, path, key):
        """Sends COUNT requests and waits until one is at the upstream and all others are known to wait."""
        return Background(lambda: in_parallel(COUNT, lambda _: self.post(path, {"amount": 100}, key)))

    def test_one_is_forwarded_and_all_answers_are_equal(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        answers = self.waiters_of(path, key)
        self.upstream.wait_for_requests(path)
        until(lambda: self.waiters() == COUNT - 1, "all others wait")
        gate.open()
        answers = answers.result()
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, answers[0].body)})
        replays = [answer for answer in answers if answer["Idempotent-Replayed"]]
        self.assertEqual(len(replays), COUNT - 1)
        self.assert_effects(path, 1)
        self.assert_requests(path, 1)

    def test_without_anything_that_holds_them(self):
        for _ in range(5):
            path, key = story.new_path(), story.new_key()
            answers = self.waiters_of(path, key).result()
            self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, answers[0].body)})
            self.assertEqual(len([answer for answer in answers if answer["Idempotent-Replayed"]]), COUNT - 1)
            self.assert_effects(path, 1)

    def test_waiters_share_the_answer_that_releases(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        busy = upstream.fail(503, {"Retry-After": "7"}, b"busy")
        self.upstream.script(path, upstream.held(gate, busy), upstream.ok())
        answers = self.waiters_of(path, key)
        self.upstream.wait_for_requests(path)
        until(lambda: self.waiters() == COUNT - 1, "all others wait")
        gate.open()
        answers = answers.result()
        self.assertEqual({(each.status, each.body, each["Retry-After"]) for each in answers}, {(503, b"busy", "7")})
        self.assert_requests(path, 1)
        self.assert_first(self.post(path, {"amount": 100}, key))
        self.assert_effects(path, 1)

    def test_waiters_are_told_when_the_outcome_is_unknown(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate, upstream.cut_after_effect))
        answers = self.waiters_of(path, key)
        self.upstream.wait_for_requests(path)
        until(lambda: self.waiters() == COUNT - 1, "all others wait")
        gate.open()
        answers = answers.result()
        failed = [answer for answer in answers if answer.status == 502]
        self.assertEqual(len(failed), 1)
        self.assert_problem(failed[0], "upstream-failed", retryable=False)
        for answer in answers:
            if answer is not failed[0]:
                self.assert_problem(answer, "outcome-unknown", retryable=False)
        self.assert_effects(path, 1)

    def test_a_waiter_that_leaves_takes_nobody_with_it(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        first = Background(lambda: self.post(path, {}, key))
        self.upstream.wait_for_requests(path)
        stays = Background(lambda: self.post(path, {}, key))
        until(lambda: self.waiters() == 1, "the second waits")
        with self.gateway.connect() as leaves:
            leaves.send(story.json_request("POST", path, {}, key))
            until(lambda: self.waiters() == 2, "the third waits")
            upstream.reset(leaves.stream)
        until(lambda: self.waiters() == 1, "the third has left")
        gate.open()
        self.assert_replay(stays.result(), first.result())
        self.assert_effects(path, 1)

    def test_a_client_that_leaves_does_not_cancel_the_attempt(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        with self.gateway.connect() as leaves:
            leaves.send(story.json_request("POST", path, {}, key))
            self.upstream.wait_for_requests(path)
        gate.open()
        self.wait_for_state("completed", path, key)
        answer = self.post(path, {}, key)
        self.assert_status(answer, 200)
        self.assertEqual(answer["Idempotent-Replayed"], "true")
        self.assert_effects(path, 1)

    def waiters(self):
        return self.gateway.waiters()


class WaitersAreBounded(story.Story):
    settings = {"defaults": {"wait": "60s"}, "limits": {"waiters_per_key_max": 2}}

    def test_over_the_bound_the_answer_is_in_flight_at_once(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, key))
        self.upstream.wait_for_requests(path)
        waiting = [Background(lambda: self.post(path, {}, key)) for _ in range(2)]
        until(lambda: self.gateway.waiters() == 2, "two wait")
        self.assert_problem(self.post(path, {}, key), "in-flight")
        gate.open()
        for each in waiting:
            self.assert_replay(each.result(), first.result())


if __name__ == "__main__":
    story.main()
