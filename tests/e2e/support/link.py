"""A network between two machines, as far as TCP can tell: it carries bytes, and can be cut, or frozen in one direction
or both, or hold the connections on which something is said.
"""

import socket
import threading

from . import addresses, upstream, waiting


class Link:
    """Stands before `target`; whoever connects to its `host` and `port` talks to that."""

    def __init__(self, target):
        self._target = target
        self._listener = addresses.listening_socket()
        self.host, self.port = self._listener.getsockname()
        self._lock = threading.Lock()
        self._streams = set()
        self._is_cut = False
        self._held_word = None
        self._is_mended = threading.Event()
        self._carries = {"there": threading.Event(), "back": threading.Event()}
        for each in self._carries.values():
            each.set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    # -- faults --

    def cut(self):
        """Breaks every connection, and each new one at once."""
        with self._lock:
            self._is_cut = True
        self._break_all()

    def freeze(self, *directions):
        """Connections stay, and nothing arrives any more: "there", at the target, or "back"; both if none is named."""
        for each in directions or self._carries:
            self._carries[each].clear()

    def hold(self, word):
        """A connection stands still from where these bytes are sent there; the others go on."""
        self._held_word = word
        self._is_mended.clear()

    def mend(self):
        """What was kept back arrives."""
        with self._lock:
            self._is_cut = False
        self._held_word = None
        self._is_mended.set()
        for each in self._carries.values():
            each.set()

    def stop(self):
        addresses.close_listener(self._listener)
        self.mend()
        self._break_all()
        self._thread.join(waiting.DEADLINE_S)

    # -- carrying --

    def _break_all(self):
        with self._lock:
            streams = list(self._streams)
        for each in streams:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                is_cut = self._is_cut
            if is_cut:
                upstream.reset(client)
                client.close()
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        try:
            server = socket.create_connection(self._target, timeout=waiting.DEADLINE_S)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for stream in (client, server):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._streams |= {client, server}
        ways = [threading.Thread(target=self._carry, args=way, daemon=True)
                for way in ((client, server, "there"), (server, client, "back"))]
        for each in ways:
            each.start()
        for each in ways:
            each.join()
        with self._lock:
            self._streams -= {client, server}
        client.close()
        server.close()

    def _carry(self, source, sink, direction):
        """Until one side ends; then the other ends, too, once it may hear of it."""
        try:
            while data := source.recv(1 << 16):
                self._carries[direction].wait()
                word = self._held_word
                if direction == "there" and word is not None and word in data:
                    self._is_mended.wait()
                sink.sendall(data)
        except OSError:
            pass
        self._carries[direction].wait()
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
