"""Load by wrk: one run gives the requests that were answered, the errors among them and the latencies."""

import dataclasses
import json
import pathlib
import subprocess

SCRIPTS = pathlib.Path(__file__).parent.parent / "load"
REQUEST_BYTES = 200
RESPONSE_BYTES = 300


@dataclasses.dataclass(frozen=True)
class Load:
    requests: int
    seconds: float
    errors: int  # Connects, reads, writes, time-outs, and every status but 2xx and 3xx.
    latency_ms_p50: float
    latency_ms_p99: float


def run(script, port, *, connections, seconds, nonce):
    """`nonce` goes into every key, so that no two runs share one unless they are given the same."""
    command = ["wrk", "--threads", "2", "--connections", str(connections), "--duration", f"{seconds}s",
               "--timeout", "10s", "--script", str(SCRIPTS / script), f"http://127.0.0.1:{port}/v1/charges",
               "--", nonce, str(REQUEST_BYTES)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    told = json.loads(finished.stdout.rstrip().rpartition("\n")[2])
    return Load(requests=told["requests"], seconds=told["duration_us"] / 1e6, errors=told["errors"],
                latency_ms_p50=told["latency_us_p50"] / 1e3, latency_ms_p99=told["latency_us_p99"] / 1e3)
