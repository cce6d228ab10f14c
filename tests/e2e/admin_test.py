#!/usr/bin/python3
"""The operator's side: health, metrics, looking at records, purging what expired."""

import pathlib
import re

from support import story, upstream
from support.waiting import until

SAMPLE = re.compile(r'^onceward_[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? ([0-9.e+-]+|NaN|[+-]Inf)$')


class Admin(story.Story):
    settings = {"routes": [{"match": {"path": "/brief/**"}, "retention": "200ms", "retention_tombstone": "200ms"}]}

    def test_it_is_alive_and_ready(self):
        for target in ("/livez", "/readyz"):
            self.assert_status(self.gateway.admin("GET", target), 200)

    def test_what_is_not_there(self):
        for method, target, status in (("GET", "/", 404), ("GET", "/nothing", 404), ("POST", "/metrics", 405),
                                       ("DELETE", "/records", 405), ("GET", "/records/abc", 400),
                                       ("GET", "/records/" + "0" * 64, 404), ("GET", "/records?state=completed", 400),
                                       ("GET", "/records?limit=-1", 400)):
            with self.subTest(method=method, target=target):
                self.assert_status(self.gateway.admin(method, target), status)

    def test_the_admin_side_is_not_on_the_clients_listener(self):
        self.gateway.call("GET", "/metrics")
        self.assert_requests("/metrics", 1)

    def test_metrics_have_the_conventional_form(self):
        self.assert_first(self.post(story.new_path(), {}, story.new_key()))
        answer = self.gateway.admin("GET", "/metrics")
        self.assertTrue(answer["Content-Type"].startswith("text/plain"), answer["Content-Type"])
        lines = answer.body.decode().splitlines()
        names = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
        for line in lines:
            if line.startswith("onceward_"):
                self.assertRegex(line, SAMPLE)
                name = re.match(r"[a-z_]+", line)[0]
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name) if name not in names else name, names)
        self.assertFalse([name for name in names if name.endswith(("_ms", "_milliseconds", "_us"))], "units are SI")

    def counted(self, word):
        return sum(value for name, value in self.gateway.metrics().items()
                   if word in name and not re.search(r"_(bucket|sum)\b", name))

    def test_a_duplicate_effect_prevented_is_counted(self):
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, {}, key))
        before = self.counted("duplicate_effects_prevented")
        for _ in range(3):
            self.post(path, {}, key)
        self.assertEqual(self.counted("duplicate_effects_prevented") - before, 3)

    def test_requests_are_counted(self):
        path, key = story.new_path(), story.new_key()
        before = self.answers()
        for _ in range(3):
            self.post(path, {}, key)
        self.post(path, {})
        self.post(path, {}, "not a key")
        after = self.answers()
        self.assertEqual({kind: after[kind] - before[kind] for kind in ("executed", "replayed", "passed", "refused")},
                         {"executed": 1, "replayed": 2, "passed": 1, "refused": 1})

    def answers(self):
        """How a request was answered -> how many were."""
        return {re.search(r'outcome="([\w-]+)"', name)[1]: value for name, value in self.gateway.metrics().items()
                if name.startswith("onceward_requests_total")}

    def test_no_key_and_no_path_is_in_the_metrics(self):
        path, key = story.new_path(), story.new_key("in-metrics")
        self.post(path, {}, key)
        text = self.gateway.admin("GET", "/metrics").body
        self.assertNotIn(key.encode(), text)
        self.assertNotIn(path.encode(), text)

    def test_the_list_of_unknown_records_is_bounded(self):
        for _ in range(3):
            path = story.new_path()
            self.upstream.script(path, upstream.cut_after_effect)
            self.post(path, {}, story.new_key())
        some = self.gateway.admin("GET", "/records?limit=2").json["records"]
        self.assertEqual([each["state"] for each in some], ["unknown", "unknown"])
        rest = self.gateway.admin("GET", f"/records?after={some[-1]['record']}").json["records"]
        names = [each["record"] for each in some + rest]
        self.assertEqual(len(names), 3)
        self.assertEqual(len(set(names)), 3)

    def test_what_expired_runs_again_and_is_purged(self):
        path, key = story.new_path("/brief"), story.new_key()
        self.assert_first(self.post(path, {}, key))
        until(lambda: self.state_of(path, key) == "absent", "the record expires")
        self.assert_first(self.post(path, {}, key))
        self.assert_effects(path, 2)
        until(lambda: self.state_of(path, key) == "absent", "the record expires")
        answer = self.gateway.admin("POST", "/records/purge")
        self.assert_status(answer, 200)
        self.assertIsInstance(answer.json["purged"], int)

    def test_purge_keeps_what_lives(self):
        path, key = story.new_path(), story.new_key()
        first = self.post(path, {}, key)
        self.assert_status(self.gateway.admin("POST", "/records/purge"), 200)
        self.assert_replay(self.post(path, {}, key), first)

    def test_the_upstream_can_say_how_long_a_record_is_kept(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.ok(200, {"Idempotency-Outcome": "completed;retention=1"}))
        self.assert_first(self.post(path, {}, key))
        until(lambda: self.post(path, {}, key).status == 409, "the answer expires")
        self.assert_problem(self.post(path, {}, key), "result-gone")
        self.assert_requests(path, 1)


