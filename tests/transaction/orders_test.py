#!/usr/bin/python3
"""The example services, killed before and after every statement that they send: stock, charges and records are always
in step, and a retry makes one effect of it. Then duplicates at once, and the real gateway on the same database, before,
after and while the library has the key.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from support import postgres, shared_store, story, upstream, waiting  # pylint: disable=wrong-import-position

STATEMENTS_MAX = 100


def preload_for(program):
    """AddressSanitizer's runtime insists on being the first."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    runtime = re.search(r"=> (\S*libasan\S*)", linked)
    return " ".join(([runtime[1]] if runtime else []) + [os.environ["ONCEWARD_STATEMENT_FAILPOINT"]])


class Orders:
    """One example and its data."""

    def __init__(self, program, place):
        self.program, self.place = program, place

    def start(self, *words, **environment):
        return subprocess.Popen([self.program, self.place, *words], env={**os.environ, **environment},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *words, **environment):
        process = self.start(*words, **environment)
        out, error = process.communicate(timeout=waiting.DEADLINE_S)
        assert "Sanitizer" not in error and "runtime error" not in error, error
        return process.returncode, out.strip()

    def order(self, customer="alice", key="k-1", item="tea", quantity="1", **environment):
        return self.run("place", customer, key, item, quantity, **environment)


class Killed:
    """The stories; a class for each database says how its data is made and read."""

    def assert_in_step(self, orders, happened):
        left, charges, records, messages = self.counts(orders)
        self.assertIn((left, charges, records, messages), ((10, 0, 0, 0), (9, 1, 1, 1)) if happened is None else
                      ((9, 1, 1, 1),))

    def test_at_every_statement_all_or_nothing_is_true(self):
        killed = 0
        for number in range(1, STATEMENTS_MAX):
            ended = set()
            for place in ("before", "after"):
                orders = self.make()
                status, out = orders.order(LD_PRELOAD=preload_for(orders.program), ONCEWARD_KILL_AT=str(number),
                                           ONCEWARD_KILL_PLACE=place)
                ended.add(status)
                self.assertIn(status, (0, -signal.SIGKILL), out)
                killed += status != 0
                self.assert_in_step(orders, None)
                status, out = orders.order()
                self.assertEqual(status, 0, out)
                self.assertRegex(out, r'^(ran|replayed) 201 \{"ordered"')
                self.assert_in_step(orders, True)
                self.forget(orders)
            if ended == {0}:
                break
        self.assertGreater(killed, 12)
        self.assertLess(number, STATEMENTS_MAX - 1)

    def test_twenty_duplicates_are_one_effect_and_two_customers_are_two(self):
        orders = self.make()
        processes = [orders.start("place", "alice", "k-1", "tea", "1") for _ in range(20)]
        said = [each.communicate(timeout=waiting.DEADLINE_S)[0].split(" ")[0].strip() for each in processes]
        self.assertEqual(sorted(said), ["ran"] + ["replayed"] * 19)
        self.assert_in_step(orders, True)
        self.assertTrue(orders.order("bob")[1].startswith("ran 201"))
        self.assertEqual(self.counts(orders), (8, 2, 2, 2))
        self.assertEqual(orders.order(quantity="2"), (1, "mismatch: body"))
        self.assertEqual(self.counts(orders), (8, 2, 2, 2))

    def test_a_refusal_is_recorded_too(self):
        orders = self.make()
        self.assertEqual(orders.order(quantity="11"), (0, 'ran 409 {"error":"sold out"}'))
        self.assertEqual(orders.order(quantity="11"), (0, 'replayed 409 {"error":"sold out"}'))
        self.assertEqual(self.counts(orders)[:2], (10, 0))


