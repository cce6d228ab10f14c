#!/usr/bin/python3
"""The judge refuses what it should. For each of its rules there is a history that breaks this one and no other, and all
of them grow out of histories in which it finds nothing wrong.
"""

import json
import unittest

from history import RULES, Fault, History, Operation, Stored, Told

KEY, BODY, EFFECT = "k", "the digest", "effect-1"
RESULT = json.dumps({"effect": EFFECT}).encode()


def answer(at, body=RESULT, status=200, **more):
    return Told(KEY, "alice", at, at + 10, status=status, body=body, **more)


def problem(at, kind, status=409, state="unknown", safe=False, **more):
    document = {"type": f"urn:onceward:problem:{kind}", "operation_state": state, "new_key_safe": safe}
    return Told(KEY, "alice", at, at + 10, status=status, problem=document, **more)


def line(at, what, attempt=1, fence=None, **more):
    return {"at": at, "key": KEY, "what": what, "attempt": attempt, "fence": fence or attempt, **more}


def forward(at, attempt=1, fence=None, body=BODY):
    return line(at, "arrived", attempt, fence, body=body, word="ok")


def history(mode="refuse", told=(), ledger=(), state="completed", attempt=1, replay=None, faults=()):
    if replay is None:
        replay = answer(900, replayed=True) if state == "completed" else problem(900, "outcome-unknown")
    return History({KEY: Operation(KEY, mode, BODY)}, list(told), list(ledger),
                   {KEY: Stored(state, attempt, attempt, replay)}, list(faults), lease_ns=500)


def executed(attempt=1, at=110, effect=EFFECT):
    """One attempt that took effect and answered."""
    return [forward(at, attempt), line(at + 1, "effect", attempt, effect=effect),
            line(at + 2, "answers", attempt, status=200)]


def cut(attempt=1, at=110, effect=True):
    took_effect = [line(at + 1, "effect", attempt, effect=EFFECT)] if effect else []
    return [forward(at, attempt), *took_effect, line(at + 2, "cuts", attempt)]


GOOD = {
    "it ran once": history(told=[answer(100), answer(300, replayed=True)], ledger=executed()),
    "a 503 frees the key": history(
        told=[answer(100, b"no", 503), answer(200)], attempt=2,
        ledger=[forward(110), line(111, "answers", status=503), *executed(2, 210)]),
    "a cut leaves it unknown": history(
        told=[problem(100, "upstream-failed", 502), problem(200, "outcome-unknown")], ledger=cut(), state="unknown"),
    "a kill leaves it unknown": history(
        told=[Told(KEY, "alice", 100, 120, how="broken"), problem(200, "outcome-unknown")], ledger=executed(),
        state="unknown", faults=[Fault("SIGKILL", 115, 150)]),
    "an attempt that lasts longer than its lease is unknown": history(
        told=[Told(KEY, "alice", 100, 1000, how="broken")], ledger=executed(), state="unknown"),
    "a probe that finds nothing frees the key": history(
        "probe", told=[problem(100, "upstream-failed", 502), answer(200)], attempt=2,
        ledger=[*cut(effect=False), {"at": 150, "key": KEY, "what": "tells", "status": 404}, *executed(2, 210)]),
    "an upstream that remembers is asked again": history(
        "redispatch", told=[Told(KEY, "alice", 100, 120, how="broken"), answer(200)], attempt=2,
        ledger=[*executed(), forward(210, 2), line(212, "answers", 2, status=200)],
        faults=[Fault("SIGKILL", 115, 150)]),
    "it never arrived": history(
        told=[problem(100, "store-unavailable", 503, "absent", True)], state="absent", attempt=0,
        replay=problem(900, "not-found", 404, "absent", True)),
    "another payload is refused": history(
        told=[answer(100), problem(300, "mismatch", 422, "completed", True, mismatching=True)], ledger=executed()),
    "a large body is gone": history(
        told=[answer(100, json.dumps({"effect": EFFECT, "padding": "x" * 20_000}).encode())], ledger=executed(),
        replay=problem(900, "result-gone", state="completed")),
    "what was durable is still given out after a failed write": history(
        told=[answer(100), answer(300, replayed=True)], ledger=executed(),
        faults=[Fault("EIO", 200, 400, fails_writes=True)]),
}

