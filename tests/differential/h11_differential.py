#!/usr/bin/python3
"""Reads generated connections with our reader and with h11, and fails where we understood a request that h11 understood
otherwise or refused. That we refuse what h11 takes is no failure: we are stricter on purpose.

  h11_differential.py REQUEST_READING [CONNECTIONS [SEED]]
"""

import random
import subprocess
import sys

import h11

# Mostly right, so that most connections get past their first line; wrong in the ways that readers disagree about.
METHODS = [b"GET", b"POST", b"PATCH", b"DELETE", b"OPTIONS", b"M-SEARCH", b"get", b"P(ST"]
TARGETS = [b"/", b"/a?b=c", b"//a/..%2f", b"/\\", b"*", b"http://b/c", b"/a#b", b"/a b", b"a", b"/\xc3\xa4", b"/\x00"]
VERSIONS = [b"HTTP/1.1"] * 60 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b"HTTP/1"]
NAMES = [b"X", b"X-Y", b"x_y", b"Accept", b"X ", b" X", b"X\x80", b"", b"Content-Length ", b"Transfer_Encoding"]
VALUES = [b"", b"a", b"a b\tc", b" a ", b"\x85\xa0", b"a\x00", b"a\rb", b"a\nb", b"a\r\n b", b"\x7f", b"\"a, b\""]
LENGTHS = [b"0", b"5", b"05", b"+5", b"-5", b"5, 5", b"5,", b"0x5", b"5 5", b"", b"5x", b"99999999999999999999"]
CODINGS = [b"chunked", b"Chunked", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b"xchunked", b"identity",
           b"\"chunked\"", b",chunked", b"chunked\x0b", b"chunked;a=b", b""]
CONNECTIONS = [b"keep-alive", b"close", b"X-Y", b"keep-alive, close", b"upgrade"]
HOSTS = [b"a"] * 60 + [b"a:80", b"[::1]", b"a b", b"a, b", b"u@a", b""]
SIZES = [b"5", b"05", b"0000000000000005", b"5;a=b", b"5;a=\"b;c\"", b"0x5", b"+5", b" 5", b"5 ", b"5\n", b"", b"g",
         b"00000000000000000005", b"5;a\rb"]
ENDS = [b"\r\n"] * 500 + [b"\n", b"\r", b"\r\r\n", b"", b"\n\r\n"]
BODIES = [b"hello", b"0\r\n\r\n", b"GET /", b"\r\n\r\n\r"]


def mostly(random_, options, share=0.9):
    """The first option, which is right, or any."""
    return options[0] if random_.random() < share else random_.choice(options)


def chunked_body(random_):
    body = b""
    for _ in range(random_.randrange(3)):
        body += mostly(random_, SIZES) + random_.choice(ENDS) + random_.choice(BODIES) + random_.choice(ENDS)
    body += mostly(random_, [b"0", b"00", b"0;a", b"0 ", b"-0"]) + random_.choice(ENDS)
    if random_.random() < 0.2:
        body += random_.choice(NAMES) + b": " + random_.choice(VALUES) + random_.choice(ENDS)
    return body + random_.choice(ENDS)


def request(random_):
    end = lambda: random_.choice(ENDS)
    space = mostly(random_, [b" ", b"  ", b"\t"], 0.99)
    line = mostly(random_, METHODS, 0.8) + space + mostly(random_, TARGETS) + b" " + random_.choice(VERSIONS) + end()
    fields = [mostly(random_, [b"Host", b"host", b"Host "], 0.99) + b": " + random_.choice(HOSTS)]
    for _ in range(random_.choice([0, 0, 1, 2])):
        fields.append(mostly(random_, NAMES) + mostly(random_, [b": ", b":", b" : ", b"\t:", b""], 0.95) +
                      mostly(random_, VALUES))
    if random_.random() < 0.1:
        fields.append(b"Connection: " + random_.choice(CONNECTIONS))
    kind = random_.choice(["none"] * 6 + ["length"] * 6 + ["chunked"] * 12 + ["both", "twice"])
    body = b""
    if kind in ("length", "both", "twice"):
        fields.append(b"Content-Length: " + mostly(random_, LENGTHS[1:]))
        body = random_.choice(BODIES)
    if kind == "twice":
        fields.append(random_.choice([b"Content-Length: ", b"content-length:"]) + random_.choice(LENGTHS))
    if kind in ("chunked", "both"):
        fields.append(b"Transfer-Encoding: " + mostly(random_, CODINGS))
        body = chunked_body(random_)
    random_.shuffle(fields)
    return line + b"".join(field + end() for field in fields) + end() + body


