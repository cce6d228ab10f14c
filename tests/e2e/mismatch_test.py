#!/usr/bin/python3
"""The cart story: the same key with another request is refused, told what differs, and neither served nor written."""

from support import story, upstream
from support.waiting import Background, Gate

JSON = {"Content-Type": "application/json"}


class Mismatch(story.Story):
    settings = {
        "routes": [
            {"match": {"path": "/json/**"}, "fingerprint": {"body": "json", "exclude": ["/client_time"]}},
            {"match": {"path": "/included/**"}, "fingerprint": {"body": "json", "include": ["/amount", "/to/id"]}},
            {"match": {"path": "/form/**"}, "fingerprint": {"body": "form"}},
            {"match": {"path": "/multipart/**"}, "fingerprint": {"body": "multipart"}},
            {"match": {"path": "/headers/**"}, "fingerprint": {"headers": ["X-Method-Override", "Content-Type"]}},
            {"match": {"path": "/no-body/**"}, "fingerprint": {"body": "none"}},
            {"match": {"path": "/off/**"}, "fingerprint": "off"},
            {"match": {"path": "/status-400/**"}, "mismatch": 400},
            {"match": {"path": "/status-409/**"}, "mismatch": 409},
            {"match": {"path": "/new/**"}, "mismatch": "new_operation"},
        ],
    }

    def assert_differs(self, one, other, differs, folder=""):
        """Each of one and other is (target suffix, body, fields); the second is refused and says what differs."""
        path, key = story.new_path(folder), story.new_key()
        first = self.post(path + one[0], one[1], key, one[2])
        self.assert_first(first)
        document = self.assert_problem(self.post(path + other[0], other[1], key, other[2]), "mismatch",
                                       operation_state="completed")
        self.assertEqual(document["differs"], differs)
        self.assert_requests(path, 1)
        self.assert_replay(self.post(path + one[0], one[1], key, one[2]), first)

    def assert_same(self, one, other, folder=""):
        path, key = story.new_path(folder), story.new_key()
        first = self.post(path + one[0], one[1], key, one[2])
        self.assert_first(first)
        self.assert_replay(self.post(path + other[0], other[1], key, other[2]), first)
        self.assert_effects(path, 1)

    def test_the_cart_story(self):
        cart = {"items": [{"id": 1, "price": 100}]}
        fuller = {"items": [{"id": 1, "price": 100}, {"id": 2, "price": 250}]}
        path, key = story.new_path(), story.new_key()
        first = self.post(path, cart, key)
        refused = self.post(path, fuller, key)
        document = self.assert_problem(refused, "mismatch", operation_state="completed",
                                       title="Idempotency-Key is already used")
        self.assertEqual(document["differs"], ["body"])
        self.assertNotIn(first.json["effect"].encode(), refused.body, "nothing of the first answer is served")
        self.assertNotIn(b"250", refused.body, "no value is told")
        self.assert_requests(path, 1)
        self.assert_replay(self.post(path, cart, key), first)

    def test_while_the_first_is_in_flight_it_is_told_at_once(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate))
        first = Background(lambda: self.post(path, {"amount": 1}, key))
        self.upstream.wait_for_requests(path)
        self.assert_problem(self.post(path, {"amount": 2}, key), "mismatch", operation_state="in-flight")
        gate.open()
        self.assert_first(first.result())
        self.assert_requests(path, 1)

    def test_a_released_key_takes_any_payload(self):
        path, key = story.new_path(), story.new_key()
        self.upstream.script(path, upstream.fail(503), upstream.ok())
        self.assert_first(self.post(path, {"amount": 1}, key), 503)
        self.assert_first(self.post(path, {"amount": 2}, key))
        self.assert_problem(self.post(path, {"amount": 1}, key), "mismatch", operation_state="completed")

    def test_what_differs_is_named(self):
        self.assert_differs(("", b"a", {}), ("", b"b", {}), ["body"])
        self.assert_differs(("?a=1", b"a", {}), ("?a=2", b"a", {}), ["target"])
        self.assert_differs(("", b"a", JSON), ("", b"a", {"Content-Type": "text/plain"}), ["header content-type"])

    def test_other_fields_do_not_count(self):
        self.assert_same(("", b"a", {"X-Trace": "1", "User-Agent": "a"}), ("", b"a", {"X-Trace": "2"}))

    def test_bodies_are_compared_as_bytes_by_default(self):
        self.assert_differs(("", b'{"a":1,"b":2}', JSON), ("", b'{"b":2,"a":1}', JSON), ["body"])

    # -- json --

    def test_json_order_and_white_space_do_not_count(self):
        self.assert_same(("", b'{"a":1,"b":[1,{"c":2,"d":3}]}', JSON),
                         ("", b' { "b" : [ 1, {"d":3,\r\n"c":2} ], "a" : 1 } ', JSON), "/json")

    def test_json_members_that_differ_are_named(self):
        self.assert_differs(("", b'{"a":1,"b":2,"c":3}', JSON), ("", b'{"a":1,"b":9,"d":3}', JSON),
                            ["body /b", "body /c", "body /d"], "/json")

    def test_json_excluded_members_do_not_count(self):
        self.assert_same(("", {"a": 1, "client_time": 1}, {}), ("", {"a": 1, "client_time": 2}, {}), "/json")

    def test_json_large_numbers_stay_apart(self):
        self.assert_differs(("", b'{"id":9007199254740993}', JSON), ("", b'{"id":9007199254740992}', JSON),
                            ["body /id"], "/json")
        self.assert_differs(("", b'{"id":1.0}', JSON), ("", b'{"id":1}', JSON), ["body /id"], "/json")

    def test_json_array_order_counts(self):
        self.assert_differs(("", {"a": [1, 2]}, {}), ("", {"a": [2, 1]}, {}), ["body /a"], "/json")

    def test_json_duplicate_names_and_bodies_that_are_none_are_compared_as_bytes(self):
        self.assert_differs(("", b'{"a":1,"a":2}', JSON), ("", b'{"a":2,"a":2}', JSON), ["body"], "/json")
        self.assert_differs(("", b"not json", JSON), ("", b"not  json", JSON), ["body"], "/json")
        self.assert_same(("", b'{"a":1,"a":2}', JSON), ("", b'{"a":1,"a":2}', JSON), "/json")

    def test_json_included_members_alone_count(self):
        one = {"amount": 1, "to": {"id": 7, "name": "a"}, "note": "x"}
        self.assert_same(("", one, {}), ("", {**one, "note": "y", "to": {"id": 7, "name": "b"}}, {}), "/included")
        path, key = story.new_path("/included"), story.new_key()
        self.assert_first(self.post(path, one, key))
        self.assert_problem(self.post(path, {**one, "to": {"id": 8}}, key), "mismatch", operation_state="completed")

    # -- other recipes --

    def test_form_escaping_does_not_count(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assert_same(("", b"a=b+c&d=%7e", form), ("", b"a=b%20c&d=~", form), "/form")
        self.assert_differs(("", b"a=b&c=d", form), ("", b"a=b&c=e", form), ["body c"], "/form")

    def test_multipart_boundaries_do_not_count(self):
        def parts(boundary, value):
            body = (f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n{value}\r\n--{boundary}--\r\n')
            return "", body.encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        self.assert_same(parts("one", "x"), parts("two", "x"), "/multipart")
        path, key = story.new_path("/multipart"), story.new_key()
        self.assert_first(self.post(path, parts("one", "x")[1], key, parts("one", "x")[2]))
        self.assert_problem(self.post(path, parts("two", "y")[1], key, parts("two", "y")[2]), "mismatch",
                            operation_state="completed")

    def test_selected_headers_count(self):
        self.assert_differs(("", b"a", {"X-Method-Override": "PUT"}), ("", b"a", {"X-Method-Override": "DELETE"}),
                            ["header x-method-override"], "/headers")

    def test_without_the_body(self):
        self.assert_same(("", b"a", {}), ("", b"b", {}), "/no-body")
        self.assert_differs(("?a=1", b"a", {}), ("?a=2", b"b", {}), ["target"], "/no-body")

    def test_off_everything_with_the_key_is_the_same(self):
        self.assert_same(("", b"a", JSON), ("?x=1", b"b", {}), "/off")

    # -- statuses --

    def test_the_status_is_configurable(self):
        for folder, status in (("/status-400", 400), ("/status-409", 409)):
            path, key = story.new_path(folder), story.new_key()
            self.assert_first(self.post(path, b"a", key))
            self.assert_problem(self.post(path, b"b", key), "mismatch", http_status=status, operation_state="completed")

    def test_another_payload_can_be_an_operation_of_its_own(self):
        path, key = story.new_path("/new"), story.new_key()
        first, second = self.post(path, b"a", key), self.post(path, b"b", key)
        self.assert_first(first)
        self.assert_first(second)
        self.assert_replay(self.post(path, b"a", key), first)
        self.assert_replay(self.post(path, b"b", key), second)
        self.assert_effects(path, 2)


if __name__ == "__main__":
    story.main()
