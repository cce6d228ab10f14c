#!/usr/bin/python3
"""The named profiles: a whole set of rules in one word, seen from outside."""

from support import story, upstream
from support.waiting import Background, Gate


class Ietf(story.Story):
    settings = {"defaults": {"profile": "ietf"}}

    def test_the_key_must_be_there_and_quoted(self):
        path = story.new_path()
        self.assert_problem(self.post(path, {}), "key-missing")
        self.assert_problem(self.post(path, {}, "bare"), "key-invalid")
        self.assert_requests(path, 0)
        first = self.post(path, {}, '"quoted"')
        self.assert_first(first)
        self.assert_replay(self.post(path, {}, '"quoted"'), first)

    def test_in_flight_is_told_at_once(self):
        gate, path = Gate(), story.new_path()
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {}, '"k"'))
        self.upstream.wait_for_requests(path)
        self.assert_problem(self.post(path, {}, '"k"'), "in-flight")
        gate.open()
        self.assert_first(first.result())

    def test_mismatch_is_422(self):
        path = story.new_path()
        self.assert_first(self.post(path, b"a", '"k"'))
        self.assert_problem(self.post(path, b"b", '"k"'), "mismatch", operation_state="completed")


class Stripe(story.Story):
    settings = {"defaults": {"profile": "stripe"}}

    def test_one_key_is_one_request_of_the_whole_api(self):
        key, one, other = story.new_key(), story.new_path(), story.new_path()
        self.assert_first(self.post(one, {}, key))
        self.assert_problem(self.post(other, {}, key), "mismatch", http_status=400, operation_state="completed")
        self.assert_requests(other, 0)

    def test_a_500_is_stored(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.fail(500), upstream.ok())
        first = self.post(path, {}, key)
        self.assert_first(first, 500)
        self.assert_replay(self.post(path, {}, key), first)
        self.assert_requests(path, 1)

    def test_what_failed_validation_is_not(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.fail(400), upstream.ok())
        self.assert_first(self.post(path, {"amount": -1}, key), 400)
        self.assert_first(self.post(path, {"amount": 1}, key))

    def test_a_declined_card_is(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.fail(402), upstream.ok())
        first = self.post(path, {}, key)
        self.assert_replay(self.post(path, {}, key), first)


class OneAndDone(story.Story):
    settings = {"defaults": {"profile": "one-and-done"}}

    def test_put_is_guarded_and_patch_is_not(self):
        for method, effects in (("PUT", 1), ("POST", 1), ("PATCH", 2)):
            path, key = story.new_path(), story.new_key()
            for _ in range(2):
                self.assert_status(self.send(method, path, {}, key), 200)
            self.assert_effects(path, effects)

    def test_one_key_serves_two_endpoints(self):
        key = story.new_key()
        self.assert_first(self.post(story.new_path(), {}, key))
        self.assert_first(self.post(story.new_path(), {}, key))

    def test_mismatch_is_400(self):
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, b"a", key))
        self.assert_problem(self.post(path, b"b", key), "mismatch", http_status=400, operation_state="completed")

    def test_4xx_are_released_and_5xx_stored(self):
        for status, requests in ((400, 2), (422, 2), (500, 1), (503, 1)):
            path, key = story.new_path(), story.new_key()
            self.upstream.script(path, upstream.fail(status))
            for _ in range(2):
                self.assert_status(self.post(path, {}, key), status)
            self.assert_requests(path, requests)

    def test_replays_tell_the_first_requests_id(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.ok(200, {"X-Request-Id": "r-1"}))
        self.assertEqual(self.post(path, {}, key)["X-Request-Id"], "r-1")
        replay = self.post(path, {}, key)
        self.assertEqual((replay["Original-X-Request-Id"], replay["X-Request-Id"]), ("r-1", None))


class Light4j(story.Story):
    settings = {"defaults": {"profile": "light-4j"}}

    def test_the_key_has_another_name_and_is_echoed(self):
        path = story.new_path()
        fields = {"X-Traceability-Id": "t-1"}
        first = self.post(path, {}, fields=fields)
        self.assert_first(first)
        replay = self.post(path, {}, fields=fields)
        self.assert_replay(replay, first)
        self.assertEqual((first["X-Traceability-Id"], replay["X-Traceability-Id"]), ("t-1", "t-1"))
        self.assertEqual(self.upstream.ledger(path)[0].request["X-Traceability-Id"], "t-1")


if __name__ == "__main__":
    story.main()
