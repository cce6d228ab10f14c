"""What is done to the gateway, one fault for each cycle. The course has every step of a request's path, before and
behind it; a run takes the whole course, shuffled by its seed, and again as often as it likes.
"""

import dataclasses
import errno
import signal

from failpoints import Action, Place, Step, kernel_takes_batches

# What one guarded request makes the gateway do, as path_test.py finds it; and the ends of its connections.
PATH_OF_ALL = (Step.client_accept, Step.client_receive, Step.loop_wake, Step.upstream_connect, Step.upstream_send,
               Step.upstream_receive, Step.client_send, Step.client_close, Step.upstream_close)
PATH_TO_JOURNAL = (Step.journal_write, Step.journal_sync)
PATH_TO_SHARED_STORE = (Step.store_send, Step.store_receive)
PATH = (*PATH_OF_ALL, *PATH_TO_JOURNAL)

@dataclasses.dataclass(frozen=True)
class AtStep:
    """The library of failpoints acts at a step while clients are at work."""

    action: Action
    step: Step
    place: Place = Place.before
    error: int = 0
    in_batch: bool = False  # Where what several connections send goes out together, between any two of them.

    def __str__(self):
        what = {Action.end: "SIGKILL", Action.freeze: "SIGSTOP beyond the lease",
                Action.pretend_from_now: "a lie"}.get(self.action)
        how = "" if self.action != Action.fail_from_now else ", and all after it"
        batch = " in a batch" if self.in_batch else ""
        return f"{what or errno.errorcode[self.error]} {self.place.name} {self.step.name}{batch}{how}"

    @property
    def fails_writes(self):
        return self.error != 0 and self.step in (Step.journal_write, Step.journal_sync)


@dataclasses.dataclass(frozen=True)
class AnyTime:
    """A signal at a random moment."""

    signal: signal.Signals
    then: signal.Signals = None  # A second one, soon after.

    def __str__(self):
        first = {signal.SIGSTOP: "SIGSTOP beyond the lease", signal.SIGTERM: "SIGTERM, and it drains"}
        then = f", then {self.then.name}" if self.then else ""
        return f"{first.get(self.signal, self.signal.name)}{then} at any time"


@dataclasses.dataclass(frozen=True)
class WhileOpening:
    """SIGKILL while it opens the journal of a process that was killed under load, or makes a new one."""

    step: Step
    place: Place
    new: bool = False

    def __str__(self):
        return f"SIGKILL {self.place.name} {self.step.name} while it {'makes' if self.new else 'opens'} its journal"


@dataclasses.dataclass(frozen=True)
class OfStore:
    """Something is done to the store's own server: SIGKILL and a start, or SIGSTOP for longer than a lease."""

    signal: signal.Signals

    def __str__(self):
        how = {signal.SIGKILL: "SIGKILL", signal.SIGSTOP: "SIGSTOP beyond the lease"}[self.signal]
        return f"{how} of the store at any time"


# One for each journal, before its first cycle.
BIRTHS = tuple(WhileOpening(step, place, new=True) for step in
               (Step.file_open, Step.file_allocate, Step.file_rename, Step.journal_write, Step.file_settle)
               for place in Place)

# Where what several send goes out together, if it ever does.
OF_BATCHES = (
    AtStep(Action.end, Step.upstream_send, Place.after, in_batch=True),
    AtStep(Action.end, Step.client_send, Place.after, in_batch=True),
    AtStep(Action.freeze, Step.upstream_send, Place.after, in_batch=True),
    AtStep(Action.freeze, Step.client_send, Place.after, in_batch=True),
    AtStep(Action.fail_once, Step.upstream_send, error=errno.ECONNRESET, in_batch=True),
    AtStep(Action.fail_once, Step.client_send, error=errno.EPIPE, in_batch=True),
) if kernel_takes_batches() else ()

COURSE = (
    *(AtStep(Action.end, step, place) for step in PATH_OF_ALL for place in Place),
    AtStep(Action.freeze, Step.client_receive, Place.after),
    AtStep(Action.freeze, Step.upstream_connect, Place.after),
    AtStep(Action.freeze, Step.upstream_send, Place.before),
    AtStep(Action.freeze, Step.upstream_receive, Place.after),
    AtStep(Action.freeze, Step.client_send, Place.before),
    AtStep(Action.fail_once, Step.upstream_connect, error=errno.ECONNREFUSED),
    AtStep(Action.fail_once, Step.upstream_send, error=errno.ECONNRESET),
    AtStep(Action.fail_once, Step.upstream_receive, error=errno.ECONNRESET),
    AtStep(Action.fail_once, Step.client_send, error=errno.EPIPE),
    *OF_BATCHES,
    *[AnyTime(signal.SIGKILL)] * 5,
    *[AnyTime(signal.SIGSTOP)] * 2,
    *[AnyTime(signal.SIGTERM)] * 3,
    *[AnyTime(signal.SIGTERM, signal.SIGKILL)] * 2,
    AnyTime(signal.SIGTERM, signal.SIGTERM),
    AnyTime(signal.SIGHUP),
)

# What is added for a store that the gateway carries, and for one that it talks to.
OF_JOURNALS = (
    *(AtStep(Action.end, step, place) for step in PATH_TO_JOURNAL for place in Place),
    AtStep(Action.freeze, Step.journal_write, Place.before),
    AtStep(Action.freeze, Step.journal_sync, Place.after),
    AtStep(Action.fail_once, Step.journal_sync, error=errno.EIO),
    AtStep(Action.fail_once, Step.journal_write, error=errno.EIO),
    AtStep(Action.fail_from_now, Step.journal_write, error=errno.ENOSPC),
    *(WhileOpening(step, Place.after) for step in (Step.file_open, Step.journal_read, Step.file_settle)),
)
OF_SHARED_STORES = (
    *(AtStep(Action.end, step, place) for step in PATH_TO_SHARED_STORE for place in Place),
    AtStep(Action.freeze, Step.store_send, Place.before),
    AtStep(Action.freeze, Step.store_receive, Place.after),
    AtStep(Action.fail_once, Step.store_send, error=errno.ECONNRESET),
    AtStep(Action.fail_once, Step.store_receive, error=errno.ECONNRESET),
    *[OfStore(signal.SIGKILL)] * 4,
    *[OfStore(signal.SIGSTOP)] * 2,
)
