"""Broken run folders on the Train page, and the sidebar's line about what trains."""

from __future__ import annotations

import pytest
from train_page_helper import make_run, table

from fkd.registry import remove
from fkd.training import status as states
from fkd.training.runs import all_runs

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("status.json", b"{", "The status of run 'bad' cannot be read"),
        ("status.json", b'{"epoch": "x"}', "The status of run 'bad' cannot be read"),
        ("config.json", b"\xff", "Run 'bad' has an unreadable config.json"),
        ("config.json", b"[]", "written by another version"),
    ],
)
def test_a_broken_run_is_listed_with_the_reason_and_can_be_deleted(
    app, dataset, file, content, words
):
    make_run(dataset, "good")
    bad = make_run(dataset, "bad")
    (bad.folder / file).write_bytes(content)
    page = app("train")
    assert words in page.text
    assert table(page)["Run"].tolist() == ["good"]
    assert words in app("train", run="bad").text
    page.at.button(key="delete-bad").click()
    page.run()
    page.button("Delete").click()
    page.run()
    assert [run.name for run in all_runs()] == ["good"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("metrics.csv", b"\xff\x00,,\n1,2\n"),
        ("samples/epoch-00003.npy", b"no array"),
        ("samples/rows.json", b"{"),
        ("samples/rows.json", b"[1, 2]"),
        ("samples/epoch-x.npy", b""),
        ("log.txt", b"\xff\xfe"),
        ("note.txt", b"\xff"),
    ],
)
def test_damage_within_a_run_spoils_only_what_it_is_about(app, dataset, file, content):
    run = make_run(dataset, "mine")
    (run.folder / file).write_bytes(content)
    page = app("train", run="mine")
    assert "unexpected" not in page.text
    assert page.metrics()["Best RMSE"] == "1.25 px"


def test_a_run_of_a_dataset_that_is_gone(app, dataset):
    make_run(dataset, "mine")
    remove("demo")
    page = app("train", run="mine")
    assert "The faces cannot be shown" in page.text
    assert page.metrics()["Best epoch"] == "2"


def test_the_sidebar_tells_what_trains_on_every_page(app, dataset):
    assert not app("browse").at.sidebar.get("page_link")
    make_run(dataset, "mine", states.RUNNING)
    make_run(dataset, "next", states.QUEUED)
    for page in ("data", "browse", "train"):
        [link] = app(page).at.sidebar.get("page_link")
        label = link.proto.label.replace("\N{NO-BREAK SPACE}", " ")
        assert label == "mine, epoch 4 of 5, 1.2 px, 2 min left (+1)"
