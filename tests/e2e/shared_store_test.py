#!/usr/bin/python3
"""Several gateways on one store: what one of them knows, all of them know, and whatever happens to one of them, no
effect happens twice.
"""

import os
import threading

from support import link, shared_store, story, upstream, wire
from support.waiting import Background, Gate, in_parallel, until

# Longer than any test waits: what is answered earlier was not answered because it ran out.
FOR_EVER = {"wait": "1h", "lease": "1h"}
SHORT_LEASE = {"wait": "0", "lease": "1s"}


def a_day_off(offset):
    """The environment of a gateway whose clock is wrong."""
    return {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


class SeveralGateways:
    """Of each store that gateways can share; see the end of the file."""

    def test_parallel_duplicates_over_three_gateways_are_forwarded_once(self):
        gateways = self.start_shared(3, defaults=FOR_EVER)
        for _ in range(5):
            path, key = story.new_path(), story.new_key()
            answers = in_parallel(60, lambda i: self.post(path, {"amount": 1}, key, via=gateways[i % 3]))
            self.assertEqual({(each.status, each.body) for each in answers}, {(200, answers[0].body)})
            self.assertEqual(len([each for each in answers if not each["Idempotent-Replayed"]]), 1)
            self.assert_effects(path, 1)
            self.assert_requests(path, 1)

    def test_who_waits_at_one_gateway_is_woken_by_the_answer_at_another(self):
        first, second, third = self.start_shared(3, defaults=FOR_EVER)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        runs = Background(lambda: self.post(path, {}, key, via=first))
        self.upstream.wait_for_requests(path)
        wait = [Background(lambda via=via: self.post(path, {}, key, via=via)) for via in (second, third) * 5]
        until(lambda: second.waiters() == 5 and third.waiters() == 5, "the others wait")
        gate.open()
        answer = runs.result()
        for each in wait:
            self.assert_replay(each.result(), answer)
        self.assert_effects(path, 1)

    def test_who_waits_elsewhere_runs_what_was_released(self):
        first, second = self.start_shared(2, defaults=FOR_EVER)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate, upstream.fail(503)), upstream.ok())
        runs = Background(lambda: self.post(path, {}, key, via=first))
        self.upstream.wait_for_requests(path)
        waits = Background(lambda: self.post(path, {}, key, via=second))
        until(lambda: second.waiters() == 1, "the other waits")
        gate.open()
        self.assert_status(runs.result(), 503)
        self.assert_first(waits.result())
        self.assert_effects(path, 1)

    def test_a_wait_outlives_the_sessions_of_all(self):
        first, second = self.start_shared(2, defaults=FOR_EVER)
        both = self.run_and_wait(first, second)
        self.end_sessions()
        both.gate.open()
        self.assert_replay(both.waits.result(), both.runs.result())
        self.assert_effects(both.path, 1)

    def test_who_waits_before_the_gateway_listens_is_woken_once_it_does(self):
        way = link.Link((self.server.host, self.server.port))
        self.addCleanup(way.stop)
        way.hold(self.listens)
        url = self.url.replace(f"{self.server.host}:{self.server.port}", f"{way.host}:{way.port}")
        first, second = self.start_shared(defaults=FOR_EVER)[0], self.start_shared(url=url, defaults=FOR_EVER)[0]
        both = self.run_and_wait(first, second)
        both.gate.open()
        answer = both.runs.result()
        self.assert_works(first)  # By then it has told of the end, and of this one.
        self.assertTrue(both.waits.running)
        way.mend()
        self.assert_replay(both.waits.result(), answer)

    def test_what_a_killed_gateway_ran_is_unknown_to_the_others(self):
        first, second = self.start_shared(2, defaults=SHORT_LEASE)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        lost = Background(lambda: self._lost(path, key, first))
        self.upstream.wait_for_requests(path)
        first.kill()
        gate.open()
        self.assertTrue(lost.result())
        self.wait_for_state("unknown", path, key, via=second)
        self.assert_problem(self.post(path, {}, key, via=second), "outcome-unknown", retryable=False)
        first.start()
        self.assert_problem(self.post(path, {}, key, via=first), "outcome-unknown", retryable=False)
        self.assert_effects(path, 1)

    def _lost(self, path, key, via):
        try:
            self.post(path, {}, key, via=via)
        except (OSError, wire.Closed, wire.Truncated):
            return True
        return False

    def test_a_gateway_paused_past_its_lease_records_what_it_ran(self):
        first, second = self.start_shared(2, defaults=SHORT_LEASE)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        runs = Background(lambda: self.post(path, {}, key, via=first))
        self.upstream.wait_for_requests(path)
        first.pause()
        gate.open()
        self.wait_for_state("unknown", path, key, via=second)
        self.assert_problem(self.post(path, {}, key, via=second), "outcome-unknown", retryable=False)
        first.resume()
        answer = runs.result()
        self.assert_first(answer)
        self.assert_replay(self.post(path, {}, key, via=second), answer)
        self.assert_effects(path, 1)

    def test_a_straggler_does_not_overwrite_the_attempt_that_took_over(self):
        redispatch = {**SHORT_LEASE, "on_unknown": "redispatch"}
        first, second = self.start_shared(2, defaults=redispatch)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate), upstream.ok(body=b"of the second attempt"))
        runs = Background(lambda: self.post(path, {}, key, via=first))
        self.upstream.wait_for_requests(path)
        first.pause()
        self.wait_for_state("unknown", path, key, via=second)
        answer = self.post(path, {}, key, via=second)
        self.assert_first(answer)
        gate.open()
        first.resume()
        self.assert_problem(runs.result(), "not-recorded")
        for via in (first, second):
            self.assert_replay(self.post(path, {}, key, via=via), answer)
        fences = [int(seen.fence) for seen in self.upstream.ledger(path)]
        self.assertEqual(sorted(set(fences)), fences)

    def test_the_clock_of_a_gateway_decides_nothing(self):
        ahead, behind, right = (self.make_shared(defaults=FOR_EVER) for _ in range(3))
        self.prepare(right)
        for each, offset in ((ahead, "+1d"), (behind, "-1d")):
            each.environment.update(a_day_off(offset))
        gateways = [each.start() for each in (ahead, behind, right)]
        for index, runs_at in enumerate(gateways):
            waits_at = gateways[(index + 1) % 3]
            both = self.run_and_wait(runs_at, waits_at)
            both.gate.open()
            answer = both.runs.result()
            self.assert_replay(both.waits.result(), answer)
            for via in gateways:
                self.assert_replay(self.post(both.path, {}, both.key, via=via), answer)
            self.assert_effects(both.path, 1)

    def test_after_all_of_it_nothing_is_left_behind(self):
        """Three gateways under load, the clock of one a day off; one is killed, one is paused past its leases."""
        defaults = {"wait": "5s", "lease": "1s"}
        killed, paused, ahead = (self.make_shared(defaults=defaults) for _ in range(3))
        gateways = (killed, paused, ahead)
        self.prepare(killed)
        ahead.environment.update(a_day_off("+1d"))
        for each in gateways:
            each.start()
        connections_before = ahead.metrics()["onceward_client_connections"]  # That it is told on is one.
        stop, made = threading.Event(), []

        def charge(number):
            while not stop.is_set():
                path, key = story.new_path(), story.new_key()
                made.append((path, key))
                for via in (gateways[number % 3], gateways[(number + 1) % 3]):
                    self._lost(path, key, via)
        clients = Background(lambda: in_parallel(9, charge))
        until(lambda: len(made) > 100, "some load")
        sessions = self.sessions()
        paused.pause()
        killed.kill()
        until(lambda: len(made) > 300, "some load at the one that is left")
        killed.start()
        paused.resume()
        until(lambda: len(made) > 500, "some load at all three")
        stop.set()
        clients.result()

        for path, key in made:
            until(lambda path=path, key=key: self.state_of(path, key, via=ahead) != "in-flight", "no key is stuck")
            state = self.state_of(path, key, via=killed)
            self.assertIn(state, ("completed", "unknown", "released", "absent"))
            self.assertEqual(self.state_of(path, key, via=paused), state)
            effects = self.upstream.effects(path)
            self.assertLessEqual(effects, 1)
            self.assertEqual(effects, 1 if state == "completed" else effects if state == "unknown" else 0, state)
        for each in gateways:
            until(lambda each=each: each.waiters() == 0, "nobody waits any more")
            until(lambda each=each: each.metrics()["onceward_client_connections"] == connections_before,
                  "all clients are gone")
        until(lambda: self.sessions() == sessions, "as many sessions as before, and none of those before")

    def test_other_payloads_and_other_callers_meet_at_no_gateway(self):
        first, second = self.start_shared(2, defaults=FOR_EVER)
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, {"amount": 1}, key, {"Authorization": "Bearer a"}, via=first))
        self.assert_problem(self.post(path, {"amount": 2}, key, {"Authorization": "Bearer a"}, via=second), "mismatch")
        self.assert_first(self.post(path, {"amount": 1}, key, {"Authorization": "Bearer b"}, via=second))
        self.assert_effects(path, 2)


class OnPostgres(SeveralGateways, shared_store.SharedStoreStory):
    listens = b"LISTEN onceward_ended"


class OnRedis(SeveralGateways, shared_store.RedisStory):
    listens = b"SUBSCRIBE"


if __name__ == "__main__":
    story.main()
