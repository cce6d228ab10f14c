#!/usr/bin/python3
"""The path of a request in system calls: that the rig's list of steps is the whole of it, that the library acts where
it is told to, also inside of a batch of sends, and what a disk's error does to a gateway.
"""

import errno
import os
import signal
import threading
import unittest

from e2e import gateway, story, upstream, waiting, wire
from failpoints import Action, Failpoints, Place, Step, kernel_takes_batches, thaw_after_lease
from faults import PATH

LEASE_S = 1.0
EXECUTED = [Step.client_accept, Step.client_receive,
            Step.journal_write, Step.journal_sync,  # The claim.
            Step.upstream_connect, Step.upstream_send, Step.upstream_receive,
            Step.journal_write, Step.journal_sync,  # The outcome.
            Step.client_send]
REPLAYED = [Step.client_accept, Step.client_receive, Step.client_send]
ENDS = [Step.client_receive, Step.client_close]  # The client's end is read, then the connection is closed.


class WithFailpoints(story.Story):
    settings = None
    idle_reuse_max = "0s"

    def setUp(self):
        self.upstream = self.start_upstream()
        self.gateway = self.make_gateway(self.upstream.url, workers=1, defaults={"lease": f"{int(LEASE_S * 1000)}ms"},
                                         timeouts={"idle_reuse_max": self.idle_reuse_max})
        self.failpoints = Failpoints(self.gateway.folder / "failpoints", self.gateway.admin_address[1])
        self.gateway.environment.update(self.failpoints.environment(gateway.binary()))
        self.gateway.start()
        self.path, self.key = story.new_path(), story.new_key()

    def retry(self):
        return self.post(self.path, {}, self.key)


class Path(WithFailpoints):
    def steps_of(self, work):
        """From the accept to the close, but for the waking of the loop: one that is awake needs none."""
        self.wait_for_closes()
        self.failpoints.clear_trace()
        work()
        self.wait_for_closes()
        trace = self.failpoints.trace()
        return [step for step in trace if step not in (Step.loop_wake, Step.upstream_close)]

    def wait_for_closes(self):
        def all_closed():
            trace = self.failpoints.trace()
            return trace.count(Step.client_accept) == trace.count(Step.client_close)
        waiting.until(all_closed, "the gateway closes what its clients have closed")

    def test_of_a_request_that_runs(self):
        self.post(story.new_path(), {}, story.new_key())  # The first one in a segment writes the segment's own batch.
        self.assertEqual(self.steps_of(self.retry), EXECUTED + ENDS)
        self.assertLessEqual(set(EXECUTED + ENDS), set(PATH))

    def test_of_a_replay_touches_neither_journal_nor_upstream(self):
        self.retry()
        self.assertEqual(self.steps_of(self.retry), REPLAYED + ENDS)


class Acting(WithFailpoints):
    def test_it_ends_the_process_at_the_step_it_is_told(self):
        self.failpoints.arm(Action.end, Step.journal_sync, Place.before, 2)
        with self.assertRaises((wire.Closed, wire.Truncated)):
            self.retry()
        self.assertEqual(self.gateway.wait_for_end(), -signal.SIGKILL)
        self.assertEqual(self.failpoints.times_done, 1)

    def test_it_freezes_the_process_and_lets_it_go_on(self):
        self.failpoints.arm(Action.freeze, Step.upstream_send, Place.before)
        client = waiting.Background(self.retry)
        waiting.until(lambda: self.failpoints.times_done, "it is frozen")
        self.assert_requests(self.path, 0)
        self.gateway.resume()
        self.assert_first(client.result())

    def test_it_fails_a_call_once(self):
        self.failpoints.arm(Action.fail_once, Step.upstream_connect, error=errno.ECONNREFUSED)
        self.assert_problem(self.retry(), "upstream-unreachable")
        self.assert_first(self.retry())


