#!/usr/bin/python3
"""Replay fidelity: what comes back of a stored answer, what does not, and that the client never sees it too early."""

import socket

from support import story, upstream


class Replay(story.Story):
    settings = {"routes": [
        {"match": {"path": "/marker/**"}, "replay": {"marker": "X-Replayed"}},
        {"match": {"path": "/own/**"}, "replay": {"drop": ["X-Secret"], "rename": ["X-Trace"]}},
    ]}

    def twice(self, *, folder="", status=200, fields=(), body=b"body", framing="length"):
        path, key = story.new_path(folder), story.new_key()
        self.upstream.script(path, upstream.ok(status, fields, body, framing))
        first = self.post(path, {}, key)
        self.assert_status(first, status)
        second, third = self.post(path, {}, key), self.post(path, {}, key)
        self.assertEqual((second.status, second.body), (first.status, first.body))
        self.assertEqual(without_date(second.fields), without_date(third.fields), "all replays are equal")
        return first, second

    def test_status_body_and_fields_come_back(self):
        fields = [("Content-Type", "application/vnd.x+json; charset=utf-8"), ("X-A", "1"), ("X-A", "2"),
                  ("ETag", '"e"'), ("Location", "/charges/7"), ("X-Empty", ""), ("X-Obs", "caf\xe9"),
                  ("Content-Encoding", "gzip"), ("Link", "</a>; rel=b, </c>; rel=d")]
        first, second = self.twice(status=201, fields=fields, body=bytes(range(256)))
        for name in {name for name, _ in fields}:
            self.assertEqual(second.fields.all(name), first.fields.all(name), name)
        self.assertEqual(second["Idempotent-Replayed"], "true")

    def test_each_framing_of_the_upstream_gives_the_same_replay(self):
        for framing in ("length", "chunked", "close"):
            with self.subTest(framing):
                first, second = self.twice(body=b"x" * 70_000, framing=framing)
                self.assertEqual(second.framing, "length")
                self.assertEqual(len(first.body), 70_000)

    def test_an_empty_body(self):
        _, second = self.twice(body=b"")
        self.assertEqual(second["Content-Length"], "0")

    def test_no_content(self):
        _, second = self.twice(status=204, body=b"")
        self.assertEqual((second["Content-Length"], second["Transfer-Encoding"]), (None, None))

    def test_what_belongs_to_one_connection_or_one_caller_does_not(self):
        first, second = self.twice(fields=[
            ("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "x"),
            ("Set-Cookie", "session=1"), ("Age", "10"), ("Idempotent-Replayed", "true")])
        self.assertIn("session=1", first.fields.all("Set-Cookie"), "the first caller gets its cookie")
        for name in ("X-Hop", "Keep-Alive", "Proxy-Connection", "Set-Cookie", "Age"):
            self.assertEqual(second.fields.all(name), [], name)
        self.assertEqual(first.fields.all("X-Hop"), [])
        self.assertEqual(second.fields.all("Idempotent-Replayed"), ["true"])

    def test_an_upstream_cannot_speak_for_the_gateway(self):
        first, second = self.twice(fields={"Onceward-Error-Source": "gateway"})
        self.assertEqual((first["Onceward-Error-Source"], second["Onceward-Error-Source"]), (None, None))

    def test_what_names_the_first_request_comes_back_as_original(self):
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        fields = {"Date": date, "X-Request-Id": "a", "Request-Id": "b", "X-Correlation-Id": "c"}
        first, second = self.twice(fields=fields)
        self.assertEqual({name: first[name] for name in fields}, fields)
        self.assertEqual({name: second["Original-" + name] for name in fields}, fields)
        self.assertEqual([second[name] for name in fields if name != "Date"], [None] * 3)
        self.assertRegex(second["Date"], r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT$")

    def test_replays_are_not_cached_unless_the_upstream_said_otherwise(self):
        _, second = self.twice()
        self.assertEqual(second["Cache-Control"], "no-store")
        _, second = self.twice(fields={"Cache-Control": "max-age=60"})
        self.assertEqual(second["Cache-Control"], "max-age=60")

    def test_the_marker_can_have_another_name(self):
        first, second = self.twice(folder="/marker", fields={"Idempotent-Replayed": "false"})
        self.assertEqual((first["X-Replayed"], second["X-Replayed"]), (None, "true"))
        self.assertEqual(second["Idempotent-Replayed"], "false")

    def test_the_lists_can_be_others(self):
        first, second = self.twice(folder="/own", fields={"X-Secret": "1", "X-Trace": "2", "X-Request-Id": "3"})
        self.assertEqual((first["X-Secret"], first["X-Trace"]), ("1", "2"))
        self.assertEqual((second["X-Secret"], second["X-Trace"], second["Original-X-Trace"], second["X-Request-Id"]),
                         (None, None, "2", "3"))

    def test_an_interim_response_is_not_part_of_it(self):
        path, key = story.new_path(), story.new_key()
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
        self.upstream.script(path, upstream.raw(hints + upstream.response_bytes(body=b"x")))
        first = self.post(path, {}, key)
        self.assert_status(first, 200)
        self.assert_replay(self.post(path, {}, key), first)


class RecordBeforeResponse(story.Story):
    """The bytes of the record are on disk when the first byte of the answer is on its way."""

    settings = None

    def test_a_kill_right_after_the_answer_loses_nothing(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url)
        for _ in range(5):
            path, key = story.new_path(), story.new_key()
            with self.gateway.connect() as connection:
                connection.send(story.json_request("POST", path, {}, key))
                connection.stream.recv(1, socket.MSG_PEEK)
                self.gateway.kill()
            self.gateway.start()
            answer = self.post(path, {}, key)
            self.assert_status(answer, 200)
            self.assertEqual(answer["Idempotent-Replayed"], "true")
            self.assert_effects(path, 1)


def without_date(fields):
    return [(name, value) for name, value in fields if name.lower() != b"date"]


if __name__ == "__main__":
    story.main()
