"""A pgbouncer of a test's own, in session mode, in front of a server of the test's own."""

import os
import pwd
import socket
import subprocess

from . import addresses, waiting


class PgBouncer:
    """Stands in front of `server`; its folder is the server's, and so is the user that it runs as."""

    def __init__(self, server):
        self.server = server
        self.host = addresses.own_host()
        self.port = addresses.free_port()
        self._process = None
        self._log = server.folder / "pgbouncer.log"

    def start(self):
        file = self.server.folder / "pgbouncer.ini"
        file.write_text(f"[databases]\n* = host={self.server.host} port={self.server.port} user=onceward\n"
                        f"[pgbouncer]\nlisten_addr = {self.host}\nlisten_port = {self.port}\nauth_type = any\n"
                        "pool_mode = session\ndefault_pool_size = 30\nunix_socket_dir =\n")
        user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        command = ["setpriv", "--pdeathsig", "KILL", "pgbouncer", "-q", str(file)]
        if os.geteuid() == 0:
            command[1:1] = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        waiting.until(self._answers, "pgbouncer takes connections")
        return self

    def _answers(self):
        assert self._process.poll() is None, self._log.read_text()
        try:
            socket.create_connection((self.host, self.port)).close()
            return True
        except OSError:
            return False

    def url(self, database):
        return f"postgres://onceward@{self.host}:{self.port}/{database}"

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(waiting.DEADLINE_S)
