"""The judge: holds against each other what every client was told, what the store says afterwards, and what the
upstream's ledger has. It knows nothing of how the gateway works, only what the gateway promises.

A history is complete when every client has its last answer, the upstream is quiet, and the store was asked about every
operation by a gateway that nobody disturbs any more.
"""

import dataclasses
import json

RELEASING = {401, 403, 407, 408, 409, 421, 423, 425, 429, 500, 501, 503}
FINAL_STATES = {"absent", "completed", "released", "unknown"}


@dataclasses.dataclass
class Operation:
    """What one idempotency key stands for."""

    key: str
    mode: str  # refuse, probe or redispatch
    body: str  # The digest of the request's body.


@dataclasses.dataclass
class Told:
    """What one client learned from one request."""

    key: str
    client: str
    began: int  # Monotonic nanoseconds, as all times here.
    ended: int
    how: str = "answered"  # broken: the connection was; hung: no answer within any deadline
    status: int = 0
    body: bytes = b""
    fields: tuple = ()  # Those that a replay has to keep, as pairs.
    replayed: bool = False
    problem: dict = None  # Where the gateway itself refused.
    mismatching: bool = False  # The request had another payload than the operation.

    @property
    def kind(self):
        return self.problem["type"].rpartition(":")[2] if self.problem else None

    @property
    def is_result(self):
        """Whether it is an outcome that is stored: what every later duplicate has to get."""
        return self.how == "answered" and not self.problem and self.status < 500 and self.status not in RELEASING

    def __str__(self):
        if self.how != "answered":
            return self.how
        if self.problem:
            state, safe = self.problem.get("operation_state"), self.problem.get("new_key_safe")
            return f"{self.status} {self.kind} (state {state}, new key safe: {safe})"
        return f"{self.status} {'replay ' if self.replayed else ''}{self.body[:60]!r}"


@dataclasses.dataclass
class Stored:
    """What the status lookup says at the end, and the replay that a last duplicate gets."""

    state: str
    attempt: int = 0
    fence: int = 0
    replay: Told = None


@dataclasses.dataclass
class Fault:
    """Something that was done to the gateway. Between `began` and `ended` it was not itself."""

    what: str
    began: int
    ended: int
    fails_writes: bool = False  # From `began` on a write or sync had failed, until the restart at `ended`.


@dataclasses.dataclass
class History:
    operations: dict = dataclasses.field(default_factory=dict)  # By key.
    told: list = dataclasses.field(default_factory=list)
    ledger: list = dataclasses.field(default_factory=list)  # The lines, as dicts.
    stored: dict = dataclasses.field(default_factory=dict)  # By key.
    faults: list = dataclasses.field(default_factory=list)
    lease_ns: int = 0

    def of(self, key):
        return Case(self.operations[key], [told for told in self.told if told.key == key],
                    [line for line in self.ledger if line["key"] == key], self.stored.get(key), self.faults,
                    self.lease_ns)

    def violations(self):
        """(key, what is wrong) of each operation that breaks a promise."""
        by_key = {key: Case(operation, [], [], self.stored.get(key), self.faults, self.lease_ns)
                  for key, operation in self.operations.items()}
        for told in self.told:
            by_key[told.key].told.append(told)
        for line in self.ledger:
            if line["key"] not in by_key:
                yield line["key"], "the upstream was sent a key that no client has"
                continue
            by_key[line["key"]].ledger.append(line)
        for key, case in by_key.items():
            for rule in RULES:
                for wrong in rule(case):
                    yield key, f"{rule.__name__.replace('_', '-')}: {wrong}"

    def story(self, key):
        """Everything that happened to one operation, and to the gateway meanwhile, in order."""
        case = self.of(key)
        first = min([told.began for told in case.told] + [line["at"] for line in case.ledger], default=0)
        last = max([told.ended for told in case.told] + [line["at"] for line in case.ledger], default=0)
        events = []
        for told in case.told:
            payload = " with another payload" if told.mismatching else ""
            events += [(told.began, f"{told.client} sends it{payload}"), (told.ended, f"{told.client} is told: {told}")]
        for line in case.ledger:
            events.append((line["at"], f"upstream {described(line)}"))
        for fault in self.faults:
            if fault.ended >= first and fault.began <= last:
                events += [(fault.began, f"GATEWAY: {fault.what}"), (fault.ended, "GATEWAY: is itself again")]
        lines = [f"operation {key}, on_unknown: {case.operation.mode}"]
        lines += [f"{(at - first) / 1e6:12.3f} ms  {what}" for at, what in sorted(events)]
        stored = case.stored
        if stored:
            lines.append(f"{'at the end':>15}  the store says {stored.state}, attempt {stored.attempt}, "
                         f"fence {stored.fence}; a duplicate is told: {stored.replay}")
        return "\n".join(lines)