class OnSqlite(Killed, unittest.TestCase):

    def make(self):
        folder = tempfile.mkdtemp(prefix="onceward-orders-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        orders = Orders(os.environ["ONCEWARD_SQLITE_ORDERS"], f"{folder}/data")
        self.assertEqual(orders.run("setup"), (0, ""))
        return orders

    def counts(self, orders):
        connection = sqlite3.connect(orders.place)
        try:
            return connection.execute("SELECT (SELECT quantity FROM stock WHERE item = 'tea'),"
                                      " (SELECT count(*) FROM charge), (SELECT count(*) FROM onceward_record),"
                                      " (SELECT count(*) FROM onceward_outbox)").fetchone()
        finally:
            connection.close()

    def forget(self, orders):
        pass


class OnPostgres(Killed, shared_store.SharedStoreStory):

    number = 0

    def make(self):
        """A database of its own, copied from one that is set up."""
        if OnPostgres.number == 0:
            url = self.server.create_database("orders_template")
            done = shared_store.migrate(self.make_shared(url))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(Orders(os.environ["ONCEWARD_POSTGRES_ORDERS"], url).run("setup"), (0, ""))
        OnPostgres.number += 1
        name = f"orders_{OnPostgres.number}"
        self.server.sql(f"CREATE DATABASE {name} TEMPLATE orders_template", "postgres")
        return Orders(os.environ["ONCEWARD_POSTGRES_ORDERS"], self.server.url(name))

    def counts(self, orders):
        found = self.server.sql("SELECT (SELECT quantity FROM stock WHERE item = 'tea'),"
                                " (SELECT count(*) FROM charge), (SELECT count(*) FROM onceward.record),"
                                " (SELECT count(*) FROM onceward.outbox)", orders.place.rsplit("/", 1)[1])
        return tuple(map(int, found.split("|")))

    def forget(self, orders):
        self.server.sql(f"DROP DATABASE {orders.place.rsplit('/', 1)[1]} WITH (FORCE)", "postgres")


class OrdersBesideAGateway(shared_store.SharedStoreStory):
    """The example and a gateway's requests for the same orders, in a database of the test's own."""

    BODY = b'{"item":"tea","quantity":1}'

    def setUp(self):
        super().setUp()
        name = story.new_key("beside").replace("-", "_")
        self.orders = Orders(os.environ["ONCEWARD_POSTGRES_ORDERS"], self.server.create_database(name))

    def send_order(self, gateway, key, body=BODY):
        return gateway.call("POST", "/orders", [("Authorization", "alice"), ("Idempotency-Key", key),
                                                ("Content-Type", "application/json")], body)


class BesideAGateway(OrdersBesideAGateway):
    """What the library wrote, the gateway reads, and the other way round."""

    def test_the_gateway_replays_what_the_library_recorded(self):
        configured = self.make_shared(self.orders.place)
        self.assertEqual(shared_store.migrate(configured).returncode, 0)
        self.assertEqual(self.orders.run("setup"), (0, ""))
        # Before any gateway ran: the library makes the deployment secret.
        self.assertEqual(self.orders.order(key="k-9")[0], 0)
        gateway = configured.start()
        answer = self.send_order(gateway, "k-9")
        self.assertEqual((answer.status, answer.body), (201, b'{"ordered":' + self.BODY + b"}"))
        self.assertEqual(answer["Idempotent-Replayed"], "true")
        self.assertEqual(answer["Content-Type"], "application/json")
        self.assert_requests("/orders", 0)
        self.assertEqual(self.send_order(gateway, "k-9", b'{"item":"tea","quantity":2}').status, 422)

    def test_the_library_replays_what_the_gateway_recorded(self):
        (gateway,) = self.start_shared(url=self.orders.place)
        self.assertEqual(self.orders.run("setup"), (0, ""))
        answer = self.send_order(gateway, "k-1")
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.orders.order(), (0, f"replayed 200 {answer.body.decode().strip()}"))
        self.assertEqual(self.orders.order(quantity="3"), (1, "mismatch: body"))

    def test_the_library_sees_what_runs_behind_the_gateway(self):
        (gateway,) = self.start_shared(url=self.orders.place, defaults={"lease": "1h"})
        self.assertEqual(self.orders.run("setup"), (0, ""))
        gate = waiting.Gate()
        self.upstream.script("/orders", upstream.run_then_held(gate))
        runs = waiting.Background(lambda: self.send_order(gateway, "k-7"))
        waiting.until(lambda: self.server.sql("SELECT count(*) FROM onceward.record",
                                              self.orders.place.rsplit("/", 1)[1]) == "1", "the gateway has claimed")
        self.assertEqual(self.orders.order(key="k-7"), (1, "in flight"))
        gate.open()
        self.assertEqual(runs.result().status, 200)
        self.assertTrue(self.orders.order(key="k-7")[1].startswith("replayed 200"))


