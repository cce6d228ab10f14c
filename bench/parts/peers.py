"""peers: CPU per request and requests per second of every contender."""

import contextlib
import dataclasses
import statistics

import contenders
from rig import field, load, nginx, plots, report

UPSTREAM_WORKERS = 2
WARM_UP_S = 1
NEEDS = ("nginx", "wrk")
HEADING = "Cost of a request, against peers"


@dataclasses.dataclass(frozen=True)
class Measurement:
    contender: str
    role: str
    workers: int
    connections: int
    requests: int
    seconds: float
    errors: int
    user_us_per_request: float
    system_us_per_request: float
    latency_ms_p50: float
    latency_ms_p99: float
    upstream_cpu_share: float  # Of one processor, for each of the upstream's workers.

    @property
    def us_per_request(self):
        return self.user_us_per_request + self.system_us_per_request

    @property
    def requests_per_s(self):
        return self.requests / self.seconds


class _Run:
    """All contenders, started side by side."""

    def __init__(self, options, folder, cleanup):
        self._options, self._seconds = options, options.seconds or 3
        self._upstream, port = nginx.start(folder / "upstream", UPSTREAM_WORKERS, nginx.answer())
        cleanup.callback(self._upstream.stop)
        self.field = field.Field(options, options.chosen(contenders.CONTENDERS), folder, cleanup)
        self._contenders = {workers: self.field.start(workers, port) for workers in options.workers}

    def measurements(self):
        for workers in self._options.workers:
            for contender in self._contenders[workers]:
                self._try(contender, self._warm_up)
        for _ in range(self._options.rounds):
            for workers in self._options.workers:
                for connections in self._options.connections:
                    for contender in self._contenders[workers]:
                        measured = self._try(contender, lambda each, c=connections: self._measure(each, c))
                        if measured:
                            yield measured

    def _try(self, contender, measure):
        if contender.name in self.field.left_out:
            return None
        try:
            return measure(contender)
        except (OSError, RuntimeError) as failed:
            self.field.leave_out(contender, f"failed: {failed}")
            return None

    def _warm_up(self, contender):
        load.prime(contender, self.field.next_nonce(contender))
        self._load(contender, max(self._options.connections), WARM_UP_S)

    def _load(self, contender, connections, seconds):
        return load.run(contender, connections=connections, seconds=seconds, nonce=self.field.next_nonce(contender))

    def _measure(self, contender, connections):
        if contender.settle_s:
            self._load(contender, connections, contender.settle_s)
        contender.verify(0)
        upstream_before = self._upstream.cpu_time()
        done, used = load.measure(contender, connections=connections, seconds=self._seconds,
                                  nonce=self.field.next_nonce(contender))
        upstream_used = self._upstream.cpu_time() - upstream_before
        contender.verify(done.requests)
        return Measurement(
            contender=contender.name, role=contender.role, workers=contender.workers, connections=connections,
            requests=done.requests, seconds=done.seconds, errors=done.errors,
            user_us_per_request=used.user_s * 1e6 / done.requests,
            system_us_per_request=used.system_s * 1e6 / done.requests, latency_ms_p50=done.latency_ms_p50,
            latency_ms_p99=done.latency_ms_p99,
            upstream_cpu_share=upstream_used.total_s / done.seconds / UPSTREAM_WORKERS)


