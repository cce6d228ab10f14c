"""Clients that make charges through the gateway and do not give up: each tries until it has an answer that is final,
and keeps what it was told of every try.
"""

import hashlib
import threading
import time

import history
from e2e import waiting, wire

MODES = ("refuse", "probe", "redispatch")
PLANS = ("ok", "ok", "ok", "ok", "ok", "slow", "slow", "late", "large", "404", "503,ok", "503,503,slow", "502",
         "cut-after", "cut-before,ok", "truncated", "503,cut-after")
KEPT_FIELDS = ("Content-Type", "Rig-Attempt")
FINAL_PROBLEMS = {"mismatch", "result-gone"}
NS = 1_000_000_000


class Charge:
    """One operation, as its clients send it."""

    def __init__(self, key, mode, plan):
        self.key = key
        self.mode = mode
        self.path = f"/{mode}/charges"
        self.body = b'{"charge": "%s"}' % key.encode()
        self.fields = {"Idempotency-Key": key, "Content-Type": "application/json", "Rig-Plan": plan,
                       "Rig-Remembers": "yes" if mode == "redispatch" else "no"}

    def request(self, another_payload=False):
        return wire.request_bytes("POST", self.path, self.fields, self.body + (b" " if another_payload else b""))

    @property
    def operation(self):
        return history.Operation(self.key, self.mode, hashlib.sha256(self.body).hexdigest())

    def is_final(self, told):
        """Whether a client has no reason to ask again."""
        if told.how == "hung" or told.is_result:
            return True
        return told.kind in FINAL_PROBLEMS or told.kind == "outcome-unknown" and self.mode == "refuse"


class Caller:
    """Sends requests, on one connection for as long as it can or on a new one each time."""

    def __init__(self, name, address, keeps_connection=True):
        self.name = name
        self._address = address
        self._keeps_connection = keeps_connection
        self._connection = None

    def send(self, charge, another_payload=False):
        """One try; what came of it."""
        told = history.Told(charge.key, self.name, time.monotonic_ns(), 0, mismatching=another_payload)
        try:
            if self._connection is None:
                self._connection = wire.Connection(self._address)
            self._connection.send(charge.request(another_payload))
            self._read(told)
        except TimeoutError:
            told.how = "hung"
            self.hang_up()
        except (wire.Closed, wire.Truncated, OSError):
            told.how = "broken"
            self.hang_up()
        told.ended = time.monotonic_ns()
        return told

    def _read(self, told):
        answer = self._connection.read_response()
        told.status, told.body = answer.status, answer.body
        told.fields = tuple((name, answer[name]) for name in KEPT_FIELDS)
        told.replayed = answer["Idempotent-Replayed"] == "true"
        if answer["Onceward-Error-Source"]:
            told.problem = answer.json
        if not self._keeps_connection or (answer["Connection"] or "").lower() == "close":
            self.hang_up()

    def hang_up(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Load:
    """Several clients at once, some of them after the same charge."""

    def __init__(self, address, prefix, clients, chance):
        self._address = address
        self._prefix = prefix
        self._chance = chance
        self._lock = threading.Lock()
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(clients)]
        self._failure = None
        self.charges = []
        self.told = []

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def finish(self):
        """No new charges; returns when every client has its last answer."""
        self._enough.set()
        for thread in self._threads:
            thread.join(2 * waiting.DEADLINE_S)
            if thread.is_alive():
                raise AssertionError("a client never came to an end")
        if self._failure:
            raise self._failure

    def _run(self, number):
        caller = Caller(f"client {number}", self._address, keeps_connection=number % 3 > 0)
        try:
            while not self._enough.is_set():
                charge, another_payload = self._choose()
                self._pursue(caller, charge, another_payload)
        except BaseException as failure:  # pylint: disable=broad-except
            self._failure = failure
        finally:
            caller.hang_up()

    def _choose(self):
        with self._lock:
            dice = self._chance.random()
            if self.charges and dice < 0.35:
                return self._chance.choice(self.charges[-4:]), False
            if self.told and dice < 0.40:
                told = self._chance.choice(self.told)
                if told.is_result and not told.mismatching:
                    return next(charge for charge in reversed(self.charges) if charge.key == told.key), True
            charge = Charge(f"{self._prefix}-{len(self.charges) + 1}", self._chance.choice(MODES),
                            self._chance.choice(PLANS))
            self.charges.append(charge)
            return charge, False

    def _pursue(self, caller, charge, another_payload):
        """Tries until the answer is final, with growing pauses, as a client of the registry would."""
        end = time.monotonic() + waiting.DEADLINE_S
        pause = 0.005
        while True:
            told = caller.send(charge, another_payload)
            with self._lock:
                self.told.append(told)
            if charge.is_final(told) or another_payload and told.how == "answered":
                return
            if time.monotonic() > end:
                with self._lock:
                    self.told.append(history.Told(charge.key, caller.name, told.began, time.monotonic_ns(), how="hung"))
                return
            threading.Event().wait(pause)
            pause = min(2 * pause, 0.1)
