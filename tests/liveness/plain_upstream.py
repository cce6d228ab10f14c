#!/usr/bin/python3
"""An upstream that answers every request with the same bytes, in a process of its own and as fast as it goes. Prints
its port, and how many requests it has seen when its input ends.
"""

import selectors
import sys

from e2e import addresses

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 300\r\n\r\n" + b"x" * 300
END = b"{}"  # Of each request: its body.


def main():
    listener = addresses.listening_socket()
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("%s:%d" % listener.getsockname(), flush=True)
    seen = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                print(seen, flush=True)
                return
            if key.fileobj is listener:
                stream, _ = listener.accept()
                selector.register(stream, selectors.EVENT_READ, bytearray())
                continue
            try:
                data = key.fileobj.recv(1 << 16)
            except ConnectionError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                continue
            key.data.extend(data)
            if key.data.endswith(END):  # The gateway sends one request at a time on a connection.
                key.data.clear()
                seen += 1
                key.fileobj.sendall(ANSWER)


if __name__ == "__main__":
    main()