def described(line):
    attempt = f"attempt {line.get('attempt')}, fence {line.get('fence')}: " if "attempt" in line else ""
    detail = " ".join(str(line[name]) for name in ("word", "effect", "status") if name in line)
    return f"{attempt}{line['what']} {detail}"


@dataclasses.dataclass
class Case:
    """All there is about one operation."""

    operation: Operation
    told: list
    ledger: list
    stored: Stored
    faults: list
    lease_ns: int

    def lines(self, what):
        return [line for line in self.ledger if line["what"] == what]

    @property
    def results(self):
        found = [told for told in self.told if told.is_result and not told.mismatching]
        if self.stored and self.stored.replay and self.stored.replay.is_result:
            found.append(self.stored.replay)
        return found

    def end_of(self, forward):
        """What the upstream did at last with one attempt."""
        ends = [line for line in self.ledger if line["what"] in ("answers", "cuts") and
                line["attempt"] == forward["attempt"]]
        return ends[-1] if ends else None


# ---- What is promised. Each rule yields what is wrong. ---------------------------------------------------------------

def one_forward_for_one_claim(case):
    """No attempt reaches the upstream twice, and fences rise with the attempts."""
    forwards = sorted(case.lines("arrived"), key=lambda line: line["attempt"])
    for before, after in zip(forwards, forwards[1:]):
        if before["attempt"] == after["attempt"]:
            yield f"attempt {after['attempt']} was forwarded twice"
        elif before["fence"] >= after["fence"]:
            yield f"attempt {after['attempt']} has fence {after['fence']}, the one before {before['fence']}"


def one_effect(case):
    """The upstream took effect at most once. (Under `redispatch` because it remembers, which is what that demands.)"""
    effects = [line["effect"] for line in case.lines("effect")]
    if len(effects) > 1:
        yield f"{len(effects)} effects: {', '.join(effects)}"


def nothing_runs_again_in_silence(case):
    """A further attempt is forwarded only where the one before surely had no effect, or where the route says so."""
    if case.operation.mode == "redispatch":
        return
    forwards = sorted(case.lines("arrived"), key=lambda line: line["attempt"])
    for before, after in zip(forwards, forwards[1:]):
        end = case.end_of(before)
        if end and end["what"] == "answers" and end["status"] in RELEASING:
            continue
        denied = [line for line in case.lines("tells") if line["status"] == 404 and
                  before["at"] < line["at"] < after["at"]]
        if case.operation.mode == "probe" and denied:
            continue
        yield f"attempt {after['attempt']} was forwarded, although attempt {before['attempt']} may have taken effect"


def claim_before_forward(case):
    """Whatever reached the upstream, the store knows of: its claim was durable."""
    for line in case.lines("arrived"):
        if case.stored.attempt < line["attempt"] or case.stored.fence < line["fence"]:
            yield (f"attempt {line['attempt']} with fence {line['fence']} reached the upstream; the store knows of "
                   f"attempt {case.stored.attempt} with fence {case.stored.fence}")


def only_the_operation_is_forwarded(case):
    """No other payload goes under this key."""
    for line in case.lines("arrived"):
        if line["body"] != case.operation.body:
            yield f"attempt {line['attempt']} carried another payload"


