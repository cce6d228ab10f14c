"""The base of stories about gateways that share one store: a PostgreSQL database, or Redis."""

import dataclasses
import json
import sys
import tempfile

from . import gateway, postgres, redis, story, upstream, waiting


def migrate(configured):
    """Runs `onceward store migrate` with the configuration of a gateway."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(configured.settings, file)
        file.flush()
        return gateway.run_binary("store", "migrate", "--config", file.name, environment=configured.environment)


@dataclasses.dataclass(frozen=True)
class RunAndWait:
    path: str
    key: str
    gate: waiting.Gate
    runs: waiting.Background
    waits: waiting.Background


class AnySharedStore(story.Story):
    """A server and an upstream for the class; each test makes its own gateways, with `via=` to choose one."""

    server_options = {}
    server = None
    url = None
    settings = None

    @classmethod
    def setUpClass(cls):
        cls.start_server()
        cls.upstream = upstream.Upstream()
        cls.addClassCleanup(cls.upstream.stop)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"---- {self.id()}: log of the server\n{self.server.log()}", file=sys.stderr)

    def start_shared(self, count=1, url=None, **settings):
        """`count` gateways that run, on a store that is ready for them."""
        made = [self.make_shared(url, **settings) for _ in range(count)]
        self.prepare(made[0])
        for each in made:
            each.start()
        return made

    def make_shared(self, url=None, **settings):
        """A gateway on the store, not started."""
        raise NotImplementedError

    def prepare(self, configured):
        """What has to be done once before gateways can use the store."""

    # -- what must hold --

    def assert_no_store(self, via):
        path = story.new_path()
        document = self.assert_problem(self.post(path, {}, story.new_key(), via=via), "store-unavailable")
        self.assertNotIn("onceward:", str(document.get("detail")).replace("urn:onceward:", ""))
        self.assert_requests(path, 0)

    def assert_works(self, via):
        path, key = story.new_path(), story.new_key()
        first = self.post(path, {}, key, via=via)
        self.assert_first(first)
        self.assert_replay(self.post(path, {}, key, via=via), first)
        self.assert_effects(path, 1)

    def run_and_wait(self, here, there):
        """A request whose attempt runs at gateway `here`, held at a gate, and its duplicate that waits at `there`."""
        gate, path, key = waiting.Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        runs = waiting.Background(lambda: self.post(path, {}, key, via=here))
        self.upstream.wait_for_requests(path)
        waits = waiting.Background(lambda: self.post(path, {}, key, via=there))
        waiting.until(lambda: there.waiters() == 1, "the other waits")
        return RunAndWait(path, key, gate, runs, waits)

    def ready(self, via):
        return via.admin("GET", "/readyz").status == 200


class SharedStoreStory(AnySharedStore):
    """On a PostgreSQL database."""

    @classmethod
    def start_server(cls):
        cls.server = postgres.start(**cls.server_options)
        cls.addClassCleanup(cls.server.remove)
        cls.url = cls.server.create_database("records")

    def make_shared(self, url=None, durability="synced", **settings):
        store = {"postgres": {"url": url or self.url, "durability": durability}}
        return self.make_gateway(self.upstream.url, store=store, **settings)

    def prepare(self, configured):
        done = migrate(configured)
        self.assertEqual(done.returncode, 0, done.stderr)

    def end_sessions(self):
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'onceward'")

    def sessions(self):
        return int(self.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'onceward'"))

    def sql(self, text):
        return self.server.sql(text, "records")


class RedisStory(AnySharedStore):
    """On a Redis server."""

    server_options = redis.SYNCED

    @classmethod
    def start_server(cls):
        cls.server = redis.start(**cls.server_options)
        cls.addClassCleanup(cls.server.remove)
        cls.url = cls.server.url()

    def make_shared(self, url=None, store=None, **settings):
        """`store` adds to its keys, or replaces them."""
        return self.make_gateway(self.upstream.url, store={"redis": {"url": url or self.url, **(store or {})}},
                                 **settings)

    def end_sessions(self):
        self.server.ask("CLIENT", "KILL", "TYPE", "normal")
        self.server.ask("CLIENT", "KILL", "TYPE", "pubsub")

    def sessions(self):
        return len([line for line in self.server.ask("CLIENT", "LIST").splitlines() if "cmd=client" not in line])
