#!/usr/bin/python3
"""The upstream behind the gateway that is killed: a process of its own, whose ledger is on the disk before anybody
hears of what it says.

    ledger_upstream.py LEDGER        prints its port

Each request for an operation says in `Rig-Plan` what becomes of its attempts, one word each, the last one for all that
follow:

    ok            takes effect and answers 200
    slow          takes effect, answers 80 ms later
    late          answers 80 ms later, and takes effect only then
    large         takes effect and answers with more than the gateway keeps
    404           answers 404 without an effect
    503           answers 503 without an effect
    502           answers 502; took effect
    cut-before    breaks the connection without an effect
    cut-after     takes effect and breaks the connection
    truncated     takes effect and breaks the connection inside the answer

`Rig-Remembers: yes` makes it an upstream that knows by the idempotency key what it has done: a second attempt gets the
first one's result, or 409 while that one runs, and takes no effect.

`GET /operations/KEY` tells: 200 with the result, 202 while it runs, 404 where it did not happen and will not. The last
part is true because whatever has arrived is looked at before it is said.
"""

import hashlib
import heapq
import json
import os
import selectors
import socket
import sys
import time

from e2e import addresses, upstream, wire

DELAY_S = 0.08
LARGE_BYTES = 20_000  # The gateway of the rig keeps less.


class Bytes:
    """A stream of what is there, and its end."""

    def __init__(self, data):
        self._data = data

    def recv(self, _):
        data, self._data = self._data, b""
        return data


class Ledger:
    """One JSON object a line, synced before write() returns."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, *entries):
        now = time.monotonic_ns()
        os.write(self._file, b"".join(json.dumps({"at": now, **entry}).encode() + b"\n" for entry in entries))
        os.fdatasync(self._file)


class Operation:
    """What there is under one idempotency key."""

    def __init__(self):
        self.requests = 0
        self.running = 0
        self.result = None  # The body of the effect's answer.


class Connection:
    def __init__(self, stream):
        self.stream = stream
        self.received = b""

    def next_request(self):
        """The next whole request, or None."""
        reader = wire.Reader(Bytes(self.received))
        try:
            request = reader.read_request_head()
            reader.read_request_body(request)
        except (wire.Truncated, wire.Closed):
            return None
        self.received = reader.rest_to_end()
        return request


class Server:
    def __init__(self, ledger):
        self._ledger = ledger
        self._operations = {}
        self._effects = 0
        self._timers = []
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server((addresses.own_host(), 0), backlog=1024)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.address = self._listener.getsockname()

    def run(self):
        while True:
            pause = None if not self._timers else max(0.0, self._timers[0][0] - time.monotonic())
            self._take(self._selector.select(pause))
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[-1]()

    def _later(self, work):
        heapq.heappush(self._timers, (time.monotonic() + DELAY_S, time.monotonic_ns(), id(work), work))

    # -- connections --

    def _take(self, ready, questions=None):
        """Reads what has come. Questions are answered behind everything else; a nested call only collects them."""
        mine = [] if questions is None else questions
        for key, _ in ready:
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._receive(key.data, mine)
        if questions is not None or not mine:
            return
        while more := self._selector.select(0):
            self._take(more, mine)
        for connection, request in mine:
            self._tell(connection, request)

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except BlockingIOError:
                return
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(stream, selectors.EVENT_READ, Connection(stream))

    def _receive(self, connection, questions):
        try:
            data = connection.stream.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        connection.received += data
        while connection.stream.fileno() >= 0 and (request := connection.next_request()) is not None:
            if request.method == "GET":
                questions.append((connection, request))
            else:
                self._serve(connection, request)

    def _drop(self, connection, reset=False):
        if connection.stream.fileno() < 0:
            return
        self._selector.unregister(connection.stream)
        if reset:
            upstream.reset(connection.stream)
        else:
            connection.stream.close()

    def _send(self, connection, data):
        try:
            connection.stream.setblocking(True)
            connection.stream.sendall(data)
        except OSError:
            self._drop(connection)

    # -- requests --

    def _serve(self, connection, request):
        key = request["Idempotency-Key"]
        operation = self._operations.setdefault(key, Operation())
        plan = request["Rig-Plan"].split(",")
        word = plan[min(operation.requests, len(plan) - 1)]
        operation.requests += 1
        forward = {"key": key, "attempt": int(request["Idempotency-Attempt"]),
                   "fence": int(request["Idempotency-Fence"])}
        arrived = {**forward, "what": "arrived", "word": word, "body": hashlib.sha256(request.body).hexdigest()}
        self._ledger.write(arrived)
        if request["Rig-Remembers"] == "yes" and (operation.result is not None or operation.running):
            self._answer(connection, forward, 200 if operation.result else 409, operation.result or {})
            return
        match word:
            case "ok" | "large":
                self._answer(connection, forward, 200, self._effect(operation, forward, word == "large"))
            case "slow":
                self._answer_later(connection, operation, forward, self._effect(operation, forward))
            case "late":
                self._answer_later(connection, operation, forward, None)
            case "404" | "503":
                self._answer(connection, forward, int(word), {"effect": None})
            case "502":
                self._answer(connection, forward, 502, self._effect(operation, forward))
            case "cut-before":
                self._cut(connection, forward)
            case "cut-after":
                self._effect(operation, forward)
                self._cut(connection, forward)
            case "truncated":
                data = self._answer_bytes(forward, 200, self._effect(operation, forward))
                self._send(connection, data[:-5])
                self._cut(connection, forward)
            case _:
                raise AssertionError(f"no word of a plan: {word}")

    def _effect(self, operation, forward, large=False):
        self._effects += 1
        effect = f"effect-{self._effects}"
        body = {"effect": effect, "padding": "x" * LARGE_BYTES} if large else {"effect": effect}
        self._ledger.write({**forward, "what": "effect", "effect": effect})
        operation.result = body
        return body

    def _answer_later(self, connection, operation, forward, body):
        operation.running += 1

        def finish():
            operation.running -= 1
            self._answer(connection, forward, 200, body or self._effect(operation, forward))

        self._later(finish)

    @staticmethod
    def _answer_bytes(forward, status, body):
        fields = {"Rig-Attempt": forward["attempt"], "X-Request-Id": time.monotonic_ns()}
        return upstream.response_bytes(status, fields, body)

    def _answer(self, connection, forward, status, body):
        self._ledger.write({**forward, "what": "answers", "status": status})
        if connection.stream.fileno() >= 0:
            self._send(connection, self._answer_bytes(forward, status, body))

    def _cut(self, connection, forward):
        self._ledger.write({**forward, "what": "cuts"})
        self._drop(connection, reset=True)

    def _tell(self, connection, request):
        if request.path == "/rig/is-quiet":
            self._send(connection, upstream.response_bytes(200 if not self._timers else 202))
            return
        key = request.path.removeprefix("/operations/")
        operation = self._operations.get(key, Operation())
        status = 202 if operation.running else 200 if operation.result is not None else 404
        self._ledger.write({"key": key, "what": "tells", "status": status})
        self._send(connection, upstream.response_bytes(status, (), operation.result or {}))


def main(path):
    server = Server(Ledger(path))
    print("%s:%d" % server.address, flush=True)
    server.run()


if __name__ == "__main__":
    main(sys.argv[1])
