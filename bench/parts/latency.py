"""latency: how long an answer takes at a fixed rate.

The requests leave when they are due, answered or not, and each latency counts from when its request was due
(bench/paced_load.cc): a contender that stalls is charged with all that was due meanwhile. One that does not keep up
with a rate has no latency there: it would be the length of the run.
"""

import contextlib
import dataclasses
import mmap
import os
import statistics
import time

import contenders
from rig import contender, field, load, nginx, plots, report

UPSTREAM_WORKERS = 2
BEHIND_MAX_S = 0.5  # The last answer comes that much after the last request was due, at most.
NEEDS = ("nginx", "wrk")
HEADING = "Latency at a fixed rate"


@dataclasses.dataclass(frozen=True)
class Measurement:
    contender: str
    role: str
    workers: int
    connections: int
    rate: int
    kept_up: bool
    paced: load.PacedLoad


class Direct(contender.Contender):
    """What all latencies contain: the load generator, the loopback device, the upstream."""

    name = "the upstream itself"
    role = "nothing in between"
    load = "unguarded.lua"

    def start(self):
        self.port = self.upstream_port


def sync_us(folder, pause_s=0, times=200):
    """The median time that one block takes to the disk, written directly and synced, in preallocated space that is
    written already: what a synced record cannot be faster than. `pause_s` from the begin of one to that of the next, at
    least: a disk may answer later when it had nothing to do.
    """
    file = folder / "sync"
    with mmap.mmap(-1, 4096) as block:
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_DIRECT, 0o600)
        try:
            taken = []
            for at in range(2 * times):
                begin = time.perf_counter()
                os.pwrite(descriptor, block, at % times * 4096)
                os.fdatasync(descriptor)
                took = time.perf_counter() - begin
                taken.append(took * 1e6)
                if pause_s > took:
                    time.sleep(pause_s - took)
            return statistics.median(taken[times:])
        finally:
            os.close(descriptor)
            file.unlink()


@dataclasses.dataclass(frozen=True)
class Syncs:
    """Of each round, in µs: one after the other, and as often as first executions at the lightest rate ask for one."""

    at_once: list = dataclasses.field(default_factory=list)
    in_step: list = dataclasses.field(default_factory=list)


def _sync_interval_s(options):
    return 1 / (2 * min(options.rates))


def _measure(options, those, each, rate, connections):
    seconds = options.seconds or 5
    told = load.run_paced(options.build, each, connections=connections, seconds=seconds, rate=rate,
                          nonce=those.next_nonce(each))
    return Measurement(each.name, each.role, each.workers, connections, rate,
                       told.errors == 0 and told.seconds <= seconds + BEHIND_MAX_S, told)


def _measurements(options, those, started, connections, syncs, folder):
    for _ in range(options.rounds):
        syncs.at_once.append(sync_us(folder))
        syncs.in_step.append(sync_us(folder, pause_s=_sync_interval_s(options)))
        for rate in options.rates:
            for each in started:
                if each.name in those.left_out:
                    continue
                try:
                    yield _measure(options, those, each, rate, connections)
                except (OSError, RuntimeError) as failed:
                    those.leave_out(each, f"failed: {failed}")


