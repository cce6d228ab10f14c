#!/usr/bin/python3
"""Ways out of an unknown outcome without a crash: the upstream is asked, it deduplicates itself, or an operator
decides.
"""

from support import story, upstream
from support.waiting import in_parallel, until


class Recovery(story.Story):
    settings = {
        "defaults": {"wait": "60s"},
        "routes": [
            {"match": {"path": "/probe/**"},
             "on_unknown": {"probe": {"url": "/operations/{key}?full=1", "backoff": "5ms", "backoff_max": "10ms"}}},
            {"match": {"path": "/by-member/**"}, "on_unknown": {"probe": {"url": "/orders/{/order/id}"}}},
            {"match": {"path": "/redispatch/**"}, "on_unknown": "redispatch"},
        ],
    }

    def unknown(self, folder, body=None, step=upstream.cut_after_effect, key=None):
        path, key = story.new_path(folder), key or story.new_key()
        self.upstream.script(path, step, upstream.ok())
        answer = self.post(path, body or {}, key)
        self.assert_problem(answer, "upstream-failed", retryable=folder != "")
        return path, key

    # -- probe --

    def test_the_key_stands_in_the_url_and_is_escaped(self):
        key = "a/b?c%d-" + story.new_key()
        path, key = self.unknown("/probe", key=key)
        escaped = "/operations/a%2Fb%3Fc%25d-" + key.partition("-")[2]
        self.upstream.script(escaped, upstream.ok(200, {"X-A": "b"}, b"found"))
        answer = self.post(path, {}, key)
        self.assert_status(answer, 200)
        self.assertEqual(answer.body, b"found")
        probe, = self.upstream.ledger(escaped)
        self.assertEqual((probe.request.method, probe.request.target), ("GET", escaped + "?full=1"))
        self.assert_requests(path, 1)

    def test_a_member_of_the_body_stands_in_the_url(self):
        path, key = self.unknown("/by-member", {"order": {"id": 4711}})
        self.upstream.script("/orders/4711", upstream.ok(200, (), b"found"))
        self.assertEqual(self.post(path, {"order": {"id": 4711}}, key).body, b"found")
        self.assert_requests(path, 1)

    def test_many_duplicates_ask_once(self):
        path, key = self.unknown("/probe")
        self.upstream.script(f"/operations/{key}", upstream.ok(200, (), b"found"))
        answers = in_parallel(20, lambda _: self.post(path, {}, key))
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, b"found")})
        self.assert_requests(f"/operations/{key}", 1)
        self.assert_requests(path, 1)

    def test_many_duplicates_after_nothing_was_found_forward_once(self):
        path, key = self.unknown("/probe", step=upstream.cut_before_effect)
        self.upstream.script(f"/operations/{key}", upstream.fail(404))
        answers = in_parallel(20, lambda _: self.post(path, {}, key))
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, answers[0].body)})
        self.assert_effects(path, 1)
        self.assert_requests(path, 2)

    def test_a_probe_whose_answer_breaks_leaves_it_unknown(self):
        path, key = self.unknown("/probe")
        self.upstream.script(f"/operations/{key}", upstream.cut_before_effect)
        self.assert_problem(self.post(path, {}, key), "outcome-unknown", retryable=True)
        self.upstream.script(f"/operations/{key}", upstream.ok(200, (), b"found"))
        self.assertEqual(self.post(path, {}, key).body, b"found")
        self.assert_requests(path, 1)

    def test_another_payload_asks_nobody(self):
        path, key = self.unknown("/probe")
        self.assert_problem(self.post(path, {"other": 1}, key), "mismatch", operation_state="unknown")
        self.assert_requests(f"/operations/{key}", 0)

    # -- redispatch --

    def test_redispatch_until_it_is_answered(self):
        path, key = story.new_path("/redispatch"), story.new_key()
        self.upstream.script(path, upstream.cut_before_effect, upstream.cut_before_effect, upstream.ok())
        for _ in range(2):
            self.assert_problem(self.post(path, {}, key), "upstream-failed", retryable=True)
        answer = self.post(path, {}, key)
        self.assert_first(answer)
        self.assert_replay(self.post(path, {}, key), answer)
        seen = self.upstream.ledger(path)
        self.assertEqual([each.attempt for each in seen], ["1", "2", "3"])
        fences = [int(each.fence) for each in seen]
        self.assertEqual(fences, sorted(set(fences)))

    def test_many_duplicates_redispatch_once(self):
        path, key = self.unknown("/redispatch", step=upstream.cut_before_effect)
        answers = in_parallel(20, lambda _: self.post(path, {}, key))
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, answers[0].body)})
        self.assert_effects(path, 1)
        self.assert_requests(path, 2)

    # -- the operator --

    def unknown_with_record(self):
        before = {each["record"] for each in self.gateway.unknown_records()}
        path, key = self.unknown("")
        record, = {each["record"] for each in self.gateway.unknown_records()} - before
        return path, key, record

    def test_unknown_records_are_listed_and_shown(self):
        path, key, record = self.unknown_with_record()
        self.assertRegex(record, r"^[0-9a-f]{64}$")
        listed = next(each for each in self.gateway.unknown_records() if each["record"] == record)
        self.assertEqual((listed["state"], listed["attempt"]), ("unknown", 1))
        shown = self.gateway.admin("GET", f"/records/{record}")
        self.assert_status(shown, 200)
        self.assertEqual(shown.json["record"], record)
        looked_up = self.lookup("record", path, key).json
        self.assertEqual({name: shown.json.get(name) for name in looked_up}, looked_up)
        self.assertNotIn(key.encode(), shown.body)

    def test_an_operator_completes_it(self):
        path, key, record = self.unknown_with_record()
        response = {"status": 201, "headers": {"content-type": "application/json", "location": "/charges/7"},
                    "body": '{"effect":"by hand"}'}
        answer = self.gateway.admin("POST", f"/records/{record}/resolve", {"outcome": "complete", "response": response})
        self.assert_status(answer, 200)
        self.assertEqual(answer.json["state"], "completed")
        replay = self.post(path, {}, key)
        self.assert_status(replay, 201)
        self.assertEqual((replay["Idempotent-Replayed"], replay["Location"], replay.json),
                         ("true", "/charges/7", {"effect": "by hand"}))
        self.assert_requests(path, 1)

    def test_an_operator_releases_it(self):
        path, key, record = self.unknown_with_record()
        answer = self.gateway.admin("POST", f"/records/{record}/resolve", {"outcome": "release"})
        self.assert_status(answer, 200)
        self.assertEqual(answer.json["state"], "released")
        self.assert_first(self.post(path, {}, key))
        self.assertEqual([each.attempt for each in self.upstream.ledger(path)], ["1", "2"])

    def test_a_resolution_is_audited(self):
        _, _, record = self.unknown_with_record()
        self.gateway.admin("POST", f"/records/{record}/resolve", {"outcome": "release"})
        until(lambda: [line for line in self.gateway.log().splitlines() if record[:8] in line and "resolved" in line],
              "the log tells of the resolution")

    def test_only_what_is_unknown_can_be_resolved(self):
        path, key, record = self.unknown_with_record()
        complete = {"outcome": "complete", "response": {"status": 200, "headers": {}, "body": "done"}}
        for status, outcome in ((200, complete), (409, {"outcome": "release"}), (409, complete)):
            self.assert_status(self.gateway.admin("POST", f"/records/{record}/resolve", outcome), status)
        self.assertEqual(self.post(path, {}, key).body, b"done")
        answer = self.gateway.admin("POST", f"/records/{'0' * 64}/resolve", {"outcome": "release"})
        self.assert_status(answer, 404)

    def test_a_resolution_that_makes_no_sense_is_refused(self):
        path, key, record = self.unknown_with_record()
        for body in ({}, {"outcome": "maybe"}, {"outcome": "complete"}, [],
                     {"outcome": "complete", "response": {"status": 99, "headers": {}, "body": ""}},
                     {"outcome": "complete", "response": {"status": 200, "headers": {"a b": "c"}, "body": ""}},
                     {"outcome": "complete", "response": {"status": 200, "headers": {"a": "b\r\nc"}, "body": ""}}):
            with self.subTest(body):
                answer = self.gateway.admin("POST", f"/records/{record}/resolve", body)
                self.assert_status(answer, 400)
        self.assert_problem(self.post(path, {}, key), "outcome-unknown")


if __name__ == "__main__":
    story.main()
