"""Damaged datasets and runs among good ones, on every page; a label database that is frozen."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "train"))

from frozen_helper import frozen
from train_page_helper import make_run, table

from fkd.labels import database
from fkd.labels.store import LabelStore
from fkd.registry import dataset_names, open_named
from fkd.training.runs import all_runs

PAGES = ("data", "browse", "stats", "train", "evaluate", "predict", "correct")


@pytest.fixture
def bad(home):
    """The folder of a dataset that is to be damaged, beside the good one."""
    folder = home / "datasets" / "bad"
    shutil.copytree(home / "datasets" / "demo", folder)
    return folder


def manifest_gone(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def manifest_without_keys(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"format": 1, "schema": "kaggle-15"}')


def manifest_a_folder(folder: Path) -> None:
    manifest_gone(folder)
    (folder / "manifest.json").mkdir()


def images_cut(folder: Path) -> None:
    data = (folder / "images.npy").read_bytes()
    (folder / "images.npy").write_bytes(data[: len(data) // 2])


def keypoints_a_circle(folder: Path) -> None:
    (folder / "keypoints.npy").unlink()
    (folder / "keypoints.npy").symlink_to(folder / "keypoints.npy")


DAMAGES = [manifest_gone, manifest_without_keys, manifest_a_folder, images_cut, keypoints_a_circle]


def check_sound(page) -> None:
    assert "unexpected" not in page.text
    assert "went wrong" not in page.text
    assert "'bad'" not in page.text


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dataset_is_shown_with_its_reason_and_can_be_removed(app, bad, damage):
    damage(bad)
    page = app("data")
    assert "'bad'" in page.text
    assert page.metrics()["Labelled images"] == "90"  # the good one
    page.at.button(key="remove-bad").click()
    page.run()
    assert dataset_names() == ["bad", "demo"]  # it asks
    page.button("Remove").click()
    page.run()
    assert dataset_names() == ["demo"]
    check_sound(app("data"))


@pytest.mark.parametrize("damage", [manifest_without_keys, images_cut])
@pytest.mark.parametrize("name", [name for name in PAGES if name != "data"])
def test_other_pages_open_the_good_one_and_say_what_is_wrong_with_the_other(app, bad, damage, name):
    damage(bad)
    check_sound(app(name))
    page = app(name, dataset="bad")
    assert "unexpected" not in page.text
    if name in {"browse", "stats", "evaluate", "correct"}:
        assert "'bad'" in page.text
        page.at.button(key="remove-bad").click()
        page.run()
        page.button("Remove").click()
        page.run()
        assert dataset_names() == ["demo"]


def test_a_dataset_that_is_damaged_while_it_is_open_is_told(app, bad):
    page = app("browse", dataset="bad")
    check_sound(page)
    images_cut(bad)
    assert "images.npy" in page.run().text


@pytest.mark.parametrize("file", ["config.json", "status.json"])
@pytest.mark.parametrize("content", [b"", b"null", b'{"format": 1, "state": 5}', b"[" * 99_999])
def test_a_damaged_run_spoils_no_page(app, dataset, file, content):
    make_run(dataset, "good")
    run = make_run(dataset, "broken")
    run.best.write_bytes(b"no weights")
    (run.folder / file).write_bytes(content)
    for name in PAGES:
        check_sound(app(name))
    page = app("train")
    assert "'broken'" in page.text
    assert table(page)["Run"].tolist() == ["good"]
    for query in ({"model": "broken"}, {"model": "bundled", "other": "broken"}):
        for name in ("browse", "evaluate", "correct"):
            assert "unexpected" not in app(name, **query).text
    page.at.button(key="delete-broken").click()
    page.run()
    page.button("Delete").click()
    page.run()
    assert [run.name for run in all_runs()] == ["good"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "metrics.csv").write_bytes(b"\x00" * 50),
        lambda folder: ((folder / "metrics.csv").unlink(), (folder / "metrics.csv").mkdir()),
        lambda folder: (folder / "samples" / "rows.json").write_text('["a"]'),
        lambda folder: (folder / "samples" / "epoch-00003.npy").write_bytes(b""),
        lambda folder: ((folder / "note.txt").unlink(), (folder / "note.txt").mkdir()),
    ],
)
def test_damage_within_a_run_is_told_and_spoils_nothing_else(app, dataset, damage):
    run = make_run(dataset, "mine", note="n")
    damage(run.folder)
    page = app("train", run="mine")
    assert "unexpected" not in page.text
    assert page.metrics()["Best RMSE"] == "1.25 px"
    check_sound(app("train"))


@pytest.fixture
def frozen_labels(home, postgres, postgres_url, monkeypatch):
    """Labels are kept on a server that can be frozen."""
    monkeypatch.setenv("FKD_DATABASE_URL", postgres_url.render_as_string(hide_password=False))
    return postgres


@pytest.mark.slow
def test_an_edit_outlives_a_frozen_database(app, frozen_labels, dataset):
    store = LabelStore(dataset)
    page = app("correct", queue="all", row="0")
    page.at.text_input[0].set_value("Ann")
    page.button("Begin").click()
    page.run()

    def press(key: str) -> None:
        next(b for b in page.at.button if b.key == f"correct-{key}").click()
        page.run()

    with frozen(frozen_labels):
        start = time.monotonic()
        press("absent")
        assert time.monotonic() - start < 30
        assert "cannot be reached" in page.text
        assert "kept here" in page.text
        assert "unexpected" not in page.text
    time.sleep(database._SILENT_S)
    page.at.button(key="labels-again").click()
    page.run()
    assert "unsaved edits" in page.text
    press("save")
    assert store.head() == 1
    assert open_named("demo") is not None
