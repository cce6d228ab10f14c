"""An upstream that does exactly what a test tells it and keeps a ledger of all that it saw.

An *operation* is a path: the requests for one path take the steps of its script in turn, the last one for ever. A step
is a function that is given the `Exchange`. Each call of `Exchange.run()` is one effect, the thing that must not happen
twice.
"""

import dataclasses
import itertools
import json
import socket
import struct
import threading

from . import addresses, waiting, wire


def reset(stream):
    """Closes with a reset instead of an orderly end."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


@dataclasses.dataclass
class Seen:
    """What the ledger keeps of one request."""

    request: wire.Request
    connection: int

    @property
    def key(self):
        return self.request["Idempotency-Key"]

    @property
    def attempt(self):
        return self.request["Idempotency-Attempt"]

    @property
    def fence(self):
        return self.request["Idempotency-Fence"]


class Exchange:
    """One request, in the hands of a step."""

    def __init__(self, upstream, request, stream, reader):
        self.upstream = upstream
        self.request = request
        self.stream = stream
        self.reader = reader
        self.open = True

    def read_body(self):
        self.reader.read_request_body(self.request)

    def run(self):
        """Takes effect, once more; gives the effect's name."""
        return self.upstream.count_effect(self.request.path)

    def send(self, data):
        self.stream.sendall(data)

    def respond(self, status=200, fields=(), body=b"", framing="length"):
        self.send(response_bytes(status, fields, body, framing))
        if framing == "close":
            self.close()

    def close(self):
        self.open = False
        try:
            self.stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.stream.close()

    def cut(self):
        self.open = False
        reset(self.stream)


def response_bytes(status=200, fields=(), body=b"", framing="length"):
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        fields = [("Content-Type", "application/json"), *(fields.items() if isinstance(fields, dict) else fields)]
    lines = wire.field_lines(fields)
    if framing == "length" and status not in (204, 304):
        lines += b"Content-Length: %d\r\n" % len(body)
    elif framing == "chunked":
        lines, body = lines + b"Transfer-Encoding: chunked\r\n", wire.chunked(body)
    elif framing == "close":
        lines += b"Connection: close\r\n"
    return b"HTTP/1.1 %d Whatever\r\n" % status + lines + b"\r\n" + body


# ---- Steps ---------------------------------------------------------------------------------------------------------

def before_body(step):
    """Marks a step that is run as soon as the head is there."""
    step.before_body = True
    return step


def ok(status=200, fields=(), body=None, framing="length"):
    """Takes effect and says so; without a body of the test's, it names the effect."""
    def step(exchange):
        effect = exchange.run()
        exchange.respond(status, fields, {"effect": effect} if body is None else body, framing)
    return step


def fail(status, fields=(), body=b"no\n"):
    """Answers without an effect."""
    return lambda exchange: exchange.respond(status, fields, body)


def held(gate, then=None):
    """Waits for the gate, then goes on."""
    def step(exchange):
        gate.pass_through()
        (then or ok())(exchange)
    return step


def run_then_held(gate):
    """Takes effect at once, answers behind the gate."""
    def step(exchange):
        effect = exchange.run()
        gate.pass_through()
        exchange.respond(200, (), {"effect": effect})
    return step


def then_closed(closed):
    """Answers, closes without having said so, and opens the gate when that is done."""
    def step(exchange):
        ok()(exchange)
        exchange.close()
        closed.open()
    return step


@before_body
def cut_at_once(exchange):
    """The connection breaks before the upstream has read the request."""
    exchange.cut()


def cut_before_effect(exchange):
    exchange.cut()


def cut_after_effect(exchange):
    exchange.run()
    exchange.cut()


def raw(data, keep_open=False, effect=True):
    """Exactly these bytes."""
    def step(exchange):
        if effect:
            exchange.run()
        exchange.send(data)
        if not keep_open:
            exchange.close()
    return step


# ---- The server ----------------------------------------------------------------------------------------------------

