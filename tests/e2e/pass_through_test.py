#!/usr/bin/python3
"""What is not guarded passes unchanged, streamed, upgrades included; and what belongs to one hop does not pass."""

import hashlib

from support import story, upstream, wire
from support.waiting import until

MIB = 1 << 20
LARGE_MIB = 64


class Hops(story.Story):
    settings = {}

    def forwarded(self, fields=(), method="POST", body=b"x", suffix=""):
        path = story.new_path()
        self.assert_status(self.send(method, path + suffix, body, fields=fields), 200)
        return self.upstream.ledger(path)[0].request

    def test_method_target_fields_and_body_arrive_as_they_were(self):
        fields = {"X-A": "1", "Accept": "*/*", "User-Agent": "a/1", "Authorization": "Bearer x", "Cookie": "a=b; c=d",
                  "X-Empty": "", "X-Obs": "caf\xe9"}
        for method in ("POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "PROPFIND"):
            with self.subTest(method):
                request = self.forwarded(fields, method, b"\0\xff body", "?q=1&r=%2f%20&&;")
                self.assertEqual((request.method, request.body), (method, b"\0\xff body"))
                self.assertTrue(request.target.endswith("?q=1&r=%2f%20&&;"))
                self.assertEqual({name: request[name] for name in fields}, fields)
                self.assertEqual(request["Host"], "gateway.test")

    def test_targets_are_forwarded_byte_for_byte(self):
        for target in ("/a%2fb", "/a//b", "/%41", "/a;b=c", "/a?", "/~a!$&'()*+,=:@", "/%0d%0a"):
            with self.subTest(target):
                self.assert_first(self.gateway.call("GET", target))
                self.assertEqual(self.upstream.ledger()[-1].request.target, target)

    def test_what_belongs_to_one_hop_stays_there(self):
        request = self.forwarded({
            "Connection": "close, X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5", "Proxy-Connection": "keep-alive",
            "TE": "trailers", "Proxy-Authorization": "Basic eDp5"})
        for name in ("X-Hop", "Keep-Alive", "Proxy-Connection", "TE"):
            self.assertEqual(request.fields.all(name), [], name)

    def test_two_lines_of_a_field_stay_two(self):
        request = self.forwarded([("X-A", "1"), ("X-B", "x"), ("X-A", "2")])
        self.assertEqual(request.fields.all("X-A"), ["1", "2"])

    def test_head_and_its_answer_without_a_body(self):
        path = story.new_path()
        self.upstream.script(path, upstream.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", keep_open=True))
        with self.gateway.connect() as connection:
            for _ in range(2):
                answer = connection.request("HEAD", path)
                self.assertEqual((answer.status, answer["Content-Length"], answer.body), (200, "5", b""))

    def test_not_modified_keeps_its_length(self):
        path = story.new_path()
        answer = b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\n"
        self.upstream.script(path, upstream.raw(answer, keep_open=True))
        with self.gateway.connect() as connection:
            for _ in range(2):
                self.assertEqual(connection.request("GET", path).status, 304)

    def test_each_framing_of_an_answer(self):
        for framing in ("length", "chunked", "close"):
            with self.subTest(framing):
                path = story.new_path()
                self.upstream.script(path, upstream.ok(body=b"y" * 100_000, framing=framing))
                self.assertEqual(self.post(path).body, b"y" * 100_000)

    def test_a_truncated_answer_is_not_passed_on_as_whole(self):
        head = b"HTTP/1.1 200 OK\r\n"
        for answer in (head + b"Content-Length: 10\r\n\r\n12345",
                       head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"):
            with self.subTest(answer):
                path = story.new_path()
                self.upstream.script(path, upstream.raw(answer))
                try:
                    self.assert_status(self.post(path), 502)
                except wire.Truncated:
                    pass

    def test_http_1_0_clients_are_served(self):
        path = story.new_path()
        self.upstream.script(path, upstream.ok(body=b"hello", framing="chunked"))
        with self.gateway.connect() as connection:
            connection.send(f"GET {path} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
            head, _, body = connection.reader.rest_to_end().partition(b"\r\n\r\n")
            self.assertIn(b" 200 ", head.splitlines()[0])
            self.assertNotIn(b"transfer-encoding", head.lower())
            self.assertEqual(body, b"hello")

    def test_interim_responses_pass_where_nothing_is_guarded(self):
        path = story.new_path()
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
        self.upstream.script(path, upstream.raw(hints + upstream.response_bytes(body=b"x")))
        answer = self.gateway.call("GET", path)
        self.assert_status(answer, 200)
        self.assertIn([each.status for each in answer.interim], ([103], []))


class Pipelining(story.Story):
    settings = {}

    def test_answers_come_in_order_and_keys_are_independent(self):
        paths = [story.new_path() for _ in range(5)]
        for index, path in enumerate(paths):
            self.upstream.script(path, upstream.ok(body=str(index).encode()))
        with self.gateway.connect() as connection:
            connection.send(b"".join(story.json_request("POST", path, {}, "same") for path in paths))
            self.assertEqual([connection.read_response().body for _ in paths], [b"0", b"1", b"2", b"3", b"4"])

    def test_two_with_one_key_are_one_effect(self):
        path, key = story.new_path(), story.new_key()
        with self.gateway.connect() as connection:
            connection.send(2 * story.json_request("POST", path, {}, key))
            first, second = connection.read_response(), connection.read_response()
        self.assert_first(first)
        self.assert_replay(second, first)
        self.assert_effects(path, 1)

    def test_after_a_malformed_one_nothing_more_is_read(self):
        good, hidden = story.new_path(), story.new_path()
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("GET", good) + b"GET / HTTP/1.1\r\n\r\n" +
                            wire.request_bytes("GET", hidden))
            self.assert_first(connection.read_response("GET"))
            self.assert_status(connection.read_response("GET"), 400)
            self.assertTrue(connection.reads_end())
        self.assert_requests(hidden, 0)

    def test_bytes_in_pieces(self):
        path, key = story.new_path(), story.new_key()
        with self.gateway.connect() as connection:
            for at, byte in enumerate(story.json_request("POST", path, {"a": 1}, key)):
                connection.send(bytes([byte]))
                if at % 50 == 0:
                    until(lambda: self.gateway.admin("GET", "/livez").status == 200, "a turn of the loop")
            self.assert_first(connection.read_response())
        self.assertEqual(self.upstream.ledger(path)[0].request.body, b'{"a": 1}')


class ContinueExpected(story.Story):
    settings = {"routes": [{"match": {"path": "/required/**"}, "key": {"presence": "required"},
                            "limits": {"request_body_bytes_max": 100}}]}

    def expect(self, path, fields, body, expectation="100-continue", announced=None):
        """Sends the head, reads what comes, sends the body if it is asked for; the final response."""
        head = wire.request_bytes("POST", path, {**fields, "Expect": expectation}, body)[:-len(body)]
        if announced is not None:
            head = head.replace(b"Content-Length: %d" % len(body), b"Content-Length: %d" % announced)
        with self.gateway.connect() as connection:
            connection.send(head)
            line = connection.reader.read_status_line()
            self.was_asked = line.startswith(b"HTTP/1.1 100")
            if self.was_asked:
                connection.send(body)
            return connection.read_response()

    def test_the_gateway_asks_for_the_body_and_forwards_no_expectation(self):
        for expectation in ("100-continue", "100-Continue"):
            for fields in ({}, {"Idempotency-Key": story.new_key()}):
                with self.subTest(expectation=expectation, fields=fields):
                    path = story.new_path()
                    self.assert_first(self.expect(path, fields, b"hello", expectation))
                    self.assertTrue(self.was_asked)
                    request = self.upstream.ledger(path)[0].request
                    self.assertEqual((request["Expect"], request.body), (None, b"hello"))

    def test_it_does_not_ask_for_what_it_refuses(self):
        path = story.new_path("/required")
        self.assert_problem(self.expect(path, {}, b"hello"), "key-missing")
        self.assertFalse(self.was_asked)
        self.assert_problem(self.expect(path, {"Idempotency-Key": "a b"}, b"hello"), "key-invalid")
        self.assertFalse(self.was_asked)
        self.assert_status(self.expect(path, {"Idempotency-Key": "k"}, b"hello", announced=101), 413)
        self.assertFalse(self.was_asked)
        self.assert_requests(path, 0)

    def test_a_client_that_does_not_wait_is_served(self):
        path, key = story.new_path(), story.new_key()
        answer = self.post(path, {}, key, {"Expect": "100-continue"})
        self.assert_first(answer)


class Upgrades(story.Story):
    settings = {"routes": [{"match": {"path": "/no-upgrades/**"}, "unguarded_upgrades": False}]}
    UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
               "Sec-WebSocket-Version": "13"}

    @staticmethod
    def echo(exchange):
        """Switches protocols and sends everything back, in capitals."""
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := exchange.reader.read_some():
            exchange.send(data.upper())
        exchange.close()

    def test_a_websocket_passes(self):
        path = story.new_path()
        self.upstream.script(path, self.echo)
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("GET", path, self.UPGRADE) + b"early ")
            answer = connection.read_response("GET")
            self.assert_status(answer, 101)
            self.assertEqual((answer["Upgrade"], answer["Connection"].lower()), ("websocket", "upgrade"))
            connection.send(b"late")
            received = b""
            while len(received) < 10:
                received += connection.reader.read_some()
            self.assertEqual(received, b"EARLY LATE")
            connection.half_close()
            self.assertTrue(connection.reads_end())
        self.assertEqual(self.upstream.ledger(path)[0].request["Upgrade"], "websocket")

    def test_where_a_key_guards_it_is_not_asked_for(self):
        path, key = story.new_path(), story.new_key()
        answer = self.post(path, {}, key, self.UPGRADE)
        self.assert_first(answer)
        self.assertEqual(self.upstream.ledger(path)[0].request["Upgrade"], None)

    def test_a_route_can_do_without(self):
        path = story.new_path("/no-upgrades")
        self.assert_first(self.send("GET", path, fields=self.UPGRADE))
        self.assertEqual(self.upstream.ledger(path)[0].request["Upgrade"], None)

    def test_an_upstream_that_does_not_want_to(self):
        path = story.new_path()
        self.upstream.script(path, upstream.fail(426))
        self.assert_status(self.send("GET", path, fields=self.UPGRADE), 426)

    def test_http2_by_upgrade_is_not_spoken(self):
        path = story.new_path()
        fields = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
        self.assert_first(self.post(path, b"x", fields=fields))
        request = self.upstream.ledger(path)[0].request
        self.assertEqual((request["Upgrade"], request["HTTP2-Settings"]), (None, None))


class Streams(story.Story):
    """Bodies far larger than what the gateway may hold."""

    settings = {"workers": 1}
    # AddressSanitizer keeps what was freed; here the memory in use is looked at.
    environment = {"ASAN_OPTIONS": "quarantine_size_mb=1"}

    def digest_of_piece(self, piece, count):
        digest = hashlib.sha256()
        for _ in range(count):
            digest.update(piece)
        return digest.hexdigest()

    def assert_memory_stays(self, before):
        self.assertLess(self.gateway.resident_bytes() - before, LARGE_MIB * MIB / 2)

    def test_a_large_request_is_streamed(self):
        path, piece = story.new_path(), bytes(range(256)) * (MIB // 256)
        digest = []

        @upstream.before_body
        def step(exchange):
            digest.append(exchange.reader.digest(LARGE_MIB * MIB))
            exchange.respond(200, (), b"done")

        self.upstream.script(path, step)
        before = self.gateway.resident_bytes()
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("PUT", path, {}, b"").replace(
                b"Content-Length: 0", b"Content-Length: %d" % (LARGE_MIB * MIB)))
            for _ in range(LARGE_MIB):
                connection.send(piece)
            self.assertEqual(connection.read_response().body, b"done")
        self.assertEqual(digest, [self.digest_of_piece(piece, LARGE_MIB)])
        self.assert_memory_stays(before)

    def test_a_large_answer_is_streamed_and_a_slow_reader_slows_the_upstream(self):
        path, piece = story.new_path(), bytes(range(256)) * (MIB // 256)
        sent = []

        def step(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGE_MIB * MIB))
            for index in range(LARGE_MIB):
                exchange.send(piece)
                sent.append(index)

        self.upstream.script(path, step)
        before = self.gateway.resident_bytes()
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("GET", path))
            self.wait_until_it_stands_still(sent)
            self.assertLess(len(sent), LARGE_MIB, "the upstream is not read ahead of the client")
            self.assert_memory_stays(before)
            connection.reader.read_head()
            self.assertEqual(connection.reader.digest(LARGE_MIB * MIB), self.digest_of_piece(piece, LARGE_MIB))
        self.assert_memory_stays(before)

    def wait_until_it_stands_still(self, sent):
        """Until nothing more is taken from the upstream in a good number of looks."""
        looks = []

        def same_for_long():
            looks.append(len(sent))
            return len(looks) > 50 and sent and len(set(looks[-50:])) == 1

        until(same_for_long, "the stream stands still")

    def test_a_large_answer_to_a_guarded_request_passes_and_leaves_a_tombstone(self):
        path, key, piece = story.new_path(), story.new_key(), b"z" * MIB

        def step(exchange):
            exchange.run()
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (LARGE_MIB * MIB))
            for _ in range(LARGE_MIB):
                exchange.send(piece)

        self.upstream.script(path, step)
        before = self.gateway.resident_bytes()
        with self.gateway.connect() as connection:
            connection.send(story.json_request("POST", path, {}, key))
            connection.reader.read_head()
            self.assertEqual(connection.reader.digest(LARGE_MIB * MIB), self.digest_of_piece(piece, LARGE_MIB))
        self.assert_memory_stays(before)
        self.assert_problem(self.post(path, {}, key), "result-gone")

    def test_both_directions_at_once(self):
        """The answer begins before the request has ended."""
        path = story.new_path()

        @upstream.before_body
        def step(exchange):
            exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            exchange.read_body()
            exchange.send(b"5\r\n" + exchange.request.body + b"\r\n0\r\n\r\n")

        self.upstream.script(path, step)
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("PUT", path, {}, b"12345")[:-3])
            connection.reader.wait_for(b"hello")
            connection.send(b"345")
            self.assertEqual(connection.read_response().body, b"hello12345")


if __name__ == "__main__":
    story.main()
