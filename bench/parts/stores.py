"""stores: the journal by itself against other engines.

Two threads each write groups of 64 records, durable before the next group of the same thread: while one group is
synced, the other is prepared. A record is two commands, its claim and its outcome (bench/stores/synced_groups.h). Once
with an empty store and once with records stored.
"""

import dataclasses
import json
import shutil
import statistics
import subprocess

from rig import plots, report

NEEDS = ()
HEADING = "The journal by itself, against other engines"


@dataclasses.dataclass(frozen=True)
class Engine:
    name: str
    program: str
    package: str  # Without which its program is not built.
    does: str


ENGINES = [
    Engine("journal", "journal_groups", "", "as the gateway uses it, through its port, synced"),
    Engine("RocksDB", "rocksdb_groups", "librocksdb-dev",
           "a synced WriteBatch for each group; Bloom filter, cache of 256 MiB, nothing compressed; filled in order of "
           "the keys and compacted"),
    Engine("LMDB", "lmdb_groups", "liblmdb-dev", "a transaction for each group; one writer; filled in order"),
    Engine("SQLite", "sqlite_groups", "libsqlite3-dev",
           "a transaction for each group, write-ahead log, `synchronous=FULL`, cache of 256 MiB; one writer; filled in "
           "order"),
]


@dataclasses.dataclass(frozen=True)
class Measurement:
    engine: str
    stored: int
    commands: int
    seconds: float
    cpu_us_per_command: float
    open_s: float
    resident_bytes_open: int
    bytes_on_disk: int

    @property
    def commands_per_s(self):
        return self.commands / self.seconds


class _Run:
    def __init__(self, options, folder):
        self._options, self._folder = options, folder
        self.left_out = {}

    def engines(self):
        for engine in self._options.chosen(ENGINES):
            if engine.name in self.left_out:
                continue
            if (self._options.build / "bench/stores" / engine.program).exists():
                yield engine
            else:
                why = f"{engine.package} was not installed when bench was built" if engine.package else "is not built"
                self._leave_out(engine, f"skipped: {why}")

    def _leave_out(self, engine, reason):
        print(f"{engine.name}: {reason}", flush=True)
        self.left_out[engine.name] = reason

    def measurements(self):
        for _ in range(self._options.rounds):
            for stored in (0, self._options.preload):
                for engine in self.engines():
                    try:
                        yield self._measure(engine, stored)
                    except RuntimeError as failed:
                        self._leave_out(engine, f"failed: {failed}")

    def _measure(self, engine, stored):
        place = self._folder / f"{engine.name}-{stored}"
        if not stored:
            shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            self._do(engine, place, "--fill", "--stored", str(stored))
        seconds = str(self._options.seconds or 5)
        told = json.loads(self._do(engine, place, "--stored", str(stored), "--seconds", seconds))
        return Measurement(**{**told, "engine": engine.name})

    def _do(self, engine, place, *words):
        done = subprocess.run([self._options.build / "bench/stores" / engine.program, place, *words], check=False,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip() or f"exit status {done.returncode}")
        return done.stdout


def _table(engines, measured, stored):
    def of(name):
        return [each for each in measured if (each.engine, each.stored) == (name, stored)]
    journal = of("journal")
    lines = ["| engine | commands/s (least to most) | journal ÷ this | CPU per command, µs | opens in, s | "
             "memory when opened, MiB | on disk, MiB |", "|---|---|---|---|---|---|---|"]
    for engine in engines:
        mine = of(engine.name)
        if not mine:
            continue

        def median(figure, those=mine):
            return statistics.median(getattr(each, figure) for each in those)
        ratio = ""
        if journal and engine.name != "journal":
            ratio = f"{statistics.median(one.commands_per_s for one in journal) / median('commands_per_s'):.2f}"
        lines.append(" | ".join([
            f"| {engine.name}", report.span([each.commands_per_s for each in mine], "{:,.0f}"), ratio,
            f"{median('cpu_us_per_command'):.1f}", f"{median('open_s'):.3f}",
            f"{median('resident_bytes_open') / (1 << 20):,.1f}", f"{median('bytes_on_disk') / (1 << 20):,.0f} |"]))
    return "\n".join(lines)


def run(options, folder):
    running, measured = _Run(options, folder), []
    for each in running.measurements():
        measured.append(each)
        print(f"{each.engine:10} {each.stored:12,} stored  {each.commands_per_s:10,.0f} commands/s  "
              f"{each.cpu_us_per_command:6.1f} µs CPU  opened in {each.open_s:.3f} s", flush=True)
    if not measured:
        print("nothing was measured")
        return False
    engines = [engine for engine in ENGINES if any(each.engine == engine.name for each in measured)]
    file = options.writer.plot("stores")
    picture = ""
    if file and plots.bars(
            file, "Synced groups of 64", "commands per second (median, least to most)", [each.name for each in engines],
            {f"{stored:,} stored": [[each.commands_per_s for each in measured
                                     if (each.engine, each.stored) == (engine.name, stored)] for engine in engines]
             for stored in (0, options.preload)}, "{:,.0f}"):
        picture = f"![Commands per second of each engine](plots/{file.name})"
    compared = "\n".join(f"- **{engine.name}**: {engine.does}." for engine in engines)
    what = report.paragraph(f"""
Two threads, each of which writes groups of 64 records and waits until a group is durable before its next one. A record
is two commands: its claim (148 bytes behind a key of 32) and its outcome (564 bytes). Each command reads what is there
and compares it before it writes; the journal does so by itself, the others are made to. Interleaved, {options.rounds}
rounds of {options.seconds or 5} s; medians. CPU is that of the whole process. Nothing expires here: the others would
have to delete each record, the journal drops files. The journal counts its length by whole segments of 64 MiB.
Asked for with 10,000,000 records stored: ≥ 3 times RocksDB, at least ≥ 2.5.
""")
    text = f"""\
{what}

{options.writer.about()}

{compared}

{report.left_out_lines(running.left_out)}
**An empty store**

{_table(engines, measured, 0)}

**{options.preload:,} records stored**

{_table(engines, measured, options.preload)}

{picture}
"""
    options.writer.write("stores", HEADING, text, {"measurements": [dataclasses.asdict(each) for each in measured],
                                                   "left_out": running.left_out})
    return not any(reason.startswith("failed") for reason in running.left_out.values())
