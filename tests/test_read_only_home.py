"""A workspace that cannot be written is looked at all the same."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from kaggle_helper import ROOT
from labels_helper import put
from read_only_helper import close, prefix, reopen
from serving_helper import serving
from training_helper import put_tiny

from fkd.labels import database
from fkd.labels.store import LabelStore
from fkd.measures import measure
from fkd.registry import open_named
from fkd.scratch import instead_of, writable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="modes and mounts of Linux")


@pytest.fixture(params=["modes", "mount"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(fkd_home: Path, tiny_drawn: Path) -> Iterator[Path]:
    """A workspace with a dataset; the labels have one version, and nothing was measured yet."""
    dataset = put_tiny(tiny_drawn)
    LabelStore(dataset).save(put(0, 40.0), "Ada")
    database.close()
    yield fkd_home
    reopen(fkd_home)


class Closed:
    """Runs verbs for which the workspace is read-only, and sees that they leave it as it is."""

    def __init__(self, home: Path, kind: str, **environment: str) -> None:
        self.home = home
        if kind == "modes":
            close(home)
        self.prefix = prefix(home, kind)
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.before = self.contents()

    def contents(self) -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in sorted(self.home.rglob("*"))}

    def run(self, *arguments: object) -> str:
        """What a verb says; it must succeed."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def attempt(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.prefix, sys.executable, "-m", "fkd", *map(str, arguments)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert self.contents() == self.before
        return done


@pytest.mark.slow
def test_the_verbs_that_read(home: Path, kind: str, tmp_path: Path) -> None:
    closed = Closed(home, kind)
    assert "tiny" in closed.run("datasets")
    assert json.loads(closed.run("info", "tiny", "--json"))["rows"] == 24
    assert "Ada" in closed.run("labels", "log", "tiny")
    assert "left_eye_center" in closed.run("labels", "diff", "tiny", "0", "1")
    assert closed.run("runs") is not None
    for format in ("kaggle", "coco"):
        closed.run("export", "tiny", "--format", format, "-o", tmp_path / f"out-{format}")
    assert "40" in (tmp_path / "out-kaggle" / "training.csv").read_text().splitlines()[1]
    assert json.loads(closed.run("evaluate", "bundled", "--dataset", "tiny", "--json"))
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("fkd-scratch")]


def test_nothing_is_saved_and_that_is_said(home: Path, kind: str) -> None:
    closed = Closed(home, kind)
    done = closed.attempt("labels", "undo", "tiny", "--author", "Ada")
    assert done.returncode == 2
    assert "The label database may not be written" in done.stderr
    assert done.stderr.count("\n") == 1
    for verb in (("remove", "tiny", "--yes"), ("demo", "--rows", "3")):
        done = closed.attempt(*verb)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith("fkd: ")


def test_without_a_database_there_are_no_versions(home: Path, kind: str) -> None:
    for file in home.glob("labels.sqlite*"):
        file.unlink()
    closed = Closed(home, kind)
    assert "Ada" not in closed.run("labels", "log", "tiny")
    assert not (home / "labels.sqlite").exists()


def test_the_last_changes_may_still_be_in_the_log(home: Path, kind: str) -> None:
    """The owner's program was killed, or is still at work: part of the database is in its log."""
    path = home / "labels.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE versions SET author = 'Grace'")
        writer.commit()
        kept = {file: file.read_bytes() for file in home.glob("labels.sqlite*")}
    assert len(kept) == 3
    for log_too in (True, False):
        reopen(home)
        for file, data in kept.items():
            file.write_bytes(data)
        if not log_too:
            (home / "labels.sqlite-shm").unlink()
        closed = Closed(home, kind)
        assert "Grace" in closed.run("labels", "log", "tiny")


def test_a_database_of_an_older_version(home: Path, kind: str) -> None:
    with closing(sqlite3.connect(home / "labels.sqlite")) as old:
        old.execute("DELETE FROM migrations WHERE number = (SELECT max(number) FROM migrations)")
        for table in ("image_tags", "tag_steps", "saved_views"):  # what the last step made
            old.execute(f"DROP TABLE {table}")
        old.commit()
    closed = Closed(home, kind)
    assert "Ada" in closed.run("labels", "log", "tiny")


PAGES = """
import sys, time
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=120).run()
for page in ("data", "browse", "stats", "evaluate", "correct", "train"):
    app.switch_page(f"../pages/{page}.py").run()
    for _ in range(200):  # measuring, in the background
        if not [b for b in app.button if b.label == "Stop"] and "Measuring" not in str(app.main):
            break
        time.sleep(0.1)
        app.run()
    assert not app.exception, (page, app.exception)
    assert not app.error, (page, [e.value for e in app.error])
    told = [i.value for i in app.info if "Read-only: nothing" in i.value]
    assert len(told) == 1, (page, told)
    if page == "evaluate":  # what was predicted is kept until the dashboard ends, too
        next(b for b in app.button if b.label.startswith("Predict ")).click().run()
        for _ in range(600):
            if app.metric:
                break
            time.sleep(0.1)
            app.run()
        assert app.metric, [m.value for m in app.markdown]
    print(page, [m.label for m in app.metric])
"""


@pytest.mark.slow
def test_the_pages(home: Path, kind: str, tmp_path: Path) -> None:
    close_first = Closed(home, kind)
    script = tmp_path / "pages.py"
    script.write_text(PAGES)
    done = subprocess.run(
        [*close_first.prefix, sys.executable, script, ROOT / "dashboard" / "app.py"],
        env=close_first.environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert close_first.contents() == close_first.before


@pytest.mark.slow
def test_the_dashboard_starts_on_it(home: Path, kind: str) -> None:
    shutil.rmtree(home / "datasets")  # nothing is drawn where nothing can be kept
    closed = Closed(home, kind)
    with serving(home, prefix=closed.prefix) as dashboard:
        assert dashboard.connect() == 101
        assert "Traceback" not in dashboard.said
    assert closed.contents() == closed.before


def test_measures_are_kept_until_the_program_ends(home: Path, monkeypatch) -> None:
    """Without writing beside the dataset: asked again, they are not made again."""
    dataset = open_named("tiny")
    assert dataset.folder is not None
    real = os.access
    monkeypatch.setattr(
        "fkd.scratch.os.access", lambda p, mode: not str(p).startswith(str(home)) and real(p, mode)
    )
    assert not writable(home / "datasets" / "x")
    first = measure(dataset)
    monkeypatch.setattr("fkd.measures.compute", None)
    again = measure(dataset)
    np.testing.assert_array_equal(first.brightness, again.brightness)
    assert not (dataset.folder / "measures").exists()
    place = instead_of(dataset.folder)
    assert place.is_relative_to(os.environ["FKD_SCRATCH"])
    assert Path(os.environ["FKD_SCRATCH"]).stat().st_mode & 0o077 == 0