def connection(random_):
    data = b"".join(request(random_) for _ in range(random_.choice([1, 1, 2, 3])))
    if random_.random() < 0.1 and data:
        at = random_.randrange(len(data))
        data = data[:at] + bytes([random_.randrange(256)]) + data[at + random_.randrange(2):]
    return data


def read_by_h11(data):
    """The requests as lines of the form that request_reading writes, and whether h11 reads no further by choice."""
    lines = []
    peer = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    peer.receive_data(data)
    try:
        while True:
            head, body = peer.next_event(), b""
            if not isinstance(head, h11.Request):
                return lines, head in (h11.PAUSED, h11.ConnectionClosed)
            while True:
                event = peer.next_event()
                if isinstance(event, h11.EndOfMessage):
                    break
                if not isinstance(event, h11.Data):
                    return lines, False
                body += bytes(event.data)
            fields = [name.hex() + ":" + value.hex() for name, value in head.headers.raw_items()]
            start = (head.method + b" " + head.target).decode("latin-1")
            lines.append(" ".join([start] + fields) + " | " + body.hex())
            peer.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            peer.send(h11.EndOfMessage())
            if peer.our_state is not h11.DONE or peer.their_state is not h11.DONE:
                return lines, True
            peer.start_next_cycle()
    except h11.RemoteProtocolError:
        return lines, False


def without_case_of_coding(line):
    """h11 writes the coding in lower case; that alone is no difference."""
    parts = line.split(" ")
    for i, part in enumerate(parts):
        name, colon, value = part.partition(":")
        if colon and name == b"Transfer-Encoding".hex():
            parts[i] = name + ":" + bytes.fromhex(value).lower().hex()
    return " ".join(parts)


def read_by_us(binary, connections):
    """For each connection the lines of its requests, and how it ended."""
    stdin = b"".join(b"%d\n" % len(data) + data for data in connections)
    output = subprocess.run([binary], input=stdin, capture_output=True, check=True).stdout.decode("latin-1")
    readings, lines = [], []
    for line in output.splitlines():
        if " | " in line:
            lines.append(without_case_of_coding(line))
        else:
            readings.append((lines, line))
            lines = []
    return readings


def main(binary, count=20000, seed=1):
    random_ = random.Random(int(seed))
    connections = [connection(random_) for _ in range(int(count))]
    readings = read_by_us(binary, connections)
    if len(readings) != len(connections):
        sys.exit(f"{len(connections)} connections, but {len(readings)} readings")

    understood = clean = differences = 0
    for data, (ours, verdict) in zip(connections, readings):
        theirs, closed = read_by_h11(data)
        understood += len(ours)
        clean += verdict == "end"
        agreed = ours == theirs[:len(ours)] or (closed and ours[:len(theirs)] == theirs)
        if not agreed:
            differences += 1
            if differences <= 10:
                print(f"DIFFERENT\n  input  {data!r}\n  ours   {ours} {verdict}\n  theirs {theirs} closed={closed}")
    print(f"{len(connections)} connections, seed {seed}: {understood} requests understood, {clean} connections read to "
          f"their end, {differences} differences")
    # A generator that makes nothing readable would compare nothing.
    if differences or understood < len(connections) // 10:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
