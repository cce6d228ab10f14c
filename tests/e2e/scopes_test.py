#!/usr/bin/python3
"""Whose key it is, and what it names: two principals never meet in one record, and one key may serve two operations."""

from support import story, upstream
from support.waiting import Background, Gate

ALICE = {"Authorization": "Bearer alice"}
BOB = {"Authorization": "Bearer bob"}


class Scopes(story.Story):
    settings = {
        "trusted_peers": ["127.0.0.0/8"],
        "routes": [
            {"match": {"path": "/by-header/**"}, "scope": {"header": "X-Tenant"}},
            {"match": {"path": "/shared/**"}, "scope": "shared"},
            {"match": {"path": "/one-cookie/**"}, "scope": {"credential": {"cookie": "session"}}},
            {"match": {"path": "/own-list/**"}, "scope": {"credential": {"headers": ["X-Account"]}}},
            {"match": {"path": "/must/**"}, "scope": {"credential": {"required": True}}},
        ],
    }

    def assert_apart(self, path, one, other):
        """Same key, same body: two effects, and nobody sees the other's answer."""
        key = story.new_key()
        first = self.post(path, {"amount": 1}, key, one)
        second = self.post(path, {"amount": 1}, key, other)
        self.assert_first(first)
        self.assert_first(second)
        self.assertNotEqual(first.body, second.body)
        self.assert_effects(path, 2)
        self.assert_replay(self.post(path, {"amount": 1}, key, one), first)
        self.assert_replay(self.post(path, {"amount": 1}, key, other), second)
        self.assert_effects(path, 2)

    def assert_together(self, path, one, other):
        key = story.new_key()
        first = self.post(path, {"amount": 1}, key, one)
        self.assert_first(first)
        self.assert_replay(self.post(path, {"amount": 1}, key, other), first)
        self.assert_effects(path, 1)

    def test_two_principals_with_one_key_and_one_body_have_two_effects(self):
        self.assert_apart(story.new_path(), ALICE, BOB)

    def test_the_other_ones_key_is_no_mismatch_and_shows_nothing(self):
        path, key = story.new_path(), story.new_key()
        first = self.post(path, {"amount": 1}, key, ALICE)
        other = self.post(path, {"amount": 2}, key, BOB)
        self.assert_first(other)
        self.assertNotEqual(first.body, other.body)

    def test_the_other_ones_request_in_flight_is_not_waited_for(self):
        gate, path, key = Gate(), story.new_path(), story.new_key()
        self.upstream.script(path, upstream.held(gate), upstream.ok())
        alice = Background(lambda: self.post(path, {}, key, ALICE))
        self.upstream.wait_for_requests(path)
        self.assert_first(self.post(path, {}, key, BOB))
        gate.open()
        self.assert_first(alice.result())

    def test_status_lookup_shows_nothing_to_another(self):
        path, key = story.new_path(), story.new_key()
        self.assert_first(self.post(path, {}, key, ALICE))
        self.assertEqual(self.state_of(path, key, ALICE), "completed")
        never = self.lookup("record", path, story.new_key(), BOB).json
        self.assertEqual(self.lookup("record", path, key, BOB).json, never)
        self.assertEqual(never["state"], "absent")
        self.assert_status(self.lookup("response", path, key, BOB), 404)

    def test_each_credential_field_counts(self):
        for one, other in (({"X-Api-Key": "a"}, {"X-Api-Key": "b"}), ({"Api-Key": "a"}, {"Api-Key": "b"}),
                           (ALICE, {**ALICE, "X-Api-Key": "a"}), (ALICE, {}),
                           ({"X-Api-Key": "a"}, {"Api-Key": "a"}), ({"Cookie": "s=1"}, {"Cookie": "s=2"})):
            with self.subTest(one=one, other=other):
                self.assert_apart(story.new_path(), one, other)

    def test_a_cookie_counts_only_without_another_credential(self):
        self.assert_together(story.new_path(), {**ALICE, "Cookie": "s=1"}, {**ALICE, "Cookie": "s=2"})

    def test_without_any_credential_all_are_one(self):
        self.assert_together(story.new_path(), {"X-Trace": "1"}, {"X-Trace": "2"})

    def test_parts_cannot_be_shifted_between_fields(self):
        self.assert_apart(story.new_path(), {"Authorization": "ab", "X-Api-Key": "c"},
                          {"Authorization": "a", "X-Api-Key": "bc"})

    def test_one_named_cookie(self):
        path = story.new_path("/one-cookie")
        self.assert_apart(path, {"Cookie": "session=1"}, {"Cookie": "session=2"})
        self.assert_together(story.new_path("/one-cookie"), {"Cookie": "a=1; session=1"}, {"Cookie": "session=1; b=2"})

    def test_a_list_of_ones_own(self):
        self.assert_apart(story.new_path("/own-list"), {"X-Account": "1"}, {"X-Account": "2"})
        self.assert_together(story.new_path("/own-list"), {"X-Account": "1", **ALICE}, {"X-Account": "1", **BOB})

    def test_a_credential_can_be_demanded(self):
        path = story.new_path("/must")
        answer = self.post(path, {}, story.new_key())
        self.assert_status(answer, 400)
        self.assert_problem_document(answer)
        self.assert_requests(path, 0)
        self.assert_first(self.post(path, {}, story.new_key(), ALICE))

    def test_the_field_of_a_trusted_proxy(self):
        self.assert_apart(story.new_path("/by-header"), {"X-Tenant": "1", **ALICE}, {"X-Tenant": "2", **ALICE})
        self.assert_together(story.new_path("/by-header"), {"X-Tenant": "1", **ALICE}, {"X-Tenant": "1", **BOB})

    def test_one_tenant(self):
        self.assert_together(story.new_path("/shared"), ALICE, BOB)


