"""The npm-packaged durable-execution server Restate, with a service behind it that does as little as possible."""

import json
import pathlib
import time
import urllib.request

from rig import contender, node, processes

_CONFIGURATION = """\
listen-mode = "tcp"
bind-ip = "127.0.0.1"
bind-port = {fabric_port}
base-dir = "{folder}/data"
disable-telemetry = true
log-filter = "warn"
default-thread-pool-size = {workers}
[ingress]
bind-ip = "127.0.0.1"
bind-port = {port}
[admin]
bind-ip = "127.0.0.1"
bind-port = {admin_port}
"""


def _binary():
    found = sorted((node.FOLDER / "node_modules/@restatedev").glob("restate-server-*/bin/restate-server"))
    return found[0] if found else pathlib.Path("restate-server")


class Restate(contender.Sharing):
    peer = "Restate"
    role = "first execution"
    load = "first_execution.lua"
    path = "/charges/forwarded"
    settle_s = 2
    cpu_compared = (contender.Compared("onceward first execution", "≥ 60", "≥ 40"),)

    @classmethod
    def missing(cls, build):
        if not _binary().exists():
            return "@restatedev/restate-server (npm) has no binary for this machine here (tools/install bench)"
        return node.missing("@restatedev/restate-sdk")

    def launch(self):
        service_port, self.port, admin_port, fabric_port = (processes.free_port() for _ in range(4))
        file = self.folder / "restate.toml"
        file.write_text(_CONFIGURATION.format(fabric_port=fabric_port, folder=self.folder, workers=self.workers,
                                              port=self.port, admin_port=admin_port))
        self._children.append(processes.Child(
            ["node", str(node.FOLDER / "restate_service.mjs"), str(service_port), str(self.upstream_port)],
            self.folder / "service.log", self.folder, service_port,
            environment={"NODE_ENV": "production", "RESTATE_LOGGING": "ERROR"}))
        self._children.append(processes.Child([str(_binary()), "--no-logo", "-c", str(file)], self.folder / "log",
                                              self.folder, self.port))
        self._introduce(admin_port, service_port)

    def _introduce(self, admin_port, service_port):
        """Tells the server of the service, and waits until it calls it."""
        self._post(admin_port, "/deployments", {"uri": f"http://127.0.0.1:{service_port}"})
        self._post(self.port, "/charges/local", {})

    @staticmethod
    def _post(port, path, document):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(document).encode(),
                                         {"Content-Type": "application/json"})
        end = time.monotonic() + processes.START_S

        def accepted():
            try:
                urllib.request.urlopen(request, timeout=max(1, end - time.monotonic())).close()
                return True
            except OSError:
                return False
        if not processes.wait_until(accepted):
            raise RuntimeError(f"Restate does not take {path}")


class Local(Restate):
    name = "Restate, in the service"
    path = "/charges/local"
    forwards = False
    does = ("POST to the ingress of Restate's server with an Idempotency-Key; the service behind it (node, one "
            "process) answers by itself, nothing is forwarded. The server syncs its log, as it does by default. The "
            "CPU of server and service counts. Restate does more than this job: it goes on with an invocation whose "
            "service died")


class Forwarding(Restate):
    name = "Restate, forwarding"
    does = "the same, and the service asks the upstream in a step that the server records"


class Replay(Restate):
    name = "Restate, replay"
    role = "replay"
    load = "replay.lua"
    does = "the same key again, 1,000 keys: answered by the server without the service"
    cpu_compared = (contender.Compared("onceward replay"),)
