#!/usr/bin/python3
"""Every limit, exactly reached and exceeded by one, with its status; and clients that take their time."""

import socket

from support import story, upstream, wire
from support.waiting import Background, Gate, until


def head(line, fields):
    return line + b"\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


class Sizes(story.Story):
    settings = {
        "limits": {"target_bytes_max": 1000, "header_bytes_max": 4000, "header_fields_max": 20,
                   "unguarded_body_bytes_max": 5000},
        "defaults": {"limits": {"request_body_bytes_max": 2000}},
    }

    def answer(self, data, method="POST"):
        with self.gateway.connect() as connection:
            connection.try_to_send(data)
            answer = connection.read_response(method)
            if answer.status >= 400:
                self.assert_problem_document(answer)
                self.assertEqual(answer["Connection"], "close")
                self.assertTrue(connection.reads_end())
            return answer

    def assert_limit(self, make, status, method="POST"):
        """make(0) is exactly at the limit and make(1) one beyond it; each is (path, bytes)."""
        path, data = make(0)
        self.assert_first(self.answer(data, method))
        self.assert_requests(path, 1)
        path, data = make(1)
        self.assert_status(self.answer(data, method), status)
        self.assert_requests(path, 0)

    def test_request_line(self):
        def make(beyond):
            path = story.new_path()
            line = f"GET {path}?".encode()
            line += b"x" * (1000 + beyond - len(line) - len(b" HTTP/1.1")) + b" HTTP/1.1"
            return path, head(line, [b"Host: a"])
        self.assert_limit(make, 414, "GET")

    def test_head(self):
        def make(beyond):
            path = story.new_path()
            line, fields = f"GET {path} HTTP/1.1".encode(), [b"Host: a", b"X: "]
            fields[1] += b"x" * (4000 + beyond - len(head(line, fields)))
            return path, head(line, fields)
        self.assert_limit(make, 431, "GET")

    def test_fields(self):
        def make(beyond):
            path = story.new_path()
            return path, head(f"GET {path} HTTP/1.1".encode(), [b"Host: a"] + [b"X: y"] * (19 + beyond))
        self.assert_limit(make, 431, "GET")

    def test_method(self):
        def make(beyond):
            path = story.new_path()
            return path, head(b"M" * (32 + beyond) + f" {path} HTTP/1.1".encode(), [b"Host: a"])
        self.assert_limit(make, 501)

    def body_limit(self, size, fields):
        def by_length(beyond):
            path = story.new_path()
            return path, wire.request_bytes("POST", path, fields, b"x" * (size + beyond))

        def by_chunks(beyond):
            path = story.new_path()
            lines = [b"Host: a", b"Transfer-Encoding: chunked", *(f"{name}: {value}".encode()
                                                                 for name, value in fields.items())]
            return path, head(f"POST {path} HTTP/1.1".encode(), lines) + wire.chunked(b"x" * (size + beyond), 3)

        return by_length, by_chunks

    def test_body_of_a_guarded_request(self):
        for make in self.body_limit(2000, {"Idempotency-Key": story.new_key()}):
            self.assert_limit(make, 413)

    def test_body_of_an_unguarded_request(self):
        by_length, by_chunks = self.body_limit(5000, {})
        self.assert_limit(by_length, 413)
        path, data = by_chunks(0)
        self.assert_first(self.answer(data))
        # A streamed body may have gone to the upstream in part; it is never made to look whole.
        path, data = by_chunks(1)
        self.assert_status(self.answer(data), 413)
        self.assert_effects(path, 0)

    def chunked(self, chunks):
        path = story.new_path()
        return path, head(f"POST {path} HTTP/1.1".encode(), [b"Host: a", b"Transfer-Encoding: chunked"]) + chunks

    def test_chunk_size_digits(self):
        self.assert_limit(lambda beyond: self.chunked(b"0" * (15 + beyond) + b"1\r\nx\r\n0\r\n\r\n"), 400)

    def test_chunk_line(self):
        self.assert_limit(lambda beyond: self.chunked(b"1;" + b"e" * (4094 + beyond) + b"\r\nx\r\n0\r\n\r\n"), 400)

    def test_chunk_extensions_together(self):
        extension = b";" + b"e" * 4000
        def make(beyond):
            last = b";" + b"e" * (16384 - 4 * len(extension) - 1 + beyond)
            return self.chunked(4 * (b"1" + extension + b"\r\nx\r\n") + b"1" + last + b"\r\nx\r\n0\r\n\r\n")
        self.assert_limit(make, 400)

    def test_trailers(self):
        self.assert_limit(lambda beyond: self.chunked(b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * (64 + beyond) + b"\r\n"), 431)
        self.assert_limit(
            lambda beyond: self.chunked(b"1\r\nx\r\n0\r\nX: " + b"y" * (8192 - 5 + beyond) + b"\r\n\r\n"), 431)