BAD = {
    "one-forward-for-one-claim": [
        history("redispatch", told=[answer(100)], ledger=[*executed(), forward(140)]),
        history(told=[answer(100, b"no", 503), answer(200)], attempt=2,
                ledger=[forward(110, fence=2), line(111, "answers", status=503), *executed(2, 210)]),
    ],
    "one-effect": [
        history("redispatch", told=[answer(200)], attempt=2, faults=[Fault("SIGKILL", 115, 150)],
                ledger=[*executed(effect="effect-0"), *executed(2, 210)]),
    ],
    "nothing-runs-again-in-silence": [
        history(told=[answer(200)], attempt=2, ledger=[*cut(effect=False), *executed(2, 210)]),
        history("probe", told=[answer(200)], attempt=2, ledger=[*cut(effect=False), *executed(2, 210)]),
        history(told=[answer(200)], attempt=2, ledger=[forward(110), *executed(2, 210)]),
    ],
    "claim-before-forward": [
        history(told=[Told(KEY, "alice", 100, 120, how="broken")], state="absent", attempt=0,
                ledger=[forward(110), line(111, "answers", status=503)]),
    ],
    "only-the-operation-is-forwarded": [
        history(told=[answer(100)], ledger=[forward(110, body="another"), *executed()[1:]]),
    ],
    "same-replay": [
        history(told=[answer(100), answer(300, RESULT + b" ", replayed=True)], ledger=executed()),
        history(told=[answer(100), answer(300, status=201)], ledger=executed()),
        history(told=[answer(100), answer(300, fields=(("Rig-Attempt", "2"),))], ledger=executed()),
    ],
    "record-before-response": [
        history(told=[answer(100)], ledger=executed(), state="unknown", faults=[Fault("SIGKILL", 105, 150)]),
        history(told=[answer(100)], ledger=executed(), replay=problem(900, "in-flight", state="in-flight")),
        history(told=[answer(100)], ledger=executed(), replay=answer(900)),
        history(told=[answer(100)], ledger=executed(), replay=problem(900, "result-gone", state="completed")),
    ],
    "results-are-true": [
        history(told=[answer(100)], ledger=[forward(110), line(112, "answers", status=200)]),
    ],
    "effects-are-not-forgotten": [
        history(told=[Told(KEY, "alice", 100, 120, how="broken")], ledger=cut(), state="released"),
    ],
    "no-wedge": [
        history(told=[Told(KEY, "alice", 100, 120, how="broken")], state="in-flight",
                ledger=[forward(110), line(111, "answers", status=503)]),
        history(told=[answer(100), Told(KEY, "bob", 100, 120, how="hung")], ledger=executed()),
    ],
    "unknown-for-a-reason": [
        history(told=[problem(200, "outcome-unknown")], ledger=executed(), state="unknown"),
        history(told=[problem(200, "outcome-unknown"), answer(300, replayed=True)], ledger=executed()),
        history(told=[problem(200, "outcome-unknown")], ledger=executed(), state="unknown",
                faults=[Fault("SIGKILL", 20, 50)]),
    ],
    "honest-refusal": [
        history(told=[answer(100), problem(200, "overloaded", 503, "absent", True)], ledger=executed()),
    ],
    "mismatch-reads-only": [
        history(told=[answer(100), answer(200, b"{}", mismatching=True)], ledger=executed()),
        history(told=[answer(100), problem(200, "mismatch", 422, "completed")], ledger=executed()),
    ],
    "nothing-acknowledged-after-a-failed-write": [
        history(told=[answer(100)], ledger=executed(), faults=[Fault("EIO", 50, 400, fails_writes=True)]),
    ],
}


class Judge(unittest.TestCase):
    def test_finds_nothing_wrong_where_nothing_is(self):
        for name, each in GOOD.items():
            with self.subTest(name):
                self.assertEqual(list(each.violations()), [])

    def test_refuses_what_breaks_a_rule_by_this_rule(self):
        for rule, histories in BAD.items():
            for number, each in enumerate(histories):
                with self.subTest(rule, number=number):
                    self.assertEqual({wrong.partition(":")[0] for _, wrong in each.violations()}, {rule})

    def test_every_rule_has_a_history_that_breaks_it(self):
        self.assertEqual({rule.__name__.replace("_", "-") for rule in RULES}, set(BAD))

    def test_refuses_a_key_that_no_client_has(self):
        strange = history(told=[answer(100)], ledger=[*executed(), {**forward(140), "key": "another"}])
        self.assertEqual([key for key, _ in strange.violations()], ["another"])

    def test_tells_the_story_in_order(self):
        story = GOOD["a kill leaves it unknown"].story(KEY)
        positions = [story.index(word) for word in
                     ("alice sends", "arrived", "effect-1", "SIGKILL", "broken", "outcome-unknown", "the store says")]
        self.assertEqual(positions, sorted(positions), story)


if __name__ == "__main__":
    unittest.main()
