"""The base of every end-to-end test: one upstream and one gateway for the tests of a class, and the words to tell what
must hold.
"""

import itertools
import json
import os
import sys
import unittest

from . import gateway, upstream, waiting, wire

# The published table of problems: type -> (status, operation_state, retryable, new_key_safe). None where it depends.
PROBLEMS = {
    "key-missing": (400, "absent", False, True),
    "key-invalid": (400, "absent", False, True),
    "key-forbidden": (400, "absent", False, True),
    "credential-missing": (400, "absent", False, True),
    "mismatch": (422, None, False, True),
    "in-flight": (409, "in-flight", True, False),
    "outcome-unknown": (409, "unknown", None, False),
    "result-gone": (409, "completed", False, False),
    "duplicate": (409, "completed", False, False),
    "upstream-unreachable": (502, "absent", True, True),
    "upstream-failed": (502, "unknown", None, False),
    "upstream-timeout": (504, "unknown", None, False),
    "store-unavailable": (503, None, True, None),
    "not-recorded": (503, "unknown", True, False),
    "overloaded": (None, "absent", True, True),
    "draining": (None, "absent", True, True),
}
WITH_RETRY_AFTER = {"in-flight", "store-unavailable", "not-recorded", "overloaded", "draining"}

_numbers = itertools.count(1)


def new_key(prefix="key"):
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def new_path(folder=""):
    """A path, and so an operation at the upstream, that no other test uses."""
    return f"{folder}/charges/{next(_numbers)}"


def json_request(method, path, document, key, fields=()):
    """The bytes that Story.send() sends."""
    lines = {**dict(fields), "Content-Type": "application/json", "Idempotency-Key": key}
    return wire.request_bytes(method, path, lines, json.dumps(document).encode())


class Story(unittest.TestCase):
    """`settings` are those of the gateway that the tests of the class share, `None` for none; `environment` is added to
    its own.
    """

    maxDiff = None
    settings = {}
    environment = {}
    upstream = None
    gateway = None

    @classmethod
    def setUpClass(cls):
        if cls.settings is None:
            return
        cls.upstream = upstream.Upstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.gateway = gateway.Gateway(cls.upstream.url, **cls.settings)
        cls.gateway.environment.update(cls.environment)
        cls.addClassCleanup(cls.gateway.remove)
        try:
            cls.gateway.start()
        except AssertionError:
            print(cls.gateway.log(), file=sys.stderr)
            raise
        cls.addClassCleanup(cls._assert_orderly_end)

    @classmethod
    def _assert_orderly_end(cls):
        cls.gateway.stop()
        assert not cls.upstream.violations, f"the upstream was sent malformed requests: {cls.upstream.violations}"

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        self._gateways = [] if self.gateway is None else [self.gateway]
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for number, each in enumerate(self._gateways):
                print(f"---- {self.id()}: log of gateway {number}\n{each.last_log()}", file=sys.stderr)

    # -- fixtures of one test --

    def start_upstream(self, **options):
        started = upstream.Upstream(**options)
        self.addCleanup(started.stop)
        return started

    def make_gateway(self, upstreams, **settings):
        """A gateway of this test alone, not started. Its orderly end is asserted where the test did not kill it."""
        made = gateway.Gateway(upstreams, **settings)
        self._gateways.append(made)
        self.addCleanup(made.remove)
        self.addCleanup(made.stop)
        return made

    def start_gateway(self, upstreams, **settings):
        return self.make_gateway(upstreams, **settings).start()

    # -- requests --

    def post(self, path, body=b"{}", key=None, fields=(), via=None):
        return self.send("POST", path, body, key, fields, via)

    def send(self, method, path, body=None, key=None, fields=(), via=None):
        """Through the class's gateway, or `via` another; a dict is sent as JSON."""
        lines = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            lines.append(("Content-Type", "application/json"))
        if key is not None:
            lines.append(("Idempotency-Key", key))
        return (via or self.gateway).call(method, path, lines, body)

    def lookup(self, what, path, key, fields=(), via=None, method="POST"):
        """Asks what became of a request: what is "record" or "response"."""
        lines = {"Idempotency-Key": key, "Onceward-Operation": f"{method} {path}", **dict(fields)}
        return (via or self.gateway).call("GET", f"/.onceward/{what}", lines)

    def state_of(self, path, key, fields=(), via=None):
        response = self.lookup("record", path, key, fields, via)
        self.assertEqual(response.status, 200, response)
        return response.json["state"]

    def wait_for_state(self, state, path, key, fields=(), via=None):
        try:
            waiting.until(lambda: self.state_of(path, key, fields, via) == state, f"the record becomes {state}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}; it is {self.lookup('record', path, key, fields, via).json}") from None

    # -- what must hold --

    def assert_status(self, response, status):
        self.assertEqual(response.status, status, response)

    def assert_first(self, response, status=200):
        """An answer of the upstream itself."""
        self.assert_status(response, status)
        self.assertIsNone(response["Idempotent-Replayed"], response)
        self.assertIsNone(response["Onceward-Error-Source"], response)

    def assert_replay(self, response, first):
        """The record of `first`: equal status and body, and marked."""
        self.assert_status(response, first.status)
        self.assertEqual(response["Idempotent-Replayed"], "true", response)
        self.assertEqual(response.body, first.body)
        self.assertEqual(response["Content-Type"], first["Content-Type"])

    def assert_problem(self, response, kind, **members):
        """A refusal of the gateway, as the published table has it; `members` add to the table or replace its row."""
        status, state, retryable, new_key_safe = PROBLEMS[kind]
        self.assert_status(response, members.pop("http_status", status) or response.status)
        document = self.assert_problem_document(response, kind)
        expected = {"operation_state": state, "retryable": retryable, "new_key_safe": new_key_safe, **members}
        for name, value in expected.items():
            if value is not None:
                self.assertEqual(document.get(name), value, f"{name} in {document}")
        self.assertEqual(response["Retry-After"] is not None, kind in WITH_RETRY_AFTER, response.fields)
        return document

    def assert_problem_document(self, response, kind=None):
        self.assertEqual(response["Content-Type"], "application/problem+json", response)
        self.assertEqual(response["Content-Language"], "en")
        self.assertEqual(response["Onceward-Error-Source"], "gateway")
        self.assertRegex(response["Link"] or "", r'^<[^>]+>; *rel="describedby"$')
        self.assertIsNone(response["Idempotent-Replayed"])
        document = response.json
        for member in ("type", "title", "detail", "operation_state", "retryable", "new_key_safe"):
            self.assertIn(member, document)
        self.assertIsInstance(document["retryable"], bool)
        self.assertIsInstance(document["new_key_safe"], bool)
        self.assertEqual(document["status"], response.status)
        if kind is not None:
            self.assertEqual(document["type"], f"urn:onceward:problem:{kind}", document)
        return document

    def assert_effects(self, path, count, at=None):
        at = at or self.upstream
        self.assertEqual(at.effects(path), count,
                         f"effects of {path}; requests: {[seen.request.raw for seen in at.ledger(path)]}")

    def assert_requests(self, path, count, at=None):
        at = at or self.upstream
        seen = [each.request.raw for each in at.ledger(path)]
        self.assertEqual(len(seen), count, f"requests for {path}: {seen}")


def main():
    unittest.main(verbosity=1)