def _table(kinds, measured, rate):
    def of(name):
        return [each for each in measured if each.rate == rate and each.contender == name]

    def median(name, figure):
        return statistics.median(getattr(each.paced, figure) for each in of(name))
    lines = ["| role | contender | p50, µs (least to most) | p50 above the upstream's | p90, µs | p99, µs | "
             "p99.9, µs | longest, µs |", "|---|---|---|---|---|---|---|---|"]
    for kind in kinds:
        mine = of(kind.name)
        if not mine:
            continue
        cells = [kind.role, kind.name]
        if all(each.kept_up for each in mine):
            above = median(kind.name, "latency_us_p50") - median(Direct.name, "latency_us_p50")
            cells += [report.span([each.paced.latency_us_p50 for each in mine], "{:,.0f}"),
                      f"{above:,.0f}" if of(Direct.name) else ""]
            cells += [f"{median(kind.name, figure):,.0f}" for figure in (
                "latency_us_p90", "latency_us_p99", "latency_us_p999", "latency_us_max")]
        else:
            reached = statistics.median(each.paced.answered / each.paced.seconds for each in mine)
            cells += [f"does not keep up: {reached:,.0f} a second", *[""] * 5]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _draw(writer, kinds, measured, rates):
    file = writer.plot("latency")
    if file is None:
        return ""
    rows = [kind.name for kind in kinds if kind is not Direct]
    series = {f"{figure}, {rate}/s": [[getattr(each.paced, f"latency_us_{figure}") for each in measured
                                       if (each.contender, each.rate, each.kept_up) == (row, rate, True)]
                                      for row in rows] for rate in rates for figure in ("p50", "p99")}
    drawn = plots.bars(file, "Latency at a fixed rate", "µs (median, least to most)", rows, series, "{:,.0f}")
    return f"![Latency at a fixed rate](plots/{file.name})" if drawn else ""


def run(options, folder):
    if not (options.build / "bench/paced_load").exists():
        print("latency: skipped: bench/paced_load is not built (-DONCEWARD_BENCH=ON)", flush=True)
        return True
    connections, workers, syncs = min(options.connections), max(options.workers), Syncs()
    with contextlib.ExitStack() as cleanup:
        upstream, port = nginx.start(folder / "upstream", UPSTREAM_WORKERS, nginx.answer())
        cleanup.callback(upstream.stop)
        those = field.Field(options, [Direct, *options.chosen(contenders.CONTENDERS)], folder, cleanup)
        started = those.start(workers, port)
        for each in started:
            try:
                load.prime(each, those.next_nonce(each))
                load.run(each, connections=connections, seconds=1, nonce=those.next_nonce(each))
            except (OSError, RuntimeError) as failed:
                those.leave_out(each, f"failed: {failed}")
        measured = []
        for each in _measurements(options, those, started, connections, syncs, folder):
            measured.append(each)
            print(f"{each.contender:48} {each.rate:6}/s  p50 {each.paced.latency_us_p50:9,.0f} µs  "
                  f"p99 {each.paced.latency_us_p99:9,.0f} µs{'' if each.kept_up else '  does not keep up'}", flush=True)
    if not measured:
        print("nothing was measured")
        return False
    kinds = [kind for kind in those.kinds if any(each.contender == kind.name for each in measured)]
    tables = "\n\n".join(f"**{rate:,} requests a second**\n\n{_table(kinds, measured, rate)}" for rate in options.rates)
    late = max(each.paced.late_max_ms for each in measured)
    what = report.paragraph(f"""
POST of {load.REQUEST_BYTES} bytes, answer of {load.RESPONSE_BYTES}, {connections} connections, {workers} workers;
interleaved, {options.rounds} rounds of {options.seconds or 5} s each; medians of the rounds. Requests leave when they
are due, and latency counts from then, so that a stall is charged with all that was due in it. What the contenders do
says the section before. The load generator itself was late by {late:.1f} ms at most. A first execution in the journal
takes two syncs. One block of 4 KiB, written directly and synced, took {report.span(syncs.at_once, "{:.0f}")} µs in the
same rounds when one followed the other, and {report.span(syncs.in_step, "{:.0f}")} µs when one began every
{_sync_interval_s(options) * 1000:.1f} ms, as often as at the lightest rate. Asked of a first execution at that rate: a
median of one sync and 50 µs above the upstream's, at least of two and 200 µs.
""")
    text = f"""\
{what}

{options.writer.about()}

{report.left_out_lines(those.left_out)}
{tables}

{_draw(options.writer, kinds, measured, options.rates)}
"""
    options.writer.write("latency", HEADING, text, {
        "sync_us": dataclasses.asdict(syncs), "measurements": [dataclasses.asdict(each) for each in measured],
        "left_out": those.left_out})
    return not any(reason.startswith("failed") for reason in those.left_out.values())
