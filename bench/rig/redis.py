"""A Redis server of a contender's own. It appends to its log and never rewrites it, so that no rewriting falls into one
measurement and not into another.
"""

import pathlib
import shutil
import subprocess

from . import processes


def start(folder, fsync):
    """(the child, its port). `fsync` is what it does after a change: always or everysec."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    port = processes.free_port()
    settings = {"bind": "127.0.0.1", "port": port, "dir": folder, "appendonly": "yes", "appendfsync": fsync, "save": "",
                "auto-aof-rewrite-percentage": 0, "maxmemory-policy": "noeviction", "tcp-backlog": 511}
    words = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    return processes.Child(["redis-server", *words], folder / "redis.log", folder, port), port


def missing():
    return "" if shutil.which("redis-server") else "redis-server is not installed (tools/install bench)"


def version():
    told = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=False).stdout
    return told.partition(" v=")[2].partition(" ")[0]