class Numbers(story.Story):
    settings = None

    def setUp(self):
        self.upstream = self.start_upstream()

    def test_connections(self):
        self.gateway = self.start_gateway(self.upstream.url, workers=1, limits={"connections_max": 3})
        held = [self.gateway.connect() for _ in range(3)]
        for connection in held:
            self.addCleanup(connection.close)
            self.assert_first(connection.request("POST", story.new_path(), {}, b""))
        with self.gateway.connect() as beyond:
            answer = beyond.read_response()
            self.assert_problem(answer, "overloaded", http_status=503, operation_state="unknown", new_key_safe=False)
            self.assertTrue(beyond.reads_end())
        held.pop().close()

        def has_room():
            try:
                return self.post(story.new_path()).status == 200
            except (wire.Closed, ConnectionError):
                return False

        until(has_room, "a closed connection makes room")

    def test_requests_that_queue_for_the_upstream(self):
        self.gateway = self.start_gateway(self.upstream.url, workers=1,
                                          limits={"upstream_connections_max": 1, "upstream_queue_max": 1})
        gate, path = Gate(), story.new_path()
        self.upstream.script(path, upstream.held(gate))
        runs = Background(lambda: self.post(path, {}, story.new_key()))
        self.upstream.wait_for_requests(path)
        key = story.new_key()
        queues = Background(lambda: self.post(path, {}, key))
        until(lambda: self.state_of(path, key) == "in-flight", "the second has its claim")
        beyond = story.new_key()
        answer = until(lambda: (found := self.post_or_none(path, beyond)) and found.status == 503 and found, "a 503")
        self.assert_problem(answer, "overloaded", http_status=503)
        self.assertIn(self.state_of(path, beyond), ("released", "absent"))
        gate.open()
        self.assert_first(runs.result())
        self.assert_first(queues.result())
        self.assert_effects(path, 2)

    def post_or_none(self, path, key):
        return self.post(path, {}, key)

    def test_no_waiters(self):
        self.gateway = self.start_gateway(self.upstream.url, limits={"waiters_max": 0})
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, key))
        self.upstream.wait_for_requests(path)
        self.assert_problem(self.post(path, {}, key), "in-flight")
        gate.open()
        self.assert_first(first.result())

    def test_waiters_of_one_scope(self):
        self.gateway = self.start_gateway(self.upstream.url, limits={"waiters_per_scope_max": 1},
                                          defaults={"wait": "60s"})
        alice, bob = {"Authorization": "alice"}, {"Authorization": "bob"}
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        firsts = [Background(lambda who=who: self.post(path, {}, key, who)) for who in (alice, bob)]
        self.upstream.wait_for_requests(path, 2)
        waits = Background(lambda: self.post(path, {}, key, alice))
        until(lambda: self.gateway.waiters() == 1, "one of Alice's waits")
        self.assert_problem(self.post(path, {}, key, alice), "in-flight")
        waits_too = Background(lambda: self.post(path, {}, key, bob))
        until(lambda: self.gateway.waiters() == 2, "one of Bob's waits as well")
        gate.open()
        self.assert_replay(waits.result(), firsts[0].result())
        self.assert_replay(waits_too.result(), firsts[1].result())


class SlowClients(story.Story):
    settings = {"workers": 1, "timeouts": {"client_head": "300ms", "client_body": "300ms", "client_idle": "300ms",
                                           "client_write": "500ms"}}

    def assert_408(self, data):
        with self.gateway.connect() as connection:
            connection.send(data)
            answer = connection.read_response()
            self.assert_status(answer, 408)
            self.assert_problem_document(answer)
            self.assertTrue(connection.reads_end())

    def test_a_head_that_does_not_end(self):
        self.assert_408(b"POST / HTT")
        self.assert_408(b"POST / HTTP/1.1\r\nHost: a\r\n")

    def test_a_body_that_does_not_come(self):
        path, key = story.new_path(), story.new_key()
        self.assert_408(story.json_request("POST", path, {"a": 1}, key)[:-2])
        self.assertEqual(self.state_of(path, key), "absent")
        self.assert_requests(path, 0)

    def test_a_streamed_body_that_does_not_come(self):
        path = story.new_path()
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("PUT", path, {}, b"12345")[:-2])
            try:
                self.assert_status(connection.read_response(), 408)
            except wire.Closed:
                pass
        self.assert_effects(path, 0)

    def test_a_connection_without_requests_is_closed(self):
        with self.gateway.connect() as connection:
            self.assertTrue(connection.reads_end())
        with self.gateway.connect() as connection:
            self.assert_first(connection.request("POST", story.new_path(), {}, b""))
            self.assertTrue(connection.reads_end())

    def test_a_client_that_does_not_read_is_dropped_and_the_outcome_kept(self):
        path, key = story.new_path(), story.new_key()
        body = b"x" * (900 << 10)
        self.upstream.script(path, upstream.ok(body=body))
        with self.gateway.connect() as connection:
            connection.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(40):
                connection.try_to_send(story.json_request("POST", path, {}, key))
            until(lambda: self.is_broken(connection), "the gateway drops the connection")
        answer = self.post(path, {}, key)
        self.assert_status(answer, 200)
        self.assertEqual((answer["Idempotent-Replayed"], answer.body == body), ("true", True))
        self.assert_effects(path, 1)

    @staticmethod
    def is_broken(connection):
        try:
            connection.stream.send(b"x")
            return False
        except (ConnectionError, BrokenPipeError):
            return True


if __name__ == "__main__":
    story.main()
