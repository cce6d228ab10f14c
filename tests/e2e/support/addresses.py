"""A loopback address for each test process: all of 127/8 is ours, so tests that run side by side can never meet."""

import os
import socket


def own_host():
    pid = os.getpid()
    return f"127.{1 + (pid >> 16) % 250}.{pid >> 8 & 255}.{pid & 255}"


def listening_socket():
    """A listening socket on a free port of our own address."""
    return socket.create_server((own_host(), 0), backlog=1024)


def close_listener(listener):
    """Also wakes the thread that is accepting from it; close() alone does not."""
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


_given = set()


def free_port():
    """A port of our own address that nobody else in this process was given."""
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((own_host(), 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port