class NobodyIsTrusted(story.Story):
    settings = None

    def test_a_scope_by_header_needs_trusted_peers(self):
        upstream_url = self.start_upstream().url
        refused = self.make_gateway(upstream_url, routes=[{"match": {"path": "/**"}, "scope": {"header": "X-Tenant"}}])
        refused.launch()
        self.assertNotEqual(refused.wait_for_end(), 0)
        self.assertIn("trusted", refused.log())

    def test_the_field_of_a_stranger_is_not_believed(self):
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url, trusted_peers=["192.0.2.1"],
                                          routes=[{"match": {"path": "/**"}, "scope": {"header": "X-Tenant"}}])
        path, key, fields = story.new_path(), story.new_key(), {"X-Tenant": "1"}
        self.assert_problem(self.post(path, {}, key, fields), "credential-missing")
        self.assert_requests(path, 0)
        for what in ("record", "response"):
            self.assert_problem(self.lookup(what, path, key, fields), "credential-missing")


class Operations(story.Story):
    settings = {
        "routes": [
            {"match": {"path": "/by-route/**"}, "name": "everything", "operation": "route"},
            {"match": {"path": "/none/**"}, "operation": "none"},
        ],
        "defaults": {"guarded_methods": ["POST", "PATCH", "PUT"]},
    }

    def test_one_key_serves_two_paths_and_two_methods(self):
        key, one, other = story.new_key(), story.new_path(), story.new_path()
        first = self.post(one, {}, key)
        second = self.post(other, {}, key)
        third = self.send("PATCH", one, {}, key)
        self.assertEqual(len({first.body, second.body, third.body}), 3)
        self.assert_replay(self.post(one, {}, key), first)
        self.assert_replay(self.post(other, {}, key), second)
        self.assert_replay(self.send("PATCH", one, {}, key), third)

    def test_by_route_another_path_of_it_is_a_mismatch(self):
        key, one, other = story.new_key(), story.new_path("/by-route"), story.new_path("/by-route")
        self.assert_first(self.post(one, {}, key))
        document = self.assert_problem(self.post(other, {}, key), "mismatch", operation_state="completed")
        self.assertTrue(document["differs"])
        self.assert_requests(other, 0)

    def test_by_key_alone_anything_else_is_a_mismatch(self):
        key, one, other = story.new_key(), story.new_path("/none"), story.new_path("/none")
        first = self.post(one, {}, key)
        self.assert_first(first)
        for answer in (self.post(other, {}, key), self.send("PATCH", one, {}, key)):
            self.assert_problem(answer, "mismatch", operation_state="completed")
        self.assert_replay(self.post(one, {}, key), first)
        self.assert_requests(other, 0)


if __name__ == "__main__":
    story.main()
