"""Power cuts for a database server: it runs with the library of synced_only.cc, which keeps what was synced, and comes
up again on that alone.
"""

import os
import pathlib
import shutil


class Power:
    """Of a server that works in `disk`, which is not running yet."""

    def __init__(self, disk):
        self._disk = pathlib.Path(disk)
        self._synced = self._disk.with_name(self._disk.name + "-synced")
        self._copy(self._disk, self._synced)

    def environment(self):
        library = os.environ.get("ONCEWARD_SYNCED_ONLY_LIBRARY")
        assert library, "ONCEWARD_SYNCED_ONLY_LIBRARY does not name the library built from synced_only.cc"
        return {**os.environ, "LD_PRELOAD": str(pathlib.Path(library).resolve()), "ONCEWARD_DISK": str(self._disk),
                "ONCEWARD_DISK_SYNCED": str(self._synced)}

    def has(self, pattern):
        """Whether such a file was ever synced."""
        return any(self._synced.rglob(pattern))

    def cut(self, server):
        """The server is gone, and with it whatever it had not synced."""
        server.kill()
        self._copy(self._synced, self._disk)
        for half in self._disk.rglob("*.half-*"):
            half.unlink()

    @staticmethod
    def _copy(source, target):
        """With owners, because some servers are particular."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
        for path in (source, *source.rglob("*")):
            about = path.lstat()
            os.chown(target / path.relative_to(source), about.st_uid, about.st_gid, follow_symlinks=False)
