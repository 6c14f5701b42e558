"""The database of labels: SQLite in the workspace, or what ``FKD_DATABASE_URL`` names."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from fkd.errors import UserError
from fkd.labels.migrations import migrate
from fkd.settings import home

PATIENCE_S = 30
"""How long a save waits for those of others, in seconds."""

_WRITES = "fkd_writes"
_upgrading = threading.Lock()


class StoreError(UserError):
    """The database cannot be read or written now; what was to be saved is not saved."""


def database_url() -> URL:
    """``FKD_DATABASE_URL`` if it is set, otherwise the file ``labels.sqlite`` in the workspace.

    Raises:
        UserError: if the address is none of SQLite or PostgreSQL.
    """
    given = os.environ.get("FKD_DATABASE_URL", "").strip()
    if not given:
        return URL.create("sqlite", database=str(home() / "labels.sqlite"))
    try:
        url = make_url(given)
    except ArgumentError:
        raise UserError(
            "FKD_DATABASE_URL is no address of a database; one looks like "
            "postgresql://user:password@host/name."
        ) from None
    backend = url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url
    raise UserError(f"FKD_DATABASE_URL names a {backend} database; use SQLite or PostgreSQL.")


def engine(url: URL | None = None) -> Engine:
    """The engine of ``url`` (by default ``database_url()``), its tables as they should be now."""
    return _engine((url or database_url()).render_as_string(hide_password=False), os.getpid())


@lru_cache(maxsize=8)
def _engine(address: str, process: int) -> Engine:
    """One per process: connections do not survive a fork."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        made = _sqlite(url)
    else:
        made = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    with _upgrading, _in_words(made), made.connect() as connection:
        migrate(writing(connection))
    return made


def _sqlite(url: URL) -> Engine:
    if url.database:
        from pathlib import Path

        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(url, connect_args={"timeout": PATIENCE_S})

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
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made


def writing(connection: Connection) -> Connection:
    """``connection``, to write with: its transactions wait for those of other writers."""
    return connection.execution_options(**{_WRITES: True})


@contextmanager
def transaction(url: URL | None = None, *, write: bool = False) -> Iterator[Connection]:
    """A transaction, committed (and on disk) when the block ends without an error.

    Raises:
        StoreError: if the database is locked, full, damaged or out of reach.
    """
    made = engine(url)
    with (
        _in_words(made),
        made.connect() as connection,
        (writing(connection) if write else connection).begin(),
    ):
        yield connection


@contextmanager
def _in_words(made: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if (said := _said(error, made.url)) is None:
            raise
        raise StoreError(said) from error
    except NoSuchModuleError as error:  # pragma: no cover - drivers are pinned
        raise StoreError(str(error)) from error


_SAYINGS = (
    (
        ("disk is full", "no space left", "disk i/o error"),
        "The disk with the labels is full ({where}): nothing was saved. Free space, save again.",
    ),
    (
        ("locked", "lock timeout", "busy"),
        "The label database is busy: another program holds it. Nothing was saved; save again in a "
        "moment.",
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
    (
        ("connection", "password", "does not exist", "server closed", "terminating"),
        "The label database cannot be reached: {where} ({reason}). Nothing was saved.",
    ),
)
"""Words of the databases' own messages, and what to say instead."""


def _said(error: DBAPIError, url: URL) -> str | None:
    """What went wrong in a sentence; None for what only a mistake of the program can cause."""
    text = str(error.orig)
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string()
    for words, said in _SAYINGS:
        if any(word in text.lower() for word in words):
            return said.format(where=where, reason=text.splitlines()[0].rstrip("."))
    return None
