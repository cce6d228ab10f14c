#!/usr/bin/python3
"""kill -9 at random moments under load, again and again, then the balance: no answer that a client was given is lost,
no operation has a second effect, and what clients are told of a key is what the upstream's ledger says.

ONCEWARD_E2E_KILLS sets how often (4), ONCEWARD_E2E_SEED repeats the moments.
"""

import os
import random
import threading

from support import story, wire
from support.waiting import in_parallel

KILLS = int(os.environ.get("ONCEWARD_E2E_KILLS", "4"))
SEED = int(os.environ.get("ONCEWARD_E2E_SEED", str(random.SystemRandom().randrange(1 << 32))))
CLIENTS = 8


class Client:
    """Makes one charge after the other and remembers what it was told: path -> answer, or None where it was not."""

    def __init__(self, story_, number):
        self._story = story_
        self._number = number
        self._count = 0
        self.told = {}

    def key_of(self, path):
        return "key-of-" + path

    def run(self, stop):
        while not stop.is_set():
            self._count += 1
            path = f"/clients/{self._number}/{self._count}"
            self.told[path] = None
            try:
                answer = self._story.post(path, {"path": path}, self.key_of(path))
            except (wire.Closed, wire.Truncated, OSError):
                continue
            if answer.status == 200:
                self.told[path] = answer


class Durability(story.Story):
    settings = None

    def test_what_clients_were_told_stays_true(self):
        print(f"ONCEWARD_E2E_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        self.upstream = self.start_upstream()
        self.gateway = self.start_gateway(self.upstream.url)
        clients = [Client(self, number) for number in range(CLIENTS)]
        for _ in range(KILLS):
            self.run_until_killed(clients, chance)
            self.gateway.start()
        self.assert_balance(clients)

    def run_until_killed(self, clients, chance):
        stop = threading.Event()
        threads = [threading.Thread(target=client.run, args=(stop,), daemon=True) for client in clients]
        wanted = sum(self.upstream.all_effects().values()) + chance.randrange(50, 400)
        for thread in threads:
            thread.start()
        self.upstream.wait_until(lambda: sum(self.upstream.all_effects().values()) >= wanted, "some load")
        self.gateway.kill()
        stop.set()
        for thread in threads:
            thread.join(story.waiting.DEADLINE_S)
            self.assertFalse(thread.is_alive())

    def assert_balance(self, clients):
        charges = [(client, path) for client in clients for path in client.told]
        repeated = {path: count for path, count in self.upstream.all_effects().items() if count > 1}
        self.assertEqual(repeated, {}, "no second effect before the retries")
        lanes = [charges[lane::CLIENTS] for lane in range(CLIENTS)]
        states = [state for lane in in_parallel(CLIENTS, lambda index: [self.check(*each) for each in lanes[index]])
                  for state in lane]
        repeated = {path: count for path, count in self.upstream.all_effects().items() if count > 1}
        self.assertEqual(repeated, {}, "no second effect after the retries")
        self.assertGreater(states.count("told"), 0)
        print({state: states.count(state) for state in sorted(set(states))})

    def check(self, client, path):
        """Retries one charge; what had become of it."""
        told, effects_before = client.told[path], self.upstream.effects(path)
        answer = self.post(path, {"path": path}, client.key_of(path))
        effects = self.upstream.effects(path)
        if told is not None:
            self.assert_replay(answer, told)
            self.assertEqual((effects_before, effects), (1, 1))
            return "told"
        if answer.status == 409:
            self.assert_problem(answer, "outcome-unknown")
            self.assertEqual(effects, effects_before)
            return "unknown"
        self.assert_status(answer, 200)
        self.assertEqual(effects, 1)
        if answer["Idempotent-Replayed"]:
            self.assertEqual(effects_before, 1)
            return "recorded, not told"
        self.assertEqual(effects_before, 0, "a key whose operation ran is never free")
        return "never forwarded"


if __name__ == "__main__":
    story.main()
