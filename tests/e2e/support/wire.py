"""HTTP/1.1 as the tests speak it: exact bytes out, and a reader that accepts nothing malformed.

Both the client and the upstream read with `Reader`, so whatever the gateway sends in either direction has been checked
for one unambiguous framing, CRLF line ends, one Host, well-formed names and values.
"""

import dataclasses
import hashlib
import json
import re
import socket

from . import waiting

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)\Z")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.1\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\Z")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")
_DIGITS = re.compile(rb"(0|[1-9][0-9]*)\Z")


class Malformed(Exception):
    """The peer sent what HTTP/1.1 does not allow, or what has more than one reading."""


class Closed(Exception):
    """The peer closed (or reset) the connection between two messages."""


class Truncated(Exception):
    """The peer closed (or reset) the connection inside a message. `so_far` is what had arrived of it."""

    def __init__(self, so_far):
        super().__init__(f"the message ended after {len(so_far)} bytes: {bytes(so_far[:200])!r}")
        self.so_far = bytes(so_far)


class Fields(list):
    """Field lines in order, as (name, value) of bytes; looked up by name with str."""

    def all(self, name):
        wanted = name.lower().encode()
        return [value.decode("latin-1") for field, value in self if field.lower() == wanted]

    def one(self, name):
        """The value of a field that appears at most once; None where it does not."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} appears {len(values)} times: {values}")
        return values[0] if values else None


@dataclasses.dataclass
class Message:
    """A request or a response."""

    fields: Fields = dataclasses.field(default_factory=Fields)
    body: bytes = b""
    raw: bytes = b""  # The bytes as they came, head and body.
    framing: str = "none"  # none, length, chunked or close

    def __getitem__(self, name):
        return self.fields.one(name)

    @property
    def json(self):
        return json.loads(self.body)


@dataclasses.dataclass
class Request(Message):
    method: str = ""
    target: str = ""

    @property
    def path(self):
        return self.target.partition("?")[0]


@dataclasses.dataclass
class Response(Message):
    status: int = 0
    interim: list = dataclasses.field(default_factory=list)  # The 1xx responses before it.

    def __str__(self):
        return f"{self.status} {self.body[:500]!r}"


class Reader:
    """Reads messages from a socket, one after the other."""

    def __init__(self, stream):
        self._stream = stream
        self._buffer = bytearray()

    def _more(self, so_far):
        try:
            data = self._stream.recv(1 << 18)
        except (ConnectionError, BrokenPipeError):
            data = b""
        if not data:
            if so_far or self._buffer:
                raise Truncated(so_far + self._buffer)
            raise Closed("closed between messages")
        self._buffer += data

    def _line(self, raw):
        """One line without its CRLF; it is added to `raw` with it."""
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                break
            self._more(raw)
        line = bytes(self._buffer[:end + 1])
        del self._buffer[:end + 1]
        raw += line
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(f"a line does not end in CRLF: {line!r}")
        return line[:-2]

    def _exactly(self, count, raw):
        while len(self._buffer) < count:
            self._more(raw)
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        raw += data
        return data

    def _head(self, raw):
        start_line = self._line(raw)
        fields = Fields()
        while True:
            line = self._line(raw)
            if not line:
                return start_line, fields
            match = _FIELD.match(line)
            if not match:
                raise Malformed(f"not a field line: {line!r}")
            fields.append((match[1], match[2]))

    def _body(self, message, raw, until_close):
        length, coding = message.fields.one("Content-Length"), message.fields.one("Transfer-Encoding")
        if length is not None and coding is not None:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if coding is not None:
            if coding.lower() != "chunked":
                raise Malformed(f"Transfer-Encoding: {coding}")
            message.framing, message.body = "chunked", self._chunks(raw)
        elif length is not None:
            if not _DIGITS.match(length.encode("latin-1")):
                raise Malformed(f"Content-Length: {length}")
            message.framing, message.body = "length", self._exactly(int(length), raw)
        elif until_close:
            message.framing, message.body = "close", self._to_end(raw)

    def _chunks(self, raw):
        body = bytearray()
        while True:
            size = self._line(raw)
            if not _CHUNK_SIZE.match(size):
                raise Malformed(f"not a chunk size: {size!r}")
            if int(size, 16) == 0:
                break
            body += self._exactly(int(size, 16), raw)
            if self._exactly(2, raw) != b"\r\n":
                raise Malformed("no CRLF behind a chunk's data")
        while self._line(raw):
            pass
        return bytes(body)

    def _to_end(self, raw):
        while True:
            try:
                self._more(b"")
            except (Closed, Truncated):
                data = bytes(self._buffer)
                self._buffer.clear()
                raw += data
                return data

    def read_request_head(self):
        raw = bytearray()
        start_line, fields = self._head(raw)
        match = _REQUEST_LINE.match(start_line)
        if not match:
            raise Malformed(f"not a request line: {start_line!r}")
        if len(fields.all("Host")) != 1:
            raise Malformed(f"Host appears {len(fields.all('Host'))} times")
        request = Request(fields=fields, method=match[1].decode(), target=match[2].decode())
        request.raw = bytes(raw)
        return request

    def read_request_body(self, request):
        raw = bytearray(request.raw)
        self._body(request, raw, until_close=False)
        request.raw = bytes(raw)

    def read_response(self, method="POST"):
        """The next final response to a request with this method."""
        interim = []
        while True:
            raw = bytearray()
            start_line, fields = self._head(raw)
            match = _STATUS_LINE.match(start_line)
            if not match:
                raise Malformed(f"not a status line: {start_line!r}")
            response = Response(fields=fields, status=int(match[1]))
            bodiless = method == "HEAD" or response.status in (204, 304) or response.status < 200
            if not bodiless:
                self._body(response, raw, until_close=True)
            response.raw = bytes(raw)
            if response.status >= 200 or response.status == 101:
                response.interim = interim
                return response
            interim.append(response)

    # -- for what is not a whole message --

    def read_status_line(self):
        """The next line that begins a response; the rest of an interim response is read too."""
        raw = bytearray()
        line = self._line(raw)
        if line.startswith(b"HTTP/1.1 1"):
            while self._line(raw):
                pass
        else:
            self._buffer[:0] = raw
        return line

    def read_head(self):
        """A head alone; its body is left to digest()."""
        return self._head(bytearray())

    def digest(self, count):
        """SHA-256 of the next `count` bytes, none of which are kept."""
        digest = hashlib.sha256()
        while count > 0:
            if not self._buffer:
                self._more(b"")
            piece = self._buffer[:count]
            digest.update(piece)
            count -= len(piece)
            del self._buffer[:len(piece)]
        return digest.hexdigest()

    def wait_for(self, text):
        """Receives until this text is there; reads nothing."""
        while text not in self._buffer:
            self._more(b"")

    def rest_to_end(self):
        """Everything until the peer closes."""
        return self._to_end(bytearray())

    def read_some(self):
        """At least one byte of a connection that left HTTP; b"" at its end."""
        if not self._buffer:
            try:
                self._more(b"")
            except Closed:
                return b""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data


def field_lines(fields):
    """A dict, a list of pairs or raw bytes as field lines."""
    if isinstance(fields, (bytes, bytearray)):
        return bytes(fields)
    pairs = fields.items() if isinstance(fields, dict) else fields
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in pairs)


def request_bytes(method, target, fields=(), body=None, host="gateway.test"):
    lines = b"Host: " + host.encode() + b"\r\n" + field_lines(fields)
    if body is not None or method in ("POST", "PUT", "PATCH"):
        lines += f"Content-Length: {len(body or b'')}\r\n".encode()
    return f"{method} {target} HTTP/1.1\r\n".encode("latin-1") + lines + b"\r\n" + (body or b"")


def chunked(body, pieces=2):
    """A body in the chunked coding, in about so many chunks."""
    step = max(1, -(-len(body) // pieces))
    out = b"".join(
        b"%x\r\n%s\r\n" % (len(body[at:at + step]), body[at:at + step]) for at in range(0, len(body), step))
    return out + b"0\r\n\r\n"


class Connection:
    """A client's connection. `with Connection(address) as connection: …`"""

    def __init__(self, address):
        self.stream = socket.create_connection(address, timeout=waiting.DEADLINE_S)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.stream)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.stream.sendall(data)

    def try_to_send(self, data):
        """Sends to a peer that may have had enough already."""
        try:
            self.stream.sendall(data)
        except (ConnectionError, BrokenPipeError):
            pass

    def read_response(self, method="POST"):
        return self.reader.read_response(method)

    def request(self, method, target, fields=(), body=None):
        self.send(request_bytes(method, target, fields, body))
        return self.read_response(method)

    def half_close(self):
        self.stream.shutdown(socket.SHUT_WR)

    def reads_end(self):
        """Waits for the peer to close; whether that happened without another byte."""
        try:
            return self.reader.read_some() == b""
        except Truncated:
            return True

    def close(self):
        self.stream.close()


def call(address, method, target, fields=(), body=None):
    """One request on a connection of its own."""
    with Connection(address) as connection:
        return connection.request(method, target, fields, body)
