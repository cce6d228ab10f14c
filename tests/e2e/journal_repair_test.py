#!/usr/bin/python3
"""A journal is damaged: the gateway does not start and says what to do, `onceward verify` says where, and after
`onceward verify --repair` every answer that could still be read is given as before, and no retry of a key that is known
runs again.
"""

import json
import pathlib
import struct
import subprocess

from support import story, upstream, wire
from support.gateway import run_binary
from support.waiting import Background, Gate

BLOCK_BYTES = 4096
GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "crash" / "golden" / "journal-1.txt"


def segment_files(data):
    return sorted(data.glob("segment-??????"))


def batches(file):
    """Offset of each batch -> its sequence number, in the file of a sound journal that was used once."""
    raw = file.read_bytes()
    found = {}
    for offset in range(BLOCK_BYTES, len(raw), BLOCK_BYTES):
        if raw[offset:offset + 4] == b"OWJB":
            found[offset], = struct.unpack_from("<Q", raw, offset + 16)
    return found


def flip(file, offset):
    with file.open("r+b") as opened:
        opened.seek(offset)
        byte, = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte ^ 1]))


class Repair(story.Story):
    settings = None

    def setUp(self):
        self.upstream = self.start_upstream()

    def answered(self):
        path, key = story.new_path(), story.new_key()
        answer = self.post(path, {"amount": 100}, key)
        self.assert_first(answer)
        return path, key, answer

    def verify(self, *arguments):
        return run_binary("verify", *arguments, str(self.gateway.data))

    def assert_refuses_to_start(self):
        self.gateway.launch()
        self.assertEqual(self.gateway.wait_for_end(), 1)
        return self.gateway.log()

    def run_and_die(self):
        """Two keys answered, one answered whose outcome will be lost, one answered, one in flight; then kill -9."""
        self.gateway = self.start_gateway(self.upstream.url)
        self.before = [self.answered(), self.answered()]
        self.lost = self.answered()
        self.after = [self.answered()]
        self.running = story.new_path(), story.new_key()
        gate = Gate()
        self.upstream.script(self.running[0], upstream.run_then_held(gate))
        client = Background(self.broken_post)
        self.upstream.wait_for_requests(self.running[0])
        self.gateway.kill()
        self.upstream.cut_connections()
        gate.open()
        client.result()
        self.file, = [each for each in segment_files(self.gateway.data) if batches(each)]
        self.places = list(batches(self.file))
        self.assertEqual(len(self.places), 9)  # A claim and an outcome each, and a claim.

    def broken_post(self):
        with self.assertRaises((wire.Closed, wire.Truncated, ConnectionError)):
            self.post(self.running[0], {"amount": 100}, self.running[1])

    def assert_answers_as_before(self, answered):
        for path, key, first in answered:
            self.assert_replay(self.post(path, {"amount": 100}, key), first)
            self.assert_requests(path, 1)

    def assert_unknown(self, path, key):
        self.assert_problem(self.post(path, {"amount": 100}, key), "outcome-unknown", retryable=False)
        self.assert_requests(path, 1)

    def test_an_outcome_that_is_lost_is_unknown_and_all_others_are_answered(self):
        self.run_and_die()
        place = self.places[5]
        flip(self.file, place + 300)
        old = self.file.read_bytes()

        log = self.assert_refuses_to_start()
        self.assertIn(f"{self.file.name}, byte {place}: a batch has changed since it was written", log)
        self.assertIn(f"onceward verify --repair {self.gateway.data}", log)

        checked = self.verify()
        self.assertEqual(checked.returncode, 1, checked.stdout + checked.stderr)
        self.assertIn(f"damage: {self.file.name}, byte {place}: a batch has changed since it was written; "
                      f"hides {BLOCK_BYTES} bytes; batch 6\n        1 entry lost; written after ", checked.stdout)
        self.assertIn("\nverdict: damaged in 1 place; 1 batch with 1 entry lost\n", checked.stdout)
        self.assertEqual(self.file.read_bytes(), old)
        told = json.loads(self.verify("--json").stdout)
        self.assertFalse(told["sound"])
        self.assertEqual([(each["file"], each["offset"], each["first_batch"]) for each in told["damages"]],
                         [(self.file.name, place, 6)])

        repaired = self.verify("--repair")
        self.assertEqual(repaired.returncode, 0, repaired.stdout + repaired.stderr)
        self.assertIn("\nverdict: repaired\n", repaired.stdout)
        self.assertIn(f"{self.file.name} is now {self.file.name}.damaged\n", repaired.stdout)
        self.assertEqual((self.gateway.data / f"{self.file.name}.damaged").read_bytes(), old)
        self.assertEqual(self.verify().returncode, 0)

        self.gateway.start()
        self.assert_answers_as_before(self.before + self.after)
        self.assert_unknown(*self.lost[:2])
        self.assert_unknown(*self.running)
        path, _, _ = self.answered()
        first, = self.upstream.ledger(self.before[0][0])
        last, = self.upstream.ledger(path)
        self.assertGreater(int(last.fence), int(first.fence) + 2 ** 32)

    def test_a_segment_header_that_is_lost_takes_no_answer_with_it(self):
        self.run_and_die()
        flip(self.file, 40)
        self.assertIn("the segment header fails its checksum", self.assert_refuses_to_start())
        self.assertEqual(self.verify("--repair").returncode, 0)
        self.gateway.start()
        self.assert_answers_as_before(self.before + [self.lost] + self.after)
        self.assert_unknown(*self.running)

    def test_a_sound_journal_is_left_alone(self):
        self.gateway = self.start_gateway(self.upstream.url)
        answered = self.answered()
        self.gateway.stop()
        before = {each.name: each.read_bytes() for each in segment_files(self.gateway.data)}
        for arguments, words in (((), "verdict: sound\n"), (("--repair",), "sound; nothing was done\n")):
            done = self.verify(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(words, done.stdout)
        self.assertEqual({each.name: each.read_bytes() for each in segment_files(self.gateway.data)}, before)
        self.gateway.start()
        self.assert_answers_as_before([answered])

    def test_a_journal_that_is_open_is_not_looked_at(self):
        self.gateway = self.start_gateway(self.upstream.url)
        for arguments in ((), ("--repair",)):
            done = self.verify(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"held by process {self.gateway.pid}", done.stderr)

    def test_a_disk_without_space_leaves_everything_as_it_was(self):
        self.run_and_die()
        flip(self.file, self.places[1] + 60)
        names = sorted(each.name for each in self.gateway.data.iterdir())
        # A file may not become as long as a segment is.
        done = subprocess.run(["prlimit", "--fsize=1048576", "env", "-", "/bin/sh", "-c",
                               f"trap '' XFSZ; exec {story.gateway.binary()} verify --repair {self.gateway.data}"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("the journal is as it was, and its repair needs space", done.stderr)
        self.assertEqual(sorted(each.name for each in self.gateway.data.iterdir()), names)


class CommandLine(story.Story):
    settings = None

    def test_what_is_no_journal_cannot_be_looked_at(self):
        gateway = self.make_gateway("http://127.0.0.1:1")
        for folder, words in ((gateway.data, "No such file"), (gateway.folder, "there is no journal in")):
            for arguments in ((), ("--repair",)):
                done = run_binary("verify", *arguments, str(folder))
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)
        self.assertFalse(gateway.data.exists())

    def test_the_journal_of_version_1_is_sound(self):
        gateway = self.make_gateway("http://127.0.0.1:1")
        gateway.data.mkdir()
        for line in GOLDEN.read_text().splitlines():
            first, second = line.split()
            if first.startswith("segment-"):
                file = bytearray(int(second))
                name = first
            else:
                written = bytes.fromhex(second)
                file[int(first):int(first) + len(written)] = written
            (gateway.data / name).write_bytes(file)
        done = run_binary("verify", str(gateway.data))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("17 batches, 18 entries", done.stdout)
        self.assertIn("the last write was cut short, which is normal", done.stdout)


if __name__ == "__main__":
    story.main()
