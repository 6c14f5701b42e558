"""Saved at once, killed, no space, locked, read-only, damaged: what was acknowledged is there, and
what was not is not there in part."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kaggle_helper import start_python
from labels_helper import ROWS, counts, put, store_at, visible
from limits_helper import enlarge, small_disk
from sqlalchemy.engine import URL

from benchmarks.processes import in_child
from fkd.keypoints import KAGGLE_15
from fkd.labels import database
from fkd.labels.database import StoreError, transaction
from fkd.labels.drafts import keep_draft
from fkd.labels.point import Edit
from fkd.labels.reviews import DONE, set_state
from fkd.labels.sheet import Sheet
from fkd.labels.store import LabelStore

FINE = {"lost": 0, "doubled": 0, "half": 0, "overwritten": 0}


def address(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def test_eight_processes_save_at_once(label_url, tmp_path):
    found = in_child(
        "benchmarks.storm:storm", tmp_path, url=address(label_url), processes=8, saves=25, rows=4
    )
    assert {what: found[what] for what in FINE} == FINE
    assert found["saves"] == 200
    assert found["conflicts"] > 0  # each was told, looked again and saved


def test_killed_while_saving(label_url, tmp_path):
    found = in_child("benchmarks.storm:kills", tmp_path, url=address(label_url), times=20, rows=4)
    assert {what: found[what] for what in FINE} == FINE
    assert found["unsound"] == 0
    assert found["saves"] >= 20


HOLD = """
import sys, time
from sqlalchemy.engine import make_url
from fkd.labels.database import transaction
with transaction(make_url(sys.argv[1]), write=True):
    print("held", flush=True)
    time.sleep(300)
"""


@contextmanager
def held(url: URL) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    with start_python("-c", HOLD, address(url)) as child:
        assert child.stdout.readline() == "held\n"
        yield
        child.kill()
        child.communicate()


def sheet_of(store: LabelStore) -> Sheet:
    number, labels = store.labels_of(7)
    return Sheet.of(store.dataset.schema, 7, number, labels)


def check_refused(store: LabelStore, said: str) -> None:
    """Whatever writes is refused with one sentence, and nothing of it is there."""
    sheet = sheet_of(store).place({0: (30, 31), 1: (32, 33)})
    before = counts(store.url)
    for write in (
        lambda: store.save(sheet.edits(), "Ann", base=sheet.base),
        lambda: keep_draft(store, "Ann", sheet),
        lambda: set_state(store, 7, DONE, "Ann"),
    ):
        with pytest.raises(StoreError) as caught:
            write()
        assert str(caught.value).startswith(said), caught.value
        assert "\n" not in str(caught.value)
    assert counts(store.url) == before
    assert sheet.edits()  # on the screen they are still


def check_works(store: LabelStore) -> None:
    head = store.head()
    sheet = sheet_of(store).place({0: (40 + head, 41), 1: (42, 43)})
    assert store.save(sheet.edits(), "Ann", base=sheet.base).number == head + 1
    assert sheet_of(store).labels == sheet.labels


def test_locked_by_another_process(label_url, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE_S", 0.3)
    store = store_at(label_url)
    check_works(store)
    with held(label_url):
        check_refused(store, "The label database is busy: somebody else is writing to it. Nothing")
    check_works(store)


def test_who_reads_does_not_wait_for_who_writes(label_url, monkeypatch):
    store = store_at(label_url)
    store.save(put(7, 1), "Ann")
    database.close()
    with held(label_url):  # not even to open it
        assert store.label(7, 0).x == 1


def a_lot(x: int) -> list[Edit]:
    """Every point of every image, at another place for each ``x``."""
    return [Edit(row, k, visible(x % 90)) for row in ROWS for k in range(len(KAGGLE_15))]


def test_a_full_disk(tmp_path):
    with small_disk(tmp_path / "disk", "400k") as disk:
        store = store_at(URL.create("sqlite", database=str(disk / "labels.sqlite")))
        with pytest.raises(StoreError, match=r"^The disk with the labels is full"):  # noqa: PT012
            for x in range(1000):
                store.save(a_lot(x), "Ann")
        head = len(store.versions())
        assert store.head() == head > 0
        assert len(store.changes()) == head * len(a_lot(0))
        for x in range(50):  # little fits in where a lot did not, now and then
            with contextlib.suppress(StoreError):
                store.save(put(7, x + 0.5), "Ann")
                head += 1
        assert store.head() == len(store.versions()) == head
        enlarge(disk, "4m")
        check_works(store)
        database.close()
        with closing(sqlite3.connect(disk / "labels.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_disk_that_is_full_from_the_start(tmp_path):
    with small_disk(tmp_path / "disk", "16k") as disk:
        store = store_at(URL.create("sqlite", database=str(disk / "labels.sqlite")))
        for _ in range(2):
            with pytest.raises(StoreError, match=r"^The disk with the labels is full"):
                store.head()
        enlarge(disk, "4m")
        check_works(store)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to write to everything."""
    if os.geteuid():
        yield
        return
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize(("file", "folder"), [(0o444, 0o777), (0o666, 0o555)])
def test_a_file_or_folder_that_is_read_only(file, folder):
    # Not in the test's own folder, which nobody else may look into.
    with tempfile.TemporaryDirectory(prefix="fkd-test-") as name:
        path = Path(name) / "labels.sqlite"
        store = store_at(URL.create("sqlite", database=str(path)))
        check_works(store)
        database.close()
        path.chmod(file)
        Path(name).chmod(folder)
        with as_nobody():
            for write in (
                lambda: store.save(put(7, 1), "Ann"),
                lambda: set_state(store, 7, DONE, "Ann"),
            ):
                with pytest.raises(StoreError) as caught:
                    write()
                said = f"The label database may not be written: {path}. Nothing was saved."
                assert str(caught.value) == said
        Path(name).chmod(0o777)
        path.chmod(0o666)
        database.close()
        assert counts(store.url)["versions"] == 1
        check_works(store)


