"""The base of stories about gateways that share one PostgreSQL database."""

import json
import sys
import tempfile

from . import gateway, postgres, story, upstream


def migrate(configured):
    """Runs `onceward store migrate` with the configuration of a gateway."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(configured.settings, file)
        file.flush()
        return gateway.run_binary("store", "migrate", "--config", file.name, environment=configured.environment)


class SharedStoreStory(story.Story):
    """A server and an upstream for the class; each test makes its own gateways, with `via=` to choose one."""

    server_options = {}
    server = None
    url = None
    settings = None

    @classmethod
    def setUpClass(cls):
        cls.server = postgres.start(**cls.server_options)
        cls.addClassCleanup(cls.server.remove)
        cls.url = cls.server.create_database("records")
        cls.upstream = upstream.Upstream()
        cls.addClassCleanup(cls.upstream.stop)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"---- {self.id()}: log of the server\n{self.server.log()}", file=sys.stderr)

    def make_shared(self, url=None, durability="synced", **settings):
        """A gateway on the database, not started."""
        store = {"postgres": {"url": url or self.url, "durability": durability}}
        return self.make_gateway(self.upstream.url, store=store, **settings)

    def start_shared(self, count=1, url=None, **settings):
        """`count` gateways that run, on a database that is migrated."""
        made = [self.make_shared(url, **settings) for _ in range(count)]
        done = migrate(made[0])
        self.assertEqual(done.returncode, 0, done.stderr)
        for each in made:
            each.start()
        return made

    def sql(self, text):
        return self.server.sql(text, "records")
