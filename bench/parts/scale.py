"""scale: what the number of stored records costs: the gateway on a journal with so many against one that was empty.

onceward-preload fills journals through the store's port. Then: how soon a gateway on each serves, how much memory a
record takes, how many first executions a second it does (interleaved with the empty one), and, on another journal whose
records expire while it runs, what expiry costs.
"""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import os
import re
import statistics
import subprocess
import time

from contenders import onceward
from rig import load, nginx, plots, processes, report

NEEDS = ("nginx", "wrk")
HEADING = "Many records stored"
UPSTREAM_WORKERS = 2
CONNECTIONS = 64
EXPIRY_RATE = 1000  # Requests per second while records expire.
EXPIRY_WINDOW_S = 5
EXPIRY_WINDOWS_MAX = 200
ALL_SERVED_KEYS = 256


@dataclasses.dataclass
class Stored:
    """What is known of the journal with so many records."""

    records: int
    fill_s: float = 0.0
    open_s: float = 0.0  # The journal alone, without its cache.
    resident_bytes: int = 0  # The same.
    bytes_on_disk: int = 0
    first_served_s: float = 0.0  # From the start of the gateway's process.
    all_served_s: float = 0.0
    gateway_resident_bytes: int = 0  # Of a gateway that has served nothing but that.
    requests_per_s: list = dataclasses.field(default_factory=list)
    us_per_request: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class ExpiryWindow:
    ends_at_s: float  # Since the load began.
    records_left: int
    errors: int
    us_per_request: float
    latency_us_p50: float
    latency_us_p99: float
    latency_us_max: float


class _OnJournal(onceward.FirstExecution):
    """A gateway on a journal that is there."""

    journal = None
    start_s = 1800.0

    def start_store(self):
        return {"journal": {"path": str(self.journal), "durability": "synced", "bytes_limit": "200GiB"}}

    def records(self):
        return int(float(re.search(r"^onceward_records ([0-9.e+]+)$", self.metrics(), re.MULTILINE)[1]))


def _preload(options, place, *words):
    done = subprocess.run([options.build / "bench/stores/onceward-preload", place, *map(str, words)], check=False,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def _forget(journal):
    """So that opening it reads the disk, as after a restart of the machine."""
    for file in journal.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _post(port, key):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.START_S)
    try:
        connection.request("POST", "/v1/charges", "{}", {"Idempotency-Key": key, "Authorization": "Bearer bench"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"a first request was answered {response.status}")
    finally:
        connection.close()


def _start(options, place, journal, upstream_port, cleanup, found=None):
    gateway = _OnJournal(options.build, place, max(options.workers), upstream_port, {})
    gateway.journal = journal
    cleanup.callback(gateway.stop)
    gateway.start()
    if found is not None:
        began = gateway.started_at()
        _post(gateway.port, "the-first")
        found.first_served_s = time.monotonic() - began
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: _post(gateway.port, f"one-of-all-{number}"), range(ALL_SERVED_KEYS)))
        found.all_served_s = time.monotonic() - began
        found.gateway_resident_bytes = gateway.resident_bytes()
    return gateway


def _throughput(options, gateways, stored):
    for number in range(options.rounds + 1):
        for found in stored:
            gateway = gateways[found.records]
            done, used = load.measure(gateway, connections=CONNECTIONS,
                                      seconds=(options.seconds or 3) if number else 1,
                                      nonce=f"scale-{found.records}-{number}")
            if number:  # The first round warms up.
                found.requests_per_s.append(done.requests / done.seconds)
                found.us_per_request.append(used.total_s * 1e6 / done.requests)
                print(f"{found.records:12,} stored  {found.requests_per_s[-1]:9,.0f} requests/s  "
                      f"{found.us_per_request[-1]:6.1f} µs CPU", flush=True)


def _expiry(options, folder, records, fill_s, upstream_port):
    """Windows of load on a journal whose records expire during it."""
    journal, windows = folder / "expiring", []
    expires_in = int(2 * fill_s + 10)
    began = time.monotonic()
    _preload(options, journal, "--records", records, "--expires-in-s", expires_in)
    with contextlib.ExitStack() as cleanup:
        gateway = _start(options, folder / "expiring-gateway", journal, upstream_port, cleanup)
        load_began = time.monotonic()
        for number in range(EXPIRY_WINDOWS_MAX):
            before = gateway.cpu_time()
            told = load.run_paced(options.build, gateway, connections=CONNECTIONS, seconds=EXPIRY_WINDOW_S,
                                  rate=EXPIRY_RATE, nonce=f"expiring-{number}")
            used = gateway.cpu_time() - before
            windows.append(ExpiryWindow(time.monotonic() - load_began, gateway.records(), told.errors,
                                        used.total_s * 1e6 / max(told.answered, 1), told.latency_us_p50,
                                        told.latency_us_p99, told.latency_us_max))
            print(f"{windows[-1].records_left:12,} records left after {windows[-1].ends_at_s:5.1f} s  "
                  f"p99 {told.latency_us_p99:9,.0f} µs  {windows[-1].us_per_request:6.1f} µs CPU", flush=True)
            new = EXPIRY_RATE * EXPIRY_WINDOW_S * (number + 1)
            if windows[-1].records_left <= 1.05 * new and time.monotonic() - began > expires_in + fill_s:
                break
    return expires_in - (load_began - began), windows


def _kept(found, empty):
    """Its rate as a part of the empty store's."""
    return statistics.median(found.requests_per_s) / statistics.median(empty.requests_per_s)


