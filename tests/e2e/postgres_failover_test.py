#!/usr/bin/python3
"""A primary with a synchronous standby, which is promoted when the primary is lost: nothing that was acknowledged is
gone, no effect happens twice, and nobody is promised two machines where one is left.
"""

from support import postgres, shared_store, story, upstream
from support.waiting import Background, Gate, until


class Failover(shared_store.SharedStoreStory):
    # Until there is a standby, nobody waits for one.
    server_options = {"synchronous_standby_names": "standby", "synchronous_commit": "local"}

    def start_standby(self):
        standby = postgres.Postgres()
        self.addCleanup(standby.remove)
        standby.create_standby_of(self.server, "standby").start()
        self.server.sql("ALTER DATABASE records SET synchronous_commit = on", "postgres")
        until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1",
              "the standby follows")
        return standby

    def test_a_promoted_standby_has_all_that_was_acknowledged(self):
        standby = self.start_standby()
        either = (f"postgres://onceward@{self.server.host}:{self.server.port},{standby.host}:{standby.port}"
                  "/records?target_session_attrs=read-write")
        patient = {"lease": "1h", "wait": "1h"}
        gateway = self.start_shared(url=either, defaults=patient)[0]
        strict = self.make_shared(either, durability="replicated", defaults=patient).start()
        recorded = [(story.new_path(), story.new_key()) for _ in range(20)]
        answers = [self.post(path, {}, key, via=via) for (path, key), via in zip(recorded, [gateway, strict] * 10)]
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.run_then_held(gate))
        runs = Background(lambda: self.post(path, {}, key, via=gateway))
        self.upstream.wait_for_requests(path)

        self.server.kill()
        standby.promote()
        gate.open()
        first = runs.result()
        self.assert_first(first)
        # One lane found the standby; a key of another lane is refused until that has, too.
        until(gateway.is_ready, "every lane is at the standby")
        for (path, key), answer in [((path, key), first), *zip(recorded, answers)]:
            self.assert_replay(self.post(path, {}, key, via=gateway), answer)
            self.assert_effects(path, 1)
        self.assertIn('"store-server-changed"', gateway.log())

        # The one that is left has no standby.
        until(lambda: "synchronous_standby_names is empty" in strict.log(), "the operator is told")
        path = story.new_path()
        self.assert_problem(self.post(path, {}, story.new_key(), via=strict), "store-unavailable")
        self.assert_requests(path, 0)


if __name__ == "__main__":
    story.main()
