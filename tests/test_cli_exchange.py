from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from kaggle_helper import Tables
from test_cli import Capture, fkd, one_line

from fkd.ingest import ingest
from fkd.labels.at import labels_at
from fkd.labels.formats import FORMATS, LOSSES, VISIBILITIES
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
    assert (code, err) == (0, "")
    *_, last = out.splitlines()
    assert last == "faces: The files match the current labels; there is nothing to import."
    before = labels_at(store)
    store.save([Edit(3, 10, PointLabel(State.VISIBLE, 1, 2, Origin.EDITED))], "anna")
    code, out, err = fkd(capsys, *command)
    assert (code, err) == (0, "")
    title = FORMATS[form].title
    placed = int((before.states >= State.OCCLUDED).sum())
    first, second, last = out.splitlines()
    assert first == f"out ({title}): {placed} points in 7 images."
    assert second.startswith("Compared with the current labels: 1 point ")
    assert last == "faces: 1 label of 1 row changed, now version 4 of the labels"
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
    read, first, second = out.splitlines()
    assert read.startswith("out.zip (COCO keypoints): ")
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


def mirrored(store: LabelStore, capsys: Capture, folder: Path) -> Path:
    """An export whose category names the points of the other side."""
    fkd(capsys, "export", "faces", "--format", "coco", "-o", folder)
    root = json.loads((folder / "annotations.json").read_text())
    names = root["categories"][0]["keypoints"]
    other = store.dataset.schema.mirror_order
    root["categories"][0]["keypoints"] = [names[k] for k in other]
    (folder / "annotations.json").write_text(json.dumps(root))
    return folder


def test_an_import_that_a_permutation_explains_stops_for_a_word(
    store: LabelStore, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mirrored(store, capsys, tmp_path / "out")
    command = ("import", "faces", folder, "--format", "coco", "--author", "ben")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, out, err = fkd(capsys, *command)
    assert code == 2
    assert "Left and right seem to be swapped in the files" in out
    assert "Warning: Left and right seem" in out
    assert "labels that these images have would change." in out
    assert "Import anyway? [y/N]" in out
    assert "nothing was saved" in one_line(err)
    assert store.head() == 2
    code, out, err = fkd(capsys, *command, "--dry-run")
    assert (code, err) == (0, "")
    assert "Warning: Left and right seem" in out
    assert out.splitlines()[-1] == "Nothing was saved."
    assert store.head() == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert fkd(capsys, *command)[0] == 2
    assert store.head() == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert fkd(capsys, *command)[0] == 0
    assert store.head() == 3
    fkd(capsys, "labels", "undo", "faces")
    code, out, err = fkd(capsys, *command, "--yes")
    assert (code, err) == (0, "")
    assert "[y/N]" not in out
    assert store.head() == 5


def test_a_new_dataset_of_points_in_another_order_stops_for_a_word(
    capsys: Capture, tmp_path: Path
) -> None:
    fkd(capsys, "demo", "--rows", "6", "--name", "faces")
    drawn = LabelStore(open_named("faces"))
    folder = mirrored(drawn, capsys, tmp_path / "out")
    code, out, err = fkd(capsys, "import", "new", folder, "--format", "coco", "--dry-run")
    assert (code, err) == (0, "")
    assert "Left and right seem to be swapped in the files" in out
    assert dataset_names() == ["faces"]
    code, out, _ = fkd(capsys, "import", "new", folder, "--format", "coco", "--yes")
    assert code == 0
    assert dataset_names() == ["faces", "new"]


def test_a_dry_run_without_problems_says_so(
    store: LabelStore, capsys: Capture, tmp_path: Path
) -> None:
    fkd(capsys, "export", "faces", "--format", "coco", "-o", tmp_path / "out")
    code, out, _ = fkd(capsys, "import", "faces", tmp_path / "out", "--format", "coco", "--dry-run")
    assert code == 0
    assert out.splitlines()[-2:] == ["No problems found.", "Nothing was saved."]


def test_help_says_what_visibility_means(capsys: Capture) -> None:
    _, out, _ = fkd(capsys, "import", "--help")
    assert "--visibility {auto,coco,binary}" in out
    said = " ".join(out.split())
    assert all(f"{name}: {words}" in said for name, words in VISIBILITIES.items())