class Upstream:
    """A threaded HTTP/1.1 server. Whatever is malformed in what it is sent, it keeps in `violations`."""

    def __init__(self, port=None):
        host = addresses.own_host()
        self._listener = socket.create_server((host, port or 0), backlog=1024)
        self.address = self._listener.getsockname()
        self.url = "http://%s:%d" % self.address
        self.violations = []
        self._changed = threading.Condition(threading.RLock())
        self._ledger = []
        self._effects = {}
        self._effect_names = itertools.count(1)
        self._scripts = {}
        self._default = ok()
        self._streams = set()
        self.connections = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    # -- told by tests --

    def script(self, path, *steps):
        """The requests for this path take these steps in turn, the last one for ever."""
        with self._changed:
            self._scripts[path] = list(steps)

    def answer_all(self, step):
        """What is done where no script says otherwise."""
        self._default = step

    def stop(self):
        addresses.close_listener(self._listener)
        self.cut_connections()
        self._accepting.join(waiting.DEADLINE_S)

    def cut_connections(self):
        """Breaks every connection that is open."""
        with self._changed:
            streams = list(self._streams)
        for stream in streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    # -- asked by tests --

    def ledger(self, path=None):
        with self._changed:
            return [seen for seen in self._ledger if path in (None, seen.request.path)]

    def effects(self, path):
        with self._changed:
            return self._effects.get(path, 0)

    def all_effects(self):
        """Path -> number of effects, of all paths that had any."""
        with self._changed:
            return dict(self._effects)

    def wait_for_requests(self, path, count=1):
        """Waits until so many requests for the path have arrived; gives them."""
        self.wait_until(lambda: len(self.ledger(path)) >= count, f"{count} requests for {path}")
        return self.ledger(path)

    def wait_for_effects(self, path, count=1):
        self.wait_until(lambda: self.effects(path) >= count, f"{count} effects of {path}")

    def wait_until(self, condition, what):
        """Looks again whenever a request has arrived or taken effect."""
        with self._changed:
            if not self._changed.wait_for(condition, waiting.DEADLINE_S):
                raise AssertionError(f"the upstream waited in vain for {what}; it saw "
                                     f"{[(seen.request.method, seen.request.target) for seen in self._ledger]}")

    # -- inside --

    def count_effect(self, path):
        with self._changed:
            self._effects[path] = self._effects.get(path, 0) + 1
            self._changed.notify_all()
            return f"effect-{next(self._effect_names)}"

    def _accept(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(stream, self.connections), daemon=True).start()

    def _serve(self, stream, number):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._changed:
            self._streams.add(stream)
        reader = wire.Reader(stream)
        try:
            while self._serve_one(stream, reader, number):
                pass
        except (wire.Closed, wire.Truncated, OSError):
            pass
        except wire.Malformed as violation:
            self.violations.append(str(violation))
        finally:
            with self._changed:
                self._streams.discard(stream)
            stream.close()

    def _serve_one(self, stream, reader, number):
        request = reader.read_request_head()
        step = self._next_step(request.path)
        exchange = Exchange(self, request, stream, reader)
        if not getattr(step, "before_body", False):
            exchange.read_body()
        with self._changed:
            self._ledger.append(Seen(request, number))
            self._changed.notify_all()
        step(exchange)
        return exchange.open and (request["Connection"] or "").lower() != "close"

    def _next_step(self, path):
        with self._changed:
            steps = self._scripts.get(path)
            if not steps:
                return self._default
            return steps.pop(0) if len(steps) > 1 else steps[0]


class Remembering:
    """A step of an upstream that knows by idempotency key what it has done: GET /operations/<key> tells, and a POST
    with a known key takes no second effect.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._done = {}

    def __call__(self, exchange):
        if exchange.request.method == "GET":
            self._tell(exchange)
            return
        with self._lock:
            key = exchange.request["Idempotency-Key"]
            if key not in self._done:
                self._done[key] = {"effect": exchange.run()}
            body = self._done[key]
        exchange.respond(200, (), body)

    def _tell(self, exchange):
        with self._lock:
            body = self._done.get(exchange.request.path.removeprefix("/operations/"))
        exchange.respond(200 if body else 404, (), body or {})
