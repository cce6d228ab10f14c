"""One life of a store: the gateway, its upstream and the cycles that they go through together."""

import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import history
from e2e import gateway, waiting, wire
from failpoints import Action, Failpoints, Step, thaw_after_lease
from faults import AnyTime, AtStep, OfStore, WhileOpening
from load import NS, Caller, Load

HERE = pathlib.Path(__file__).resolve().parent
LEASE_S = 1.0
STARTS_AT = 15  # Answers before the fault.
GIVES_UP_AT = 1500  # Answers after which a step is taken to be out of reach.


def settings():
    """Each `on_unknown` has a route; leases are short, because a freeze has to outlast them."""
    probe = {"probe": {"url": "/operations/{key}", "backoff": "10ms", "backoff_max": "50ms"}}
    return {
        "routes": [{"match": {"path": f"/{mode}/**"}, "on_unknown": rule} for mode, rule in
                   (("refuse", "refuse"), ("probe", probe), ("redispatch", "redispatch"))],
        "defaults": {"lease": f"{int(LEASE_S * 1000)}ms", "wait": "5s", "limits": {"body_bytes_stored_max": 10_000}},
        "timeouts": {"drain": "10s"},
    }


class LedgerUpstream:
    """The upstream's process, and its ledger's file."""

    def __init__(self, folder):
        self.path = folder / "ledger"
        self._read_to = 0
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, str(HERE / "ledger_upstream.py"), str(self.path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        host, _, port = self._process.stdout.readline().strip().partition(":")
        self.address = (host, int(port))
        self.url = "http://%s:%d" % self.address

    def wait_until_quiet(self):
        waiting.until(lambda: wire.call(self.address, "GET", "/rig/is-quiet").status == 200, "the upstream is quiet")

    def new_lines(self):
        """What was written since the last call."""
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            data = file.read()
        self._read_to += len(data)
        return [json.loads(line) for line in data.splitlines()]

    def stop(self):
        self._process.kill()
        self._process.wait(waiting.DEADLINE_S)
        self._process.stdout.close()


class Life:
    def __init__(self, store, durability, clients):
        """`store`: one of stores.STORES."""
        self.durability = durability
        self._clients = clients
        self.totals = collections.Counter()
        self._history = history.History(lease_ns=int(LEASE_S * NS))
        self._all = history.History(lease_ns=int(LEASE_S * NS))
        self._charges = {}
        self._gateway = gateway.Gateway(None, **settings())
        self._upstream = LedgerUpstream(self._gateway.folder)
        self._gateway.settings["upstream"] = self._upstream.url
        self._store = store(durability, self._gateway.folder)
        self._gateway.settings["store"] = self._store.settings
        self._store.prepare(self._gateway)
        self._failpoints = Failpoints(self._gateway.folder / "failpoints", self._gateway.admin_address[1],
                                      self._store.port)
        self._gateway.environment.update(self._failpoints.environment(gateway.binary()))

    def begin(self, birth):
        """The making of the journal is killed, and done again. Whether that came about. None: nobody disturbs it."""
        happened = birth is None or self._kill_while_opening(birth)
        self._start()
        return happened

    def end(self):
        self._gateway.stop()

    def remove(self):
        self._gateway.remove()
        self._upstream.stop()
        self._store.remove()

    def log(self):
        return self._gateway.log() + self._store.log()

    # -- cycles --

    def cycle(self, number, fault, chance):
        """Load, the fault, a restart where it is needed, and everybody's last answer. Whether the fault happened."""
        self._history = history.History(lease_ns=int(LEASE_S * NS))
        happened = True
        load = Load(self._gateway.address, f"{os.getpid()}-{number}", self._clients, chance).start()
        self._wait_for_answers(load, STARTS_AT)
        match fault:
            case AtStep():
                happened = self._at_step(fault, load, chance)
            case AnyTime():
                self._any_time(fault, load, chance)
            case WhileOpening():
                happened = self._open_again(fault, load, chance)
            case OfStore():
                self._of_store(fault, load, chance)
        self._failpoints.disarm()
        if not self._gateway.running:
            self._start()
        load.finish()
        self._close_books(load)
        return happened

    def _at_step(self, fault, load, chance):
        began = time.monotonic_ns()
        count = 1 if fault.step == Step.client_accept else chance.randint(1, 12)
        self._failpoints.arm(fault.action, fault.step, fault.place, count, fault.error, in_batch=fault.in_batch)
        gives_up_at = len(load.told) + GIVES_UP_AT
        waiting.until(lambda: self._failpoints.times_done or len(load.told) > gives_up_at, f"{fault}, or its end")
        happened = self._failpoints.times_done > 0
        done = time.monotonic_ns()
        if not happened:
            self._failpoints.disarm()
        elif fault.action == Action.end:
            self._wait_for_end(-signal.SIGKILL)
            self._start()
        elif fault.action == Action.freeze:
            thaw_after_lease(self._gateway, LEASE_S)
        elif fault.fails_writes:
            self._assert_out_of_service(load)
            self._gateway.kill()
            self._history.faults.append(history.Fault(str(fault), done, time.monotonic_ns(), fails_writes=True))
            self._failpoints.disarm()
            self._start()
        else:
            self._wait_for_answers(load, len(load.told) + STARTS_AT)
            if fault.action == Action.pretend_from_now:
                self._gateway.kill()
                self._failpoints.disarm()
                self._start()
        self._history.faults.append(history.Fault(str(fault), began, time.monotonic_ns()))
        return happened

    def _any_time(self, fault, load, chance):
        self._wait_for_answers(load, STARTS_AT + chance.randrange(40))
        began = time.monotonic_ns()
        os.kill(self._gateway.pid, fault.signal)
        if fault.signal == signal.SIGSTOP:
            thaw_after_lease(self._gateway, LEASE_S)
        elif fault.signal == signal.SIGHUP:
            self._wait_for_answers(load, len(load.told) + STARTS_AT)
            assert self._gateway.running, "SIGHUP ended it"
        else:
            if fault.then:
                threading.Event().wait(chance.random() * 0.02)
                if self._gateway.running:
                    os.kill(self._gateway.pid, fault.then)
            self._wait_for_end(-signal.SIGKILL if fault.signal == signal.SIGKILL else None if fault.then else 0)
            self._start()
        self._history.faults.append(history.Fault(str(fault), began, time.monotonic_ns()))

    def _of_store(self, fault, load, chance):
        self._wait_for_answers(load, STARTS_AT + chance.randrange(40))
        began = time.monotonic_ns()
        if fault.signal == signal.SIGKILL:
            self._store.kill()
            self._wait_for_answers(load, len(load.told) + STARTS_AT)
            self._store.start()
        else:
            self._store.freeze()
            threading.Event().wait(1.1 * LEASE_S)
            self._store.thaw()
        waiting.until(self._answers_admin, "the gateway has its store back")
        self._history.faults.append(history.Fault(str(fault), began, time.monotonic_ns()))

    def _open_again(self, fault, load, chance):
        began = time.monotonic_ns()
        self._wait_for_answers(load, STARTS_AT + chance.randrange(40))
        self._gateway.kill()
        happened = self._kill_while_opening(fault)
        self._start()
        self._history.faults.append(history.Fault(str(fault), began, time.monotonic_ns()))
        return happened

    def _kill_while_opening(self, fault):
        self._failpoints.arm(Action.end, fault.step, fault.place)
        self._gateway.launch()
        waiting.until(lambda: not self._gateway.running or self._answers_admin(), "it ends or is open")
        happened = not self._gateway.running
        self._failpoints.disarm()
        if happened:
            self._wait_for_end(-signal.SIGKILL)
        return happened

    # -- the gateway --

    def _start(self):
        self._gateway.start()
        self.totals["restarts"] += 1

    def _wait_for_end(self, status):
        ended = self._gateway.wait_for_end()
        assert status is None or ended == status, f"the gateway ended with {ended} instead of {status}"

    def _answers_admin(self):
        try:
            return self._gateway.admin("GET", "/readyz").status == 200
        except OSError:
            return False

    def _assert_out_of_service(self, load):
        """A journal that failed says so, takes nothing any more, and the gateway tells that it is not ready."""
        waiting.until(lambda: not self._answers_admin(), "a gateway whose journal failed is not ready")
        self._wait_for_answers(load, len(load.told) + STARTS_AT)
        assert self._gateway.running, "it went away instead of saying what is wrong"
        assert self._gateway.metrics()["onceward_store_accepts_claims"] == 0, "it still takes claims"

    # -- books --

    @staticmethod
    def _wait_for_answers(load, count):
        waiting.until(lambda: len(load.told) >= count, f"{count} answers")

    def _close_books(self, load):
        """Asks the store about everything that this cycle has touched."""
        self._upstream.wait_until_quiet()
        touched = self._history
        touched.told = load.told
        touched.ledger = self._upstream.new_lines()
        for charge in load.charges:
            self._charges[charge.key] = charge
            touched.operations[charge.key] = charge.operation
        self._ask_store(touched)
        self.totals.update({
            "requests": len(touched.told), "operations": len(touched.operations),
            "forwards": sum(line["what"] == "arrived" for line in touched.ledger),
            "effects": sum(line["what"] == "effect" for line in touched.ledger),
            "unknown": sum(stored.state == "unknown" for stored in touched.stored.values()),
        })
        touched.ledger += self._upstream.new_lines()
        self._all.operations.update(touched.operations)
        self._all.told += touched.told
        self._all.ledger += touched.ledger
        self._all.faults += touched.faults

    def look_back(self):
        """Asks once more about all operations of this life, after all its restarts."""
        self._history = self._all
        self._ask_store(self._all)
        self._all.ledger += self._upstream.new_lines()
        found = sum(stored.state == "unknown" for stored in self._all.stored.values())
        # A shared store counts now and then.
        waiting.until(lambda: self._gateway.metrics()["onceward_records_unknown"] == found,
                      f"the status lookup finds {found} unknown records, and the store counts as many")

    def _ask_store(self, about):
        caller = Caller("a last duplicate", self._gateway.address)
        for key in about.operations:
            charge = self._charges[key]
            record = waiting.until(lambda charge=charge: self._record_of(charge), f"{key} is no longer in flight")
            about.stored[key] = history.Stored(record["state"], record.get("attempt", 0), record.get("fence", 0),
                                               caller.send(charge))
            self.totals["replays compared"] += about.stored[key].replay.is_result
        caller.hang_up()

    def _record_of(self, charge):
        fields = {"Idempotency-Key": charge.key, "Onceward-Operation": f"POST {charge.path}"}
        answer = self._gateway.call("GET", "/.onceward/record", fields)
        assert answer.status == 200, answer
        return answer.json if answer.json["state"] != "in-flight" else None

    def violations(self):
        return list(self._history.violations())

    def story(self, key):
        return self._history.story(key)
