"""Stories of clients from the registry that send idempotency keys and retry by themselves, with a fault in between:
each ends with exactly one effect, and with success where the upstream succeeded.
"""

import json
import pathlib
import subprocess

from . import story, upstream, waiting
from .fault_proxy import CutAnswer, CutAtOnce, CutBeforeForward, CutRequest, FaultProxy, HoldAnswer, LoseAnswer
from .waiting import Background, Gate

NODE = pathlib.Path(__file__).parent.parent / "node"
CREDENTIAL = {"Authorization": "Bearer sk_test_onceward"}
PATIENT_MS = int(waiting.DEADLINE_S * 1000)
HASTY_MS = 2000


def charge(client, base_url, timeout_ms=PATIENT_MS, retries=6):
    """One charge by a real client; what its user sees."""
    options = json.dumps({"timeout_ms": timeout_ms, "retries": retries, "amount": 100})
    finished = subprocess.run(["node", str(NODE / "charge.mjs"), client, base_url, options], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * waiting.DEADLINE_S)
    if finished.returncode != 0:
        raise AssertionError(f"the client itself failed: {finished.stderr}")
    return json.loads(finished.stdout)


class ClientFaults(story.Story):
    """Every story, for the client that a subclass names; `path` is where it posts to."""

    settings = None
    client = path = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not (NODE / "node_modules").is_dir():
            raise AssertionError(f"{NODE}/node_modules is missing: run tools/install test")

    def setUp(self):
        self.upstream = self.start_upstream()

    def faulty_client_side(self, *plan, **settings):
        """client -> proxy -> gateway -> upstream"""
        self.gateway = self.start_gateway(self.upstream.url, **settings)
        self.proxy = FaultProxy(self.gateway.address, plan)
        self.addCleanup(self.proxy.stop)
        return self.proxy.url

    def faulty_upstream_side(self, *plan, **defaults):
        """client -> gateway -> proxy -> upstream"""
        self.proxy = FaultProxy(self.upstream.address, plan)
        self.addCleanup(self.proxy.stop)
        self.gateway = self.start_gateway(self.proxy.url, defaults=defaults)
        return self.gateway.url

    def key_sent(self):
        return self.upstream.ledger(self.path)[0].key

    def assert_succeeded_once(self, outcome, requests=1):
        self.assertTrue(outcome["succeeded"], outcome)
        self.assertRegex(outcome["effect"], r"^effect-\d+$")
        self.assert_effects(self.path, 1)
        self.assert_requests(self.path, requests)

    def test_without_a_fault(self):
        url = self.faulty_client_side()
        self.assert_succeeded_once(charge(self.client, url))
        self.assertEqual(self.proxy.connections, 1)

    # -- between the client and the gateway --

    def broken_client_side(self, fault):
        url = self.faulty_client_side(fault)
        self.assert_succeeded_once(charge(self.client, url))
        self.assertGreaterEqual(self.proxy.connections, 2, "the client had to try again")

    def test_connection_cut_before_the_request_arrives(self):
        self.broken_client_side(CutAtOnce())

    def test_connection_cut_inside_the_request(self):
        self.broken_client_side(CutRequest(100))

    def test_connection_cut_before_the_request_is_forwarded(self):
        self.broken_client_side(CutBeforeForward())

    def test_first_answer_lost(self):
        self.broken_client_side(LoseAnswer())

    def test_every_answer_lost_but_the_last(self):
        url = self.faulty_client_side(LoseAnswer(), LoseAnswer(), LoseAnswer())
        self.assert_succeeded_once(charge(self.client, url))

    def test_answer_held_back_longer_than_the_client_waits(self):
        url = self.faulty_client_side(HoldAnswer())
        self.assert_succeeded_once(charge(self.client, url, timeout_ms=HASTY_MS))

    def test_upstream_slower_than_the_client_waits(self):
        gate = Gate()
        self.upstream.script(self.path, upstream.held(gate))
        url = self.faulty_client_side()
        waiting_client = Background(lambda: charge(self.client, url, timeout_ms=HASTY_MS))
        self.proxy.wait_for_connections(2)
        gate.open()
        self.assert_succeeded_once(waiting_client.result())

    def test_connection_cut_while_the_upstream_runs(self):
        gate = Gate()
        self.upstream.script(self.path, upstream.run_then_held(gate))
        url = self.faulty_client_side()
        waiting_client = Background(lambda: charge(self.client, url))
        self.upstream.wait_for_effects(self.path)
        self.proxy.cut_connections()
        self.proxy.wait_for_connections(2)
        gate.open()
        self.assert_succeeded_once(waiting_client.result())

    def test_answer_truncated_on_its_way_to_the_client(self):
        url = self.faulty_client_side(CutAnswer(body_bytes=5))
        outcome = charge(self.client, url)
        self.assertFalse(outcome["succeeded"], "no client retries a truncated 200")
        self.assert_effects(self.path, 1)
        answer = self.lookup("response", self.path, self.key_sent(), CREDENTIAL)
        self.assert_status(answer, 200)
        self.assertEqual(answer["Idempotent-Replayed"], "true")
        self.assertRegex(answer.json["effect"], r"^effect-\d+$")

    # -- at the upstream --

    def test_500_then_200(self):
        self.upstream.script(self.path, upstream.fail(500), upstream.ok())
        url = self.faulty_client_side()
        self.assert_succeeded_once(charge(self.client, url), requests=2)

    # -- between the gateway and the upstream: the outcome of the first attempt is unknown --

    PROBE = {"on_unknown": {"probe": {"url": "/operations/{key}"}}}

    def broken_upstream_side(self, fault, defaults, requests):
        self.upstream.answer_all(upstream.Remembering())
        url = self.faulty_upstream_side(fault, **defaults)
        self.assert_succeeded_once(charge(self.client, url), requests)

    def test_probed_after_a_cut_before_the_upstream_ran(self):
        self.broken_upstream_side(CutBeforeForward(), self.PROBE, requests=1)

    def test_probed_after_a_cut_inside_the_request(self):
        self.broken_upstream_side(CutRequest(100), self.PROBE, requests=1)

    def test_probed_after_the_upstream_ran(self):
        self.broken_upstream_side(LoseAnswer(), self.PROBE, requests=1)

    def test_probed_after_a_truncated_answer(self):
        self.broken_upstream_side(CutAnswer(body_bytes=5), self.PROBE, requests=1)

    def test_redispatched_after_a_cut_before_the_upstream_ran(self):
        self.broken_upstream_side(CutBeforeForward(), {"on_unknown": "redispatch"}, requests=1)

    def test_redispatched_after_the_upstream_ran(self):
        self.broken_upstream_side(LoseAnswer(), {"on_unknown": "redispatch"}, requests=2)
        first, second = self.upstream.ledger(self.path)
        self.assertEqual(first.key, second.key)
        self.assertEqual((first.attempt, second.attempt), ("1", "2"))
        self.assertLess(int(first.fence), int(second.fence))

    def test_refused_after_the_upstream_ran(self):
        url = self.faulty_upstream_side(LoseAnswer(), on_unknown="refuse")
        outcome = charge(self.client, url, retries=2)
        self.assertFalse(outcome["succeeded"], outcome)
        self.assert_effects(self.path, 1)
        self.assert_requests(self.path, 1)
        self.assertEqual(self.state_of(self.path, self.key_sent(), CREDENTIAL), "unknown")
