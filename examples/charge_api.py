#!/usr/bin/env python3
"""An API like many: each POST charges a card once more, whatever was charged before.

  charge_api.py 127.0.0.1:9000

  POST /v1/charges              charges, and answers 201
  GET  /v1/charges              how often the card was charged
  GET  /v1/charges/by-key/KEY   the charge that was made under this Idempotency-Key, or 404

A POST with `X-Trouble: lost` charges, and then drops the connection instead of answering; with `X-Trouble: slow` it
takes a second; with `X-Trouble: 500` it fails before it charges.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ChargeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    charges = []  # In the order in which they were made: (idempotency key, document).

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        trouble = self.headers["X-Trouble"]
        if trouble == "500":
            return self.answer(500, {"error": "out of order"})
        try:
            amount = json.loads(body)["amount"]
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "an object with an amount is expected"})
        if trouble == "slow":
            time.sleep(1)
        with self.lock:
            charge = {"id": f"ch_{len(self.charges) + 1}", "amount": amount}
            self.charges.append((self.headers["Idempotency-Key"], charge))
        if trouble == "lost":
            self.close_connection = True
            return None
        return self.answer(201, charge, Location=f"/v1/charges/{charge['id']}")

    def do_GET(self):
        if self.path.startswith("/v1/charges/by-key/"):
            key = self.path.rsplit("/", 1)[1]
            made = [charge for its_key, charge in self.charges if its_key == key]
            return self.answer(200, made[0]) if made else self.answer(404, {"error": "no such charge"})
        return self.answer(200, {"times_charged": len(self.charges)})

    def answer(self, status, document, **fields):
        body = json.dumps(document).encode() + b"\n"
        self.send_response(status)
        for name, value in {**fields, "Content-Type": "application/json", "Content-Length": len(body)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    host, port = sys.argv[1].rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), ChargeApi).serve_forever()