class Off(story.Story):
    settings = None

    def test_the_admin_listener_can_be_off(self):
        self.upstream = self.start_upstream()
        self.gateway = self.make_gateway(self.upstream.url, admin="off")
        self.gateway.launch()

        def answered():
            try:
                return self.post(story.new_path(), {}, story.new_key()).status == 200
            except OSError:
                return False

        until(answered, "the gateway answers")
        with self.assertRaises(OSError):
            self.gateway.admin("GET", "/livez")


class LostRecords(story.Story):
    """A store that is full, and one that is not writable."""

    settings = None

    def test_a_full_store_refuses_new_claims_and_keeps_what_it_has(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(
            self.upstream.url, store={"memory": {"bytes_limit": "1MiB"}},
            routes=[{"match": {"path": "/pass/**"}, "on_store_failure": "pass"}])
        body = b"x" * 100_000
        kept = []
        for _ in range(100):
            path, key = story.new_path(), story.new_key()
            self.upstream.script(path, upstream.ok(body=body))
            answer = self.post(path, {}, key)
            if answer.status != 200:
                break
            kept.append((path, key, answer))
        self.assertTrue(kept)
        if answer.status == 200:
            self.fail("the store never became full")
        self.assert_problem_document(answer)
        self.assert_status(answer, 503)
        for path, key, first in kept:
            self.assert_replay(self.post(path, {}, key), first)
        self.assert_first(self.post(story.new_path(), {}))
        path, key = story.new_path("/pass"), story.new_key()
        for _ in range(2):
            passed = self.post(path, {}, key)
            self.assert_first(passed)
            self.assertEqual(passed["Onceward-Unguarded"], "store-unavailable")
        self.assert_effects(path, 2)

    def test_a_data_directory_that_cannot_be_made(self):
        refused = self.make_gateway("http://127.0.0.1:9", store={"journal": {"path": "/proc/onceward"}})
        refused.launch()
        self.assertNotEqual(refused.wait_for_end(), 0)
        self.assertIn("/proc/onceward", refused.log())

    def test_a_secret_file_that_is_none(self):
        refused = self.make_gateway("http://127.0.0.1:9", secret_file="secret")
        (refused.folder / "secret").write_text("no secret\n")
        refused.launch()
        self.assertNotEqual(refused.wait_for_end(), 0)
        self.assertIn("secret", refused.log())
        self.assertNotIn("no secret", refused.log())

    def test_the_secret_is_kept_with_the_store_and_private(self):
        made = self.start_gateway("http://127.0.0.1:9")
        secrets = [path for path in pathlib.Path(made.data).rglob("*") if "secret" in path.name]
        self.assertTrue(secrets)
        self.assertEqual([path for path in secrets if path.stat().st_mode & 0o077], [])
        self.assertIn("secret", made.log())


if __name__ == "__main__":
    story.main()