def same_replay(case):
    """Everybody who was given the outcome was given the same."""
    for told in case.results[1:]:
        first = case.results[0]
        if (told.status, told.body, told.fields) != (first.status, first.body, first.fields):
            yield f"{told.client} was told {told} with {told.fields}, {first.client} {first} with {first.fields}"


def record_before_response(case):
    """An outcome that anybody was given is in the store, and a later duplicate gets it again."""
    if not [told for told in case.told if told.is_result and not told.mismatching]:
        return
    if case.stored.state != "completed":
        yield f"the outcome was told, and the store says {case.stored.state}"
        return
    last = case.stored.replay
    if not (last.is_result and last.replayed) and last.kind != "result-gone":
        yield f"the outcome was told, and a last duplicate gets {last}"
    elif last.kind == "result-gone" and len(case.results[0].body) < LARGE:
        yield "the outcome was told, and its body is gone"


LARGE = 10_000  # Bodies beyond what the rig's gateway keeps have more.


def results_are_true(case):
    """A success names an effect that the ledger has; what answered without an effect names none."""
    effects = {line["effect"] for line in case.lines("effect")}
    for told in case.results:
        if told.status == 200 and json.loads(told.body).get("effect") not in effects:
            yield f"{told.client} was told {told}, and the ledger knows no such effect"


def effects_are_not_forgotten(case):
    """Where the upstream took effect, the key is completed or openly unknown; never free."""
    if case.lines("effect") and case.stored.state not in ("completed", "unknown"):
        yield f"it took effect, and the store says {case.stored.state}"


def no_wedge(case):
    """No key stays in flight, and every client is answered."""
    if case.stored is None or case.stored.state not in FINAL_STATES:
        yield f"after all leases the store says {case.stored and case.stored.state}"
    for told in case.told:
        if told.how == "hung":
            yield f"{told.client} was never answered"


def unknown_for_a_reason(case):
    """A key is unknown only if somebody really could not know."""
    told_so = [told for told in case.told if told.kind in ("outcome-unknown", "upstream-failed", "upstream-timeout")]
    if not told_so and case.stored.state != "unknown":
        return
    for forward in case.lines("arrived"):
        end = case.end_of(forward)
        if end is None or end["what"] == "cuts" or end["status"] in (502, 504):
            return
    times = [told.began for told in case.told] + [told.ended for told in case.told]
    first, last = min(times, default=0), max(times, default=0)
    if any(fault.ended >= first and fault.began <= last for fault in case.faults):
        return
    if any(told.ended - told.began > case.lease_ns for told in case.told):
        return
    yield "it is unknown, and nothing happened that would explain it"


def honest_refusal(case):
    """Whoever was told that a new key is safe can rely on it: nothing had taken effect by then."""
    for told in case.told:
        if not told.problem or not told.problem.get("new_key_safe") or told.mismatching:
            continue
        before = [line["effect"] for line in case.lines("effect") if line["at"] < told.began]
        if before:
            yield f"{told.client} was told {told} after {before[0]}"


def mismatch_reads_only(case):
    """Another payload under a known key is refused, and learns nothing."""
    for told in case.told:
        if told.mismatching and told.how == "answered" and not told.problem:
            yield f"{told.client} sent another payload and was told {told}"
        if not told.mismatching and told.kind == "mismatch":
            yield f"{told.client} sent the operation's own payload and was told {told}"


def nothing_acknowledged_after_a_failed_write(case):
    """After a write or sync that failed, no outcome is given out that was not durable before, until a restart."""
    for fault in case.faults:
        if not fault.fails_writes:
            continue
        for told in case.told:
            if fault.began < told.began and told.ended < fault.ended and told.is_result and not told.replayed:
                yield f"{told.client} was told {told} after {fault.what}"


RULES = (one_forward_for_one_claim, one_effect, nothing_runs_again_in_silence, claim_before_forward,
         only_the_operation_is_forwarded, same_replay, record_before_response, results_are_true,
         effects_are_not_forgotten, no_wedge, unknown_for_a_reason, honest_refusal, mismatch_reads_only,
         nothing_acknowledged_after_a_failed_write)
