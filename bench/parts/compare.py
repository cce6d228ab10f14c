"""compare: what a change did to the cost of a request: two builds of onceward, interleaved, round by round.

A machine that is not ours alone is faster in one minute than in the next by more than most changes are worth. So each
round measures both builds right after each other, in turns first, and what counts is the quotient within a round: its
median, and between which values the middle half of the rounds lie. Short rounds and many of them say more than few
long ones. Prints; there is nothing here for docs/results.md.
"""

import contextlib
import itertools
import statistics

from contenders import onceward
from rig import load, nginx

UPSTREAM_WORKERS = 2
ROUNDS_MORE = 4  # Than other parts have, of a second each.
NEEDS = ("nginx", "wrk")
KINDS = (onceward.Unguarded, onceward.FirstExecution, onceward.Replay)


def _started(kind, build, place, workers, upstream_port, cleanup):
    made = kind(build, place, workers, upstream_port, {})
    cleanup.callback(made.stop)
    made.start()
    return made


def _measure(each, connections, seconds, nonce):
    done, used = load.measure(each, connections=connections, seconds=seconds, nonce=nonce)
    each.verify(done.requests)
    return used.total_s * 1e6 / done.requests, done.requests / done.seconds


def _quartiles(quotients):
    low, middle, high = statistics.quantiles(quotients, n=4, method="inclusive")
    return f"{middle:.3f} × ({low:.3f} to {high:.3f})"


def _compare(pair, connections, options, runs):
    rounds = []
    for number in range(ROUNDS_MORE * options.rounds):
        measured = {}
        for each in (pair if number % 2 == 0 else pair[::-1]):
            measured[each] = _measure(each, connections, options.seconds or 1, each.nonce(next(runs)))
        rounds.append([measured[each] for each in pair])
    what = f"{pair[0].name:34} workers {pair[0].workers}  connections {connections:4}"
    for figure, unit, form in ((0, "µs CPU", "{:,.2f}"), (1, "requests/s", "{:,.0f}")):
        after, before = (form.format(statistics.median(one[side][figure] for one in rounds)) for side in (0, 1))
        print(f"{what}  {before:>8} to {after:>8} {unit:11}"
              f"{_quartiles([one[0][figure] / one[1][figure] for one in rounds])}", flush=True)


def run(options, folder):
    if options.against is None:
        raise RuntimeError("--against names the build to compare with")
    runs = itertools.count(1)
    with contextlib.ExitStack() as cleanup:
        upstream, port = nginx.start(folder / "upstream", UPSTREAM_WORKERS, nginx.answer())
        cleanup.callback(upstream.stop)
        for kind, workers in itertools.product(options.chosen(KINDS), options.workers):
            pair = [_started(kind, build, folder / f"{kind.role}-{workers}-{side}", workers, port, cleanup)
                    for side, build in (("after", options.build), ("before", options.against))]
            for each in pair:
                load.prime(each, each.nonce(next(runs)))
                _measure(each, max(options.connections), 1, each.nonce(next(runs)))
            for connections in options.connections:
                _compare(pair, connections, options, runs)
    return True
