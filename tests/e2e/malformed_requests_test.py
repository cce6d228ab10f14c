#!/usr/bin/python3
"""Malformed and risky requests over the wire: each row of the published table gets its status, the connection is
closed, and nothing reaches the upstream in another shape than it was understood.
"""

from support import story, wire

HOST = b"Host: a\r\n"
CHUNKED = HOST + b"Transfer-Encoding: chunked\r\n"


def get(line, fields=HOST):
    return line + b"\r\n" + fields + b"\r\n"


def post(fields, body=b"", host=HOST):
    return b"POST %PATH% HTTP/1.1\r\n" + host + fields + b"\r\n" + body


def chunks(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


def key(value):
    return post(b"Content-Length: 0\r\nIdempotency-Key: " + value + b"\r\n")


# Row -> requests that are refused with 400 (or what stands with them). %PATH% is a path of the case's own.
REFUSED = {
    1: [get(b"GET %PATH% HTTP/1.1", fields) for fields in (
        b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n", b"Host: a, b\r\n", b"Host: u@a\r\n",
        b"Host: a/b\r\n",
        b"Host: a b\r\n", b"Host: a:b\r\n", b"Host: a:99999\r\n", b"Host:\r\n" b"Host:\r\n")],
    3: [get(line) for line in (
        b"GET * HTTP/1.1", b"GET a:80 HTTP/1.1", b"GET %PATH%#f HTTP/1.1", b"GET path HTTP/1.1", b"GET  HTTP/1.1",
        b"GET %PATH%\x01 HTTP/1.1", b"GET %PATH%\x7f HTTP/1.1", b"GET %PATH%\x80 HTTP/1.1",
        b"GET %PATH%?\xff HTTP/1.1", b"GET %PATH% x HTTP/1.1")],
    4: [get(line) for line in (
        b"GET  %PATH% HTTP/1.1", b"GET %PATH%  HTTP/1.1", b"GET\t%PATH% HTTP/1.1", b"GET\x0b%PATH% HTTP/1.1",
        b"GET %PATH%\x0cHTTP/1.1", b"GET\r%PATH% HTTP/1.1", b"GET %PATH% http/1.1", b"GET %PATH% HTTP/1.32",
        b"GET %PATH% HTTP/01.1", b"GET %PATH% HTTP/1", b"GET %PATH% HTTP/1.", b"GET %PATH% HTTP/.1",
        b"GET %PATH% HTTP/1.1 ", b" GET %PATH% HTTP/1.1", b"GET %PATH% HTTQ/1.1")],
    6: [b"\r\n\r\n" + get(b"GET %PATH% HTTP/1.1"), b"\n" + get(b"GET %PATH% HTTP/1.1")],
    7: [b"GET %PATH% HTTP/1.1\nHost: a\n\n", b"GET %PATH% HTTP/1.1\r\nHost: a\n\r\n",
        b"GET %PATH% HTTP/1.1\nHost: a\r\n\r\n", b"GET %PATH% HTTP/1.1\r\nHost: a\r\n\n"],
    8: [b"GET %PATH% HTTP/1.1\rHost: a\r\r", get(b"GET %PATH% HTTP/1.1", HOST + b"X: a\rb\r\n"),
        get(b"GET %PATH% HTTP/1.1", HOST + b"X: a\r\r\n"), get(b"GET %PATH%\r HTTP/1.1")],
    9: [b"GET %PATH% HTTP/1.1\r\n Host: a\r\n\r\n", b"GET %PATH% HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n",
        b"GET %PATH% HTTP/1.1\r\n \r\nHost: a\r\n\r\n"],
    10: [get(b"GET %PATH% HTTP/1.1", HOST + b"X: a\r\n b\r\n"), get(b"GET %PATH% HTTP/1.1", HOST + b"X: a\r\n\tb\r\n"),
         post(b"Transfer-Encoding: chunked,\r\n identity\r\n", b"0\r\n\r\n")],
    11: [get(b"GET %PATH% HTTP/1.1", HOST + field + b"\r\n") for field in (
        b"X : y", b"X\t: y", b": y", b"X[]: y", b"X(: y", b"X\x80: y", b"X\0: y", b"X", b"X y: z")],
    12: [get(b"GET %PATH% HTTP/1.1", HOST + b"X: a" + byte + b"b\r\n") for byte in (
        b"\0", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1b", b"\x7f")],
    13: [b"GET %PATH% HTTP/1.1\r\nHost: \xe4\r\n\r\n", post(b"Content-Length: \xa05\r\n", b"12345"),
         post(b"Content-Length: 5\x85\r\n", b"12345"), post(b"Transfer-Encoding: chunked\xa0\r\n", b"0\r\n\r\n"),
         key(b"\xe4"), key(b'"\xe4"')],
    14: [post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
         post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n")],
    15: [post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"123456")],
    16: [post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"12345"), post(b"Content-Length: 5, 5\r\n", b"12345"),
         post(b"Content-Length: 5,\r\n", b"12345")],
    17: [post(b"Content-Length: " + value + b"\r\n", b"12345") for value in (
        b"+5", b"-5", b"-0", b"0x5", b"1_0", b"1e1", b"5 5", b"", b"5x", b"5;", b"0" * 20 + b"5x",
        b"99999999999999999999", b"18446744073709551616", b"5.0", b'"5"')],
    18: [post(b"Transfer-Encoding: " + value + b"\r\n", b"0\r\n\r\n") for value in (
        b"chunked, gzip", b"identity", b"xchunked", b"chunked;foo", b",chunked", b"", b'"chunked"', b"chunked\x0b",
        b"\x0bchunked", b"\x0cchunked", b"chunked\0", b"chunked\x85", b"chunked,")],
    19: [post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
         post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n")],
    20: [b"POST %PATH% HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n"],
    21: [chunks(size + b"\r\nhello\r\n0\r\n\r\n") for size in (
        b"0x5", b"+5", b"-5", b"5_0", b" 5", b"5 ", b"\t5", b"", b"0000000000000000005", b"FFFFFFFFFFFFFFFFF",
        b"g", b"5,", b'"5"')],
    22: [chunks(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n") for extension in (
        b";a=\0", b";a\x01", b';a="b', b";=b", b";a==b", b";\xe4")],
    23: [chunks(body) for body in (
        b"5\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n", b"5;a\nhello\r\n0\r\n\r\n",
        b"5;a\rb\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX",
        b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX y: z\r\n\r\n", b"5\r\nhello\r\n0\r\n folded: z\r\n\r\n")],
    30: [post(b"Content-Length: 5\r\nConnection: close, Content-Length\r\n", b"12345"),
         post(b"Content-Length: 0\r\nIdempotency-Key: k\r\nConnection: Idempotency-Key\r\n"),
         post(b"Content-Length: 0\r\nConnection: Host\r\n"),
         post(b"Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n", b"0\r\n\r\n")],
    36: [post(b"Content-Length: 0\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n"), key(b"a, b"), key(b'"a", "b"')],
    37: [key(value) for value in (b'"a', b'"a\\x"', b'"a" b', b'"a"b', b'"a\x7f"', b'"a";')],
    39: [key(b""), key(b" "), key(b'""'), key(b'"  "'), key(b"k" * 256), key(b'"' + b"k" * 256 + b'"')],
}

# (row, status, request)
OTHER_STATUS = [
    (4, 505, get(b"GET %PATH% HTTP/2.0")), (4, 505, get(b"GET %PATH% HTTP/0.9")), (4, 505, get(b"GET %PATH% HTTP/3.1")),
    (18, 501, post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    (29, 417, post(b"Content-Length: 5\r\nExpect: something\r\n", b"12345")),
    (29, 417, post(b"Content-Length: 5\r\nExpect: 200-ok\r\n", b"12345")),
    (29, 400, post(b"Content-Length: 5\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n", b"12345")),
    (29, 400, post(b"Content-Length: 5\r\nExpect: 100-continue, 100-continue\r\n", b"12345")),
    (29, 400, post(b"Content-Length: 5\r\nExpect: 100-continue;q=1\r\n", b"12345")),
    (34, 400, get(b"G@T %PATH% HTTP/1.1")), (34, 400, get(b"G\x80T %PATH% HTTP/1.1")),
]


class Refused(story.Story):
    settings = {}

    def send_raw(self, data):
        """All answers until the connection is closed."""
        path = story.new_path()
        with self.gateway.connect() as connection:
            connection.try_to_send(data.replace(b"%PATH%", path.encode()))
            connection.half_close()
            answers = []
            try:
                while True:
                    answers.append(connection.read_response())
            except wire.Closed:
                return path, answers

    def assert_refused(self, data, status):
        before = len(self.upstream.ledger())
        path, answers = self.send_raw(data)
        self.assertEqual([answer.status for answer in answers], [status], data)
        self.assert_problem_document(answers[0])
        self.assertEqual(len(self.upstream.ledger()), before, data)
        self.assert_requests(path, 0)

    def test_the_answer_to_what_cannot_be_read_closes_the_connection(self):
        """Not only because the client has half-closed it."""
        for data in (b"GET / HTTP/1.1\r\n\r\n", post(b"Content-Length: +5\r\n", b"12345"), chunks(b"x\r\n")):
            with self.gateway.connect() as connection:
                connection.send(data.replace(b"%PATH%", b"/"))
                answer = connection.read_response()
                self.assertEqual((answer.status, answer["Connection"]), (400, "close"))
                self.assertTrue(connection.reads_end())

    def test_row_05_http_0_9(self):
        for data in (b"GET %PATH%\r\n", b"GET %PATH%\r\n\r\n"):
            path, answers = self.send_raw(data)
            self.assertIn([answer.status for answer in answers], ([], [400]))
            self.assert_requests(path, 0)

    def test_row_11_underscores_do_not_pass(self):
        """Some servers read Content_Length as Content-Length."""
        path, _ = self.send_raw(get(b"GET %PATH% HTTP/1.1", HOST + b"Content_Length: 5\r\n"))
        for seen in self.upstream.ledger(path):
            self.assertNotIn(b"Content_Length", seen.request.raw)

    def test_row_33_http2_is_not_spoken(self):
        _, answers = self.send_raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        self.assertIn([answer.status for answer in answers], ([], [400], [505]))

    def test_row_32_connect_and_trace(self):
        for data in (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", b"TRACE %PATH% HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"TRACE %PATH% HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nContent-Length: 1\r\n\r\nx"):
            before = len(self.upstream.ledger())
            _, answers = self.send_raw(data)
            self.assertIn(answers[0].status, (405, 501), data)
            self.assertEqual(len(self.upstream.ledger()), before)

    def test_row_27_a_body_shorter_than_announced_claims_nothing(self):
        for body in (b"Content-Length: 10\r\n\r\n12345", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
            unique = story.new_key()
            path, answers = self.send_raw(b"POST %PATH% HTTP/1.1\r\nHost: a\r\nIdempotency-Key: " + unique.encode() +
                                          b"\r\n" + body)
            self.assertIn([answer.status for answer in answers], ([], [400]))
            self.assert_requests(path, 0)
            self.assertEqual(self.state_of(path, unique), "absent")


def add_row(row, cases):
    def test(self):
        for data, status in cases:
            with self.subTest(data=data[:200]):
                self.assert_refused(data, status)
    setattr(Refused, f"test_row_{row:02}", test)


for number in sorted({*REFUSED, *(row for row, _, _ in OTHER_STATUS)}):
    add_row(number, [(data, 400) for data in REFUSED.get(number, ())] +
            [(data, status) for row, status, data in OTHER_STATUS if row == number])


class Normalised(story.Story):
    """What is accepted, and how it looks behind the gateway."""

    settings = {}

    def forwarded(self, data, path=None):
        path = path or story.new_path()
        with self.gateway.connect() as connection:
            connection.send(data.replace(b"%PATH%", path.encode()))
            self.assert_status(connection.read_response(), 200)
        seen, = self.upstream.ledger(path)
        return seen.request

    def test_row_02_absolute_form(self):
        path = story.new_path()
        with self.gateway.connect() as connection:
            connection.send(f"GET http://one.test{path}?q HTTP/1.1\r\nHost: other.test\r\n\r\n".encode())
            answer = connection.read_response("GET")
        if answer.status == 200:
            seen, = self.upstream.ledger(path)
            self.assertEqual((seen.request.target, seen.request["Host"]), (path + "?q", "one.test"))
        else:
            self.assert_status(answer, 400)
            self.assert_requests(path, 0)

    def test_row_06_one_empty_line_before_a_request(self):
        self.assertEqual(self.forwarded(b"\r\n" + get(b"GET %PATH% HTTP/1.1")).method, "GET")

    def test_row_13_other_bytes_in_opaque_fields(self):
        request = self.forwarded(get(b"GET %PATH% HTTP/1.1", HOST + b"X: \xa0a\x85\r\n"))
        self.assertEqual(request["X"], "\xa0a\x85")

    def test_row_17_leading_zeros(self):
        request = self.forwarded(post(b"Content-Length: 0005\r\n", b"12345"))
        self.assertEqual((request["Content-Length"], request.body), ("5", b"12345"))

    def test_row_22_chunk_extensions_are_dropped(self):
        for extension in (b";a", b";a=b;c", b';a="b;c\\""', b" ; a = b"):
            with self.subTest(extension):
                request = self.forwarded(chunks(b"5" + extension + b"\r\nhello\r\n0;z\r\n\r\n"))
                self.assertEqual(request.body, b"hello")
                self.assertNotIn(b";", request.raw.partition(b"\r\n\r\n")[2])

    def test_row_24_trailers_are_dropped(self):
        names = (b"Content-Length", b"Transfer-Encoding", b"Host", b"Authorization", b"Content-Type",
                 b"Idempotency-Key", b"X-Checksum")
        trailers = b"".join(name + b": 9\r\n" for name in names)
        request = self.forwarded(chunks(b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n"))
        self.assertEqual(request.body, b"hello")
        self.assertNotIn(b": 9", request.raw)

    def test_row_25_body_of_a_get(self):
        path, following = story.new_path(), story.new_path()
        with self.gateway.connect() as connection:
            connection.send(wire.request_bytes("GET", path, {}, b"hello") + wire.request_bytes("GET", following))
            first = connection.read_response("GET")
            if first.status == 200:
                self.assertEqual(self.upstream.ledger(path)[0].request.body, b"hello")
                self.assert_first(connection.read_response("GET"))
            else:
                self.assert_status(first, 400)
                self.assert_requests(path, 0)

    def test_row_26_a_post_without_length_is_empty(self):
        path, following = story.new_path(), story.new_path()
        with self.gateway.connect() as connection:
            connection.send(f"POST {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() + wire.request_bytes("GET", following))
            self.assert_first(connection.read_response())
            self.assert_first(connection.read_response("GET"))
        self.assertEqual(self.upstream.ledger(path)[0].request.body, b"")
        self.assert_requests(following, 1)

    def test_row_28_what_is_pipelined_behind_a_body_is_another_request(self):
        path, following = story.new_path(), story.new_path()
        inner = f"GET {following} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        for body in (b"Content-Length: %d\r\n\r\n%s" % (len(inner), inner),
                     b"Transfer-Encoding: chunked\r\n\r\n" + wire.chunked(inner)):
            path = story.new_path()
            self.assertEqual(self.forwarded(f"POST {path} HTTP/1.1\r\nHost: a\r\n".encode() + body, path).body, inner)
            self.assert_requests(following, 0)

    def test_row_34_unknown_methods_are_forwarded_as_they_are(self):
        for method in (b"get", b"PURGE", b"X!#$%&'*+-.^_`|~9"):
            with self.subTest(method):
                self.assertEqual(self.forwarded(get(method + b" %PATH% HTTP/1.1")).method.encode(), method)

    def test_row_35_a_method_override_is_not_understood(self):
        request = self.forwarded(post(b"Content-Length: 0\r\nX-HTTP-Method-Override: DELETE\r\n"))
        self.assertEqual((request.method, request["X-HTTP-Method-Override"]), ("POST", "DELETE"))

    def test_row_40_odd_paths_arrive_byte_for_byte_or_not_at_all(self):
        for number, target in enumerate(("/%s/..%%2fx", "/%s/%%2e%%2e/x", "/%s/../x", "/%s/./x", "/%s//x", "/%s/\\x",
                                         "/%s/%%00", "/%s/%%0d%%0aX:y", "/%s/%%zz", "/%s/%%c0%%af")):
            target %= f"odd-{number}"
            with self.subTest(target):
                answer = self.gateway.call("GET", target)
                seen = [each.request.target for each in self.upstream.ledger()]
                arrived = [each for each in seen if f"odd-{number}" in each]
                if answer.status == 200:
                    self.assertEqual(arrived, [target])
                else:
                    self.assert_status(answer, 400)
                    self.assert_problem_document(answer)
                    self.assertEqual(arrived, [])


if __name__ == "__main__":
    story.main()
