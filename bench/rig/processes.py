"""Child processes: started with their parent's death as their own, waited for by a port, measured in CPU time."""

import dataclasses
import os
import pathlib
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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Child:
    """A process with all its descendants."""

    def __init__(self, command, log_path, folder, port):
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], cwd=folder,
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._log_path = pathlib.Path(log_path)
        try:
            self._wait_until_it_listens(port)
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_listens(self, port):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                threading.Event().wait(0.02)
        raise RuntimeError(f"{self._process.args[3:]} does not listen on port {port}:\n{self._log_path.read_text()}")

    def cpu_time(self):
        total = CpuTime()
        for pid in self._family():
            total += _cpu_time_of(pid)
        return total

    def _family(self):
        """The process and its descendants. A child that ended is not counted: none ends while it is measured."""
        found, queue = [], [self._process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                queue += [int(child) for child in (task / "children").read_text().split()]
        return found

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(START_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _cpu_time_of(pid):
    # The second field, the name in parentheses, may hold anything; user and system time are fields 14 and 15.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return CpuTime(int(fields[11]) / _TICKS_PER_S, int(fields[12]) / _TICKS_PER_S)