class OneKeyAtBoth(OrdersBesideAGateway):
    """One request comes to a gateway and to the library at once: whoever has the key first runs it, alone."""

    def setUp(self):
        super().setUp()
        self.upstream = self.start_upstream()
        (self.gateway,) = self.start_shared(url=self.orders.place, defaults={"lease": "1h", "wait": "1h"})
        self.assertEqual(self.orders.run("setup"), (0, ""))

    def database(self):
        return self.orders.place.rsplit("/", 1)[1]

    def charges(self):
        return int(self.server.sql("SELECT count(*) FROM charge", self.database()))

    def wait_for_waiting(self, gateway=0, library=0):
        """Until so many sessions wait for a lock; of the gateway there may be more."""
        text = ("SELECT count(*) FILTER (WHERE application_name = 'onceward') >= {} AND"
                " count(*) FILTER (WHERE application_name <> 'onceward') = {} FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()").format(gateway, library)
        waiting.until(lambda: self.server.sql(text, self.database()) == "t", "they wait for one another")

    @contextlib.contextmanager
    def library_that_has_claimed(self, key):
        """Its process, before the statement after its claim, and what lets it go on."""
        with self.server.open_session(self.database()) as session:
            session.ask("BEGIN; SELECT FROM stock WHERE item = 'tea' FOR UPDATE")
            process = self.orders.start("place", "alice", key, "tea", "1")
            self.wait_for_waiting(library=1)
            yield process, lambda: session.ask("COMMIT")

    def send_until_the_row_is_free(self, key):
        """A gateway waits for a row two seconds, and then refuses: definite, and to be sent again."""
        while True:
            answer = self.send_order(self.gateway, key)
            if answer.status != 503:
                return answer
            self.assert_problem(answer, "store-unavailable")

    def order_until_it_does_not_run_elsewhere(self, key):
        while True:
            status, said = self.orders.order(key=key)
            if said != "in flight":
                return status, said

    def assert_ran(self, process):
        self.assertTrue(process.communicate(timeout=waiting.DEADLINE_S)[0].startswith("ran 201"))

    def assert_replay_of_the_library(self, answer):
        self.assertEqual((answer.status, answer.body), (201, b'{"ordered":' + self.BODY + b"}"))
        self.assertEqual(answer["Idempotent-Replayed"], "true")
        self.assert_requests("/orders", 0)
        self.assertEqual(self.charges(), 1)

    def assert_replayed_to_the_library(self, key, answer):
        self.assertEqual(self.orders.order(key=key), (0, f"replayed 200 {answer.body.decode().strip()}"))
        self.assert_requests("/orders", 1)
        self.assertEqual(self.charges(), 0)

    def test_a_gateway_waits_for_the_library_and_replays(self):
        with self.library_that_has_claimed("k-1") as (process, go_on):
            duplicate = waiting.Background(lambda: self.send_until_the_row_is_free("k-1"))
            self.wait_for_waiting(gateway=1, library=1)
            go_on()
            self.assert_ran(process)
        self.assert_replay_of_the_library(duplicate.result())

    def test_a_gateway_that_has_waited_long_enough_refuses_and_forwards_nothing(self):
        with self.library_that_has_claimed("k-1") as (process, go_on):
            self.assert_problem(self.send_order(self.gateway, "k-1"), "store-unavailable")
            self.assert_requests("/orders", 0)
            go_on()
            self.assert_ran(process)
        self.assert_replay_of_the_library(self.send_order(self.gateway, "k-1"))

    def test_a_gateway_runs_what_the_library_did_not_commit(self):
        with self.library_that_has_claimed("k-1") as (process, go_on):
            duplicate = waiting.Background(lambda: self.send_until_the_row_is_free("k-1"))
            self.wait_for_waiting(gateway=1, library=1)
            process.kill()
            process.communicate(timeout=waiting.DEADLINE_S)
            go_on()
        answer = duplicate.result()
        self.assert_first(answer)
        self.assert_replayed_to_the_library("k-1", answer)

    def test_the_library_does_not_run_what_a_gateway_runs(self):
        gate = waiting.Gate()
        self.upstream.script("/orders", upstream.run_then_held(gate))
        runs = waiting.Background(lambda: self.send_order(self.gateway, "k-1"))
        self.upstream.wait_for_requests("/orders")
        self.assertEqual(self.orders.order(), (1, "in flight"))
        self.assertEqual(self.orders.order(quantity="2"), (1, "mismatch: body"))
        gate.open()
        answer = runs.result()
        self.assert_first(answer)
        self.assert_replayed_to_the_library("k-1", answer)

    def test_of_both_at_once_one_runs(self):
        for number in range(10):
            key = f"k-{number}"
            before = self.charges(), len(self.upstream.ledger("/orders"))
            with self.server.open_session(self.database()) as session:
                session.ask("BEGIN; LOCK TABLE onceward.record IN EXCLUSIVE MODE")
                sent = [waiting.Background(lambda key=key: self.send_until_the_row_is_free(key)) for _ in range(3)]
                placed = [waiting.Background(lambda key=key: self.order_until_it_does_not_run_elsewhere(key))
                          for _ in range(3)]
                self.wait_for_waiting(gateway=1, library=3)
                session.ask("COMMIT")
            answers = [each.result() for each in sent]
            said = [each.result()[1].split(" ", 2) for each in placed]
            ran = [how for how, _, _ in said if how != "replayed"]
            ran += ["forwarded" for each in answers if not each["Idempotent-Replayed"]]
            self.assertEqual(len(ran), 1, (said, answers))
            told = {(str(each.status), each.body.decode().strip()) for each in answers}
            self.assertEqual(told | {(status, body) for _, status, body in said}, told)
            self.assertEqual(len(told), 1, told)
            after = self.charges(), len(self.upstream.ledger("/orders"))
            self.assertEqual(after, (before[0] + (ran == ["ran"]), before[1] + (ran == ["forwarded"])))


