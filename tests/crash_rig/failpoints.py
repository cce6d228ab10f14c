"""The other end of failpoints.cc: arms it while the gateway runs, and reads what it has seen."""

import ctypes
import enum
import errno
import mmap
import os
import pathlib
import platform
import re
import struct
import subprocess
import threading

from e2e import waiting


class Step(enum.IntEnum):
    """In the order of failpoints.cc."""

    client_accept = 0
    client_receive = 1
    client_send = 2
    client_close = 3
    upstream_connect = 4
    upstream_send = 5
    upstream_receive = 6
    upstream_close = 7
    journal_write = 8
    journal_sync = 9
    journal_read = 10
    loop_wake = 11
    file_open = 12
    file_allocate = 13
    file_settle = 14
    file_rename = 15
    file_remove = 16
    store_connect = 17
    store_send = 18
    store_receive = 19


class Action(enum.IntEnum):
    nothing = 0
    end = 1
    freeze = 2
    fail_once = 3
    fail_from_now = 4
    pretend_from_now = 5


class Place(enum.IntEnum):
    before = 0
    after = 1


# Of io_setup(2) and io_destroy(2), which the C library does not have.
_IO_SETUP, _IO_DESTROY = (206, 207) if platform.machine() == "x86_64" else (0, 1)


def kernel_takes_batches():
    """Whether it has a context for asynchronous I/O: where not, a gateway sends each piece by itself."""
    system_call = ctypes.CDLL(None, use_errno=True).syscall
    context = ctypes.c_ulong(0)
    if system_call(ctypes.c_long(_IO_SETUP), ctypes.c_long(1), ctypes.byref(context)) != 0:
        return False
    system_call(ctypes.c_long(_IO_DESTROY), context)
    return True


_BYTES = 65536
_TRACE_BEGIN = 40
(_TODO, _AT, _WHERE, _AMONG, _COUNTDOWN, _ERROR, _TIMES_DONE, _ADMIN_PORT, _STORE_PORT,
 _TRACED) = range(0, _TRACE_BEGIN, 4)
_MARK_OF_BATCH = 0x80


def library():
    path = os.environ.get("ONCEWARD_FAILPOINT_LIBRARY")
    if not path:
        raise AssertionError("ONCEWARD_FAILPOINT_LIBRARY does not name the library built from failpoints.cc")
    return str(pathlib.Path(path).resolve())


def preload_for(binary):
    """LD_PRELOAD for this binary. Where it is linked with AddressSanitizer, whose runtime insists on being the first,
    that goes before ours: its calls then pass through ours on their way to the system."""
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    runtime = re.search(r"=> (\S*libasan\S*)", linked)
    return " ".join(([runtime[1]] if runtime else []) + [library()])


def thaw_after_lease(frozen, lease_s):
    """Lets a gateway go on once the leases of what it was doing have run out, by the clock that its store goes by."""
    state = pathlib.Path(f"/proc/{frozen.pid}/stat")
    waiting.until(lambda: state.read_text().rpartition(") ")[2].startswith("T"), "it is frozen")
    threading.Event().wait(1.1 * lease_s)
    frozen.resume()


class Failpoints:
    """One gateway's, across its restarts."""

    def __init__(self, path, admin_port, store_port=0):
        self.path = str(path)
        with open(path, "wb") as file:
            file.truncate(_BYTES)
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _BYTES)
        self._put(_ADMIN_PORT, admin_port)
        self._put(_STORE_PORT, store_port)

    def environment(self, binary):
        return {"LD_PRELOAD": preload_for(binary), "ONCEWARD_FAILPOINTS": self.path}

    def arm(self, action, step, place=Place.before, count=1, error=errno.EIO, *, in_batch=False):
        """`action` at the count-th `step` from now on; `in_batch`: of those that are one of several of a batch."""
        self.disarm()
        for offset, value in ((_AT, step), (_WHERE, place), (_AMONG, in_batch), (_COUNTDOWN, count), (_ERROR, error),
                              (_TIMES_DONE, 0)):
            self._put(offset, value)
        self._put(_TODO, action)

    def disarm(self):
        self._put(_TODO, Action.nothing)

    @property
    def times_done(self):
        return self._get(_TIMES_DONE)

    def clear_trace(self):
        self._put(_TRACED, 0)

    def trace(self):
        """The steps that were reached since, in order."""
        return [Step(number & ~_MARK_OF_BATCH) for number in self._traced()]

    def trace_of_batches(self):
        """Those of them that were one of several of a batch."""
        return [Step(number & ~_MARK_OF_BATCH) for number in self._traced() if number & _MARK_OF_BATCH]

    def _traced(self):
        count = min(self._get(_TRACED), _BYTES - _TRACE_BEGIN)
        return self._memory[_TRACE_BEGIN:_TRACE_BEGIN + count]

    def _put(self, offset, value):
        struct.pack_into("<i", self._memory, offset, value)

    def _get(self, offset):
        return struct.unpack_from("<I", self._memory, offset)[0]
