"""What these tests take from the end-to-end tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from support import addresses, gateway, story, upstream, waiting, wire  # noqa: E402,F401  pylint: disable=all