class Table:
    def __init__(self, kinds, measured):
        self._kinds, self._measured = kinds, measured

    def found(self, name, workers, connections):
        return [each for each in self._measured
                if (each.contender, each.workers, each.connections) == (name, workers, connections)]

    def _compared(self, contender, workers, connections, figure, comparisons):
        """The quotients of medians, with what they have to reach."""
        texts = []
        mine = self.found(contender.name, workers, connections)
        for each in comparisons:
            others = self.found(each.with_, workers, connections)
            if others:
                ratio = (statistics.median(getattr(one, figure) for one in mine) /
                         statistics.median(getattr(one, figure) for one in others))
                asked = each.asked(connections)
                texts.append(f"{ratio:.2f} × {each.with_}" + (f" ({asked})" if asked else ""))
        return "; ".join(texts)

    def markdown(self):
        parts = []
        for workers, connections in sorted({(each.workers, each.connections) for each in self._measured}):
            rows = [row for contender in self._kinds if (row := self._row(contender, workers, connections))]
            parts.append("\n".join([
                f"**{workers} worker{'s' if workers > 1 else ''}, {connections} connections**", "",
                "| role | contender | CPU per request, µs (least to most) | user + system, µs | "
                "requests/s (least to most) | CPU compared | requests/s compared |", "|---|---|---|---|---|---|---|",
                *rows]))
        return "\n\n".join(parts)

    def _row(self, contender, workers, connections):
        mine = self.found(contender.name, workers, connections)
        if not mine:
            return ""
        user = statistics.median(each.user_us_per_request for each in mine)
        system = statistics.median(each.system_us_per_request for each in mine)
        cells = [contender.role, contender.name, report.span([each.us_per_request for each in mine], "{:,.1f}"),
                 f"{user:,.1f} + {system:,.1f}", report.span([each.requests_per_s for each in mine], "{:,.0f}"),
                 self._compared(contender, workers, connections, "us_per_request", contender.cpu_compared),
                 self._compared(contender, workers, connections, "requests_per_s", contender.rate_compared)]
        return f"| {' | '.join(cells)} |"


def _draw(writer, kinds, measured, section):
    """A plot for each role: CPU per request at the most workers, a bar for each number of connections."""
    workers = max(each.workers for each in measured)
    names = []
    for role in dict.fromkeys(kind.role for kind in kinds):
        rows = [kind.name for kind in kinds if kind.role == role]
        series = {}
        for connections in sorted({each.connections for each in measured}):
            values = [[each.us_per_request for each in measured
                       if (each.contender, each.workers, each.connections) == (row, workers, connections)]
                      for row in rows]
            series[f"{connections} connections"] = values
        file = writer.plot("-".join(["cpu", *role.split(), *section.split()]))
        if file and plots.bars(file, f"CPU per request: {role}, {workers} workers", "µs (median, least to most)", rows,
                               series):
            names.append((file.name, role))
    return "\n".join(f"![CPU per request, {role}](plots/{name})" for name, role in names)


def run(options, folder):
    with contextlib.ExitStack() as cleanup:
        running = _Run(options, folder, cleanup)
        measured = []
        for each in running.measurements():
            measured.append(each)
            print(f"{each.contender:48} workers {each.workers}  connections {each.connections:4}  "
                  f"{each.us_per_request:8.1f} µs CPU  {each.requests_per_s:9,.0f} requests/s", flush=True)
    if not measured:
        print("nothing was measured")
        return False
    kinds = [kind for kind in running.field.kinds if any(each.contender == kind.name for each in measured)]
    compared = "\n".join(f"- **{kind.name}** ({kind.role}) {kind.does}." for kind in kinds)
    busiest = max(each.upstream_cpu_share for each in measured)
    what = report.paragraph(f"""
POST of {load.REQUEST_BYTES} bytes, answer of {load.RESPONSE_BYTES}, keep-alive; all contenders in one run on one
machine, interleaved, {options.rounds} rounds of {options.seconds or 3} s each; medians. CPU is that of all processes of
a contender: gateway, store, workers. What the kernel does in threads of its own (writing back, interrupts of the disk)
is nobody's. The load generator (wrk) and the upstream (nginx) share the processors with them, so requests per second
compare contenders only within this table. The upstream never used more than {busiest:.0%} of a processor for each of
its workers.
""")
    text = f"""\
{what}

{options.writer.about()}

What each does, and so what is not comparable:

{compared}

{report.left_out_lines(running.field.left_out)}
{Table(kinds, measured).markdown()}

{_draw(options.writer, kinds, measured, options.section)}
"""
    part = f"peers, {options.section}" if options.section else "peers"
    heading = f"{HEADING}: {options.section}" if options.section else HEADING
    options.writer.write(part, heading, text, {"measurements": [dataclasses.asdict(each) for each in measured],
                                                  "left_out": running.field.left_out})
    return not any(reason.startswith("failed") for reason in running.field.left_out.values())
