"""What every contender is: processes that answer POSTs on a port, with the load that they get and what they do."""

import abc
import dataclasses
import pathlib

from . import processes


@dataclasses.dataclass(frozen=True)
class Compared:
    """A figure is divided by that of the contender `with_`. `goal` and `least` are what the quotient has to reach: as a
    text for all numbers of connections, or by number."""

    with_: str
    goal: object = ""
    least: object = ""

    def asked(self, connections):
        texts = []
        for word, value in (("goal", self.goal), ("at least", self.least)):
            text = value.get(connections, "") if isinstance(value, dict) else value
            if text:
                texts.append(f"{word} {text}")
        return ", ".join(texts)


class Contender(abc.ABC):
    """One contender with one number of workers. A file in contenders/ has a subclass of this."""

    name = ""  # In the table.
    role = ""  # `pass-through`, `first execution` or `replay`: contenders of one role are compared with each other.
    load = ""  # The script in load/.
    path = "/v1/charges"
    does = ""  # What it does for each request, and what is left out: the reader's basis for comparing.
    cpu_compared = ()  # Compared: CPU per request.
    rate_compared = ()  # Compared: requests per second.
    settle_s = 0  # Load before each measurement, not measured: for those that are slow while nothing was asked of them.
    # What the part `check` holds it to.
    forwards = True  # False where it answers for itself, so that no upstream could count.
    one_of_parallel_duplicates = True  # Duplicates that come at the same time run once.
    records_before_it_answers = True  # If not, a duplicate right after the answer may get a 409 and is sent again.

    def __init__(self, build, folder, workers, upstream_port, shared):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(folder)
        self.workers = workers
        self.upstream_port = upstream_port
        self.port = None
        self._shared = shared
        self._children = []

    @classmethod
    def missing(cls, build):
        """Why it cannot run here; empty if it can."""
        del build
        return ""

    @abc.abstractmethod
    def start(self):
        """Starts it; afterwards it answers on self.port."""

    def cpu_time(self):
        total = processes.CpuTime()
        for child in self._children:
            total += child.cpu_time()
        return total

    def resident_bytes(self):
        return sum(child.resident_bytes() for child in self._children)

    def stop(self):
        for child in reversed(self._children):
            child.stop()

    def nonce(self, run_number):
        """For the keys of one run."""
        return "the-same-in-every-run" if self.role == "replay" else f"run-{run_number}"

    def verify(self, requests):
        """Raises if the `requests` since the last call were not what `name` says."""


class Sharing(Contender):
    """A contender whose processes are those of all roles of its peer: the first that is started starts them."""

    peer = ""  # The same for all roles.

    def start(self):
        key = (self.peer, self.workers, self.upstream_port)
        if key not in self._shared:
            self.folder.mkdir(parents=True)
            try:
                self.launch()
            except BaseException:
                self.stop()
                raise
            self._shared[key] = (self._children, self.port)
        self._children, self.port = self._shared[key]

    @abc.abstractmethod
    def launch(self):
        """Starts self._children, which answer on self.port."""
