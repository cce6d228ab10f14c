"""The stores that the rig can be run with: how the gateway is told of one, and what is done to it. Each lives as
long as a life does.
"""

import json
import tempfile

from e2e import gateway, postgres, redis
from faults import BIRTHS, COURSE, OF_JOURNALS, OF_SHARED_STORES
from failpoints import Step


class Journal:
    """The gateway's own; it dies and is opened with it."""

    port = 0
    births = BIRTHS
    lives = (*["synced"] * 7, "written")  # In turn. The synced ones of a round take the whole course.

    def __init__(self, durability, folder):
        self.durability = durability
        self.settings = {"journal": {"path": str(folder / "data"), "durability": durability}}

    @classmethod
    def course(cls, durability):
        whole = [*COURSE, *OF_JOURNALS]
        if durability == "synced":
            return whole
        return [fault for fault in whole if getattr(fault, "step", None) != Step.journal_sync]  # It syncs nothing.

    def prepare(self, configured):
        """Before the gateway is started for the first time."""

    def log(self):
        return ""

    def remove(self):
        """Ends it, if it does not end with the gateway."""


class Postgres:
    """A server of its own, which is killed, frozen and cut off as well."""

    births = (None,)
    lives = ("synced",)

    def __init__(self, durability, folder):
        del folder
        self.durability = durability
        self._server = postgres.start()
        self.port = self._server.port
        self.settings = {"postgres": {"url": self._server.create_database("records"), "durability": durability}}

    @classmethod
    def course(cls, durability):
        del durability
        return [*COURSE, *OF_SHARED_STORES]

    def prepare(self, configured):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(configured.settings, file)
            file.flush()
            done = gateway.run_binary("store", "migrate", "--config", file.name)
        assert done.returncode == 0, done.stderr

    def kill(self):
        self._server.kill()

    def start(self):
        self._server.start()

    def freeze(self):
        self._server.pause()

    def thaw(self):
        self._server.resume()

    def log(self):
        return self._server.log()

    def remove(self):
        self._server.remove()


class Redis:
    """Likewise. Its log is synced before each answer."""

    births = (None,)
    lives = ("synced",)

    def __init__(self, durability, folder):
        del folder
        self.durability = durability
        self._server = redis.start(**redis.SYNCED)
        self.port = self._server.port
        self.settings = {"redis": {"url": self._server.url(), "durability": durability}}

    @classmethod
    def course(cls, durability):
        del durability
        return [*COURSE, *OF_SHARED_STORES]

    def prepare(self, configured):
        """Nothing has to be made."""

    def kill(self):
        self._server.kill()

    def start(self):
        self._server.start()

    def freeze(self):
        self._server.pause()

    def thaw(self):
        self._server.resume()

    def log(self):
        return self._server.log()

    def remove(self):
        self._server.remove()


STORES = {"journal": Journal, "postgres": Postgres, "redis": Redis}
