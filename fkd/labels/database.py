"""The database of labels: SQLite in the workspace, or what ``FKD_DATABASE_URL`` names."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree

from fkd.errors import UserError, explain
from fkd.labels.migrations import migrate, outdated
from fkd.labels.readonly import identity, only_readable, open_readable
from fkd.private import make_file, make_folder
from fkd.settings import home

PATIENCE_S = 5
"""How long a save waits for those of others, in seconds."""

_CONNECTIONS = 40
"""How many a process opens at most: a thread that finds none free would have to wait for others
before it could wait for the database."""

_SILENT_S = 2.0
"""For how long a server that did not answer is not asked again: a page asks many times over, and
each time would take as long."""

_LOCK = 0x666B64
"""Number of the lock that whoever writes to a PostgreSQL database holds."""

_WRITES, _MIGRATES = "fkd_writes", "fkd_migrates"

_Owner = tuple[int, tuple[int, int] | None]
"""Which process an engine was made by, and for which file."""

_open: dict[str, tuple[_Owner, Engine]] = {}
"""The engine of each address."""
_opening = threading.Lock()

_silent: dict[str, tuple[float, str]] = {}
"""When the server at an address last did not answer in time, and what was said of that."""


class StoreError(UserError):
    """The database cannot be read or written now. What was to be saved is not saved; should the
    connection have been lost just while it was, all of it is there or nothing."""


def database_url() -> URL:
    """``FKD_DATABASE_URL`` if it is set, otherwise the file ``labels.sqlite`` in the workspace.

    Raises:
        UserError: if it is no address of an SQLite file or a PostgreSQL database.
    """
    given = os.environ.get("FKD_DATABASE_URL", "").strip()
    if not given:
        return URL.create("sqlite", database=str(home() / "labels.sqlite"))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # not said how: that may quote a part of a password
        raise UserError(
            "FKD_DATABASE_URL is not the address of a database; one looks like "
            "postgresql://user:password@host/name, with %40 for an @ in the password."
        ) from None
    backend = url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite")
    if backend == "sqlite":
        raise UserError("FKD_DATABASE_URL names no file; one looks like sqlite:////path/to/file.")
    raise UserError(f"FKD_DATABASE_URL names a {backend} database; use SQLite or PostgreSQL.")


def engine(url: URL | None = None) -> Engine:
    """The engine of ``url`` (by default ``database_url()``), its tables as they should be now."""
    made = url or database_url()
    address = made.render_as_string(hide_password=False)
    wanted = os.getpid(), _file(made)  # connections do not survive a fork
    if (kept := _open.get(address)) and kept[0] == wanted:
        return kept[1]
    with _opening:
        if (kept := _open.get(address)) and kept[0] == wanted:
            return kept[1]
        if kept:
            _closed(*kept)
        opened = _opened(made)
        _open[address] = wanted, opened
    return opened


def close() -> None:
    """Close what this process holds open; whatever is asked for next opens it again."""
    with _opening:
        while _open:
            _closed(*_open.popitem()[1])


def _closed(owner: _Owner, opened: Engine) -> None:
    """Connections that came with a fork are the parent's to close."""
    opened.dispose(close=owner[0] == os.getpid())


def _file(url: URL) -> tuple[int, int] | None:
    """Which file an SQLite database is, made where there is none. A copy that was put in its place
    is another one: what is open of the first must not be written to any more."""
    if url.get_backend_name() != "sqlite":
        return None
    path = Path(url.database or "")
    if only_readable(path):
        return identity(path)
    try:
        if not path.exists():
            make_folder(path.parent)
            make_file(path)
        status = path.stat()
    except OSError as error:
        raise StoreError(f"The label database cannot be opened. {explain(error)}") from error
    return status.st_dev, status.st_ino


