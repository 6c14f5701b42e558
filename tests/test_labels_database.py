"""Where labels are kept, and what is said when they cannot be."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest
from labels_helper import put, store_at
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from fkd.errors import UserError
from fkd.labels import database
from fkd.labels.database import StoreError, database_url, transaction
from fkd.settings import home

SECRET = "pa55word"


def test_by_default_it_is_a_file_in_the_workspace(monkeypatch):
    monkeypatch.delenv("FKD_DATABASE_URL", raising=False)
    store = store_at(None)
    store.save(put(7, 1), "Ann")
    assert database_url() == URL.create("sqlite", database=str(home() / "labels.sqlite"))
    assert (home() / "labels.sqlite").is_file()
    assert store_at(database_url()).label(7, 0).x == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  ", None),
        ("sqlite:////tmp/some.sqlite", "sqlite:////tmp/some.sqlite"),
        ("sqlite+aiosqlite:///some.sqlite", "sqlite:///some.sqlite"),
        ("postgresql://a:b@h/d", "postgresql+psycopg://a:b@h/d"),
        ("postgres://a:b@h:1/d", "postgresql+psycopg://a:b@h:1/d"),
        ("postgresql+asyncpg://a:b%40c@h/d?x=y", "postgresql+psycopg://a:b%40c@h/d?x=y"),
    ],
)
def test_addresses(monkeypatch, given, expected):
    monkeypatch.setenv("FKD_DATABASE_URL", given)
    default = URL.create("sqlite", database=str(home() / "labels.sqlite"))
    assert database_url() == (make_url(expected) if expected else default)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("labels.sqlite", "is not the address of a database"),
        ("://", "is not the address of a database"),
        (f"postgresql://ann:{SECRET}@host:{SECRET}/d", "is not the address of a database"),
        (f"postgresql://ann:{SECRET}:{SECRET}@[::1/d", "is not the address of a database"),
        (f"mysql://ann:{SECRET}@host/d", "names a mysql database; use SQLite or PostgreSQL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_addresses_that_are_none_are_refused_without_repeating_them(monkeypatch, given, said):
    monkeypatch.setenv("FKD_DATABASE_URL", given)
    with pytest.raises(UserError, match=f"^FKD_DATABASE_URL {said}") as caught:
        store_at(None).head()
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        URL.create("postgresql+psycopg", "ann", SECRET, "127.0.0.1", 1, "labels"),
        URL.create(
            "postgresql+psycopg",
            database="labels",
            query={"user": "ann", "password": SECRET, "host": "/nowhere"},
        ),
        URL.create("postgresql+psycopg", "ann", SECRET, "no.such.host.invalid", database="labels"),
        URL.create("postgresql+psycopg", "ann", SECRET, "127.0.0.1", 1, "labels", {"sslmode": "x"}),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_the_password(url):
    with pytest.raises(StoreError) as caught:
        store_at(url).head()
    assert str(caught.value).startswith("The label database cannot be reached: 'labels' on ")
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_wrong_password_or_name_is_said_without_the_password(postgres, postgres_url):
    for wrong, said in (
        (postgres_url.set(password=SECRET), 'password authentication failed for user "fkd"'),
        (postgres_url.set(database="nothing"), 'database "nothing" does not exist'),
    ):
        with pytest.raises(StoreError, match=said) as caught:
            store_at(wrong).head()
        for secret in (SECRET, postgres_url.password):
            assert secret not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_a_clear_sentence(tmp_path):
    (tmp_path / "file").touch()
    url = URL.create("sqlite", database=str(tmp_path / "file" / "labels.sqlite"))
    with pytest.raises(StoreError, match=r"^The label database cannot be opened\. File exists: "):
        store_at(url).head()
    with pytest.raises(StoreError, match=rf"^The label database cannot be opened: {tmp_path}\.$"):
        store_at(URL.create("sqlite", database=str(tmp_path))).head()


def test_a_mistake_of_the_program_is_not_called_the_database_s(label_url):
    with pytest.raises(DBAPIError), transaction(label_url) as connection:
        connection.execute(text("SELECT nothing FROM datasets"))


def test_what_fails_half_way_leaves_nothing(label_url):
    def fail() -> None:
        with transaction(label_url, write=True) as connection:
            connection.execute(text("INSERT INTO datasets VALUES ('a', 'a', 0)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction(label_url) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM datasets")).scalar() == 0


def test_commits_are_on_disk_before_they_are_acknowledged(sqlite_url, postgres, postgres_url):
    with transaction(sqlite_url) as connection:
        ask = connection.exec_driver_sql
        assert ask("PRAGMA journal_mode").scalar() == "wal"
        assert ask("PRAGMA synchronous").scalar() == 2
        assert ask("PRAGMA foreign_keys").scalar() == 1
    postgres.execute(f"ALTER DATABASE {postgres_url.database} SET synchronous_commit = off")
    with transaction(postgres_url, write=True) as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_what_is_read_is_of_one_moment(label_url):
    """An image is opened while somebody saves: number and labels go together."""
    store = store_at(label_url)
    store.save(put(7, 1), "Ann")
    with transaction(label_url) as connection:
        read = text("SELECT head, (SELECT COUNT(*) FROM changes) FROM datasets")
        before = connection.execute(read).one()
        store.save(put(7, 2), "Bob")
        assert connection.execute(read).one() == before == (1, 1)


def test_another_file_in_its_place_is_noticed(sqlite_url, tmp_path):
    """Saves must not go on into a file that has no name any more."""
    store, path = store_at(sqlite_url), Path(sqlite_url.database)
    store.save(put(7, 1), "Ann")
    shutil.copy(path, tmp_path / "copy")
    shutil.copy(f"{path}-wal", tmp_path / "copy-wal")
    store.save(put(7, 2), "Ann")
    for name in ("", "-wal"):
        os.replace(tmp_path / f"copy{name}", f"{path}{name}")
    Path(f"{path}-shm").unlink()
    assert store.label(7, 0).x == 1
    assert store.save(put(7, 3), "Ann").number == 2
    for name in ("", "-wal", "-shm"):
        Path(f"{path}{name}").unlink()
    assert store.head() == 0  # gone: an empty one is begun
    assert store.save(put(7, 4), "Ann").number == 1
    database.close()
    assert store.label(7, 0).x == 4


def test_what_is_closed_leaves_no_connection_open(postgres, postgres_url):
    store_at(postgres_url).save(put(7, 1), "Ann")
    database.close()
    postgres.execute(f"DROP DATABASE {postgres_url.database}")  # refused while one is open


def test_a_forked_process_opens_connections_of_its_own(sqlite_url):
    first = database.engine(sqlite_url)
    assert database.engine(sqlite_url) is first
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        os._exit(database.engine(sqlite_url) is first)
    assert os.waitpid(child, 0)[1] == 0


def test_threads_of_one_process_save_at_once(label_url):
    store = store_at(label_url)
    made: list[int] = []

    def save(thread: int) -> None:
        for x in range(3):
            made.append(store_at(label_url).save(put(7, thread * 3 + x + 1), "Ann").number)

    threads = [threading.Thread(target=save, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == list(range(1, 61))
    assert store.head() == 60
