"""A PostgreSQL server that is frozen, and databases that others hold: an answer in seconds."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from frozen_helper import frozen
from labels_helper import put, store_at
from sqlalchemy import text

from fkd.labels import database, patience
from fkd.labels.database import StoreError, transaction
from fkd.labels.drafts import keep_draft, with_draft
from fkd.labels.sheet import Sheet
from fkd.labels.store import LabelStore

LONG_S = 20
"""More than any answer may take, on however busy a machine. Without limits it is for ever."""


def sheet_of(store: LabelStore) -> Sheet:
    number, labels = store.labels_of(7)
    return Sheet.of(store.dataset.schema, 7, number, labels)


def refused(act: Any) -> str:
    """What is said; the answer must come in time."""
    start = time.monotonic()
    with pytest.raises(StoreError) as caught:
        act()
    assert time.monotonic() - start < LONG_S
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
def test_a_frozen_server_is_said_in_seconds_and_works_again_after(postgres, postgres_url):
    store = store_at(postgres_url)
    store.save(put(7, 1), "Ann")
    sheet = sheet_of(store).place({0: (30, 31)})
    with frozen(postgres):
        for act in (
            lambda: store.save(sheet.edits(), "Ann", base=sheet.base),
            lambda: keep_draft(store, "Ann", sheet),
            store.head,
        ):
            said = refused(act)
            assert said.startswith("The label database cannot be reached: 'labels")
            assert said.endswith("Save again when it is back.")
            assert postgres_url.password not in said
    time.sleep(database._SILENT_S)
    assert store.head() == 1
    keep_draft(store, "Ann", sheet)
    assert with_draft(store, "Ann", sheet_of(store)).labels == sheet.labels
    assert store.save(sheet.edits(), "Ann", base=sheet.base).number == 2


def test_what_else_is_asked_meanwhile_is_answered_at_once(postgres, postgres_url):
    """A page asks many times over."""
    store = store_at(postgres_url)
    store.head()
    with frozen(postgres):
        first = refused(store.head)
        start = time.monotonic()
        again = [refused(store.head) for _ in range(20)]
        assert time.monotonic() - start < database._SILENT_S
        assert set(again) == {first}


def test_a_server_that_is_frozen_from_the_start(postgres, postgres_url):
    store = store_at(postgres_url)
    with frozen(postgres):
        database.close()
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(refused(store.head))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 6
    time.sleep(database._SILENT_S)
    assert store.head() == 0


@pytest.mark.slow
def test_a_server_that_freezes_within_a_save_saves_all_or_nothing(postgres, postgres_url):
    store = store_at(postgres_url)
    store.save(put(7, 1), "Ann")

    def save() -> None:
        with (
            transaction(postgres_url, write=True) as connection,
            frozen(postgres),
        ):
            store.add_version(connection, put(7, 2), "save", "Ann")

    assert "no answer for" in refused(save)
    time.sleep(database._SILENT_S)
    assert store.head() == 1
    assert store.save(put(7, 2), "Ann").number == 2


def test_a_connection_that_died_in_the_pool_is_not_handed_out(postgres, postgres_url):
    """Only the process at its other end is frozen: a new connection is made."""
    store = store_at(postgres_url)
    with transaction(postgres_url) as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    start = time.monotonic()
    with frozen(postgres, [pid]):
        assert store.save(put(7, 1), "Ann").number == 1
        assert time.monotonic() - start < LONG_S
        assert store.head() == 1


def test_a_statement_that_takes_too_long_is_ended(postgres, postgres_url, monkeypatch):
    monkeypatch.setattr(patience, "STATEMENT_S", 0.2)

    def wait() -> None:
        with transaction(postgres_url) as connection:
            connection.execute(text("SELECT pg_sleep(30)"))

    assert refused(wait).startswith("The label database took too long to answer ('labels")
    assert store_at(postgres_url).head() == 0


def test_the_limits_of_the_network_are_set_unless_the_address_has_its_own(postgres, postgres_url):
    for url, connecting in (
        (postgres_url, "5"),
        (postgres_url.update_query_dict({"connect_timeout": "9"}), "9"),
    ):
        with transaction(url) as connection:
            told = connection.connection.dbapi_connection.info.get_parameters()
            assert told["connect_timeout"] == connecting
            assert told["keepalives"] == "1"
            assert int(told["tcp_user_timeout"]) > 0
            limit = connection.execute(text("SHOW statement_timeout")).scalar_one()
            assert limit == "2min"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_file_is_said_in_five_seconds(sqlite_url, mode):
    store = store_at(sqlite_url)
    store.save(put(7, 1), "Ann")
    sheet = sheet_of(store).place({0: (30, 31)})
    with closing(sqlite3.connect(sqlite_url.database, isolation_level=None)) as other:
        other.execute(f"BEGIN {mode}")
        for act in (
            lambda: store.save(sheet.edits(), "Ann", base=sheet.base),
            lambda: keep_draft(store, "Ann", sheet),
        ):
            start = time.monotonic()
            assert refused(act).startswith("The label database is busy")
            assert time.monotonic() - start < 10
        other.execute("ROLLBACK")
    assert store.save(sheet.edits(), "Ann", base=sheet.base).number == 2
