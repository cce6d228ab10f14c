"""What a figure is worth nothing without: the machine, the versions, the commit, the date."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from . import nginx


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
        "nginx": nginx.version().rpartition("/")[2],
        "other load": f"{os.getloadavg()[0]:.1f} (1-minute average before the run)",
        "wrk": _output("wrk", "--version").split(" [")[0].removeprefix("wrk "),
    }
