"""What a figure is worth nothing without: the machine, the versions, the commit, the date."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from . import nginx, node, postgres, redis


def _output(*command):
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        return (finished.stdout + finished.stderr).strip()
    except OSError:
        return ""


def _processor():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def file_system(folder):
    """(type, device) of the file system that holds the folder."""
    found = _output("findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", str(folder)).split()
    return (found + ["unknown", ""])[:2]


def _peers():
    def packaged(package):
        return _output("dpkg-query", "--show", "--showformat=${Version}", package) if _installed(package) else ""
    return {
        "nginx": "" if nginx.missing() else nginx.version().rpartition("/")[2],
        "nginx's Lua module": packaged("libnginx-mod-http-lua"),
        "HAProxy": packaged("haproxy"),
        "Redis": "" if redis.missing() else redis.version(),
        "PostgreSQL": "" if postgres.missing() else postgres.version(),
        "node": "" if node.missing("express") else node.version(),
        **{package: node.version_of(package) for package in (
            "express", "express-idempotency", "express-idempotency-redis-adapter", "@restatedev/restate-server",
            "@restatedev/restate-sdk")},
        "RocksDB": packaged("librocksdb-dev"),
        "LMDB": packaged("liblmdb-dev"),
        "SQLite": packaged("libsqlite3-dev"),
    }


def _installed(package):
    return _output("dpkg-query", "--show", "--showformat=${db:Status-Status}", package) == "installed"


def describe(build, folder):
    commit = _output("git", "rev-parse", "--short=10", "HEAD")
    changed = bool(_output("git", "status", "--porcelain", "--untracked-files=no", "--", "src", "include", "apps"))
    memory_kib = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit + (" with changes" if changed else ""),
        "processor": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{int(memory_kib) / (1 << 20):.0f} GiB",
        "kernel": platform.release(),
        "disk": " on ".join(file_system(folder)),
        "onceward": _output(str(pathlib.Path(build) / "apps/onceward/onceward"), "--version").removeprefix("onceward "),
        **{name: version for name, version in _peers().items() if version},
        "other load": f"{os.getloadavg()[0]:.1f} (1-minute average before the run)",
        "wrk": _output("wrk", "--version").split(" [")[0].removeprefix("wrk "),
    }
