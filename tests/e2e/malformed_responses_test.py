#!/usr/bin/python3
"""Malformed and risky responses: never stored, never passed on as if whole, the record unknown, the connection not used
again.
"""

from support import story, upstream, wire

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b"Content-Length: 2\r\n\r\nok"

MALFORMED = {
    "length and coding": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths that differ": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "a list of lengths that differ": OK + b"Content-Length: 2, 3\r\n\r\nok!",
    "a length that is none": OK + b"Content-Length: +2\r\n\r\nok",
    "a length that overflows": OK + b"Content-Length: 99999999999999999999\r\n\r\nok",
    "a coding that is none": OK + b"Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "two codings": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a body on 204": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
    "chunks on 204": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a folded line": OK + b"X: a\r\n b\r\n" + BODY,
    "a line without colon": OK + b"nothing\r\n" + BODY,
    "an empty name": OK + b": x\r\n" + BODY,
    "a control byte in a value": OK + b"X: a\x01b\r\n" + BODY,
    "a NUL in a value": OK + b"X: a\0b\r\n" + BODY,
    "a bare LF": b"HTTP/1.1 200 OK\n" + BODY,
    "a bare LF in the head": OK + b"X: y\n" + BODY,
    "a bare CR": OK + b"X: a\rb\r\n" + BODY,
    "a status of two digits": b"HTTP/1.1 20 OK\r\n" + BODY,
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n" + BODY,
    "a status beyond 599": b"HTTP/1.1 700 OK\r\n" + BODY,
    "a status below 100": b"HTTP/1.1 099 OK\r\n" + BODY,
    "a status of letters": b"HTTP/1.1 abc OK\r\n" + BODY,
    "another protocol": b"HTTQ/1.1 200 OK\r\n" + BODY,
    "another major version": b"HTTP/2.0 200 OK\r\n" + BODY,
    "no HTTP at all": b"hello\r\n\r\n",
    "HTTP/0.9": b"<html></html>",
    "a chunk size that is none": OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n",
    "a chunk without its end": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nokX\r\n0\r\n\r\n",
    "an upgrade that nobody asked for": b"HTTP/1.1 101 Whatever\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "endless interim responses": 100 * b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "a head that is too large": OK + b"X: " + b"x" * 100_000 + b"\r\n" + BODY,
    "too many fields": OK + 2000 * b"X: y\r\n" + BODY,
}


class Malformed(story.Story):
    settings = {"workers": 1}

    def assert_unharmed(self):
        """The next request has an answer of its own, on another connection."""
        path = story.new_path()
        self.assert_first(self.post(path, {}, story.new_key()))
        return self.upstream.ledger(path)[0].connection

    def test_guarded(self):
        for name, response in MALFORMED.items():
            with self.subTest(name):
                path, key = story.new_path(), story.new_key()
                self.upstream.script(path, upstream.raw(response, keep_open=True), upstream.ok())
                self.assert_problem(self.post(path, {}, key), "upstream-failed", retryable=False)
                self.assert_problem(self.post(path, {}, key), "outcome-unknown", retryable=False)
                self.assert_requests(path, 1)
                self.assertNotEqual(self.assert_unharmed(), self.upstream.ledger(path)[0].connection)

    def test_unguarded(self):
        for name, response in MALFORMED.items():
            with self.subTest(name):
                path = story.new_path()
                self.upstream.script(path, upstream.raw(response, keep_open=True))
                try:
                    answer = self.post(path)
                    self.assert_status(answer, 502)
                    self.assert_problem_document(answer)
                except (wire.Truncated, wire.Closed):
                    self.assertIn("chunk", name, "only what is found out in a streamed body may break the connection")
                self.assertNotEqual(self.assert_unharmed(), self.upstream.ledger(path)[0].connection)


class Risky(story.Story):
    """What is well-formed enough, but must not leak into the next answer."""

    settings = {"workers": 1}
    POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

    def assert_not_poisoned(self, path):
        for _ in range(3):
            following = story.new_path()
            answer = self.post(following, {}, story.new_key())
            self.assert_first(answer)
            self.assertNotEqual(answer.body, b"poison")
            seen, = self.upstream.ledger(following)
            self.assertNotEqual(seen.connection, self.upstream.ledger(path)[0].connection)

    def test_bytes_behind_an_answer_are_never_the_next_answer(self):
        for fields in ({}, {"Idempotency-Key": story.new_key()}):
            for answer in (OK + BODY, OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"):
                with self.subTest(fields=fields, answer=answer):
                    path = story.new_path()
                    self.upstream.script(path, upstream.raw(answer + self.POISON, keep_open=True))
                    self.assertNotIn(b"poison", self.post(path, b"", fields=fields).body)
                    self.assert_not_poisoned(path)

    def test_a_body_behind_an_answer_to_head(self):
        path = story.new_path()
        self.upstream.script(path, upstream.raw(OK + b"Content-Length: 56\r\n\r\n" + self.POISON, keep_open=True))
        self.send("HEAD", path)
        self.assert_not_poisoned(path)

    def test_a_body_behind_304(self):
        path = story.new_path()
        self.upstream.script(path, upstream.raw(b"HTTP/1.1 304 Not Modified\r\n\r\n" + self.POISON, keep_open=True))
        self.send("GET", path)
        self.assert_not_poisoned(path)

    def test_an_answer_that_nobody_asked_for_yet(self):
        """Sent on an idle connection, before the next request."""
        sent, path = story.waiting.Gate(), story.new_path()

        def step(exchange):
            upstream.ok()(exchange)
            exchange.send(self.POISON)
            sent.open()

        self.upstream.script(path, step)
        self.assert_first(self.post(path, {}, story.new_key()))
        sent.pass_through()
        self.assert_not_poisoned(path)

    def test_two_equal_lengths_are_refused_or_one(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.raw(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"))
        answer = self.post(path, {}, key)
        if answer.status == 200:
            self.assertEqual((answer.body, answer["Content-Length"]), (b"ok", "2"))
        else:
            self.assert_problem(answer, "upstream-failed")

    def test_white_space_before_a_colon_never_passes(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.raw(OK + b"X-A : b\r\n" + BODY))
        answer = self.post(path, {}, key)
        self.assertNotIn(b"X-A :", answer.raw)
        if answer.status == 200:
            self.assertEqual(answer["X-A"], "b")
        else:
            self.assert_problem(answer, "upstream-failed")

    def test_http_1_0_answers(self):
        for fields, body in ((b"Connection: keep-alive\r\nContent-Length: 2\r\n", b"ok"), (b"", b"ok")):
            with self.subTest(fields):
                path, key = story.new_path(), story.new_key()
                self.upstream.script(path, upstream.raw(b"HTTP/1.0 200 OK\r\n" + fields + b"\r\n" + body))
                first = self.post(path, {}, key)
                self.assert_first(first)
                self.assertEqual(first.body, b"ok")
                self.assert_replay(self.post(path, {}, key), first)

    def test_an_answer_before_the_body_was_read(self):
        """Whatever it is taken for, it is taken for the same ever after."""
        path, key = story.new_path(), story.new_key()

        @upstream.before_body
        def step(exchange):
            exchange.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
            exchange.close()

        self.upstream.script(path, step, upstream.ok())
        body = b"x" * (1 << 20)
        first, second = self.post(path, body, key), self.post(path, body, key)
        if first.status == 400:
            self.assert_replay(second, first)
        else:
            self.assert_problem(first, "upstream-failed")
            self.assert_problem(second, "outcome-unknown")
        self.assert_effects(path, 0)


if __name__ == "__main__":
    story.main()
