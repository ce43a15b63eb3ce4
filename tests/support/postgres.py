"""A PostgreSQL cluster of our own, from Debian's package: in a directory, on a Unix socket, without fsync."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    assert found, "no PostgreSQL server is installed"
    return found[-1].parent


def _user() -> pwd.struct_passwd | None:
    """Return whom the server runs as where we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("no unprivileged user")


class Cluster:
    """A running server; `database` empties it."""

    def __init__(self, directory: Path, binaries: Path, user: pwd.struct_passwd | None) -> None:
        self.directory = directory
        self._binaries = binaries
        self._identity = (
            {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        )

    def run(self, *command: str) -> None:
        done = subprocess.run(
            [str(self._binaries / command[0]), *command[1:]],
            capture_output=True, text=True, check=False, cwd=self.directory, **self._identity,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        data = str(self.directory / "data")
        self.run("initdb", "-D", data, "-A", "trust", "-U", "ansam", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-k {self.directory} -c listen_addresses= -c fsync=off -c max_connections=30"
        self.run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(self.directory / "log"), "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.directory / "data"), "-w", "-m", "immediate", "stop")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.directory), user="ansam", dbname="postgres", autocommit=True)

    def database(self) -> str:
        """Return the URL of a database in which nothing is."""
        with self.connect() as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return f"postgresql://ansam@/postgres?host={self.directory}"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a cluster, and take it away again."""
    user = _user()
    # Not under pytest's directories: another user could not go there.
    directory = Path(tempfile.mkdtemp(prefix="ansam-pg"))
    try:
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        made = Cluster(directory, _binaries(), user)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
