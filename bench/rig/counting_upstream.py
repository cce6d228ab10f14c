"""An upstream that counts: it answers each request with a number of its own and remembers how often it saw each key."""

import collections
import http.server
import json
import threading

from . import load


class CountingUpstream:
    def __init__(self):
        self._lock = threading.Lock()
        self.answered = 0
        self.seen = collections.Counter()  # By key; "" for none, and for those whose gateway keeps it to itself.
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = upstream.count(self.headers.get("Idempotency-Key", "").strip('"'))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 1024

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def count(self, key):
        with self._lock:
            self.answered += 1
            self.seen[key] += 1
            number = str(self.answered)
        return json.dumps({"number": number, "note": "y" * (load.RESPONSE_BYTES - 24 - len(number))}).encode()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
