"""Child processes: started with their parent's death as their own, waited for by a port, measured in CPU time."""

import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

START_S = 30.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class CpuTime:
    user_s: float = 0.0
    system_s: float = 0.0

    def __add__(self, other):
        return CpuTime(self.user_s + other.user_s, self.system_s + other.system_s)

    def __sub__(self, other):
        return CpuTime(self.user_s - other.user_s, self.system_s - other.system_s)

    @property
    def total_s(self):
        return self.user_s + self.system_s


_given = set()


def free_port():
    """A port that nothing listens on and nobody else in this process was given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def wait_until(happened, seconds=START_S):
    """Whether it happened in that time."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.02)
    return True


class Child:
    """A process with all its descendants."""

    def __init__(self, command, log_path, folder, port, environment=None, start_s=START_S):
        self.started_at = time.monotonic()
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], cwd=folder,
                                             env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log)
        self._log_path = pathlib.Path(log_path)
        try:
            self._wait_until_it_listens(port, start_s)
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_listens(self, port, start_s):
        def ended_or_listens():
            if self._process.poll() is not None:
                return True
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return True
            except OSError:
                return False
        if not wait_until(ended_or_listens, start_s) or self._process.poll() is not None:
            raise RuntimeError(
                f"{self._process.args[3:]} does not listen on port {port}:\n{self._log_path.read_text()[-4000:]}")

    def cpu_time(self):
        return _sum(_cpu_time_of(pid) for pid in family(self._process.pid))

    def resident_bytes(self):
        return sum(resident_bytes_of(pid) for pid in family(self._process.pid))

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def family(pid):
    """The process and its living descendants."""
    found, queue = [], [pid]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                queue += [int(child) for child in (task / "children").read_text().split()]
        except FileNotFoundError:  # It ended meanwhile: its parent has its time.
            pass
    return found


def family_cpu_time(pid):
    return _sum(_cpu_time_of(each) for each in family(pid))


def _sum(times):
    total = CpuTime()
    for each in times:
        total += each
    return total


def _cpu_time_of(pid):
    """Of the process and of those of its children that have ended."""
    try:
        # The second field, the name in parentheses, may hold anything; user and system time are fields 14 and 15, those
        # of ended children 16 and 17.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return CpuTime()
    user, system, ended_user, ended_system = map(int, fields[11:15])
    return CpuTime((user + ended_user) / _TICKS_PER_S, (system + ended_system) / _TICKS_PER_S)


def resident_bytes_of(pid):
    try:
        found = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) << 10 if found else 0
