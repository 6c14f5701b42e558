"""A PostgreSQL server in a temporary folder, from the binaries that Debian's package brings."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL

PASSWORD = "an open secret"
"""Of the server's only user: messages are searched for it."""

_USER = "fkd"
_INSTALLED = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """The folder with the latest server that is installed; None without one."""
    found = [path.parent for path in _INSTALLED.glob("*/bin/initdb")]
    return max(found, key=lambda path: float(path.parent.name), default=None)


class Server:
    """A server that listens to a socket in ``folder`` only, and to no network."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs
        self._names = (f"labels{number}" for number in itertools.count(1))
        # It refuses to run as root, so there it runs as somebody else.
        self._user = _somebody_else()
        if self._user is not None:
            shutil.chown(folder, self._user)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._call(
            "initdb",
            *("-U", _USER, "--pwfile", str(secret), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        )

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=200"
        log = self.folder / "server.log"
        self._call("pg_ctl", "start", "-w", "-t", "120", "-s", "-l", str(log), "-o", options)

    def stop(self, how: str = "fast") -> None:
        """Stop; ``how`` may be ``immediate``, as when it crashes."""
        self._call("pg_ctl", "stop", "-w", "-t", "120", "-s", "-m", how)

    def database(self) -> URL:
        """A new, empty database."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def small_database(self, disk: Path) -> URL:
        """A new database with its files on ``disk``, a tablespace of the same name."""
        if self._user is not None:
            shutil.chown(disk, self._user)
            disk.parent.chmod(0o755)
        name = next(self._names)
        self.execute(f"CREATE TABLESPACE {name} LOCATION '{disk}'")
        self.execute(f"CREATE DATABASE {name} TABLESPACE {name}")
        return self.url(name)

    def drop(self, url: URL) -> None:
        """Delete a database, whoever is connected."""
        self.execute(f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Execute ``statement`` outside of transactions, as the server's owner."""
        with psycopg.connect(
            dbname="postgres",
            user=_USER,
            password=PASSWORD,
            host=str(self.folder),
            autocommit=True,
        ) as connection:
            connection.execute(statement.encode())

    def url(self, name: str) -> URL:
        """The address of database ``name``."""
        return URL.create(
            "postgresql+psycopg",
            _USER,
            PASSWORD,
            database=name,
            query={"host": str(self.folder)},
        )

    def _call(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the server would keep a pipe open for as long as it lives.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(self._programs / program), "-D", str(self.folder / "data"), *arguments],
                cwd=self.folder,
                user=self._user,
                group=self._user and pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
            )
            if done.returncode:
                said.seek(0)
                raise RuntimeError(f"{program} failed:\n{said.read()}")


def _somebody_else() -> str | None:
    """The user to run as where this one is root."""
    if os.geteuid():
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def running() -> Iterator[Server | None]:
    """A server as long as the block lasts; None where none is installed."""
    programs = binaries()
    if programs is None:
        yield None
        return
    # Not in the folder that the caller has for files: a socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="fkd-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), programs)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
