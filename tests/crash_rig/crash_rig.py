#!/usr/bin/python3
"""Kills, freezes and starves the real binary at every step of a request, while clients that do not give up make charges
through it; then holds what they were told against the store and the upstream's ledger.

    ONCEWARD_BINARY=… ONCEWARD_FAILPOINT_LIBRARY=… crash_rig.py [--store S] [--cycles N] [--seed S] [--cycle K]

README.md says what a cycle is.
"""

import argparse
import collections
import itertools
import random
import sys
import time

from cycle import Life
from faults import OF_BATCHES
from stores import STORES

CYCLES_OF_A_LIFE = 9


def round_of(store):
    """So many cycles take the whole course."""
    if len(store.lives) > 1:
        return len(store.lives) * CYCLES_OF_A_LIFE
    return -(-len(store.course(store.lives[0])) // CYCLES_OF_A_LIFE) * CYCLES_OF_A_LIFE


class Run:
    def __init__(self, store, seed, clients):
        self.name, self.store = store, STORES[store]
        self.seed = seed
        self.clients = clients
        self.began = time.monotonic()
        self.totals = collections.Counter()
        self.done = collections.Counter()  # Fault -> cycles in which it happened.
        self.tried = collections.Counter()
        self.stories = []

    def fault(self, cycle):
        """Each durability takes its whole course, and again, in an order of its own each time."""
        life, place = divmod(cycle, CYCLES_OF_A_LIFE)
        lives = self.store.lives
        durability = lives[life % len(lives)]
        lives_before = [lives[number % len(lives)] for number in range(life)].count(durability)
        course = self.store.course(durability)
        turn, place = divmod(lives_before * CYCLES_OF_A_LIFE + place, len(course))
        random.Random(f"{self.seed}/{durability}/{turn}").shuffle(course)
        return course[place]

    def live(self, cycles):
        """Some cycles on one store."""
        number = cycles[0] // CYCLES_OF_A_LIFE
        life = Life(self.store, self.store.lives[number % len(self.store.lives)], self.clients)
        birth = self.store.births[number % len(self.store.births)]
        try:
            happened = life.begin(birth)
            if birth is not None:
                self.tried[birth] += 1
                self.done[birth] += happened
            for cycle in cycles:
                fault = self.fault(cycle)
                self.tried[fault] += 1
                self.done[fault] += life.cycle(cycle, fault, random.Random(f"{self.seed}/cycle/{cycle}"))
                self.judge(life, f"cycle {cycle}, {fault}, durability {life.durability}", cycle)
            life.look_back()
            self.judge(life, f"looking back on cycles {cycles[0]} to {cycles[-1]}", None)
            life.end()
        except BaseException:
            print(f"seed {self.seed}, cycles {cycles[0]} to {cycles[-1]}; the gateway's log:\n{life.log()}")
            raise
        finally:
            self.totals.update(life.totals)
            life.remove()

    def judge(self, life, what, cycle):
        for key, wrong in life.violations():
            self.totals["violations"] += 1
            if len(self.stories) < 10:
                again = f"crash_rig.py --store {self.name} --seed {self.seed}"
                again += f" --cycle {cycle}" if cycle is not None else ""
                self.stories.append(f"VIOLATION in {what}\n{wrong}\n{life.story(key)}\nagain, on a store of its own: "
                                    f"{again}\nthe gateway's last words:\n{life.log()[-3000:]}")
                print(self.stories[-1], flush=True)

    def report(self, cycles):
        unreached = [str(fault) for fault in self.tried if not self.done[fault]]
        seconds = time.monotonic() - self.began
        print(f"\n{self.name}, seed {self.seed}: {cycles} cycles in {seconds:.0f} s")
        for fault in sorted(self.tried, key=str):
            print(f"  {self.done[fault]:5} of {self.tried[fault]:5}  {fault}")
        print(", ".join(f"{self.totals[name]} {name}" for name in
                        ("requests", "operations", "forwards", "effects", "replays compared", "unknown", "restarts")))
        print(f"violations: {self.totals['violations']}")
        if unreached:
            print("never reached: " + "; ".join(unreached))
        return 1 if self.totals["violations"] or unreached else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--store", choices=STORES, default="journal")
    parser.add_argument("--cycles", type=int, default=None, help="how many, if not the whole course")
    parser.add_argument("--cycle", type=int, help="only this one")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--clients", type=int, default=6)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    if not OF_BATCHES:
        print("left out: faults in a batch of sends, as the kernel gives no context for asynchronous I/O (io_setup)")
    run = Run(options.store, seed, options.clients)
    count = options.cycles or round_of(run.store)
    cycles = range(count) if options.cycle is None else [options.cycle]
    for _, life in itertools.groupby(cycles, lambda cycle: cycle // CYCLES_OF_A_LIFE):
        run.live(list(life))
    return run.report(len(cycles))


if __name__ == "__main__":
    sys.exit(main())
