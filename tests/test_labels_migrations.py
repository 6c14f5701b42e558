"""The tables come to be as they should, from whatever they were."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kaggle_helper import run_python
from labels_helper import counts, put, store_at
from sqlalchemy import event, inspect, text

from fkd.errors import UserError
from fkd.labels import database, migrations
from fkd.labels.database import transaction

STEPS = [step.__name__.strip("_") for step in migrations.MIGRATIONS]


def steps(url) -> list[tuple[int, str]]:
    with transaction(url) as connection:
        found = connection.execute(text("SELECT number, name FROM migrations ORDER BY number"))
        return [tuple(row) for row in found]


def tables(url) -> set[str]:
    return set(inspect(database.engine(url)).get_table_names())


def test_a_new_database_gets_every_table(label_url):
    assert STEPS[:3] == ["labels", "drafts", "reviews"]
    assert steps(label_url) == list(enumerate(STEPS, 1))
    assert tables(label_url) > {"migrations", "datasets", "versions", "changes"}


@pytest.mark.parametrize("done", [1, 2])
def test_an_old_one_is_upgraded_and_keeps_what_it_has(label_url, monkeypatch, done):
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:done])
        store_at(label_url).save(put(7, 1), "Ann")
        assert len(steps(label_url)) == done
    database.close()
    assert store_at(label_url).label(7, 0).x == 1
    assert steps(label_url) == list(enumerate(STEPS, 1))
    assert set(counts(label_url)) < tables(label_url)


def test_one_of_a_later_program_is_refused(label_url):
    later = len(STEPS) + 1
    with transaction(label_url, write=True) as connection:
        connection.execute(text(f"INSERT INTO migrations VALUES ({later}, 'later', 'today')"))
    database.close()
    said = rf"by a later version of fkd \(step {later}, .* Upgrade fkd\.$"
    with pytest.raises(UserError, match=said):
        store_at(label_url).head()


def test_a_step_that_fails_is_taken_again(label_url, monkeypatch):
    def broken(connection) -> None:
        connection.execute(text("CREATE TABLE half (a INTEGER)"))
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS[:1], broken))
        with pytest.raises(ZeroDivisionError):
            store_at(label_url).head()
    assert store_at(label_url).head() == 0
    assert steps(label_url) == list(enumerate(STEPS, 1))
    assert "half" not in tables(label_url)


def test_the_changes_of_an_image_are_found_without_going_through_all(sqlite_url):
    """Left to itself, SQLite took the primary key for the sake of the order."""
    store, asked = store_at(sqlite_url), []
    engine = database.engine(sqlite_url)

    @event.listens_for(engine, "before_cursor_execute")
    def _asked(_connection, _cursor, statement, values, *_rest) -> None:
        asked.append((statement, values))

    store.labels_of(7)
    store.changes(row=7, after=1, until=3)
    store.versions(7)
    of_changes = [question for question in asked if "FROM changes" in question[0]]
    assert len(of_changes) == 3
    with transaction(sqlite_url) as connection:
        for statement, values in of_changes:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            assert "INDEX changes_of_image (dataset=? AND image=?" in str(plan), plan


OPEN = """
import sys, time
from sqlalchemy.engine import make_url
from fkd.labels.database import transaction
time.sleep(max(0, float(sys.argv[2]) - time.time()))
with transaction(make_url(sys.argv[1])) as connection:
    print(connection.exec_driver_sql("SELECT COUNT(*) FROM migrations").scalar())
"""


def test_several_processes_may_be_the_first_at_once(label_url):
    address = label_url.render_as_string(hide_password=False)
    at = time.time() + 3  # all are ready by then
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: run_python("-c", OPEN, address, at), range(6)))
    assert [(child.returncode, child.stdout) for child in done] == [(0, f"{len(STEPS)}\n")] * 6
    assert steps(label_url) == list(enumerate(STEPS, 1))
