#!/usr/bin/python3
"""The path of a request in system calls: that the rig's list of steps is the whole of it, that the library acts where
it is told to, and what a disk's error does to a gateway.
"""

import errno
import os
import signal

from e2e import gateway, story, waiting, wire
from failpoints import Action, Failpoints, Place, Step
from faults import PATH

EXECUTED = [Step.client_accept, Step.client_receive,
            Step.journal_write, Step.journal_sync,  # The claim.
            Step.upstream_connect, Step.upstream_send, Step.upstream_receive,
            Step.journal_write, Step.journal_sync,  # The outcome.
            Step.client_send]
REPLAYED = [Step.client_accept, Step.client_receive, Step.client_send]
ENDS = [Step.client_receive, Step.client_close]  # The client's end is read, then the connection is closed.


class WithFailpoints(story.Story):
    settings = None

    def setUp(self):
        self.upstream = self.start_upstream()
        self.gateway = self.make_gateway(self.upstream.url, workers=1, timeouts={"idle_reuse_max": "0s"},
                                         defaults={"lease": "1s"})
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
