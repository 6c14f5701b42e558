from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kaggle_helper import Tables
from test_cli import Capture, fkd, one_line

from fkd.ingest import ingest
from fkd.labels.at import labels_at
from fkd.labels.formats import FORMATS, LOSSES
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.registry import dataset_names, open_named


@pytest.fixture
def store(tables: Tables) -> LabelStore:
    ingest("faces", tables.training)
    store = LabelStore(open_named("faces"))
    covered = PointLabel(State.OCCLUDED, 20.5, 30, Origin.EDITED)
    absent = PointLabel(State.ABSENT, origin=Origin.EDITED)
    store.save([Edit(1, 0, covered)], "anna")
    store.save([Edit(1, 1, absent), Edit(5, 0, covered)], "anna")
    return store


def test_help_states_what_is_lost(capsys: Capture) -> None:
    for verb in ("export", "import"):
        _, out, _ = fkd(capsys, verb, "--help")
        for name, losses in LOSSES.items():
            assert f"{name}: {FORMATS[name].title}" in out
            assert all(loss in out for loss in losses)


def test_export_of_a_version(store: LabelStore, capsys: Capture, tmp_path: Path) -> None:
    command = ("export", "faces", "--format", "pts", "-o")
    code, out, err = fkd(capsys, *command, tmp_path / "latest.zip")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"faces: 7 rows, version 2 of the labels, written to {tmp_path / 'latest.zip'} "
        "(300-W .pts)",
        "1 absent point is missing in the file.",
        "2 occluded points are visible in the file.",
    ]
    code, out, _ = fkd(capsys, *command, tmp_path / "first", "--version", 0)
    assert "7 rows, version 0 of the labels" in out
    assert out.count("\n") == 1
    code, out, err = fkd(capsys, *command, tmp_path / "none", "--version", 9)
    assert (code, out) == (2, "")
    assert "version" in one_line(err)
    code, out, err = fkd(capsys, *command, tmp_path / "first")
    assert (code, out) == (2, "")
    assert "is not empty" in one_line(err)


@pytest.mark.parametrize("form", FORMATS)
def test_import_for_a_dataset_that_is_there(
    store: LabelStore, capsys: Capture, tmp_path: Path, form: str
) -> None:
    fkd(capsys, "export", "faces", "--format", form, "-o", tmp_path / "out")
    command = ("import", "faces", tmp_path / "out", "--format", form, "--author", "ben")
    code, out, err = fkd(capsys, *command)
    assert (code, out, err) == (0, "faces: out says what the labels say, nothing to do\n", "")
    before = labels_at(store)
    store.save([Edit(3, 10, PointLabel(State.VISIBLE, 1, 2, Origin.EDITED))], "anna")
    code, out, err = fkd(capsys, *command)
    assert (code, err) == (0, "")
    assert out == "faces: 1 label of 1 row changed, now version 4 of the labels\n"
    after = labels_at(store)
    np.testing.assert_array_equal(after.states, before.states)
    np.testing.assert_allclose(after.points, before.points)
    version = store.versions()[-1]
    assert version.kind == "import"
    assert version.author == "ben"
    assert version.note == f"import of out ({FORMATS[form].title})"


def test_import_as_a_new_dataset(store: LabelStore, capsys: Capture, tmp_path: Path) -> None:
    fkd(capsys, "export", "faces", "--format", "coco", "-o", tmp_path / "out.zip")
    code, out, err = fkd(capsys, "import", "new", tmp_path / "out.zip", "--format", "coco")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first.startswith("new: 7 rows (")
    assert second == "new: 3 labels of 2 rows changed, now version 1 of the labels"
    old, new = labels_at(store), labels_at(LabelStore(open_named("new")))
    np.testing.assert_array_equal(new.states, old.states)
    np.testing.assert_array_equal(new.points, old.points)


def test_bad_files_are_one_line_and_change_nothing(
    store: LabelStore, capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "1.pts").write_text("version: 1\n")
    for name in ("faces", "new"):
        code, out, err = fkd(capsys, "import", name, tmp_path, "--format", "pts")
        assert (code, out) == (2, "")
        assert "1.pts needs its points" in one_line(err)
    assert dataset_names() == ["faces"]
    assert store.head() == 2
    code, _, err = fkd(capsys, "import", "../x", tmp_path, "--format", "pts")
    assert code == 2
    assert "cannot name a dataset" in one_line(err)
    code, _, err = fkd(capsys, "export", "none", "--format", "pts", "-o", tmp_path / "out")
    assert code == 2
    assert "no dataset 'none'" in one_line(err)
