"""Whoever counts faults must see them; and the benchmark of the label store runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks import labels
from benchmarks.storm import _save, blank, faults
from fkd.labels.database import transaction
from fkd.labels.store import LabelStore

ROOT = Path(__file__).resolve().parents[1]
FINE = {"lost": 0, "doubled": 0, "half": 0, "overwritten": 0}


@pytest.fixture
def made(sqlite_url):
    """Four saves on two images, as they were acknowledged; and what ``faults`` says of others."""
    store = LabelStore(blank(2), sqlite_url)
    saves = [_save(store, (row, 0, x)) for row, x in ((0, 1.0), (1, 2.0), (0, 3.0), (1, 4.0))]

    def found(told=saves, unknown: int = 0) -> dict[str, int]:
        return faults(sqlite_url.render_as_string(), 2, told, unknown)

    assert found() == FINE
    return saves, found


def change(url, statement: str) -> None:
    with transaction(url, write=True) as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.execute(text(statement))


def test_a_lost_save_is_seen(made):
    saves, found = made
    assert found([*saves, (5, 0, 0, 0, 9.0)]) == FINE | {"lost": 1}
    number, base, row, first, _ = saves[-1]
    assert found([*saves[:-1], (number, base, row, first, 9.0)]) == FINE | {"lost": 1}


def test_a_doubled_save_is_seen(made):
    saves, found = made
    assert found(saves[:-1]) == FINE | {"doubled": 1}
    assert found(saves[:-1], unknown=1) == FINE  # it was killed before it could say so
    assert found([*saves, saves[0]])["doubled"] == 1


def test_a_gap_is_seen(made, sqlite_url):
    _, found = made
    change(sqlite_url, "UPDATE datasets SET head = head + 1")
    assert found() == FINE | {"doubled": 1}


def test_half_a_save_is_seen(made, sqlite_url):
    _, found = made
    names = blank(1).schema.names
    change(sqlite_url, f"DELETE FROM changes WHERE number = 4 AND keypoint = '{names[0]}'")
    assert found() == FINE | {"half": 1, "lost": 1}


def test_a_save_over_another_is_seen(made, sqlite_url):
    saves, found = made
    number, _, row, first, x = saves[2]
    assert found([*saves[:2], (number, 0, row, first, x), saves[3]]) == FINE | {"overwritten": 1}
    change(sqlite_url, "UPDATE changes SET old_x = 7 WHERE number = 4")
    assert found() == FINE | {"overwritten": 1}


@pytest.mark.slow
@pytest.mark.thorough
def test_quick_run_writes_what_it_measured(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.labels", "--quick", "--out", str(tmp_path), "reading"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (part,) = json.loads((tmp_path / "labels.json").read_text())["parts"].values()
    assert part["raw"]["SQLite"]["changes"] == 400
    assert all(figure["value"] > 0 for figure in part["figures"])
    assert set(labels.PARTS) == {"storm", "kills", "reading"}
