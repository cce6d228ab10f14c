"""A PostgreSQL server of a test's own: made in a temporary folder, on an address of ours, gone with the test."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from . import addresses, waiting

_USER = "onceward"


def _programs():
    """The newest server that is installed, as Debian lays it out."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "no PostgreSQL server is installed"
    return found[-1]


def _unprivileged():
    """PostgreSQL refuses to run as root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _as(user):
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "KILL"]
    return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
            "--pdeathsig", "KILL"]


class Postgres:
    """`settings` are added to the server's configuration. Its superuser `onceward` has the password of `password`."""

    def __init__(self, password=None, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onceward-pg-"))
        self.data = self.folder / "data"
        self.host = addresses.own_host()
        self.port = addresses.free_port()
        self.password = password
        self.settings = settings
        self._user = _unprivileged()
        self._process = None
        self._log = self.folder / "log"
        self.process_environment = None  # Of the server, where it is not this process's.
        os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)

    # -- life --

    def create(self, *flags):
        """With these flags of initdb."""
        secret = self.folder / "password"
        secret.write_text(self.password or "unused")
        os.chown(secret, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", self.data, "-U", _USER, "-E", "UTF8", "--locale=C", "--no-sync", *flags,
                  "-A", "scram-sha-256" if self.password else "trust", "--pwfile", secret)
        return self

    def create_standby_of(self, primary, name):
        """A standby that follows `primary`, which knows it as `name`."""
        self._run("pg_basebackup", "-D", self.data, "-R", "--no-sync", "-c", "fast", "-d",
                  f"host={primary.host} port={primary.port} user={_USER} application_name={name}")
        return self

    def promote(self):
        self._run("pg_ctl", "promote", "-D", self.data)

    def start(self):
        self.launch()
        waiting.until(self.answers, "PostgreSQL takes connections")
        return self

    def launch(self):
        settings = {"listen_addresses": self.host, "port": self.port, "unix_socket_directories": self.folder,
                    "shared_buffers": "64MB", "max_connections": 60, "logging_collector": "off",
                    "log_line_prefix": "%m [%p] ", **self.settings}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*_as(self._user), _programs() / "postgres", "-D", self.data, *flags],
                                             cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=self.process_environment)

    def answers(self):
        assert self._process.poll() is None, f"PostgreSQL ended before it was ready:\n{self.log()}"
        return self._psql("postgres", "SELECT 1").returncode == 0

    def stop(self):
        """A fast shutdown: sessions are ended."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(waiting.DEADLINE_S)

    def kill(self):
        """kill -9 of the server and everything that it started, as when its machine ends."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self._process.pid)], check=False,
                                  capture_output=True, text=True).stdout.split()
        for pid in (self._process.pid, *map(int, children)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait(waiting.DEADLINE_S)

    def pause(self):
        """Stops every process of the server; resume() lets them go on."""
        self._signal_all(signal.SIGSTOP)

    def resume(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number):
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self._process.pid)], check=False,
                                  capture_output=True, text=True).stdout.split()
        for pid in (self._process.pid, *map(int, children)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:  # A session that has just ended.
                pass

    def remove(self):
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        try:
            return self._log.read_text(errors="replace")[-16_000:]
        except OSError:
            return ""

    # -- talking to it --

    def url(self, database, user=_USER, password=None):
        secret = f":{password}" if password else ""
        return f"postgres://{user}{secret}@{self.host}:{self.port}/{database}"

    def environment(self):
        return {**os.environ, "PGPASSWORD": self.password} if self.password else dict(os.environ)

    def create_database(self, name):
        self.sql(f"CREATE DATABASE {name}", "postgres")
        return self.url(name)

    def sql(self, text, database):
        """What psql prints of it, unaligned."""
        done = self._psql(database, text)
        assert done.returncode == 0, f"{text}: {done.stderr}"
        return done.stdout.strip()

    def give(self, file):
        """To the user that the server runs as."""
        os.chown(file, self._user.pw_uid, self._user.pw_gid)

    def open_session(self, database):
        return _Session([_programs() / "psql", "-X", "-q", "-A", "-t", self.url(database)], self.environment())

    def _psql(self, database, text):
        command = [_programs() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text,
                   self.url(database)]
        return subprocess.run(command, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=waiting.DEADLINE_S, check=False)

    def _run(self, program, *arguments):
        done = subprocess.run([*_as(self._user), _programs() / program, *arguments], cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


class _Session:
    """A psql that goes on; what it began ends with it."""

    def __init__(self, command, environment):
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)

    def ask(self, text):
        """Returns when the server has done it."""
        self._process.stdin.write(f"{text};\n\\echo done\n")
        self._process.stdin.flush()
        while self._process.stdout.readline() not in ("done\n", ""):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(waiting.DEADLINE_S)


def start(**options):
    """A server that takes connections."""
    made = Postgres(**options)
    try:
        return made.create().start()
    except BaseException:
        made.remove()
        raise
