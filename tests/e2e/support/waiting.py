"""Waiting for conditions. The deadline is far beyond what any machine needs: to reach it means that it never
happens. ONCEWARD_DEADLINE_S sets another, for a machine that is halted now and then.
"""

import os
import threading
import time

DEADLINE_S = float(os.environ.get("ONCEWARD_DEADLINE_S", "60"))
_POLL_S = 0.01


def until(condition, what, deadline_s=DEADLINE_S):
    """Returns the first true value of condition(); fails with `what` where none comes."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s:.0f} s in vain: {what}")
        pause.wait(_POLL_S)


class Gate(threading.Event):
    """Closed until a test opens it; whoever waits at it fails rather than hangs."""

    open = threading.Event.set

    def pass_through(self):
        if not self.wait(DEADLINE_S):
            raise AssertionError("a gate was never opened")


def in_parallel(count, work, deadline_s=2 * DEADLINE_S):
    """[work(0), …, work(count - 1)], each on a thread of its own; the first exception is raised here."""
    results, failures = [None] * count, []

    def run(index):
        try:
            results[index] = work(index)
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline_s)
        if thread.is_alive():
            raise AssertionError("a parallel call never came back")
    if failures:
        raise failures[0]
    return results


class Background:
    """work() on a thread of its own; result() waits for it and raises what it raised."""

    def __init__(self, work):
        self._value = None
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work):
        try:
            self._value = work()
        except BaseException as failure:  # pylint: disable=broad-except
            self._failure = failure

    @property
    def running(self):
        return self._thread.is_alive()

    def result(self):
        self._thread.join(2 * DEADLINE_S)
        if self._thread.is_alive():
            raise AssertionError("a call in the background never came back")
        if self._failure:
            raise self._failure
        return self._value
