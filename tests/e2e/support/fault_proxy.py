"""A proxy that carries bytes and breaks connections at a chosen point. It stands between a client and the gateway, or
between the gateway and the upstream, and knows no more of HTTP than where a request ends.
"""

import re
import selectors
import socket
import threading

from . import addresses, upstream, waiting


class Cut(Exception):
    """Breaks the connection on both sides, after passing on these bytes."""

    def __init__(self, last_bytes=b""):
        super().__init__()
        self.last_bytes = last_bytes


class Fault:
    """Sees the bytes of one connection and says what goes on. This one changes nothing."""

    reset = True  # Whether the broken connection ends with a reset.

    def request(self, data):
        return data

    def answer(self, data):
        return data


class CutAtOnce(Fault):
    """Breaks as soon as the first byte of the request arrives; nothing is passed on."""

    def request(self, data):
        raise Cut


class CutRequest(Fault):
    """Passes on some bytes of the request, then breaks."""

    def __init__(self, byte_count):
        self._left = byte_count

    def request(self, data):
        if len(data) >= self._left:
            raise Cut(data[:self._left])
        self._left -= len(data)
        return data


class CutBeforeForward(Fault):
    """Takes the whole request and breaks without having passed on any of it."""

    def __init__(self):
        self._so_far = b""

    def request(self, data):
        self._so_far += data
        if is_complete(self._so_far):
            raise Cut
        return b""


class LoseAnswer(Fault):
    """The server ran and answered; the client sees a broken connection."""

    def answer(self, data):
        raise Cut


class CutAnswer(Fault):
    """Breaks in the middle of the answer, as a server would that ends: no reset, so what was passed on arrives."""

    reset = False

    def __init__(self, body_bytes=1):
        self._body_bytes = body_bytes
        self._so_far = b""

    def answer(self, data):
        self._so_far += data
        head_end = self._so_far.find(b"\r\n\r\n")
        if head_end >= 0 and len(self._so_far) >= head_end + 4 + self._body_bytes:
            raise Cut(self._so_far[:head_end + 4 + self._body_bytes])
        return b""


class HoldAnswer(Fault):
    """Keeps the answer back for as long as the client stays."""

    def answer(self, data):
        return b""


def is_complete(data):
    """Whether this is a whole request (length or chunked)."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    if length:
        return len(body) >= int(length[1])
    if re.search(rb"\r\ntransfer-encoding:", head, re.IGNORECASE):
        return body.endswith(b"0\r\n\r\n")
    return True


class FaultProxy:
    """The first connection gets the first fault of the plan, and so on; beyond the plan nothing is broken."""

    def __init__(self, target, plan=()):
        self._target = target
        self._plan = list(plan)
        self._listener = addresses.listening_socket()
        self.address = self._listener.getsockname()
        self.url = "http://%s:%d" % self.address
        self.connections = 0
        self._streams = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def plan(self, *faults):
        """For the connections from now on."""
        with self._lock:
            self._plan = list(faults)

    def wait_for_connections(self, count):
        waiting.until(lambda: self.connections >= count, f"{count} connections at the proxy")

    def cut_connections(self):
        """Breaks every connection that is open."""
        with self._lock:
            for stream in self._streams:
                try:
                    stream.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        addresses.close_listener(self._listener)
        self.cut_connections()
        self._thread.join(waiting.DEADLINE_S)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                fault = self._plan.pop(0) if self._plan else Fault()
            threading.Thread(target=self._link, args=(client, fault), daemon=True).start()

    def _link(self, client, fault):
        try:
            server = socket.create_connection(self._target, timeout=waiting.DEADLINE_S)
        except OSError:
            client.close()
            return
        for stream in (client, server):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._streams += [client, server]
        try:
            self._carry(client, server, fault)
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    @staticmethod
    def _carry(client, server, fault):
        """Both directions until one side ends or the fault breaks the connection."""
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, (server, fault.request))
            selector.register(server, selectors.EVENT_READ, (client, fault.answer))
            while True:
                for ready, _ in selector.select():
                    other, judge = ready.data
                    data = ready.fileobj.recv(1 << 16)
                    if not data:
                        return
                    try:
                        other.sendall(judge(data))
                    except Cut as cut:
                        other.sendall(cut.last_bytes)
                        if fault.reset:
                            upstream.reset(client)
                            upstream.reset(server)
                        return
