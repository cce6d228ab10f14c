"""A PostgreSQL server of a contender's own, with Debian's settings but for where it lies and listens: it syncs every
commit.
"""

import os
import pathlib
import pwd
import shutil
import subprocess

from . import processes

_USER = "onceward"


def _programs():
    """The newest server that is installed, as Debian lays it out."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def _unprivileged():
    """(words before a command, the user): PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return [], pwd.getpwuid(os.geteuid())
    user = pwd.getpwnam("postgres")
    return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups",
            "--pdeathsig", "KILL"], user


def start(folder):
    """(the child, the URL of an empty database)"""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    as_user, user = _unprivileged()
    os.chown(folder, user.pw_uid, user.pw_gid)
    programs, port = _programs(), processes.free_port()
    subprocess.run([*as_user, programs / "initdb", "-D", folder / "data", "-U", _USER, "-E", "UTF8", "--locale=C",
                    "-A", "trust"], check=True, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder,
                "logging_collector": "off", "fsync": "on", "synchronous_commit": "on"}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    child = processes.Child([*as_user, str(programs / "postgres"), "-D", str(folder / "data"), *words], folder / "log",
                            folder, port)
    sql = [programs / "psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", _USER, "-d", "postgres", "-c"]

    def made():
        return subprocess.run([*sql, "CREATE DATABASE records"], check=False, stdin=subprocess.DEVNULL,
                              capture_output=True).returncode == 0
    if not processes.wait_until(made):
        child.stop()
        raise RuntimeError(f"PostgreSQL does not answer:\n{(folder / 'log').read_text()}")
    return child, f"postgres://{_USER}@127.0.0.1:{port}/records"


def missing():
    if _programs() is None or shutil.which("setpriv") is None:
        return "postgresql is not installed (tools/install bench)"
    return ""


def version():
    told = subprocess.run([_programs() / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    return told.strip().rpartition("PostgreSQL) ")[2].partition(" ")[0]
