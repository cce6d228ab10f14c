"""Medians with their span, as a table for people and as JSON for what comes later."""

import dataclasses
import json
import pathlib
import statistics

BEGIN = "<!-- written by make bench: peers -->"
END = "<!-- end of what make bench wrote: peers -->"


@dataclasses.dataclass(frozen=True)
class Measurement:
    contender: str
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


def _span(values, form):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def _ratio(mine, contender, peers):
    """How the CPU per request compares with the peer's: of the medians, with the goal where there is one."""
    if contender.compared_with is None or not peers:
        return ""
    ratio = statistics.median(each.us_per_request for each in mine) / statistics.median(
        each.us_per_request for each in peers)
    goal = f", goal ≤ {contender.goal:.1f}" if contender.goal else ""
    return f"{ratio:.2f} × {contender.compared_with}{goal}"


def table(contenders, measurements):
    lines = ["| contender | workers | connections | CPU per request, µs (least to most) | user + system, µs | "
             "requests/s (least to most) | CPU compared |", "|---|---|---|---|---|---|---|"]

    def found(name, workers, connections):
        return [each for each in measurements
                if (each.contender, each.workers, each.connections) == (name, workers, connections)]

    for workers, connections in sorted({(each.workers, each.connections) for each in measurements}):
        for contender in contenders:
            mine = found(contender.name, workers, connections)
            if not mine:
                continue
            user = statistics.median(each.user_us_per_request for each in mine)
            system = statistics.median(each.system_us_per_request for each in mine)
            lines.append(" | ".join([
                f"| {contender.name}", str(workers), str(connections),
                _span([each.us_per_request for each in mine], "{:.1f}"), f"{user:.1f} + {system:.1f}",
                _span([each.requests_per_s for each in mine], "{:,.0f}"),
                _ratio(mine, contender, found(contender.compared_with, workers, connections)) + " |"]))
    return "\n".join(lines)


def markdown(contenders, measurements, machine, rounds, seconds):
    about = "\n".join(f"- {name}: {value}" for name, value in machine.items() if value)
    compared = "\n".join(f"- **{contender.name}** {contender.does}." for contender in contenders)
    busiest = max(each.upstream_cpu_share for each in measurements)
    return f"""\
POST of 200 bytes, answer of 300, keep-alive; all contenders in one run on one machine, interleaved, {rounds} rounds of
{seconds} s each; medians. CPU is that of all processes of a contender. The load generator (wrk) and the upstream
(nginx) share the processors with them, so requests per second compare contenders only within this table. The upstream
never used more than {busiest:.0%} of a processor for each of its workers.

{about}

What each does, and so what is not comparable:

{compared}

{table(contenders, measurements)}
"""


def write_section(file, text):
    """Replaces the section between the marks, or appends one."""
    file = pathlib.Path(file)
    section = f"{BEGIN}\n\n{text}\n{END}\n"
    before = file.read_text() if file.exists() else "# Results\n"
    if BEGIN in before and END in before:
        head, _, rest = before.partition(BEGIN)
        after = head + section + rest.partition(END)[2].lstrip("\n")
    else:
        after = before.rstrip("\n") + "\n\n## Cost of a request, against peers\n\n" + section
    file.parent.mkdir(exist_ok=True)
    file.write_text(after)


def write_json(folder, machine, measurements):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    stamp = machine["date"].replace(" UTC", "").replace(" ", "-").replace(":", "")
    file = folder / f"{stamp}-{machine['commit'].partition(' ')[0]}.json"
    document = {"machine": machine, "measurements": [dataclasses.asdict(each) for each in measurements]}
    file.write_text(json.dumps(document, indent=1) + "\n")
    return file
