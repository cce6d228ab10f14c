"""onceward, in each of its roles and with each of its stores."""

import json
import re
import subprocess
import urllib.request

from rig import contender, postgres, processes, redis


class Onceward(contender.Contender):
    """With its journal on a real disk and synced, as it is by default."""

    start_s = processes.START_S  # At most, until the gateway listens.
    durability = "synced"  # Of the journal.
    counted_as = ""  # The `answer` under which the gateway's own metrics must count the requests of this contender.

    @classmethod
    def missing(cls, build):
        binary = build / "apps/onceward/onceward"
        return "" if binary.exists() else f"{binary} is not built"

    def start(self):
        self.folder.mkdir(parents=True)
        store = self.start_store()
        self._start_gateway(store)

    def start_store(self):
        """The configuration's `store`, once what it needs is there."""
        return {"journal": {"path": str(self.folder / "data"), "durability": self.durability}}

    def _start_gateway(self, store, **settings):
        self.port, self._admin_port = processes.free_port(), processes.free_port()
        file = self.folder / "onceward.yaml"
        file.write_text(json.dumps({
            "listen": f"127.0.0.1:{self.port}",
            "admin": f"127.0.0.1:{self._admin_port}",
            "upstream": f"http://127.0.0.1:{self.upstream_port}",
            "store": store,
            "workers": self.workers,
            "limits": {"upstream_idle_max": 1024},
            "log": {"level": "warning"},
            **settings,
        }, indent=2))
        binary = str(self.build / "apps/onceward/onceward")
        self.prepare(binary, file)
        # The port for admin is opened last, and asked at once.
        self._children.append(processes.Child([binary, "run", "--config", str(file)], self.folder / "log", self.folder,
                                              self._admin_port, start_s=self.start_s))
        self._counted = self._count()

    def started_at(self):
        """When the gateway's process began, by the monotonic clock."""
        return self._children[-1].started_at

    def prepare(self, binary, file):
        """Before it is started with the configuration in `file`."""

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin_port}/metrics", timeout=10) as response:
            return response.read().decode()

    def _count(self):
        pattern = rf'^onceward_requests_total\{{[^}}]*"{self.counted_as}"[^}}]*\}} ([0-9.e+]+)$'
        return sum(float(value) for value in re.findall(pattern, self.metrics(), re.MULTILINE))

    def verify(self, requests):
        before, self._counted = self._counted, self._count()
        if self._counted - before < 0.99 * requests:
            raise RuntimeError(f"{self.name}: {self._counted - before:.0f} of {requests} were {self.counted_as}")


class _Executing:
    role = "first execution"
    load = "first_execution.lua"
    counted_as = "executed"


class _Replaying:
    role = "replay"
    load = "replay.lua"
    counted_as = "replayed"


class Unguarded(Onceward):
    name = "onceward unguarded pass-through"
    role = "pass-through"
    load = "unguarded.lua"
    does = "forwards each request; no key, so no record"
    counted_as = "passed"
    cpu_compared = (contender.Compared("nginx proxy_pass", "≤ 0.8", "≤ 0.95"),)


class FirstExecution(_Executing, Onceward):
    name = "onceward first execution"
    does = "a new key each time: claim synced to disk, forwarded, outcome synced to disk, then answered"
    cpu_compared = (contender.Compared("nginx proxy_pass", {64: "≤ 1.0", 256: "≤ 0.9"}, {64: "≤ 1.5", 256: "≤ 1.1"}),)
    rate_compared = (contender.Compared("nginx proxy_pass", {256: "≥ 1.0"}, {256: "≥ 0.85"}),)


class WrittenFirstExecution(_Executing, Onceward):
    """What of a first execution is the disk's; the next one says what is the journal's."""

    name = "onceward written, first execution"
    durability = "written"
    does = "the same, written to the journal but not synced (`durability: written`): a power cut loses records"
    cpu_compared = (contender.Compared("onceward first execution"),)


class MemoryFirstExecution(_Executing, Onceward):
    name = "onceward in memory, first execution"
    does = "the same with records in memory only (`store: memory`), for tests: the end of the process loses them"
    cpu_compared = (contender.Compared("onceward first execution"),)

    def start_store(self):
        return {"memory": {}}


class Replay(_Replaying, Onceward):
    name = "onceward replay"
    does = "reads key and body, compares the fingerprint, answers from the record; 1,000 keys"
    cpu_compared = (contender.Compared("nginx return 200", "≤ 0.9", "≤ 1.2"),)


class _WithPostgres(Onceward):
    """The server syncs every commit."""

    @classmethod
    def missing(cls, build):
        return Onceward.missing(build) or postgres.missing()

    def start_store(self):
        child, url = postgres.start(self.folder / "postgres")
        self._children.append(child)
        return {"postgres": {"url": url, "durability": "synced"}}

    def prepare(self, binary, file):
        subprocess.run([binary, "store", "migrate", "--config", str(file)], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)


class PostgresFirstExecution(_Executing, _WithPostgres):
    name = "onceward + PostgreSQL, first execution"
    does = ("the same with claim and outcome in PostgreSQL (`synchronous_commit` on); the server's CPU counts, and it "
            "runs on the same processors")
    rate_compared = (contender.Compared("nginx + Lua + Redis always, first execution", "", "≥ 1"),)
    cpu_compared = (contender.Compared("nginx + Lua + Redis always, first execution"),)


class PostgresReplay(_Replaying, _WithPostgres):
    name = "onceward + PostgreSQL, replay"
    does = "the same with the record in PostgreSQL"
    cpu_compared = (contender.Compared("onceward replay"),)


class _WithRedis(Onceward):
    fsync = "always"

    @classmethod
    def missing(cls, build):
        return Onceward.missing(build) or redis.missing() or _unknown_store(build)

    def start_store(self):
        child, port = redis.start(self.folder / "redis", self.fsync)
        self._children.append(child)
        durability = "synced" if self.fsync == "always" else "written"
        return {"redis": {"url": f"redis://127.0.0.1:{port}", "durability": durability}}


def _unknown_store(build):
    """What the binary says to a configuration with a Redis store, if it does not know that."""
    file = build / "bench-redis.yaml"
    file.write_text('upstream: "http://127.0.0.1:9"\nstore: { redis: { url: "redis://127.0.0.1:9" } }\n')
    told = subprocess.run([build / "apps/onceward/onceward", "check-config", file], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL)
    file.unlink()
    if told.returncode == 0:
        return ""
    said = (told.stdout + told.stderr).strip().partition("\n")[0].rpartition("error: ")[2]
    return f"this onceward has no Redis store; it says: {said}"


class RedisFirstExecution(_Executing, _WithRedis):
    name = "onceward + Redis always, first execution"
    does = "the same with claim and outcome in Redis (`appendfsync always`); the server's CPU counts"
    rate_compared = (contender.Compared("nginx + Lua + Redis always, first execution", "", "≥ 2"),)
    cpu_compared = (contender.Compared("nginx + Lua + Redis always, first execution"),)


class RedisEverySecondFirstExecution(_Executing, _WithRedis):
    name = "onceward + Redis everysec, first execution"
    does = "the same with `appendfsync everysec`"
    fsync = "everysec"
    rate_compared = (contender.Compared("nginx + Lua + Redis everysec, first execution", "", "≥ 2"),)
    cpu_compared = (contender.Compared("nginx + Lua + Redis everysec, first execution"),)


class RedisReplay(_Replaying, _WithRedis):
    name = "onceward + Redis, replay"
    does = "the same with the record in Redis"
    cpu_compared = (contender.Compared("nginx + Lua + Redis, replay"),)
