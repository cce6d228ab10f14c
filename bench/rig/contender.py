"""What every contender is: a process that answers POSTs on a port, with the load that it gets and what it does."""

import abc
import pathlib


class Contender(abc.ABC):
    """One contender with one number of workers. A file in contenders/ has a subclass of this."""

    name = ""  # In the table.
    load = ""  # The script in load/.
    does = ""  # What it does for each request, and what is left out: the reader's basis for comparing.
    compared_with = None  # The name of the peer whose CPU per request the figure is divided by, and the goal.
    goal = None

    def __init__(self, build, folder, workers, upstream_port):
        self.build = pathlib.Path(build)
        self.folder = pathlib.Path(folder)
        self.workers = workers
        self.upstream_port = upstream_port
        self.port = None
        self._child = None

    @abc.abstractmethod
    def start(self):
        """Starts it; afterwards it answers on self.port."""

    def cpu_time(self):
        return self._child.cpu_time()

    def stop(self):
        if self._child is not None:
            self._child.stop()

    def nonce(self, run_number):
        """For the keys of one run."""
        return f"run-{run_number}"

    def verify(self, requests):
        """Raises if the `requests` since the last call were not what `name` says."""
