#!/usr/bin/python3
"""The configuration file: what is wrong in it is said with line, column and the nearest valid name, before anything
starts.
"""

import pathlib
import tempfile
import textwrap

from support import gateway, story

DOCUMENTED = """\
    listen: 127.0.0.1:8080
    admin: 127.0.0.1:9901
    upstream: http://127.0.0.1:9000
    store: { journal: { path: ./data, durability: synced } }
    defaults: { profile: default }
    routes:
      - match: { path: /v1/payments/*, methods: [POST] }
        key:
          header: Idempotency-Key
          aliases: [X-Idempotency-Key]
          pointer: /idempotency_key
          syntax: lenient
          presence: required
        scope: credential
        operation: path
        fingerprint: { body: json, exclude: [/client_time], headers: [Content-Type] }
        wait: 10s
        lease: 30s
        retention: 24h
        outcomes:
          complete: [2xx, 3xx, 4xx]
          release: [401, 403, 407, 408, 409, 421, 423, 425, 429, 5xx]
          unknown: [502, 504]
        on_unknown: refuse
        on_store_failure: refuse
    """


class Configuration(story.Story):
    settings = None

    def check(self, text):
        with tempfile.TemporaryDirectory(prefix="onceward-e2e-") as folder:
            file = pathlib.Path(folder) / "onceward.yaml"
            file.write_text(textwrap.dedent(text))
            finished = gateway.run_binary("check-config", str(file))
            return finished.returncode, finished.stdout + finished.stderr

    def assert_sound(self, text):
        status, output = self.check(text)
        self.assertEqual(status, 0, output)

    def assert_wrong(self, text, place, *words):
        status, output = self.check(text)
        self.assertNotEqual(status, 0, output)
        self.assertIn(f"onceward.yaml:{place}", output)
        for word in words:
            self.assertIn(word, output)

    def test_the_documented_file_is_sound(self):
        self.assert_sound(DOCUMENTED)

    def test_an_upstream_is_enough(self):
        self.assert_sound("upstream: http://127.0.0.1:9000\n")

    def test_an_unknown_key(self):
        self.assert_wrong("upstream: http://a:1\nlisen: 127.0.0.1:80\n", "2:1", "lisen", "listen")
        self.assert_wrong("upstream: http://a:1\ndefaults:\n  wiat: 10s\n", "3:3", "wiat", "wait")

    def test_a_wrong_type(self):
        self.assert_wrong("upstream: http://a:1\ndefaults: { wait: soon }\n", "2:19", "wait", "soon")
        self.assert_wrong("upstream: http://a:1\nroutes: 5\n", "2:9", "route")
        self.assert_wrong("upstream: { a: b }\n", "1:11", "upstream")

    def test_a_wrong_word(self):
        self.assert_wrong("upstream: http://a:1\ndefaults: { on_unknown: redispach }\n", "2:25", "redispatch")

    def test_a_status_in_two_lists(self):
        self.assert_wrong("""\
            upstream: http://a:1
            routes:
              - match: { path: /a }
                outcomes: { complete: [404], release: [404] }
            """, "4:", "404")

    def test_a_route_that_can_never_match(self):
        self.assert_wrong("""\
            upstream: http://a:1
            routes:
              - match: { path: /v1/** }
              - match: { path: /v1/charges }
            """, "4:")

    def test_what_is_no_yaml(self):
        self.assert_wrong("upstream: [http://a:1\n", "")

    def test_a_key_twice(self):
        self.assert_wrong("upstream: http://a:1\nupstream: http://b:1\n", "2:1", "upstream")

    def test_without_an_upstream(self):
        status, output = self.check("listen: 127.0.0.1:8080\n")
        self.assertNotEqual(status, 0)
        self.assertIn("upstream", output)

    def test_several_findings_at_once(self):
        status, output = self.check("upstream: http://a:1\nlisen: x\nadmn: y\n")
        self.assertNotEqual(status, 0)
        self.assertIn(":2:1", output)
        self.assertIn(":3:1", output)

    def test_a_file_that_is_not_there(self):
        finished = gateway.run_binary("check-config", "/nowhere/onceward.yaml")
        self.assertNotEqual(finished.returncode, 0)
        self.assertIn("/nowhere/onceward.yaml", finished.stdout + finished.stderr)

    def test_run_refuses_the_same(self):
        refused = self.make_gateway("http://a:1", lisen="x")
        refused.launch()
        self.assertNotEqual(refused.wait_for_end(), 0)
        self.assertIn("listen", refused.log())

    def test_flags_that_are_wrong(self):
        for arguments in (("run", "--lisen", "x"), ("run", "--listen", "nonsense", "--upstream", "http://a:1"),
                          ("run", "--upstream", "ftp://a"), ("run",), ("rnu",), ("run", "--config")):
            with self.subTest(arguments):
                finished = gateway.run_binary(*arguments)
                self.assertNotEqual(finished.returncode, 0)
                self.assertTrue(finished.stderr or finished.stdout)


if __name__ == "__main__":
    story.main()
