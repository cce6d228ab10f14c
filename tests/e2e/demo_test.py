#!/usr/bin/python3
"""`onceward demo` tells a true story: the duplicate charge, its disappearance, and a kill -9 that leaves a key
unknown.
"""

import os
import pathlib
import tempfile
import unittest

from support import gateway, story


class Demo(unittest.TestCase):
    def test_it_tells_its_story_and_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory(prefix="onceward-e2e-") as folder:
            os.environ["TMPDIR"] = folder
            finished = gateway.run_binary("demo", cwd=folder)
            self.assertEqual(finished.returncode, 0, finished.stdout + finished.stderr)
            told = finished.stdout.split("The card was charged")
            self.assertEqual([part.split()[0] for part in told[1:]], ["2", "1", "1"], finished.stdout)
            for word in ("Idempotent-Replayed: true", "422", "kill -9", "outcome-unknown"):
                self.assertIn(word, finished.stdout)
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [])


if __name__ == "__main__":
    story.main()
