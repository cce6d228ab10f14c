"""The real binary as a child process."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from . import addresses, waiting, wire

# Reports of the sanitizers; any of them in a log fails the test that stops the gateway.
_REPORT = re.compile(r"(ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|assertion .*failed)")


def binary():
    path = os.environ.get("ONCEWARD_BINARY")
    if not path:
        raise AssertionError("ONCEWARD_BINARY does not name the binary")
    return str(pathlib.Path(path).resolve())


def default_environment():
    return {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


def run_binary(*arguments, environment=None, **options):
    """Runs the binary to its end; gives the finished process, with its output as text."""
    return subprocess.run([binary(), *arguments], env=environment or default_environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=waiting.DEADLINE_S, check=False, **options)


class Gateway:
    """One gateway, on free ports of the test's own address, with a data directory of its own.

    `settings` are the keys of the configuration file (JSON is YAML); `flags` are added to the command line. Stopping it
    asserts an orderly end without a sanitizer's report; a gateway that was killed can be started again on its journal.
    """

    def __init__(self, upstreams, *, flags=(), **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onceward-e2e-"))
        self.data = self.folder / "data"
        self.host = addresses.own_host()
        self.address = (self.host, addresses.free_port())
        self.admin_address = (self.host, addresses.free_port())
        self.url = "http://%s:%d" % self.address
        self.environment = default_environment()
        self.flags = list(flags)
        self.only_flags = False  # Whether the configuration file stays out of it.
        self.settings = {
            "listen": "%s:%d" % self.address,
            "admin": "%s:%d" % self.admin_address,
            "upstream": upstreams,
            "store": {"journal": {"path": str(self.data)}},
            "workers": 2,
            **settings,
        }
        self.log_path = self.folder / "log"
        self._process = None
        self._last_words = ""

    # -- life --

    def start(self):
        self.launch()
        waiting.until(self.is_ready, "the gateway is ready")
        return self

    def launch(self):
        """Starts the process and does not wait for it."""
        file = self.folder / "onceward.yaml"
        file.write_text(json.dumps(self.settings, indent=2))
        # With its parent it dies, however the parent ends.
        config = [] if self.only_flags else ["--config", str(file)]
        command = ["setpriv", "--pdeathsig", "KILL", binary(), "run", *config, *self.flags]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environment, cwd=self.folder,
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_ready(self):
        if self._process.poll() is not None:
            status = self._process.returncode
            raise AssertionError(f"the gateway ended with {status} before it was ready:\n{self.log()}")
        try:
            return self.admin("GET", "/readyz").status == 200
        except OSError:
            return False

    @property
    def pid(self):
        return self._process.pid

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    def wait_for_end(self):
        """The exit status, once it has ended by itself."""
        return self._process.wait(waiting.DEADLINE_S)

    def terminate(self):
        """Asks it to drain."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self):
        """kill -9."""
        self._process.kill()
        self._process.wait(waiting.DEADLINE_S)

    def pause(self):
        """Returns when every thread of it stands still, which a busy machine may take its time for."""
        self._process.send_signal(signal.SIGSTOP)
        threads = pathlib.Path(f"/proc/{self.pid}/task").glob
        waiting.until(lambda: all(each.read_text().rpartition(") ")[2].startswith("T") for each in threads("*/stat")),
                      "it stands still")

    def resume(self):
        """Lets a process that was stopped go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """Drains, and asserts that the end was orderly."""
        if self.running:
            self.terminate()
            status = self.wait_for_end()
            assert status == 0, f"the gateway ended with {status} after SIGTERM:\n{self.log()}"
        report = _REPORT.search(self.log())
        assert not report, f"the gateway's log has a report:\n{self.log()}"

    def remove(self):
        """Ends it in any case and deletes its folder."""
        if self.running:
            self.kill()
        self._last_words = self.log()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        try:
            return self.log_path.read_text(errors="replace")
        except OSError:
            return self._last_words

    def last_log(self):
        return self.log()[-16_000:]

    # -- talking to it --

    def call(self, method, target, fields=(), body=None):
        return wire.call(self.address, method, target, fields, body)

    def connect(self):
        return wire.Connection(self.address)

    def admin(self, method, target, body=None):
        fields = () if body is None else {"Content-Type": "application/json"}
        body = None if body is None else json.dumps(body).encode()
        return wire.call(self.admin_address, method, target, fields, body)

    def unknown_records(self):
        """The records that the admin listener lists."""
        response = self.admin("GET", "/records?state=unknown&limit=1000")
        assert response.status == 200, response
        return response.json["records"]

    def metrics(self):
        """Name with labels, as they stand there -> value."""
        response = self.admin("GET", "/metrics")
        assert response.status == 200, response
        lines = [line for line in response.body.decode().splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def waiters(self):
        """How many requests wait for another's answer now."""
        return sum(value for name, value in self.metrics().items() if name.startswith("onceward_waiters"))
