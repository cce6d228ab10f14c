"""Redis servers of a test's own, in temporary folders, on addresses of ours, gone with the test: one alone, one with
replicas that sentinels watch, and a cluster.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from . import addresses, waiting

SLOTS = 16384
# What the default durability of the store asks for.
SYNCED = {"appendonly": "yes", "appendfsync": "always"}


class Redis:
    """`settings` are added to the server's configuration, with `-` for `_`; where a value is a list, once for each.

    With `clock`, the library of tests/conformance/server_clock.cc, the server's clock is what set_clock() says, and
    stands still in between.
    """

    def __init__(self, clock=None, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onceward-redis-"))
        self.host = addresses.own_host()
        self.port = addresses.free_port()
        self.settings = {"bind": self.host, "port": self.port, "dir": self.folder, "daemonize": "no", "save": "",
                         "protected-mode": "no", "enable-debug-command": "yes", "repl-diskless-sync-delay": 0,
                         "replica-announce-ip": self.host, "cluster-announce-ip": self.host,
                         **{name.replace("_", "-"): value for name, value in settings.items()}}
        self.clock_file = self.folder / "clock"
        self._clock = clock and pathlib.Path(clock).resolve()
        self.environment = dict(os.environ)
        self.cli_flags = []  # What redis-cli needs to be let in.
        self._process = None
        self._log = self.folder / "log"

    # -- life --

    def start(self):
        self.launch()
        waiting.until(self.answers, "Redis takes connections")
        return self

    def launch(self):
        file = self.folder / "redis.conf"
        lines = [f'{name} {each if each != "" else chr(34) * 2}\n'
                 for name, value in self.settings.items() for each in (value if isinstance(value, list) else [value])]
        # A sentinel writes its file anew, and goes on with what it wrote.
        if not (self._mode() and file.exists()):
            file.write_text("".join(lines))
        environment = dict(self.environment)
        if self._clock:
            if not self.clock_file.exists():
                self.set_clock(1_767_225_600_000)
            environment.update({"LD_PRELOAD": str(self._clock), "ONCEWARD_SERVER_CLOCK": str(self.clock_file)})
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "redis-server", file, *self._mode()],
                                             cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=environment)

    def _mode(self):
        return []

    def set_clock(self, ms):
        """Milliseconds since 1970-01-01 UTC."""
        with self.clock_file.open("r+b" if self.clock_file.exists() else "wb") as file:
            file.write(ms.to_bytes(8, sys.byteorder))

    def answers(self):
        assert self._process.poll() is None, f"Redis ended before it was ready:\n{self.log()}"
        return self._cli("PING").stdout.strip() == "PONG"

    def stop(self):
        """As an operator stops it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(waiting.DEADLINE_S)

    def kill(self):
        """kill -9."""
        self._process.kill()
        self._process.wait(waiting.DEADLINE_S)

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def remove(self):
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        try:
            return self._log.read_text(errors="replace")[-16_000:]
        except OSError:
            return ""

    # -- talking to it --

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def url(self, user="", password="", scheme="redis"):
        who = f"{user}:{password}@" if password else ""
        return f"{scheme}://{who}{self.address}"

    def ask(self, *words):
        """What redis-cli prints of the reply."""
        done = self._cli(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def info(self, section):
        """The section as a dict."""
        lines = [line.partition(":") for line in self.ask("INFO", section).splitlines() if ":" in line]
        return {name: value.strip() for name, _, value in lines}

    def configure(self, name, value):
        assert self.ask("CONFIG", "SET", name, str(value)) == "OK"

    def follow(self, primary):
        """Becomes a replica of `primary`, and returns when it has all that is there."""
        self.ask("REPLICAOF", primary.host, str(primary.port))
        waiting.until(lambda: self.info("replication").get("master_link_status") == "up", "the replica follows")

    def _cli(self, *words):
        return subprocess.run(["redis-cli", "-h", self.host, "-p", str(self.port), *self.cli_flags, *map(str, words)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=waiting.DEADLINE_S,
                              check=False)


class Sentinel(Redis):
    """Watches `primary` under `name`, with others of its kind; `quorum` of them decide that it is gone."""

    def __init__(self, primary, name="records", quorum=2, down_after_ms=500):
        super().__init__()
        self.settings = {"bind": self.host, "port": self.port, "dir": self.folder, "daemonize": "no",
                         "protected-mode": "no", "sentinel announce-ip": self.host,
                         f"sentinel monitor {name}": f"{primary.host} {primary.port} {quorum}",
                         f"sentinel down-after-milliseconds {name}": down_after_ms,
                         f"sentinel failover-timeout {name}": 4_000}
        self.name = name

    def _mode(self):
        return ["--sentinel"]

    def primary(self):
        """(host, port) of whom it takes for the primary."""
        host, port = self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name).split()
        return host, int(port)

    def knows(self, replicas, sentinels):
        """Whether it has found so many replicas, and so many sentinels beside itself."""
        lines = self.ask("SENTINEL", "MASTER", self.name).splitlines()
        known = dict(zip(lines[::2], lines[1::2]))
        return int(known["num-slaves"]) >= replicas and int(known["num-other-sentinels"]) >= sentinels


class Watched:
    """A primary, its replicas, and three sentinels that promote one of them where the primary is gone."""

    def __init__(self, replicas=2, **settings):
        self.primary = Redis(**settings)
        self.replicas = [Redis(**settings) for _ in range(replicas)]
        self.sentinels = []

    def start(self):
        self.primary.start()
        for each in self.replicas:
            each.start()
            each.follow(self.primary)
        self.sentinels = [Sentinel(self.primary) for _ in range(3)]
        for each in self.sentinels:
            each.start()
        waiting.until(lambda: all(each.knows(len(self.replicas), 2) for each in self.sentinels),
                      "the sentinels know each other")
        return self

    def all(self):
        return [self.primary, *self.replicas, *self.sentinels]

    def new_primary(self):
        """The replica that was promoted, once all sentinels say so and it takes writes."""
        before = (self.primary.host, self.primary.port)

        def find():
            told = {each.primary() for each in self.sentinels}
            if len(told) != 1 or told == {before}:
                return None
            found = [each for each in self.replicas if (each.host, each.port) in told]
            return found[0] if found and found[0].info("replication")["role"] == "master" else None

        return waiting.until(find, "a replica is promoted")

    def remove(self):
        for each in self.all():
            each.remove()


class Cluster:
    """`primaries` nodes that share the slots, each with one replica."""

    def __init__(self, primaries=3, **settings):
        settings = {"cluster_enabled": "yes", "cluster_node_timeout": 2_000, "cluster_config_file": "nodes.conf",
                    **settings}
        self.primaries = [Redis(cluster_port=addresses.free_port(), **settings) for _ in range(primaries)]
        self.replicas = [Redis(cluster_port=addresses.free_port(), **settings) for _ in range(primaries)]

    def all(self):
        return [*self.primaries, *self.replicas]

    def start(self):
        for each in self.all():
            each.start()
        first = self.primaries[0]
        share = SLOTS // len(self.primaries)
        for index, each in enumerate(self.primaries):
            end = SLOTS - 1 if each is self.primaries[-1] else (index + 1) * share - 1
            each.ask("CLUSTER", "ADDSLOTSRANGE", index * share, end)
            each.ask("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for each in self.all()[1:]:
            each.ask("CLUSTER", "MEET", first.host, first.port, first.settings["cluster-port"])
        count = len(self.all())
        waiting.until(lambda: all(int(self._state(each)["cluster_known_nodes"]) == count for each in self.all()),
                      "the nodes know each other")
        for primary, replica in zip(self.primaries, self.replicas):
            waiting.until(lambda r=replica, p=primary: r.ask("CLUSTER", "REPLICATE", self.id_of(p)) == "OK",
                          "the replica knows its primary")
        waiting.until(self.is_well, "the cluster serves all slots, with a replica for each")
        return self

    def is_well(self):
        return (all(self._state(each)["cluster_state"] == "ok" for each in self.all()) and
                all(each.info("replication").get("master_link_status") == "up" for each in self.replicas))

    @staticmethod
    def _state(node):
        return dict(line.split(":") for line in node.ask("CLUSTER", "INFO").split())

    @staticmethod
    def id_of(node):
        return node.ask("CLUSTER", "MYID")

    def urls(self):
        return [each.url() for each in self.all()]

    def begin_to_move(self, slot, source, target):
        """Until end_to_move(), keys of the slot are at either node: MOVED gives way to ASK."""
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id_of(source))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id_of(target))

    @staticmethod
    def move_keys(slot, source, target, count=1_000):
        """Up to `count` keys of the slot; how many there were."""
        keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, count).split()
        if keys:
            source.ask("MIGRATE", target.host, target.port, "", 0, 5_000, "KEYS", *keys)
        return len(keys)

    def end_to_move(self, slot, source, target):
        for each in (target, source, *(node for node in self.primaries if node not in (source, target))):
            each.ask("CLUSTER", "SETSLOT", slot, "NODE", self.id_of(target))

    def remove(self):
        for each in self.all():
            each.remove()


def start(**settings):
    """A server by itself that takes connections."""
    return _started(Redis(**settings))


def start_watched(**settings):
    return _started(Watched(**settings))


def start_cluster(**settings):
    return _started(Cluster(**settings))


def _started(made):
    try:
        return made.start()
    except BaseException:
        made.remove()
        raise