@unittest.skipUnless(kernel_takes_batches(), "the kernel gives no context for asynchronous I/O (io_setup)")
class Batches(WithFailpoints):
    """What several connections have to say goes out with one system call. Each of them is a step nevertheless, with
    those before it sent and those behind it not."""

    idle_reuse_max = "1h"  # What goes to a new connection goes alone.
    clients_count = 8

    def setUp(self):
        super().setUp()
        self.clients = [self.gateway.connect() for _ in range(self.clients_count)]
        for client in self.clients:
            self.addCleanup(client.close)
        everybody = threading.Barrier(self.clients_count)

        def answer_once_all_are_there(exchange):
            everybody.wait(waiting.DEADLINE_S)
            upstream.ok()(exchange)

        self.upstream.answer_all(answer_once_all_are_there)  # Each has a connection to the upstream from now on.
        self.send_at_once()
        self.read_all()
        self.upstream.answer_all(upstream.ok())
        self.failpoints.clear_trace()

    def send_at_once(self):
        """A new request of each client, all of them there before the gateway looks at one."""
        self.requests = [(story.new_path(), story.new_key()) for _ in self.clients]
        self.gateway.pause()
        for client, (path, key) in zip(self.clients, self.requests):
            client.send(story.json_request("POST", path, {}, key))
        self.gateway.resume()

    def read_all(self):
        """What each client is told, None where its connection ends."""
        def read(client):
            try:
                return client.read_response()
            except (wire.Closed, wire.Truncated):
                return None
        return [read(client) for client in self.clients]

    def send_until(self, action, step, place=Place.before, **options):
        """Requests at once, again until this has happened in a batch: what goes out together is up to threads and disk.
        Gives the answers to the last ones, which are being read."""
        self.failpoints.arm(action, step, place, in_batch=True, **options)

        def happens():
            self.failpoints.clear_trace()
            self.send_at_once()
            answers = waiting.Background(self.read_all)
            waiting.until(lambda: self.failpoints.times_done or not answers.running, f"{step.name}, or all answers")
            return self.failpoints.times_done and answers
        return waiting.until(happens, f"{action.name} {place.name} {step.name} in a batch")

    def assert_run_once(self):
        """Also where the client asks again."""
        for path, key in self.requests:
            self.post(path, {}, key)
            self.assert_requests(path, 1)

    def test_each_of_several_sends_is_a_step(self):
        sends = (Step.upstream_send, Step.client_send)

        def all_are_seen_in_batches():
            self.failpoints.clear_trace()
            self.send_at_once()
            for answer in self.read_all():
                self.assert_first(answer)
            for step in sends:
                self.assertEqual(self.failpoints.trace().count(step), self.clients_count, step.name)
            return set(sends) == set(self.failpoints.trace_of_batches())
        waiting.until(all_are_seen_in_batches, "requests, and answers, that go out together")

    def test_none_is_sent_behind_the_end(self):
        answers = self.send_until(Action.end, Step.upstream_send, Place.after, count=2)
        self.assertEqual(self.gateway.wait_for_end(), -signal.SIGKILL)
        answers.result()
        sent = self.failpoints.trace().count(Step.upstream_send)

        def arrived():
            return sum(len(self.upstream.ledger(path)) for path, _ in self.requests)
        self.upstream.wait_until(lambda: arrived() >= sent, "what was sent")
        self.gateway.start()
        self.assertEqual(arrived(), sent)

    def test_a_freeze_behind_one_for_longer_than_its_lease_runs_nothing_twice(self):
        answers = self.send_until(Action.freeze, Step.upstream_send, Place.after)
        thaw_after_lease(self.gateway, LEASE_S)
        answers.result()
        self.assert_run_once()

    def test_one_that_fails_is_not_sent_and_the_others_are(self):
        answers = self.send_until(Action.fail_once, Step.upstream_send, count=2, error=errno.ECONNRESET)
        for answer in answers.result():
            self.assert_first(answer)  # The one has gone out again, to a new connection.
        self.assertEqual(self.failpoints.trace().count(Step.upstream_send), self.clients_count + 1)
        self.assert_run_once()

    def test_one_answer_that_fails_is_lost_and_the_others_are_not(self):
        answers = self.send_until(Action.fail_once, Step.client_send, count=2, error=errno.EPIPE).result()
        self.assertEqual(answers.count(None), 1)
        self.assert_run_once()

    def test_what_is_only_pretended_is_not_sent(self):
        answers = self.send_until(Action.pretend_from_now, Step.client_send)
        waiting.until(lambda: self.failpoints.trace().count(Step.client_send) == self.clients_count, "all are answered")
        self.assert_first(self.retry())  # Whatever was to be sent before this has been.
        self.gateway.kill()
        self.assertEqual(answers.result().count(None), self.failpoints.times_done)


class DiskErrors(WithFailpoints):
    lines_seen = 0  # Of the log, when the gateway was last started.

    def assert_out_of_service(self, reason="Input/output error"):
        """A journal that failed acknowledges nothing more, and everybody who asks is told."""
        waiting.until(lambda: self.gateway.admin("GET", "/readyz").status == 503, "it is not ready")
        self.assertEqual(self.gateway.metrics()["onceward_store_accepts_claims"], 0)
        log, = [line for line in self.gateway.log().splitlines()[self.lines_seen:] if '"journal-failed"' in line]
        self.assertRegex(log, f'segment-.*{reason}')
        for _ in range(3):
            self.assert_problem(self.post(story.new_path(), {}, story.new_key()), "store-unavailable")

    def start_again(self):
        self.lines_seen = len(self.gateway.log().splitlines())
        self.gateway.kill()
        self.failpoints.disarm()
        self.gateway.start()

    def test_a_claim_that_cannot_be_synced_is_not_forwarded(self):
        for step, action, error in ((Step.journal_sync, Action.fail_once, errno.EIO),
                                    (Step.journal_write, Action.fail_once, errno.EIO),
                                    (Step.journal_write, Action.fail_from_now, errno.ENOSPC)):
            with self.subTest(step=step.name, error=errno.errorcode[error]):
                self.path, self.key = story.new_path(), story.new_key()
                earlier = story.new_key()
                before = self.post(self.path, {}, earlier)
                self.failpoints.arm(action, step, error=error)
                self.assert_problem(self.retry(), "store-unavailable")
                self.assert_requests(self.path, 1)
                self.assert_out_of_service(os.strerror(error))
                self.start_again()
                self.assert_replay(self.post(self.path, {}, earlier), before)
                self.assertIn(self.state_of(self.path, self.key), ("absent", "unknown"))

    def test_an_outcome_that_cannot_be_synced_is_not_told(self):
        self.post(story.new_path(), {}, story.new_key())
        self.failpoints.arm(Action.fail_once, Step.journal_sync, count=2, error=errno.EIO)
        self.assert_problem(self.retry(), "not-recorded")
        self.assert_effects(self.path, 1)
        self.assert_out_of_service()
        self.start_again()
        self.assertIn(self.state_of(self.path, self.key), ("unknown", "completed"))
        self.assert_effects(self.path, 1)


if __name__ == "__main__":
    story.main()
