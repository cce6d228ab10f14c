#!/usr/bin/python3
"""What somebody sees who has just started it: curl, the same POST twice, one effect."""

import subprocess

from support import gateway, story, waiting


def curl(*arguments):
    finished = subprocess.run(["curl", "-sS", "-i", "--max-time", str(int(waiting.DEADLINE_S)), *arguments],
                              capture_output=True, check=True)
    head, _, body = finished.stdout.decode().partition("\r\n\r\n")
    return head.lower(), body


class FirstContact(story.Story):
    def test_the_same_post_twice_runs_once(self):
        path = story.new_path()
        command = ["-X", "POST", "-H", "Idempotency-Key: order-17", "-H", "Content-Type: application/json",
                   "-d", '{"amount":100}', self.gateway.url + path]
        first_head, first_body = curl(*command)
        second_head, second_body = curl(*command)
        self.assertTrue(first_head.startswith("http/1.1 200"), first_head)
        self.assertNotIn("idempotent-replayed", first_head)
        self.assertTrue(second_head.startswith("http/1.1 200"), second_head)
        self.assertIn("idempotent-replayed: true", second_head)
        self.assertEqual(first_body, second_body)
        self.assert_effects(path, 1)

    def test_without_a_key_each_post_runs(self):
        path = story.new_path()
        for _ in range(2):
            head, _ = curl("-X", "POST", "-d", "x", self.gateway.url + path)
            self.assertTrue(head.startswith("http/1.1 200"), head)
        self.assert_effects(path, 2)

    def test_get_passes_whatever_it_carries(self):
        path = story.new_path()
        for _ in range(2):
            self.assert_first(self.send("GET", path, key="same"))
        self.assert_requests(path, 2)


class FlagsAlone(story.Story):
    """`onceward run --upstream URL` is a complete configuration."""

    settings = None

    def test_an_upstream_is_all_that_must_be_said(self):
        upstream = self.start_upstream()
        flags = ["--upstream", upstream.url]
        started = self.make_gateway(upstream.url, flags=flags)
        started.only_flags = True
        started.flags += ["--listen", started.settings["listen"], "--admin", started.settings["admin"]]
        started.start()
        key, path = story.new_key(), story.new_path()
        first = self.post(path, key=key, via=started)
        self.assert_first(first)
        self.assert_replay(self.post(path, key=key, via=started), first)
        self.assertTrue((started.folder / "data").is_dir(), "the journal is in ./data")

    def test_flags_beat_the_file(self):
        wrong, right = self.start_upstream(), self.start_upstream()
        started = self.start_gateway(wrong.url, flags=["--upstream", right.url])
        path = story.new_path()
        self.assert_first(self.post(path, key=story.new_key(), via=started))
        self.assert_effects(path, 1, at=right)
        self.assert_effects(path, 0, at=wrong)

    def test_several_upstreams_take_turns(self):
        upstreams = [self.start_upstream() for _ in range(2)]
        started = self.start_gateway([each.url for each in upstreams], workers=1)
        path = story.new_path()
        for _ in range(8):
            self.assert_first(self.post(path, via=started))
        self.assertEqual([each.effects(path) for each in upstreams], [4, 4])

    def test_help_and_version_are_answers(self):
        for flag, word in (("--help", "run"), ("--version", "onceward")):
            finished = gateway.run_binary(flag)
            self.assertEqual(finished.returncode, 0, finished.stderr)
            self.assertIn(word, finished.stdout)


if __name__ == "__main__":
    story.main()
