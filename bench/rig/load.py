"""Load: as much as goes by wrk, or at a fixed rate by our paced_load. One run gives the requests that were answered,
the errors among them and the latencies.
"""

import concurrent.futures
import dataclasses
import http.client
import json
import pathlib
import subprocess

SCRIPTS = pathlib.Path(__file__).parent.parent / "load"
REQUEST_BYTES = 200
RESPONSE_BYTES = 300
REPLAYED_KEYS = 1000  # As replay.lua has them.
# What the scripts of wrk do to the key, in the words of paced_load.
KEYS = {"unguarded.lua": "none", "first_execution.lua": "new", "replay.lua": "thousand"}


@dataclasses.dataclass(frozen=True)
class Load:
    requests: int
    seconds: float
    errors: int  # Connects, reads, writes, time-outs, and every status but 2xx and 3xx.
    latency_ms_p50: float
    latency_ms_p99: float


@dataclasses.dataclass(frozen=True)
class PacedLoad:
    asked_per_s: float
    answered: int
    errors: int
    seconds: float  # Until the last answer.
    late_max_ms: float  # How much later than planned the generator itself sent, where a connection was free.
    latency_us_p50: float
    latency_us_p90: float
    latency_us_p99: float
    latency_us_p999: float
    latency_us_max: float


def response():
    """What the upstream answers: JSON, as some peers insist on it."""
    return '{"note":"' + "y" * (RESPONSE_BYTES - 11) + '"}'


def post(contender, key):
    """(status, body) of a request as the scripts send it; without a key where that is empty."""
    connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30)
    try:
        fields = {"Content-Type": "application/json", "Authorization": "Bearer bench"}
        if key:
            fields["Idempotency-Key"] = key
        connection.request("POST", contender.path, '{"note":"' + "x" * (REQUEST_BYTES - 11) + '"}', fields)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def prime(contender, nonce):
    """Makes the records that replay.lua asks for, where that is the contender's load."""
    if contender.load != "replay.lua":
        return
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = {status for status, _ in pool.map(lambda number: post(contender, f"{nonce}-{number}"),
                                                         range(REPLAYED_KEYS))}
    except http.client.HTTPException as error:
        raise RuntimeError(f"a request to be replayed was answered by no HTTP: {error}") from error
    if statuses != {200}:
        raise RuntimeError(f"the requests to be replayed were answered {sorted(statuses)}")


def run(contender, *, connections, seconds, nonce):
    """`nonce` goes into every key, so that no two runs share one unless they are given the same."""
    command = ["wrk", "--threads", "2", "--connections", str(connections), "--duration", f"{seconds}s",
               "--timeout", "10s", "--script", str(SCRIPTS / contender.load),
               f"http://127.0.0.1:{contender.port}{contender.path}", "--", nonce, str(REQUEST_BYTES), contender.path]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    told = json.loads(finished.stdout.rstrip().rpartition("\n")[2])
    return Load(requests=told["requests"], seconds=told["duration_us"] / 1e6, errors=told["errors"],
                latency_ms_p50=told["latency_us_p50"] / 1e3, latency_ms_p99=told["latency_us_p99"] / 1e3)


def measure(contender, *, connections, seconds, nonce):
    """The Load of such a run, and the CPU time of the contender meanwhile. A request that failed is an error."""
    before = contender.cpu_time()
    done = run(contender, connections=connections, seconds=seconds, nonce=nonce)
    used = contender.cpu_time() - before
    if done.errors or not done.requests:
        raise RuntimeError(f"{done.errors} errors in {done.requests} requests at {connections} connections")
    return done, used


def run_paced(build, contender, *, connections, seconds, rate, nonce):
    """Requests leave at their times whether or not earlier ones were answered; latency counts from those times."""
    command = [str(build / "bench/paced_load"), str(contender.port), contender.path, "--rate", str(rate),
               "--connections", str(connections), "--seconds", str(seconds), "--body-bytes", str(REQUEST_BYTES),
               "--keys", KEYS[contender.load], "--nonce", nonce]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if finished.returncode != 0:
        raise RuntimeError(f"{contender.name}: paced_load: {finished.stderr.strip()}")
    return PacedLoad(**json.loads(finished.stdout))
