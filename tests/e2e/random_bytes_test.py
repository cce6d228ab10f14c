#!/usr/bin/python3
"""Random and mutated bytes from both sides: the gateway stays alive, answers what HTTP allows, and sends on nothing
malformed.

ONCEWARD_E2E_RANDOM_SECONDS makes it longer than its 2 seconds for each side, ONCEWARD_E2E_SEED repeats a run.
"""

import os
import random
import time

from support import story, upstream, wire
from support.waiting import DEADLINE_S, in_parallel, until

SECONDS = float(os.environ.get("ONCEWARD_E2E_RANDOM_SECONDS", "2"))
SEED = int(os.environ.get("ONCEWARD_E2E_SEED", str(random.SystemRandom().randrange(1 << 32))))

REQUESTS = [
    wire.request_bytes("GET", "/a?b=c", {"X-A": "b", "Connection": "keep-alive"}),
    wire.request_bytes("POST", "/a", {"Idempotency-Key": "k", "Content-Type": "application/json"}, b'{"a":1}'),
    wire.request_bytes("POST", "/a", {"Idempotency-Key": '"k";v=1', "Expect": "100-continue"}, b"hello"),
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
]
RESPONSES = [
    upstream.response_bytes(200, {"X-A": "b"}, b"hello"),
    upstream.response_bytes(200, {"X-A": "b"}, b"hello", "chunked"),
    upstream.response_bytes(503, {"Idempotency-Outcome": "completed"}, b"hello", "close"),
    b"HTTP/1.1 103 Early Hints\r\n\r\n" + upstream.response_bytes(204),
]
INTERESTING = [b"\r\n", b"\n", b"\r", b"\0", b":", b" ", b"\t", b"0", b"\xff", b"chunked", b"Content-Length: 5\r\n",
               b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"HTTP/1.1", b"Host: a\r\n", b"99999999999999999999"]


def mutated(chance, text):
    text = bytearray(text)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                del text[at:at + chance.randrange(1, 8)]
            case 1:
                text[at:at] = chance.choice(INTERESTING)
            case 2:
                text[at:at + 1] = chance.randbytes(1)
            case 3:
                other = chance.randrange(len(text) + 1)
                text[at:at] = text[min(at, other):max(at, other)]
    return bytes(text)


class RandomBytes(story.Story):
    settings = {"timeouts": {"client_head": "50ms", "client_body": "50ms", "client_idle": "50ms",
                             "upstream_response": "50ms", "upstream_body": "50ms"},
                "defaults": {"wait": 0}, "store": "memory"}

    def hammer(self, send_one):
        """send_one(chance) on some threads until the time is over."""
        end = time.monotonic() + SECONDS
        counts = [0, 0]

        def work(index):
            chance = random.Random(SEED * 100 + index)
            while time.monotonic() < end:
                send_one(chance)
                counts[index] += 1

        try:
            in_parallel(len(counts), work, SECONDS + 2 * DEADLINE_S)
        except BaseException:
            print(f"ONCEWARD_E2E_SEED={SEED}")
            raise
        self.assertGreater(sum(counts), 0)
        until(self.is_served, "what is well-formed is served as before")

    def is_served(self):
        try:
            return self.post(story.new_path(), {}, story.new_key()).status == 200
        except (wire.Closed, ConnectionError):
            return False  # The timeouts are short enough for a slow machine to meet them.

    def exchange(self, data, pieces):
        with self.gateway.connect() as connection:
            for piece in pieces(data):
                connection.try_to_send(piece)
            try:
                connection.half_close()
                while True:
                    # A body that is an answer to HEAD or CONNECT is not told apart here: no case makes these methods.
                    if connection.read_response("GET").status == 101:
                        return
            except (wire.Closed, wire.Truncated, OSError):
                pass

    def test_from_clients(self):
        def send_one(chance):
            data = b"".join(mutated(chance, chance.choice(REQUESTS)) for _ in range(chance.randrange(1, 4)))
            if chance.randrange(10) == 0:
                data = chance.randbytes(chance.randrange(1, 2000))
            cut = chance.randrange(len(data) + 1)
            self.exchange(data, lambda whole: (whole[:cut], whole[cut:]))

        self.hammer(send_one)

    def test_from_the_upstream(self):
        chance_of_upstream = random.Random(SEED)

        def step(exchange):
            response = mutated(chance_of_upstream, chance_of_upstream.choice(RESPONSES))
            exchange.send(response)
            if chance_of_upstream.randrange(2):
                exchange.close()

        self.upstream.script("/random", step)

        def send_one(chance):
            fields = {"Idempotency-Key": str(chance.random())} if chance.randrange(2) else {}
            try:
                self.post("/random", b"x", fields=fields)
            except (wire.Closed, wire.Truncated, ConnectionError):
                pass
            except wire.Malformed as failure:
                raise AssertionError(f"the gateway passed on what is malformed: {failure}") from failure

        self.hammer(send_one)


if __name__ == "__main__":
    story.main()
