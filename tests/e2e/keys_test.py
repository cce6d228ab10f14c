#!/usr/bin/python3
"""Reading the idempotency key: forms, names and places, and what is refused before anything is looked up."""

import uuid

from support import story


class Keys(story.Story):
    settings = {
        "routes": [
            {"match": {"path": "/required/**"}, "key": {"presence": "required"}},
            {"match": {"path": "/forbidden/**"}, "key": {"presence": "forbidden"}},
            {"match": {"path": "/strict/**"}, "key": {"syntax": "strict"}},
            {"match": {"path": "/aliases/**"}, "key": {"aliases": ["X-Idempotency-Key", "X-Traceability-Id"]}},
            {"match": {"path": "/renamed/**"}, "key": {"header": "chargebee-idempotency-key"}},
            {"match": {"path": "/pointer/**"}, "key": {"pointer": "/idempotency_key", "presence": "required"}},
            {"match": {"path": "/uuid/**"}, "key": {"format": "uuid"}},
            {"match": {"path": "/pattern/**"}, "key": {"pattern": "order-[0-9]+", "min_length": 8}},
            {"match": {"path": "/short/**"}, "key": {"max_length": 10}},
            {"match": {"path": "/quoted/**"}, "key": {"forward": "quoted"}},
            {"match": {"path": "/bare/**"}, "key": {"forward": "bare"}},
            {"match": {"path": "/echo/**"}, "key": {"echo": True}},
        ],
    }

    def assert_guarded(self, path, one, other=None):
        """one and other are field lists that carry the same key."""
        first = self.post(path, {}, fields=one)
        self.assert_first(first)
        self.assert_replay(self.post(path, {}, fields=other or one), first)
        self.assert_effects(path, 1)

    def assert_refused(self, path, fields, kind="key-invalid", body=b"{}"):
        answer = self.post(path, body, fields=fields)
        document = self.assert_problem(answer, kind)
        self.assert_requests(path, 0)
        return document

    def test_bare_and_quoted_are_one_key(self):
        self.assert_guarded(story.new_path(), {"Idempotency-Key": "k-1"}, {"Idempotency-Key": '"k-1"'})
        self.assert_guarded(story.new_path(), {"Idempotency-Key": '"k-1"'}, {"Idempotency-Key": "k-1"})

    def test_parameters_are_accepted_and_ignored(self):
        self.assert_guarded(story.new_path(), {"Idempotency-Key": '"k"; v=1;w'}, {"Idempotency-Key": '"k"'})

    def test_escapes_inside_quotes(self):
        self.assert_guarded(story.new_path(), {"Idempotency-Key": r'"a\"b\\c"'})

    def test_spaces_around_do_not_count(self):
        self.assert_guarded(story.new_path(), {"Idempotency-Key": "  k "}, {"Idempotency-Key": "k"})

    def test_case_counts(self):
        path = story.new_path()
        self.assert_first(self.post(path, {}, "k"))
        self.assert_first(self.post(path, {}, "K"))

    def test_the_longest_and_one_more(self):
        self.assert_guarded(story.new_path(), {"Idempotency-Key": "x" * 255})
        self.assert_refused(story.new_path(), {"Idempotency-Key": "x" * 256})

    def test_what_is_no_key_is_refused(self):
        for value in ("", " ", '""', '" "', "a b", "a,b", "a;b", '"a', '"a\\x"', '"a" b', 'a"b', '"a", "b"', "k\xe4",
                      '"\xe4"', '"a\tb"'):
            with self.subTest(value):
                self.assert_refused(story.new_path(), {"Idempotency-Key": value})

    def test_two_lines_are_refused(self):
        self.assert_refused(story.new_path(), [("Idempotency-Key", "a"), ("Idempotency-Key", "a")])

    def test_strict_takes_strings_only(self):
        self.assert_guarded(story.new_path("/strict"), {"Idempotency-Key": '"k";a=1'})
        for value in ("k", "1", "?1", ":aGk=:", '("a")', "@1659578233"):
            with self.subTest(value):
                self.assert_refused(story.new_path("/strict"), {"Idempotency-Key": value})

    def test_without_a_key(self):
        path = story.new_path()
        self.assert_first(self.post(path))
        self.assert_first(self.post(path))
        self.assert_effects(path, 2)
        path = story.new_path("/required")
        document = self.assert_problem(self.post(path), "key-missing")
        self.assertEqual(document["title"], "Idempotency-Key is missing")
        self.assert_requests(path, 0)

    def test_a_key_can_be_forbidden(self):
        path = story.new_path("/forbidden")
        self.assert_refused(path, {"Idempotency-Key": "k"}, "key-forbidden")
        self.assert_first(self.post(path))

    def test_aliases_meet(self):
        self.assert_guarded(story.new_path("/aliases"), {"X-Idempotency-Key": "k"}, {"Idempotency-Key": '"k"'})
        self.assert_guarded(story.new_path("/aliases"), {"X-Traceability-Id": "k"},
                            {"Idempotency-Key": "k", "X-Idempotency-Key": "k"})
        self.assert_refused(story.new_path("/aliases"), {"Idempotency-Key": "a", "X-Idempotency-Key": "b"})

    def test_a_vendors_name(self):
        path = story.new_path("/renamed")
        self.assert_guarded(path, {"chargebee-idempotency-key": "k"})
        path = story.new_path("/renamed")
        self.assert_first(self.post(path, {}, "k"))
        self.assert_first(self.post(path, {}, "k"))

    def test_a_key_in_the_body(self):
        path = story.new_path("/pointer")
        first = self.post(path, {"idempotency_key": "k", "amount": 1})
        self.assert_first(first)
        self.assert_replay(self.post(path, {"idempotency_key": "k", "amount": 1}), first)
        for body in (b'{"amount":1}', b'{"idempotency_key":null}', b"no json", b""):
            with self.subTest(body):
                self.assert_refused(story.new_path("/pointer"), {}, "key-missing", body)
        for body in (b'{"idempotency_key":1}', b'{"idempotency_key":{}}', b'{"idempotency_key":true}',
                     b'{"idempotency_key":""}'):
            with self.subTest(body):
                self.assert_refused(story.new_path("/pointer"), {}, "key-invalid", body)

    def test_header_and_body_must_agree(self):
        path = story.new_path("/pointer")
        self.assert_first(self.post(path, {"idempotency_key": "k"}, "k"))
        self.assert_refused(story.new_path("/pointer"), {"Idempotency-Key": "a"}, body=b'{"idempotency_key":"b"}')

    def test_a_format_can_be_required(self):
        self.assert_guarded(story.new_path("/uuid"), {"Idempotency-Key": str(uuid.uuid4())})
        self.assert_refused(story.new_path("/uuid"), {"Idempotency-Key": "not-a-uuid"})
        self.assert_guarded(story.new_path("/pattern"), {"Idempotency-Key": "order-17"})
        self.assert_refused(story.new_path("/pattern"), {"Idempotency-Key": "order-17x"})
        self.assert_refused(story.new_path("/pattern"), {"Idempotency-Key": "order-1"})
        self.assert_guarded(story.new_path("/short"), {"Idempotency-Key": "x" * 10})
        self.assert_refused(story.new_path("/short"), {"Idempotency-Key": "x" * 11})

    def test_the_upstream_gets_the_key_as_it_was_sent(self):
        for folder, sent, arrived in (("", "k-1", "k-1"), ("", '"k-1";a=1', '"k-1";a=1'), ("/quoted", "k-1", '"k-1"'),
                                      ("/bare", '"k-1"', "k-1"), ("/aliases", None, None)):
            with self.subTest(folder=folder, sent=sent):
                path = story.new_path(folder)
                self.assert_first(self.post(path, {}, sent, {} if sent else {"X-Idempotency-Key": "k"}))
                seen, = self.upstream.ledger(path)
                self.assertEqual(seen.key, arrived)
                if sent is None:
                    self.assertEqual(seen.request["X-Idempotency-Key"], "k")

    def test_the_first_attempt_is_numbered_and_fenced(self):
        path = story.new_path()
        self.assert_first(self.post(path, {}, story.new_key()))
        seen, = self.upstream.ledger(path)
        self.assertEqual(seen.attempt, "1")
        self.assertGreater(int(seen.fence), 0)

    def test_a_client_cannot_forge_attempt_or_fence(self):
        path = story.new_path()
        self.assert_first(self.post(path, {}, story.new_key(), {"Idempotency-Attempt": "9", "Idempotency-Fence": "9"}))
        seen, = self.upstream.ledger(path)
        self.assertEqual(seen.attempt, "1")
        self.assertEqual(len(seen.request.fields.all("Idempotency-Fence")), 1)

    def test_the_key_can_be_echoed(self):
        path = story.new_path("/echo")
        for _ in range(2):
            self.assertEqual(self.post(path, {}, "k")["Idempotency-Key"], "k")

    def test_keys_are_not_logged(self):
        key = "very-secret-key-" + uuid.uuid4().hex
        self.assert_first(self.post(story.new_path(), {"card": "body-" + key}, key, {"Authorization": "cred-" + key}))
        self.assertNotIn(key, self.gateway.log())


if __name__ == "__main__":
    story.main()