def _opened(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite" and only_readable(Path(url.database or "")):
        with _in_words(url):
            return open_readable(url)
    made = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        with _in_words(url), made.connect() as connection:
            if outdated(connection):
                migrate(writing(connection).execution_options(**{_MIGRATES: True}))
    except BaseException:
        made.dispose()
        raise
    return made


def _sqlite(url: URL) -> Engine:
    made = create_engine(
        url,
        connect_args={"timeout": PATIENCE_S},
        max_overflow=_CONNECTIONS,
        pool_timeout=PATIENCE_S,
    )

    @event.listens_for(made, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        # Transactions begin where we say so: pysqlite would begin them late and as readers, which
        # cannot become writers while another one writes.
        raw.isolation_level = None
        for pragma in (
            "journal_mode = WAL",  # who reads does not wait for who writes
            "synchronous = FULL",  # what is committed survives the loss of power
            "foreign_keys = ON",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(made, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")

    return made


def _postgresql(url: URL) -> Engine:
    from fkd.labels import patience

    made = create_engine(
        url,
        pool_pre_ping=True,  # what lay idle may be dead: it is asked before it is handed out
        connect_args={k: v for k, v in patience.NETWORK.items() if k not in url.query},
        max_overflow=_CONNECTIONS,
        pool_timeout=PATIENCE_S,
    )

    @event.listens_for(made, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return patience.PatientConnection.connect(*arguments, **options)

    @event.listens_for(made, "checkin")
    def _returned(raw: Any, _record: Any) -> None:
        if raw is not None:  # the next that is asked of it is whether it is alive
            raw.silence_s = patience.PING_S

    @event.listens_for(made, "begin")
    def _begun(connection: Connection) -> None:
        migrates = connection.get_execution_options().get(_MIGRATES)
        limit = patience.MIGRATION_S if migrates else patience.STATEMENT_S
        raw: Any = connection.connection.dbapi_connection
        raw.silence_s = patience.MIGRATION_S if migrates else patience.SILENCE_S
        # Said here rather than while connecting: poolers such as PgBouncer refuse it there.
        limited = f"SET LOCAL statement_timeout = {int(limit * 1000)}"
        if not _writes(connection):  # all that is read is of one moment, as with SQLite
            connection.exec_driver_sql(
                f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {limited}"
            )
            return
        # One writes at a time, as with SQLite: what a save looks at first, whether anybody changed
        # the image meanwhile, still holds when it writes.
        connection.exec_driver_sql(
            f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED; {limited}; "
            f"SET LOCAL lock_timeout = {int(PATIENCE_S * 1000)}; "
            "SELECT set_config('synchronous_commit', 'on', true) "
            "WHERE current_setting('synchronous_commit') = 'off'; "
            f"SELECT pg_advisory_xact_lock({_LOCK})"
        )

    return made


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_WRITES))


def writing(connection: Connection) -> Connection:
    """``connection``, to write with: its transactions wait for those of other writers."""
    return connection.execution_options(**{_WRITES: True})


@contextmanager
def transaction(url: URL | None = None, *, write: bool = False) -> Iterator[Connection]:
    """A transaction, committed (and on disk) when the block ends without an error.

    Raises:
        StoreError: if the database is locked, full, damaged or out of reach. It is never waited
            for much longer than ``PATIENCE_S`` and the limits in ``patience``.
    """
    made = engine(url)
    with (
        _in_words(made.url),
        made.connect() as connection,
        (writing(connection) if write else connection).begin(),
    ):
        yield connection


@contextmanager
def _in_words(url: URL) -> Iterator[None]:
    address = url.render_as_string(hide_password=False)
    if (silent := _silent.get(address)) and time.monotonic() - silent[0] < _SILENT_S:
        raise StoreError(silent[1])
    try:
        yield
    except NoneFree as error:  # too many threads of this process wait for each other
        raise StoreError(_BUSY) from error
    except DBAPIError as error:
        if (said := _said(error, url)) is None:
            raise
        if any(word in str(error.orig) for word in _SILENCE):
            _silent[address] = time.monotonic(), said
        raise StoreError(said) from error


_SILENCE = ("no answer for", "timeout expired", "timed out")
"""Words of a server that does not answer, other than of one that is not there."""

_BUSY = (
    "The label database is busy: somebody else is writing to it. Nothing was saved; save again in "
    "a moment."
)
_SAYINGS = (
    (
        ("disk is full", "no space left"),
        "The disk with the labels is full ({where}): nothing was saved. Free space, save again.",
    ),
    (
        ("disk i/o error",),
        "The disk with the labels is full or broken ({where}): nothing was saved. Make room, save "
        "again.",
    ),
    (("is locked", "lock timeout", "busy"), _BUSY),
    (
        ("statement timeout",),
        "The label database took too long to answer ({where}): nothing was saved. Save again when "
        "it has less to do.",
    ),
    (
        ("readonly", "read-only", "permission denied"),
        "The label database may not be written: {where}. Nothing was saved.",
    ),
    (
        ("not a database", "malformed"),
        "The label database is damaged: {where}. Put a copy in its place.",
    ),
    (("unable to open",), "The label database cannot be opened: {where}."),
)
"""Words of the databases' own messages, and what to say instead."""


def _said(error: DBAPIError, url: URL) -> str | None:
    """What went wrong in a sentence; None for what only a mistake of the program can cause."""
    text = str(error.orig)
    for words, said in _SAYINGS:
        if any(word in text.lower() for word in words):
            return said.format(where=_where(url))
    if url.get_backend_name() == "postgresql" and _unreachable(error):
        reason = text.splitlines()[0].rstrip(".")
        return (
            f"The label database cannot be reached: {_where(url)} ({reason}). Save again when it "
            "is back."
        )
    return None


def _unreachable(error: DBAPIError) -> bool:
    """Whether the server was not there, or not any more; without a statement, it was while
    connecting."""
    return isinstance(error, OperationalError) or not error.statement


def _where(url: URL) -> str:
    """The database in words; without its address, which may hold a password in several places."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "this computer"
    return f"'{url.database}' on {host}"
