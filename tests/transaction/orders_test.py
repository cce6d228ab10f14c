#!/usr/bin/python3
"""The example services, killed before and after every statement that they send: stock, charges and records are always
in step, and a retry makes one effect of it. Then duplicates at once, and the real gateway on the same database.
"""

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
from support import shared_store, story, upstream, waiting  # pylint: disable=wrong-import-position

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


class BesideAGateway(shared_store.SharedStoreStory):
    """What the library wrote, the gateway reads, and the other way round."""

    BODY = b'{"item":"tea","quantity":1}'

    def setUp(self):
        super().setUp()
        name = story.new_key("beside").replace("-", "_")
        self.orders = Orders(os.environ["ONCEWARD_POSTGRES_ORDERS"], self.server.create_database(name))

    def send_order(self, gateway, key, body=BODY):
        return gateway.call("POST", "/orders", [("Authorization", "alice"), ("Idempotency-Key", key),
                                                ("Content-Type", "application/json")], body)

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


if __name__ == "__main__":
    unittest.main()
