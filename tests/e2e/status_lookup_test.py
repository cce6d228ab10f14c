#!/usr/bin/python3
"""Asking what became of a request, with the same credential, without running anything."""

import datetime
import re

from support import story, upstream
from support.waiting import Background, Gate, until

ALICE = {"Authorization": "Bearer alice"}
RFC3339 = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class StatusLookup(story.Story):
    settings = {
        "defaults": {"wait": "60s", "retention": "1h", "retention_tombstone": "1h"},
        "routes": [{"match": {"path": "/small/**"}, "limits": {"body_bytes_stored_max": 100}},
                   {"match": {"path": "/impatient/**"}, "wait": "100ms"}],
    }

    def record(self, path, key, fields=ALICE):
        answer = self.lookup("record", path, key, fields)
        self.assert_status(answer, 200)
        self.assertEqual(answer["Content-Type"], "application/json")
        self.assertIn("no-store", answer["Cache-Control"] or "")
        return answer.json

    def assert_times(self, record, names):
        for name in ("first_seen", "completed_at", "expires_at"):
            if name in names:
                self.assertRegex(record[name], RFC3339)
            else:
                self.assertIn(record.get(name), (None,), record)

    def test_absent(self):
        record = self.record(story.new_path(), story.new_key())
        self.assertEqual(record["state"], "absent")
        self.assert_times(record, ())

    def test_completed(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.ok(201, {"Location": "/charges/7"}))
        first = self.post(path, {}, key, ALICE)
        record = self.record(path, key)
        told = {name: record[name] for name in ("state", "attempt", "status", "location", "body_kept")}
        self.assertEqual(told, {"state": "completed", "attempt": 1, "status": 201, "location": "/charges/7",
                                "body_kept": True})
        self.assert_times(record, ("first_seen", "completed_at", "expires_at"))
        self.assertLessEqual(moment(record["first_seen"]), moment(record["completed_at"]))
        kept = moment(record["expires_at"]) - moment(record["completed_at"])
        self.assertAlmostEqual(kept.total_seconds(), 3600, delta=1)
        answer = self.lookup("response", path, key, ALICE)
        self.assert_replay(answer, first)
        self.assertEqual(answer["Location"], "/charges/7")
        self.assert_requests(path, 1)

    def test_in_flight(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, key, ALICE))
        self.upstream.wait_for_requests(path)
        record = self.record(path, key)
        self.assertEqual((record["state"], record["attempt"]), ("in-flight", 1))
        self.assert_problem(self.lookup("response", path, key, {**ALICE, "Prefer": "wait=0"}), "in-flight")
        waiting = Background(lambda: self.lookup("response", path, key, {**ALICE, "Prefer": "wait=60"}))
        until(lambda: self.gateway.waiters() == 1, "the lookup waits")
        gate.open()
        self.assert_replay(waiting.result(), first.result())
        self.assert_requests(path, 1)

    def test_the_wait_is_bounded_by_the_routes(self):
        gate, path, key = Gate(), story.new_path("/impatient"), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, key, ALICE))
        self.upstream.wait_for_requests(path)
        self.assert_problem(self.lookup("response", path, key, {**ALICE, "Prefer": "wait=3600"}), "in-flight")
        gate.open()
        first.result()

    def test_unknown(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.cut_after_effect)
        self.post(path, {}, key, ALICE)
        self.assertEqual(self.record(path, key)["state"], "unknown")
        self.assert_problem(self.lookup("response", path, key, ALICE), "outcome-unknown")

    def test_released(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.fail(503))
        self.post(path, {}, key, ALICE)
        record = self.record(path, key)
        self.assertEqual(record["state"], "released")
        answer = self.lookup("response", path, key, ALICE)
        self.assert_status(answer, 404)
        self.assert_problem_document(answer)

    def test_absent_has_no_response(self):
        answer = self.lookup("response", story.new_path(), story.new_key(), ALICE)
        self.assert_status(answer, 404)
        self.assert_problem_document(answer)

    def test_a_body_that_was_not_kept(self):
        path, key = story.new_path("/small"), story.new_key()
        self.upstream.script(path, upstream.ok(201, {"Location": "/charges/7"}, b"x" * 101))
        self.assert_first(self.post(path, {}, key, ALICE), 201)
        record = self.record(path, key)
        self.assertEqual((record["state"], record["status"], record["location"], record["body_kept"]),
                         ("completed", 201, "/charges/7", False))
        document = self.assert_problem(self.lookup("response", path, key, ALICE), "result-gone")
        self.assertEqual(document["result"], {"status": 201, "location": "/charges/7"})

    def test_the_quoted_form_is_the_same_key(self):
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, {}, key, ALICE))
        self.assertEqual(self.record(path, f'"{key}"')["state"], "completed")

    def test_the_operation_counts(self):
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, {}, key, ALICE))
        self.assertEqual(self.record(story.new_path(), key)["state"], "absent")
        answer = self.lookup("record", path, key, ALICE, method="PATCH")
        self.assertEqual(answer.json["state"], "absent")

    def test_what_is_missing_or_wrong_is_a_400(self):
        both = {"Idempotency-Key": "k", "Onceward-Operation": "POST /x"}
        for fields in ({"Idempotency-Key": "k"}, {"Onceward-Operation": "POST /x"}, {**both, "Idempotency-Key": ""},
                       {**both, "Onceward-Operation": "POST"}, {**both, "Onceward-Operation": "/x"},
                       {**both, "Onceward-Operation": "POST x"}, {**both, "Onceward-Operation": "P@ST /x"}):
            with self.subTest(fields):
                answer = self.gateway.call("GET", "/.onceward/record", fields)
                self.assert_status(answer, 400)
                self.assert_problem_document(answer)

    def test_nothing_below_the_prefix_reaches_the_upstream(self):
        for method, target in (("GET", "/.onceward/"), ("GET", "/.onceward/other"), ("POST", "/.onceward/record"),
                               ("GET", "/.onceward/record/x")):
            with self.subTest(method=method, target=target):
                answer = self.gateway.call(method, target, {"Idempotency-Key": "k", "Onceward-Operation": "POST /x"})
                self.assertIn(answer.status, (404, 405), answer)
        self.assertEqual([each.request.target for each in self.upstream.ledger()
                          if each.request.target.startswith("/.onceward")], [])


class Elsewhere(story.Story):
    settings = None

    def test_the_prefix_can_be_another(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url, status_lookup="/-/idempotency/")
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, {}, key))
        fields = {"Idempotency-Key": key, "Onceward-Operation": f"POST {path}"}
        self.assertEqual(self.gateway.call("GET", "/-/idempotency/record", fields).json["state"], "completed")
        self.assert_first(self.gateway.call("GET", "/.onceward/record", fields))
        self.assert_requests("/.onceward/record", 1)

    def test_it_can_be_off(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url, status_lookup="off")
        self.assert_first(self.gateway.call("GET", "/.onceward/record"))
        self.assert_requests("/.onceward/record", 1)


if __name__ == "__main__":
    story.main()
