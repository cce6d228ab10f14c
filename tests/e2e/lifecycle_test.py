#!/usr/bin/python3
"""Starting and ending: draining on SIGTERM, one process for one journal, restarts."""

from support import story, upstream, wire
from support.waiting import Background, Gate, until


class Drain(story.Story):
    settings = None

    def setUp(self):
        self.upstream = self.start_upstream()

    def drain(self, **settings):
        self.gateway = self.start_gateway(self.upstream.url, **settings)
        return Gate(), story.new_path(), story.new_key()

    def is_not_ready(self):
        try:
            return self.gateway.admin("GET", "/readyz").status == 503
        except OSError:
            return False

    def refuses_connections(self):
        try:
            self.gateway.connect().close()
            return False
        except OSError:
            return True

    def test_what_runs_ends_and_waiters_are_answered(self):
        gate, path, key = self.drain(defaults={"wait": "60s"}, timeouts={"drain": "60s"})
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, key))
        self.upstream.wait_for_requests(path)
        second = Background(lambda: self.post(path, {}, key))
        until(lambda: self.gateway.waiters() == 1, "the duplicate waits")
        self.gateway.terminate()
        until(self.is_not_ready, "readiness goes first")
        self.assert_status(self.gateway.admin("GET", "/livez"), 200)
        until(self.refuses_connections, "no new connections")
        gate.open()
        self.assert_first(first.result())
        self.assert_replay(second.result(), first.result())
        self.assertEqual(self.gateway.wait_for_end(), 0)

    def test_an_idle_connection_does_not_hold_it_up(self):
        self.drain(timeouts={"drain": "1h"})
        with self.gateway.connect() as idle:
            self.assert_first(idle.request("POST", story.new_path(), {}, b""))
            self.gateway.terminate()
            self.assertEqual(self.gateway.wait_for_end(), 0)
            self.assertTrue(idle.reads_end())

    def test_the_answer_to_what_runs_closes_its_connection(self):
        gate, path, key = self.drain(timeouts={"drain": "60s"})
        self.upstream.script(path, upstream.held(gate))
        with self.gateway.connect() as connection:
            connection.send(story.json_request("POST", path, {}, key))
            self.upstream.wait_for_requests(path)
            self.gateway.terminate()
            until(self.is_not_ready, "readiness goes first")
            gate.open()
            answer = connection.read_response()
            self.assert_first(answer)
            self.assertEqual(answer["Connection"], "close")
            self.assertTrue(connection.reads_end())
        self.assertEqual(self.gateway.wait_for_end(), 0)

    def test_it_is_bounded(self):
        gate, path, key = self.drain(defaults={"wait": "60s"}, timeouts={"drain": "300ms"})
        self.addCleanup(gate.open)
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.outcome(path, key))
        self.upstream.wait_for_requests(path)
        second = Background(lambda: self.outcome(path, key))
        until(lambda: self.gateway.waiters() == 1, "the duplicate waits")
        self.gateway.terminate()
        self.assertEqual(self.gateway.wait_for_end(), 0)
        if (answer := second.result()) is not None:
            self.assert_problem(answer, "draining", http_status=503, operation_state="in-flight", new_key_safe=False)
        first.result()
        self.gateway.start()
        self.assertEqual(self.state_of(path, key), "unknown")
        self.assert_requests(path, 1)

    def outcome(self, path, key):
        try:
            return self.post(path, {}, key)
        except (wire.Closed, wire.Truncated):
            return None

    def test_a_second_signal_ends_it_at_once(self):
        gate, path, key = self.drain(timeouts={"drain": "1h"})
        self.addCleanup(gate.open)
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.outcome(path, key))
        self.upstream.wait_for_requests(path)
        self.gateway.terminate()
        until(self.is_not_ready, "readiness goes first")
        self.gateway.terminate()
        self.gateway.wait_for_end()
        first.result()

    def test_it_starts_again_where_it_was(self):
        _, path, key = self.drain()
        first = self.post(path, {}, key)
        self.gateway.stop()
        self.gateway.start()
        self.assert_replay(self.post(path, {}, key), first)
        self.assert_effects(path, 1)


class OneJournal(story.Story):
    settings = {}

    def test_a_second_process_says_who_holds_it_and_ends(self):
        second = self.make_gateway(self.upstream.url, store=self.gateway.settings["store"])
        second.launch()
        self.assertNotEqual(second.wait_for_end(), 0)
        self.assertIn(str(self.gateway.pid), second.log())
        self.assert_first(self.post(story.new_path(), {}, story.new_key()))

    def test_after_a_kill_the_journal_is_free(self):
        held = self.start_gateway(self.upstream.url)
        held.kill()
        held.start()
        self.assert_first(self.post(story.new_path(), {}, story.new_key(), via=held))

    def test_an_address_that_is_taken(self):
        second = self.make_gateway(self.upstream.url, listen="%s:%d" % self.gateway.admin_address)
        second.launch()
        self.assertNotEqual(second.wait_for_end(), 0)
        self.assertIn("%s:%d" % self.gateway.admin_address, second.log())


if __name__ == "__main__":
    story.main()
