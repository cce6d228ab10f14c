"""What this rig takes from the end-to-end tests: the gateway as a child process, exact bytes, and waiting."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

# pylint: disable=all
from support import addresses, gateway, postgres, redis, story, upstream, waiting, wire  # noqa: E402,F401
