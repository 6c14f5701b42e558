"""Whose the workspace is: modes of what is written, and of what is found."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from kaggle_helper import Tables, run_fkd
from labels_helper import put
from serving_helper import serving
from training_helper import new_run, put_tiny

from fkd import private
from fkd.labels import database
from fkd.labels.store import LabelStore
from fkd.measures import measure

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """The umask of most systems, whatever a test sets it to."""
    before = os.umask(0o022)
    private._begin.cache_clear()
    yield
    os.umask(before)
    private._begin.cache_clear()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def modes(top: Path) -> dict[str, str]:
    """What others may do with what lies at and below ``top``, where that is anything."""
    every = [top, *top.rglob("*")]
    return {str(p): oct(mode(p)) for p in every if not p.is_symlink() and mode(p) & 0o077}


def test_what_the_command_line_writes(tables: Tables, fkd_home: Path, tmp_path: Path) -> None:
    assert run_fkd("ingest", "faces", tables.training).returncode == 0
    assert run_fkd("labels", "log", "faces").returncode == 0
    kaggle, zipped = tmp_path / "out", tmp_path / "out.zip"
    assert run_fkd("export", "faces", "--format", "kaggle", "-o", kaggle).returncode == 0
    assert run_fkd("export", "faces", "--format", "coco", "-o", zipped).returncode == 0
    assert (fkd_home / "labels.sqlite").is_file()
    assert modes(fkd_home) == modes(kaggle) == modes(zipped) == {}


def test_what_the_library_makes(tiny_drawn: Path, fkd_home: Path) -> None:
    """A notebook sets no umask: what it makes lies behind a door that is shut."""
    dataset = put_tiny(tiny_drawn)
    shutil.rmtree(fkd_home)
    private.make_folder(fkd_home / "datasets")
    dataset = put_tiny(tiny_drawn)
    LabelStore(dataset).save(put(0, 40.0), "Ada")
    measure(dataset)
    run = new_run(dataset)
    assert mode(fkd_home) == mode(fkd_home / "datasets") == mode(fkd_home / "runs") == 0o700
    assert mode(run.folder) == 0o700
    found = sorted(fkd_home.glob("labels.sqlite*"))
    assert [p.name for p in found] == ["labels.sqlite", "labels.sqlite-shm", "labels.sqlite-wal"]
    assert {mode(p) for p in found} == {0o600}
    database.close()


def test_a_database_elsewhere(tmp_path: Path, tiny_drawn: Path, monkeypatch) -> None:
    path = tmp_path / "elsewhere.sqlite"
    monkeypatch.setenv("FKD_DATABASE_URL", f"sqlite:///{path}")
    LabelStore(put_tiny(tiny_drawn)).head()
    assert mode(path) == 0o600
    assert mode(tmp_path) & 0o777 != 0  # the folder is somebody's already: it stays as it is


def old_home(home: Path) -> None:
    """As an older version left it."""
    for name in ("datasets/faces", "runs/compact-1", "exports", "logs", "uploads/x"):
        (home / name).mkdir(parents=True)
    for name in (
        *("datasets/faces/images.npy", "runs/compact-1/config.json", "exports/faces.zip"),
        *("logs/fkd.log", "uploads/x/training.csv", "labels.sqlite", "labels.sqlite-wal"),
    ):
        (home / name).write_text("x")
    (home / "runs" / "compact-1" / "script").write_text("x")
    (home / "runs" / "compact-1" / "script").chmod(0o755)


def test_an_older_workspace_is_closed_at_the_start(fkd_home: Path) -> None:
    old_home(fkd_home)
    assert len(modes(fkd_home)) > 15
    assert run_fkd("datasets").returncode == 0
    assert modes(fkd_home) == {}
    assert mode(fkd_home / "runs" / "compact-1" / "script") == 0o700
    assert private.tighten(fkd_home) == 0


@pytest.mark.slow
def test_the_dashboard_closes_it_too(fkd_home: Path, tiny_drawn: Path) -> None:
    old_home(fkd_home)
    shutil.rmtree(fkd_home / "datasets")
    put_tiny(tiny_drawn)
    with serving(fkd_home):
        left = {path: m for path, m in modes(fkd_home).items() if ".streamlit" not in path}
        assert left == {}


def test_what_is_not_ours_is_left(fkd_home: Path, tmp_path: Path) -> None:
    """Links and second names lead out; other things in the folder may be for others."""
    old_home(fkd_home)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (outside / "second").write_text("x")
    (fkd_home / "exports" / "folder").symlink_to(outside)
    (fkd_home / "exports" / "link").symlink_to(outside / "file")
    os.link(outside / "second", fkd_home / "exports" / "second")
    (fkd_home / "notes").mkdir()
    (fkd_home / "predictions").symlink_to(outside)
    private.begin()
    assert mode(outside) == 0o755
    assert mode(outside / "file") == mode(outside / "second") == 0o644
    assert mode(fkd_home) == mode(fkd_home / "notes") == 0o755
    assert mode(fkd_home / "datasets") == mode(fkd_home / "exports") == 0o700
    assert mode(fkd_home / "labels.sqlite") == 0o600


def test_a_group_that_shares_it_keeps_its_rights(fkd_home: Path) -> None:
    fkd_home.mkdir()
    fkd_home.chmod(0o2775)
    assert run_fkd("demo", "--rows", "3").returncode == 0
    assert run_fkd("labels", "log", "demo").returncode == 0
    assert mode(fkd_home / "labels.sqlite") == 0o660
    for path in [fkd_home, *fkd_home.rglob("*")]:
        wanted = 0o070 if path.is_dir() else 0o060
        assert mode(path) & 0o077 == wanted, path
        assert not path.is_dir() or mode(path) & stat.S_ISGID, path


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs another user")
def test_another_user_s_workspace_stays_that_user_s(fkd_home: Path) -> None:
    old_home(fkd_home)
    for path in [fkd_home, *fkd_home.rglob("*")]:
        os.chown(path, 65534, 65534)
    before = modes(fkd_home)
    private.begin()
    assert modes(fkd_home) == before
    assert os.umask(0o022) == 0o022


def test_a_folder_for_everybody_does_not_open_what_is_made_in_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    made = private.make_folder(tmp_path / "a" / "b")
    assert mode(made) == mode(made.parent) == 0o700


def test_a_workspace_that_cannot_be_looked_at_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert private.tighten(tmp_path / "missing") == private.tighten(tmp_path / "file") == 0


def test_what_is_written_to_a_place_that_was_named_is_as_usual(
    tables: Tables, tmp_path: Path
) -> None:
    out = tmp_path / "handed on"
    assert run_fkd("demo", "--rows", 3, "--out", out).returncode == 0
    assert run_fkd("ingest", "faces", tables.training).returncode == 0
    assert mode(out / "test.csv") == 0o644
    assert run_fkd("export", "faces", "--format", "coco", "-o", tmp_path / "a.zip").returncode == 0
    assert mode(tmp_path / "a.zip") == 0o600  # faces of people and their labels
