"""The Train page: a run in every state, what can be done with it, runs side by side."""

from __future__ import annotations

import pytest
from train_page_helper import make_run, table

from fkd.training import status as states
from fkd.training.runs import all_runs, open_run

pytestmark = pytest.mark.usefixtures("home")


def test_every_state_is_in_the_table(app, dataset):
    for state in sorted({*states.ACTIVE, *states.RESUMABLE, states.FINISHED, states.CANCELLED}):
        make_run(dataset, f"a-{state}", state)
    page = app("train")
    shown = table(page)
    assert sorted(s[0] for s in shown["state"]) == sorted(
        name.removeprefix("a-") for name in shown["run"]
    )
    assert len(shown) == 8
    assert shown["best RMSE (px)"].iloc[0] == 1.25
    page.at.text_input(key="runs-filter").set_value("crashed")
    page.run()
    assert table(page)["run"].tolist() == ["a-crashed"]
    page.at.text_input(key="runs-filter").set_value("nothing like it")
    page.run()
    assert len(table(page)) == 0


WAYS_ON = {
    states.QUEUED: {"Stop early", "Cancel"},
    states.RUNNING: {"Stop early", "Cancel"},
    states.STOPPING: {"Stopping ...", "Cancel"},
    states.STOPPED: {"Resume"},
    states.FINISHED: set(),
    states.CANCELLED: set(),
    states.FAILED: {"Resume"},
    states.CRASHED: {"Resume"},
}


@pytest.mark.parametrize("state", WAYS_ON)
def test_a_run_in_each_state_has_its_ways_on(app, dataset, state):
    make_run(dataset, "mine", state)
    page = app("train", run="mine")
    assert f"{state}]" in page.text  # the badge
    labels = {b.label for b in page.at.button}
    known = {"Stop early", "Stopping ...", "Cancel", "Resume"}
    assert labels & known == WAYS_ON[state]
    assert "unexpected" not in page.text


def test_a_failed_run_says_why(app, dataset):
    make_run(dataset, "mine", states.FAILED)
    assert "The disk is full. Resume begins anew." in app("train", run="mine").text
    (open_run("mine").last).touch()
    assert "Resume goes on after epoch 3." in app("train", run="mine").text


def test_a_crashed_run_says_so(app, dataset):
    make_run(dataset, "mine", states.CRASHED)
    assert "killed, or the computer went down" in app("train", run="mine").text


def test_the_numbers_of_a_run(app, dataset):
    make_run(dataset, "mine", states.RUNNING, patience=5)
    page = app("train", run="mine")
    numbers = page.metrics()
    assert numbers["Best RMSE"] == "1.25 px"
    assert numbers["Best epoch"] == "2"
    assert numbers["Epochs in plateau"] == "1 of 5"
    assert numbers["Elapsed"] == "1 min 15 s"
    assert numbers["Left"] == "2 min"


def test_stop_asks_the_process(app, dataset):
    run = make_run(dataset, "mine", states.RUNNING)
    page = app("train", run="mine")
    page.button("Stop early").click()
    page.run()
    assert run.stop_requested
    assert page.button("Stopping ...").disabled


def test_cancel_asks_once(app, dataset):
    run = make_run(dataset, "mine", states.RUNNING)
    page = app("train", run="mine")
    page.button("Cancel").click()
    page.run()
    assert not run.cancel_requested
    page.button("Discard the weights").click()
    page.run()
    assert run.cancel_requested


def test_resume_goes_on(app, dataset, started):
    make_run(dataset, "mine", states.STOPPED)
    page = app("train", run="mine")
    page.button("Resume").click()
    page.run()
    assert started == ["mine"]


def test_delete_names_what_goes_and_asks(app, dataset):
    make_run(dataset, "mine").best.write_bytes(b"weights")
    page = app("train", run="mine")
    page.at.button(key="delete-run").click()
    page.run()
    assert "with its weights (1.25 px at epoch 2)" in page.text
    page.button("Keep it").click()
    page.run()
    assert len(all_runs()) == 1
    page.at.button(key="delete-run").click()
    page.run()
    page.button("Delete").click()
    page.run()
    assert all_runs() == []
    assert "No run yet" in page.text


def test_rename_and_note(app, dataset):
    make_run(dataset, "mine")
    make_run(dataset, "other")
    page = app("train", run="mine,other")
    page.at.text_area(key="note-of-mine").set_value("the *best*")
    page.run()
    assert open_run("mine").note == "the *best*"
    assert "the *best*" in page.text
    page.at.text_input(key="name-of-mine").set_value("other")
    page.run()
    page.button("Rename").click()
    page.run()
    assert "There is a run 'other' already" in page.text
    page.at.text_input(key="name-of-mine").set_value("yours")
    page.run()
    page.button("Rename").click()
    page.run()
    assert page.query["run"] == "yours,other"
    assert open_run("yours").note == "the *best*"


def test_an_unknown_run_in_the_link(app, dataset):
    make_run(dataset, "mine")
    page = app("train", run="gone")
    assert "There is no run 'gone'" in page.text
    page.button("All runs").click()
    page.run()
    assert table(page)["run"].tolist() == ["mine"]
    page = app("train", run="mine,gone")
    assert "There is no run 'gone'" in page.text
    assert page.metrics()["Best RMSE"] == "1.25 px"


@pytest.mark.parametrize("run", ["../../etc/passwd", "[x](http://y)", "," * 500, "a" * 5000, "%00"])
def test_a_hostile_link_shows_something_harmless(app, dataset, run):
    make_run(dataset, "mine")
    assert "unexpected" not in app("train", run=run, scale="<b>").text


def test_runs_side_by_side(app, dataset):
    make_run(dataset, "one", epochs=2)
    make_run(dataset, "two", epochs=4, patience=3)
    page = app("train", run="one,two")
    assert table(page)["run"].tolist() == ["one", "two"]
    different = page.at.dataframe[1].value.set_index("setting")
    assert different.loc["patience"].tolist() == ["0", "3"]
    assert "seed" not in different.index
    assert "Not comparable" not in page.text
    make_run(dataset, "three", seed=9)
    page = app("train", run="one,three")
    assert "Not comparable" in page.text
    assert "split" in page.at.dataframe[1].value["setting"].tolist()