def test_a_damaged_file(sqlite_url, tmp_path):
    store, path = store_at(sqlite_url), Path(sqlite_url.database)
    for _ in range(20):
        check_works(store)
    database.close()
    copy = shutil.copy(path, tmp_path / "copy")
    whole = path.read_bytes()
    for damaged in (b"labels" + whole[6:], whole[:4096] + os.urandom(len(whole) - 4096)):
        path.write_bytes(damaged)
        for act in (store.head, lambda: store.save(put(7, 1), "Ann")):
            with pytest.raises(StoreError) as caught:
                act()
            said = f"The label database is damaged: {path}. Put a copy in its place."
            assert str(caught.value) == said
        database.close()
    os.replace(copy, path)
    assert store.head() == 20
    check_works(store)


def test_postgresql_stopped_in_between(postgres, postgres_url):
    """Also as when it crashes: what was acknowledged is there after."""
    store = store_at(postgres_url)
    for how in ("fast", "immediate"):
        check_works(store)
        head, sheet = store.head(), sheet_of(store)
        postgres.stop(how)
        try:
            for act in (
                lambda: store.save(put(7, 1), "Ann"),
                lambda sheet=sheet: keep_draft(store, "Ann", sheet.place({0: (1, 1)})),
                store.head,
            ):
                with pytest.raises(StoreError) as caught:
                    act()
                said = str(caught.value)
                assert said.startswith("The label database cannot be reached: 'labels")
                assert said.endswith("Save again when it is back.")
                assert "\n" not in said
                assert postgres_url.password not in said
        finally:
            postgres.start()
        assert store.head() == head
        assert sheet_of(store) == sheet
        check_works(store)


def test_postgresql_stopped_within_a_save(postgres, postgres_url):
    store = store_at(postgres_url)
    check_works(store)
    before = counts(postgres_url)

    def stop_in_between() -> None:
        with transaction(postgres_url, write=True) as connection:
            store.add_version(connection, put(7, 1), "save", "Ann")
            postgres.stop("immediate")
            store.add_version(connection, put(7, 2), "save", "Ann")

    try:
        with pytest.raises(StoreError, match="cannot be reached"):
            stop_in_between()
    finally:
        postgres.start()
    assert counts(postgres_url) == before
    check_works(store)


def test_postgresql_may_be_read_only(postgres, postgres_url):
    store = store_at(postgres_url)
    check_works(store)
    name = postgres_url.database
    for setting in ("on", "off"):
        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {setting}")
        database.close()
        if setting == "on":
            check_refused(store, f"The label database may not be written: '{name}' on ")
    check_works(store)


def test_postgresql_without_space(postgres, tmp_path):
    with tempfile.TemporaryDirectory(prefix="fkd-test-") as name:
        place = Path(name) / "disk"
        with small_disk(place, "16m"):
            url = postgres.small_database(place)
            try:
                store = store_at(url)
                check_works(store)
                filler = place / "filler"
                with contextlib.suppress(OSError), filler.open("wb") as file:
                    while True:
                        file.write(bytes(4096))
                        file.flush()
                said = r"^The disk with the labels is full \('labels\d+' on "
                with pytest.raises(StoreError, match=said):  # noqa: PT012
                    for x in range(2000):
                        store.save(a_lot(x), "Ann")
                assert store.head() == len(store.versions())
                filler.unlink()
                check_works(store)
            finally:
                postgres.drop(url)
                postgres.execute(f"DROP TABLESPACE {url.database}")