def _table(stored):
    empty = stored[0]
    lines = ["| records stored | requests/s (least to most) | ÷ empty | CPU per request, µs | journal opens in, s | "
             "first request served after, s | all served after, s | memory per record, bytes | on disk, MiB |",
             "|---|---|---|---|---|---|---|---|---|"]
    for found in stored:
        memory = f"{(found.resident_bytes - empty.resident_bytes) / found.records:.1f}" if found.records else ""
        lines.append(" | ".join([
            f"| {found.records:,}", report.span(found.requests_per_s, "{:,.0f}"),
            f"{_kept(found, empty):.2f}", f"{statistics.median(found.us_per_request):.1f}", f"{found.open_s:.2f}",
            f"{found.first_served_s:.2f}", f"{found.all_served_s:.2f}", memory,
            f"{found.bytes_on_disk / (1 << 20):,.0f} |"]))
    return "\n".join(lines)


def _expiry_table(windows):
    lines = ["| seconds of load | records left | errors | p50, µs | p99, µs | longest, µs | CPU per request, µs |",
             "|---|---|---|---|---|---|---|"]
    for each in windows:
        lines.append(f"| {each.ends_at_s:.0f} | {each.records_left:,} | {each.errors} | {each.latency_us_p50:,.0f} | "
                     f"{each.latency_us_p99:,.0f} | {each.latency_us_max:,.0f} | {each.us_per_request:.1f} |")
    return "\n".join(lines)


def _draw(writer, stored, windows):
    file = writer.plot("scale")
    if file is None:
        return ""
    millions = "million records stored"

    def points(value):
        return [(found.records / 1e6, value(found)) for found in stored]
    panels = [
        (millions, "first executions per second", {"": points(lambda each: statistics.median(each.requests_per_s))}),
        (millions, "memory of the journal, MiB", {"": points(lambda each: each.resident_bytes / (1 << 20))}),
        (millions, "seconds after the start", {"first request served": points(lambda each: each.first_served_s),
                                               "all served": points(lambda each: each.all_served_s)}),
    ]
    pictures = []
    if plots.lines(file, "Many records stored", panels):
        pictures.append(f"![What the number of records costs](plots/{file.name})")
    file = writer.plot("expiry")
    across = "seconds of load"
    if plots.lines(file, f"Expiry under {EXPIRY_RATE:,} requests a second", [
            (across, "million records left", {"": [(each.ends_at_s, each.records_left / 1e6) for each in windows]}),
            (across, "latency, ms", {"p50": [(each.ends_at_s, each.latency_us_p50 / 1e3) for each in windows],
                                     "p99": [(each.ends_at_s, each.latency_us_p99 / 1e3) for each in windows]}),
            (across, "CPU per request, µs", {"": [(each.ends_at_s, each.us_per_request) for each in windows]})]):
        pictures.append(f"![Expiry](plots/{file.name})")
    return "\n".join(pictures)


def run(options, folder):
    if not (options.build / "bench/stores/onceward-preload").exists():
        print("scale: skipped: bench/stores/onceward-preload is not built (-DONCEWARD_BENCH=ON)", flush=True)
        return True
    stored = [Stored(records) for records in sorted({0, *options.records})]
    with contextlib.ExitStack() as cleanup:
        upstream, port = nginx.start(folder / "upstream", UPSTREAM_WORKERS, nginx.answer())
        cleanup.callback(upstream.stop)
        gateways = {}
        for found in stored:
            journal = folder / f"journal-{found.records}"
            found.fill_s = _preload(options, journal, "--records", found.records)["seconds"]
            _forget(journal)
            looked = _preload(options, journal, "--look")
            found.open_s, found.resident_bytes = looked["open_s"], looked["resident_bytes"]
            found.bytes_on_disk = looked["bytes_on_disk"]
            _forget(journal)
            place = folder / f"gateway-{found.records}"
            gateways[found.records] = _start(options, place, journal, port, cleanup, found)
            print(f"{found.records:12,} stored in {found.fill_s:.1f} s, opened in {found.open_s:.2f} s, "
                  f"served after {found.first_served_s:.2f} s, {found.resident_bytes / (1 << 20):,.1f} MiB", flush=True)
        _throughput(options, gateways, stored)
    with contextlib.ExitStack() as cleanup:
        upstream, port = nginx.start(folder / "upstream-of-expiring", UPSTREAM_WORKERS, nginx.answer())
        cleanup.callback(upstream.stop)
        expires_after, windows = _expiry(options, folder, stored[-1].records, stored[-1].fill_s, port)
    what = report.paragraph(f"""
Journals that `onceward-preload` filled through the store's port (a response of 400 bytes each), a gateway on each with
{max(options.workers)} workers; first executions at {CONNECTIONS} connections, interleaved, {options.rounds} rounds of
{options.seconds or 3} s, medians. The files were not in the page cache when they were opened. The request served
first and the {ALL_SERVED_KEYS} that follow it have new keys; their times count from the start of the process. Memory
per record is that of a journal that was opened without its cache of recent records, above an empty one.
Asked for at 10,000,000 records: a rate of ≥ 0.97 of the empty store's, at least ≥ 0.9; the first
request served within 1 s, at least 2 s, all within 3 s, at least 6 s; ≤ 24 bytes a record, at least ≤ 32.
""")
    expiring = report.paragraph(f"""
**Expiry.** {stored[-1].records:,} records that begin to expire {expires_after:.0f} s after the beginning of a load of
{EXPIRY_RATE:,} first executions a second, which go on:
""")
    text = f"""\
{what}

{options.writer.about()}

{_table(stored)}

{expiring}

{_expiry_table(windows)}

{_draw(options.writer, stored, windows)}
"""
    options.writer.write("scale", HEADING, text, {
        "stored": [dataclasses.asdict(found) for found in stored],
        "expiry": {"expires_after_s": expires_after, "windows": [dataclasses.asdict(each) for each in windows]}})
    return True