class StandbyThatStandsStill(shared_store.SharedStoreStory):
    """A primary whose synchronous standby is stopped: an order's COMMIT waits for it, and somebody ends the wait."""

    # Until there is a standby, nobody waits for one.
    server_options = {"synchronous_standby_names": "standby", "synchronous_commit": "local"}

    def setUp(self):
        name = story.new_key("standby").replace("-", "_")
        self.orders = Orders(os.environ["ONCEWARD_POSTGRES_ORDERS"], self.server.create_database(name))
        self.assertEqual(shared_store.migrate(self.make_shared(self.orders.place)).returncode, 0)
        self.assertEqual(self.orders.run("setup"), (0, ""))
        # Makes the deployment secret, too.
        self.assertEqual(self.orders.order(key="k-0")[0], 0)
        self.standby = postgres.Postgres()
        self.addCleanup(self.standby.remove)
        self.standby.create_standby_of(self.server, "standby").start()
        waiting.until(lambda: self.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1",
                      "the standby follows")
        self.ask(f"ALTER DATABASE {name} SET synchronous_commit = on")

    def ask(self, text):
        return self.server.sql(text, "postgres")

    def order_whose_wait_is_ended_by(self, function):
        self.standby.pause()
        process = self.orders.start("place", "alice", "k-1", "tea", "1")
        told = self.orders.place.rsplit("/", 1)[1]
        waits = f"FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = '{told}'"
        waiting.until(lambda: self.ask(f"SELECT count(*) {waits}") == "1", "the order is committed and waits")
        self.ask(f"SELECT {function}(pid) {waits}")
        said = process.communicate(timeout=waiting.DEADLINE_S)[0]
        self.standby.resume()
        return process.returncode, said.split(":")[0]

    def assert_it_happened_once(self):
        self.assertEqual(self.orders.order(), (0, 'replayed 201 {"ordered":{"item":"tea","quantity":1}}'))
        self.assertEqual(self.server.sql("SELECT count(*) FROM charge", self.orders.place.rsplit("/", 1)[1]), "2")

    def test_a_commit_whose_wait_is_cancelled_is_unknown(self):
        self.assertEqual(self.order_whose_wait_is_ended_by("pg_cancel_backend"), (1, "commit unknown"))
        self.assert_it_happened_once()

    def test_a_commit_whose_session_is_ended_is_unknown(self):
        self.assertEqual(self.order_whose_wait_is_ended_by("pg_terminate_backend"), (1, "commit unknown"))
        self.assert_it_happened_once()


if __name__ == "__main__":
    unittest.main()
