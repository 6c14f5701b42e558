"""An SQLite database that can be read but not written: another user's, or on a disk that is mounted
read-only. SQLite's own way of reading beside a writer wants to write files of its own there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from fkd.labels.migrations import migrate, outdated
from fkd.scratch import above, instead_of, writable

_Connect = Callable[[], sqlite3.Connection]


def only_readable(path: Path) -> bool:
    """Whether the database at ``path`` cannot be written, or cannot be made where there is none."""
    if not writable(path.parent):
        return above(path.parent).is_dir()
    return os.path.exists(path) and not os.access(path, os.W_OK)


def identity(path: Path) -> tuple[int, int]:
    """Changes whenever what the database holds may have changed; (0, 0) where there is none."""
    stamps = []
    for file in (path, _log(path)):
        try:
            about = file.stat()
        except OSError:
            continue
        stamps.append((about.st_ino, about.st_mtime_ns + about.st_size))
    return (stamps[0][0], hash(tuple(stamps))) if stamps else (0, 0)


def open_readable(url: URL) -> Engine:
    """The engine of a database that is ``only_readable``, without one of an empty database; whoever
    tries to write to it gets SQLite's error for that."""
    path = Path(url.database or "")
    if os.path.exists(path):
        made = _engine(url, lambda: _as_it_lies(path))
        try:
            with made.connect() as connection:
                if not outdated(connection):
                    return made
        except OperationalError:
            # The last changes are in a log, and what SQLite needs to read it is missing.
            if not _has_log(path):
                raise
        made.dispose()
    copy = _copy(path)
    migrated = create_engine(url.set(database=str(copy)), poolclass=NullPool)
    with migrated.connect() as connection:
        if outdated(connection):
            migrate(connection)
    return _engine(url, lambda: _connected(f"{copy.as_uri()}?mode=rw", "query_only = ON"))


def _engine(url: URL, connect: _Connect) -> Engine:
    # Connections are not kept: how the next one must be opened depends on what the owner does.
    made = create_engine(url, creator=connect, poolclass=NullPool)

    @event.listens_for(made, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return made


def _as_it_lies(path: Path) -> sqlite3.Connection:
    # Where nobody is writing there is no log, and nothing that would have to be heeded.
    still = "" if _has_log(path) else "&immutable=1"
    return _connected(f"{path.absolute().as_uri()}?mode=ro{still}")


def _connected(uri: str, *pragmas: str) -> sqlite3.Connection:
    raw = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None, check_same_thread=False)
    for pragma in pragmas:
        raw.execute(f"PRAGMA {pragma}")
    return raw


def _copy(path: Path) -> Path:
    """The database with its log, copied to where it can be opened; nothing, where there is none."""
    folder = instead_of(path.absolute().parent)
    folder.mkdir(parents=True, exist_ok=True)
    copy = Path(tempfile.mkdtemp(prefix="labels-", dir=folder)) / path.name
    for file in (path, _log(path)):
        if os.path.exists(file):
            shutil.copyfile(file, copy.with_name(file.name))
    return copy


def _has_log(path: Path) -> bool:
    try:
        return _log(path).stat().st_size > 0
    except OSError:
        return False


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
