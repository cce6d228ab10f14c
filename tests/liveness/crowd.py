"""Many connections from one thread, each with little to say: what thousands of threads would be too heavy for."""

import selectors
import socket
import time

from e2e import waiting


class Peer:
    """One connection. It sends what it is given and collects what comes."""

    def __init__(self, address):
        self.stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream.settimeout(waiting.DEADLINE_S)
        self.stream.connect(address)
        self.received = bytearray()
        self.ended = False

    def send(self, data):
        try:
            self.stream.sendall(data)
        except OSError:
            self.ended = True

    def receive(self):
        """What has come; empty at the connection's end."""
        try:
            data = self.stream.recv(1 << 16)
        except ConnectionError:
            data = b""
        self.received += data
        self.ended = self.ended or not data
        return data

    def answer_length(self):
        """The length of the first whole answer in `received`; 0 while it is not whole."""
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return 0
        at = self.received.lower().find(b"content-length:", 0, head)
        if at < 0:
            return 0
        length = head + 4 + int(self.received[at + 15:self.received.find(b"\r", at)])
        return length if len(self.received) >= length else 0

    def close(self):
        self.stream.close()


class Crowd:
    """Peers that are waited for together."""

    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self.peers = []

    def join(self, peer):
        self.peers.append(peer)
        self._selector.register(peer.stream, selectors.EVENT_READ, peer)
        return peer

    def receive_until(self, condition, what):
        """Reads whatever comes to anybody until the condition holds."""
        end = time.monotonic() + waiting.DEADLINE_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain: {what}")
            for key, _ in self._selector.select(0.05):
                key.data.receive()
                if key.data.ended:
                    self._selector.unregister(key.data.stream)

    def close(self):
        self._selector.close()
        for peer in self.peers:
            peer.close()


def pump(address, connections, requests, on_answer):
    """Sends requests over that many connections, each its next one as soon as the last is answered, and hands each
    answer's bytes to on_answer. Returns the seconds that it took, and the longest that one answer took."""
    began = time.monotonic()
    longest = 0.0
    source = iter(requests)
    selector = selectors.DefaultSelector()
    sent_at = {}

    def send_next(peer):
        data = next(source, None)
        if data is None:
            selector.unregister(peer.stream)
            peer.close()
            return False
        peer.send(data)
        sent_at[peer] = time.monotonic()
        return True

    active = 0
    for _ in range(connections):
        peer = Peer(address)
        selector.register(peer.stream, selectors.EVENT_READ, peer)
        active += send_next(peer)
    while active:
        ready = selector.select(waiting.DEADLINE_S)
        if not ready:
            raise AssertionError("nobody was answered any more")
        for key, _ in ready:
            peer = key.data
            if not peer.receive():
                raise AssertionError(f"a connection ended: {bytes(peer.received[:200])!r}")
            while length := peer.answer_length():
                longest = max(longest, time.monotonic() - sent_at[peer])
                on_answer(bytes(peer.received[:length]))
                del peer.received[:length]
                if not send_next(peer):
                    active -= 1
    return time.monotonic() - began, longest
