#!/usr/bin/python3
"""The whole rig at something that is broken: on a disk that says it has written what it has not, an acknowledged record
is lost with the process, and the rig must notice.
"""

import random
import unittest

from cycle import Life
from failpoints import Action, Place, Step
from faults import BIRTHS, AtStep
from stores import Journal

LYING_DISK = AtStep(Action.pretend_from_now, Step.journal_write, Place.before)


class LyingDisk(unittest.TestCase):
    def test_is_found_out(self):
        life = Life(Journal, "synced", clients=6)
        self.addCleanup(life.remove)
        self.assertTrue(life.begin(BIRTHS[0]))
        life.cycle(0, AtStep(Action.end, Step.client_send), random.Random(1))
        self.assertEqual(life.violations(), [])
        life.cycle(1, LYING_DISK, random.Random(2))
        broken = {wrong.partition(":")[0] for _, wrong in life.violations()}
        self.assertIn("one-effect", broken)
        self.assertIn("nothing-runs-again-in-silence", broken)
        key = next(key for key, wrong in life.violations() if wrong.startswith("one-effect"))
        self.assertIn("GATEWAY: a lie before journal_write", life.story(key))


if __name__ == "__main__":
    unittest.main()
