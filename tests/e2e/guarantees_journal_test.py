#!/usr/bin/python3
"""The cells of docs/guarantees.md for the stores that a gateway carries itself, as far as a killed process shows them.
What power loss leaves of a journal is shown on images of its disk, in tests/crash.
"""

import shutil
import tempfile

from support import books, story, upstream, wire
from support.waiting import Background, Gate


class OneGatewayStory(story.Story):
    settings = None
    store = None

    def setUp(self):
        self.upstream = self.start_upstream()
        self.books = books.Books(self)

    def kill_while_it_runs(self):
        """Some charges, one more that has taken effect and is not answered, kill -9 and a start: that one."""
        self.gateway = self.start_gateway(self.upstream.url, store=self.store)
        self.books.charge(20, self.gateway)
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate), upstream.ok())
        client = Background(lambda: self.post(path, {}, key))
        self.upstream.wait_for_requests(path)
        self.gateway.kill()
        gate.open()
        with self.assertRaises((OSError, wire.Closed, wire.Truncated)):
            client.result()
        self.gateway.start()
        return path, key


class Places(OneGatewayStory):

    def test_a_synced_journal_that_lies_in_memory_is_warned_of(self):
        self.assertNotIn("journal-in-memory", self.start_gateway(self.upstream.url).log())
        place = tempfile.mkdtemp(dir="/dev/shm", prefix="onceward-")  # tmpfs, by the standard of Linux.
        self.addCleanup(shutil.rmtree, place)
        for durability, is_told in (("synced", True), ("written", False)):
            store = {"journal": {"path": place, "durability": durability}}
            gateway = self.start_gateway(self.upstream.url, store=store)
            self.assertEqual("journal-in-memory" in gateway.log(), is_told)
            gateway.stop()


class Memory(OneGatewayStory):
    store = "memory"

    def test_kill_of_the_gateway_takes_everything(self):
        path, key = self.kill_while_it_runs()
        self.assert_first(self.post(path, {}, key))
        self.assert_effects(path, 2)
        (path, key), _ = next(iter(self.books.told.items()))
        self.assert_first(self.post(path, {}, key))
        self.assert_effects(path, 2)


class Journal(OneGatewayStory):

    def kill_takes_nothing(self, durability):
        self.store = {"journal": {"path": "data", "durability": durability}}
        path, key = self.kill_while_it_runs()
        self.books.assert_kept(self.gateway)
        self.assert_problem(self.post(path, {}, key), "outcome-unknown", retryable=False)
        self.assert_effects(path, 1)

    def test_kill_of_the_gateway_takes_nothing_that_was_synced(self):
        self.kill_takes_nothing("synced")

    def test_kill_of_the_gateway_takes_nothing_that_was_written(self):
        self.kill_takes_nothing("written")


if __name__ == "__main__":
    story.main()
