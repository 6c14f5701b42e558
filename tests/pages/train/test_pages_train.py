"""The Train page: a run in every state, what can be done with it, runs side by side."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest
from train_page_helper import make_run, table

from dashboard.training.curves import smoothed
from fkd.training import history
from fkd.training import status as states
from fkd.training.config import SETTINGS
from fkd.training.runs import all_runs, open_run
from fkd.training.status import Status

pytestmark = pytest.mark.usefixtures("home")


def test_every_state_is_in_the_table(app, dataset):
    for state in sorted({*states.ACTIVE, *states.RESUMABLE, states.FINISHED, states.CANCELLED}):
        make_run(dataset, f"a-{state}", state)
    page = app("train")
    shown = table(page)
    assert sorted(s[0] for s in shown["State"]) == sorted(
        name.removeprefix("a-") for name in shown["Run"]
    )
    assert len(shown) == 8
    assert shown["Best RMSE (px)"].iloc[0] == 1.25
    page.at.text_input(key="runs-filter").set_value("crashed")
    page.run()
    assert table(page)["Run"].tolist() == ["a-crashed"]
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
    assert numbers["Epochs since best"] == "1 of 5"
    assert numbers["Training time"] == "1 min 15 s"
    assert numbers["Left"] == "5 s"  # two epochs of a second


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
    page.button("Cancel and discard the weights").click()
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
    assert "No runs yet" in page.text


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
    assert table(page)["Run"].tolist() == ["mine"]
    page = app("train", run="mine,gone")
    assert "There is no run 'gone'" in page.text
    assert page.metrics()["Best RMSE"] == "1.25 px"


@pytest.mark.parametrize("run", ["../../etc/passwd", "[x](http://y)", "," * 500, "a" * 5000, "%00"])
def test_a_hostile_link_shows_something_harmless(app, dataset, run):
    make_run(dataset, "mine")
    assert "unexpected" not in app("train", run=run, scale="<b>").text


def compared(page):
    """The table of the runs that are compared."""
    return page.at.dataframe[0].value


def lines(page, chart: int = 0) -> list[dict]:
    """The lines of a chart, as the browser gets them."""
    sources = [json.loads(e.proto.json) for e in page.at.get("bidi_component")]
    return [one for one in sources if "lines" in one][chart]["lines"]


def test_runs_side_by_side(app, dataset):
    make_run(dataset, "one", epochs=2)
    make_run(dataset, "two", epochs=4, patience=3)
    page = app("train", run="one,two")
    assert compared(page)["Run"].tolist() == ["one", "two"]
    assert list(compared(page).columns[5:]) == ["Epochs", "Early stopping patience (epochs)"]
    assert compared(page)["Early stopping patience (epochs)"].tolist() == ["0", "3"]
    page.at.toggle(key="all-settings").set_value(True)
    page.run()
    assert set(SETTINGS.values()) <= set(compared(page).columns)
    assert "Not comparable" not in page.text
    make_run(dataset, "three", seed=9)
    page = app("train", run="one,three")
    assert "Not comparable" in page.text
    assert "Split" in compared(page).columns


def test_the_best_run_comes_first_in_the_table(app, dataset):
    make_run(dataset, "worse")
    better = make_run(dataset, "better")
    replace(better.status, best_rmse_px=1.0).write(better.folder)
    none = make_run(dataset, "none")
    replace(none.status, epoch=0, best_rmse_px=0.1).write(none.folder)  # stopped before an end
    page = app("train", run="none,worse,better")
    assert compared(page)["Run"].tolist() == ["better", "worse", "none"]
    assert compared(page)["Best epoch"].isna().tolist() == [False, False, True]


def test_runs_are_hidden_and_the_link_says_so(app, dataset):
    make_run(dataset, "one")
    make_run(dataset, "two")
    page = app("train", run="one,two")
    [pills] = [g for g in page.at.get("button_group") if g.options == ["one", "two"]]
    before = {line["color"] for line in lines(page) if line["name"].startswith("two")}
    pills.set_value(["two"])
    page.run()
    assert page.query["hide"] == "one"
    assert {line["name"].split()[0] for line in lines(page)} <= {"validation", "training"}
    assert {line["color"] for line in lines(page)} == before
    assert compared(page)["Run"].tolist() == ["one", "two"]
    page = app("train", run="one,two", hide="one,two,gone")
    assert "All runs are hidden" in page.text


def test_the_faces_of_all_runs_that_are_shown(app, dataset):
    for name in ("one", "two"):
        make_run(dataset, name)
    page = app("train", run="one,two")
    grids = [json.loads(e.proto.json) for e in page.at.get("bidi_component")]
    first, second = (one["faces"] for one in grids if "faces" in one)
    assert [face["id"] for face in first] == [face["id"] for face in second]
    assert "**one**, after epoch 3" in page.text
    page = app("train", run="one,two", hide="two")
    assert "**two**, after" not in page.text


@pytest.mark.parametrize(("asked", "weight"), [("0.5", 0.5), ("7", 0.95), ("nan", 0), ("<b>", 0)])
def test_curves_are_smoothed_as_the_link_says(app, dataset, asked, weight):
    make_run(dataset, "mine")
    page = app("train", run="mine", smooth=asked)
    assert page.at.slider(key="smoothing").value == weight
    pale = [line for line in lines(page) if line["kind"] == "pale"]
    assert len(pale) == (2 if weight else 0)
    [drawn] = [line for line in lines(page) if line["name"] == "validation"]
    if weight:
        assert drawn["y"] == pytest.approx(smoothed(pale[1]["y"], weight))
        assert drawn["y"] != pale[1]["y"]


def begun(run, *stages: str) -> None:
    """Let ``run`` have come as far as the last of ``stages``, a second each."""
    now = time.time()
    times = {stage: now - len(stages) + n for n, stage in enumerate(stages)}
    status = Status(states.RUNNING, steps=3, epochs=5, stage=stages[-1], began=times)
    status.attended().write(run.folder)


def test_a_start_is_told_stage_by_stage_with_one_clock(app, dataset):
    past = make_run(dataset, "past")
    times = {stage: 100.0 + 10 * n for n, stage in enumerate(states.STAGES)}
    replace(past.status, began=times).write(past.folder)
    run = make_run(dataset, "mine", states.RUNNING, epochs=0)
    begun(run, states.STARTING, states.LOADING, states.PREPARING, states.COMPILING)
    page = app("train", run="mine")
    since = re.search(r"\*\*Starting\*\*: (\d+) s", page.text)
    assert 4 <= int(since[1]) < 60  # it goes on while the page is drawn
    assert "usually begins after 40 s" in page.text
    assert "Loading TensorFlow :gray[1 s]" in page.text
    assert "**Compiling the model** :gray[(usually 10 s)]" in page.text
    assert not page.metrics()  # no second clock, and nothing to say yet


def test_a_run_asked_to_end_is_stopping_at_once(app, dataset):
    run = make_run(dataset, "mine", states.RUNNING, epochs=0)
    begun(run, states.STARTING, states.LOADING)
    page = app("train", run="mine")
    page.button("Stop early").click()
    page.run()
    assert "stopping]" in page.text  # the badge
    assert "**Stopping**" in page.text
    assert page.button("Stopping ...").disabled


@pytest.mark.parametrize("rows", [0, 1])
def test_a_run_stopped_before_its_first_epoch_claims_nothing(app, dataset, rows):
    run = make_run(dataset, "mine", states.STOPPED, epochs=0)
    for _ in range(rows):
        history.append(run.folder, history.Row(0.3, 1, 30.0, 20.0, seconds=3.0))
    run.best.write_bytes(b"weights")
    status = Status(states.STOPPED, steps=3, epochs=5, best_epoch=1, best_rmse_px=19.3)
    status.write(run.folder)
    page = app("train", run="mine")
    assert "Best epoch" not in page.metrics()
    assert "19.3" not in page.text
    assert not [e for e in page.at.get("bidi_component") if "lines" in json.loads(e.proto.json)]
    if rows:
        assert "1 of the 3 batches of its first epoch" in page.text
    assert table(app("train"))["Best RMSE (px)"].isna().all()
