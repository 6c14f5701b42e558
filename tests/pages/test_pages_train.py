"""The Train page: its form, its runs in every state, its links."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from fkd.registry import open_named, remove
from fkd.training import history
from fkd.training import status as states
from fkd.training.config import Augmentation
from fkd.training.create import make_config
from fkd.training.history import Row
from fkd.training.runs import Run, all_runs, create_run, open_run
from fkd.training.status import Status

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def dataset(home):
    return open_named("demo")


@pytest.fixture
def started(monkeypatch):
    """Names of the runs that were launched; no process is started."""
    names: list[str] = []
    for module in ("form", "actions"):
        what = "launch" if module == "form" else "resume"
        monkeypatch.setattr(
            f"dashboard.training.{module}.{what}", lambda run: names.append(run.name)
        )
    return names


def make_run(
    dataset, name: str, state: str = states.FINISHED, epochs: int = 3, note: str = "", **settings
) -> Run:
    """A run folder as a training leaves it, in ``state``."""
    seed = settings.pop("seed", 0)
    settings = {"epochs": epochs + 2, **settings}
    run = create_run(make_config(dataset, "compact", seed=seed, settings=settings), name, note)
    samples = run.folder / "samples"
    samples.mkdir()
    rows = run.config.split.validation[:5]
    (samples / "rows.json").write_text(json.dumps(rows.tolist()))
    truth = np.nan_to_num(dataset.keypoints[np.searchsorted(dataset.rows, rows)], nan=40)
    for n in range(1, epochs + 1):
        history.append(run.folder, Row(n - 0.5, 3 * n - 1, 9.0 / n, 6.0 / n, seconds=n - 0.5))
        done = Row(n, 3 * n, 8.0 / n, 5.0 / n, 7.0 / n, 6.0 / n, 4.0 / n, 0.1, seconds=float(n))
        history.append(run.folder, done)
        np.save(samples / f"epoch-{n:05d}.npy", (truth + 1.0 / n).astype(np.float32))
    Status(
        state=state,
        heartbeat=0 if state == states.CRASHED else time.time() + 60,
        epoch=epochs,
        steps=3,
        epochs=epochs + 2,
        best_epoch=epochs - 1,
        best_rmse_px=1.25,
        images_per_second=150.0,
        elapsed=75.0,
        seconds_left=125.0 if state == states.RUNNING else None,
        reason="The disk is full." if state == states.FAILED else "",
    ).write(run.folder)
    if state == states.CRASHED:  # never written, only seen
        Status(states.RUNNING, heartbeat=1.0, epoch=epochs, epochs=epochs + 2).write(run.folder)
    return run


def table(page):
    return page.at.dataframe[0].value


# The form


def test_without_runs_it_says_how_to_begin(app):
    page = app("train")
    assert "No run yet" in page.text
    assert page.button("Start training")
    assert "Roughly" in page.text
    assert "a guess" in page.text


def test_without_anything_it_leads_to_data(app, home):
    remove("demo")
    page = app("train")
    assert "No dataset is open" in page.text
    assert "Runs" not in page.text


def test_without_a_dataset_it_leads_to_data(app, dataset):
    make_run(dataset, "mine")
    remove("demo")
    page = app("train")
    assert "No dataset is open" in page.text
    assert table(page)["run"].tolist() == ["mine"]


def test_one_button_starts_with_the_recipe(app, started):
    page = app("train")
    page.button("Start training").click()
    page.run()
    assert started == ["compact-1"]
    assert page.query["run"] == "compact-1"
    config = open_run("compact-1").config
    assert (config.dataset, config.model, config.epochs) == ("demo", "compact", 60)
    assert config.augmentation == Augmentation()
    assert len(config.split.training) + len(config.split.validation) == 90


def choose(page, part: str) -> None:
    """Turn to another part of the settings."""
    [picker] = [g for g in page.at.get("button_group") if "Augmentation" in g.options]
    picker.set_value(part)
    page.run()


def test_every_setting_reaches_the_configuration(app, started):
    page = app("train")
    page.at.number_input(key="train-epochs").set_value(7)
    page.at.radio(key="train-missing").set_value("complete")
    page.at.slider(key="train-fraction").set_value(0.2)
    page.at.slider(key="train-demo_share").set_value(0.5)
    page.run()
    choose(page, "Augmentation")
    page.at.slider(key="train-augmentation.rotation").set_value(3.0)
    page.run()
    choose(page, "Optimisation")
    for name, value in (("batch_size", 8), ("patience", 4), ("seed", 5), ("weight_decay", 0.0)):
        page.at.number_input(key=f"train-{name}").set_value(value)
    page.at.number_input(key="train-learning_rate").set_value(0.004)
    page.at.selectbox(key="train-schedule").set_value("constant")
    page.at.selectbox(key="train-precision").set_value("float32")
    page.run()
    choose(page, "Name and note")
    page.at.text_input(key="train-name").set_value("mine")
    page.at.text_input(key="train-note").set_value("less turning")
    page.run()
    page.button("Start training").click()
    page.run()
    assert started == ["mine"]
    run = open_run("mine")
    config = run.config
    assert run.note == "less turning"
    assert (config.epochs, config.missing, config.demo_share) == (7, "complete", 0.5)
    assert (config.batch_size, config.patience, config.seed) == (8, 4, 5)
    assert (config.learning_rate, config.weight_decay) == (0.004, 0.0)
    assert (config.schedule, config.precision) == ("constant", "float32")
    assert config.augmentation == Augmentation(rotation=3.0)
    assert len(config.split.validation) == pytest.approx(18, abs=4)


def test_changes_are_kept_for_each_model_and_can_be_undone(app):
    page = app("train")
    page.at.number_input(key="train-epochs").set_value(7)
    page.run()
    assert "1 setting differs from the recipe of compact" in page.text
    page.at.segmented_control(key="train-model").set_value("baseline")
    page.run()
    assert page.at.number_input(key="train-epochs").value == 100
    assert "differs" not in page.text
    page.at.segmented_control(key="train-model").set_value("compact")
    page.run()
    assert page.at.number_input(key="train-epochs").value == 7
    page.button("Reset to the recipe").click()
    page.run()
    assert page.at.number_input(key="train-epochs").value == 60


def test_the_form_outlives_a_visit_to_another_page(app):
    page = app("train")
    page.at.number_input(key="train-epochs").set_value(9)
    page.run()
    page.at.switch_page("../pages/browse.py")
    page.run()
    page.at.switch_page("../pages/train.py")
    page.run()
    assert page.at.number_input(key="train-epochs").value == 9


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("Data", "epochs", 0, "The number of epochs must be between 1 and 100000, not 0."),
        ("Optimisation", "learning_rate", -1.0, "The learning rate must be between"),
        ("Optimisation", "batch_size", 100_000, "The batch size must be between"),
        ("Optimisation", "seed", -3, "The seed must be between"),
    ],
)
def test_a_bad_value_is_one_sentence_and_nothing_is_lost(app, started, part, key, value, words):
    page = app("train")
    page.at.slider(key="train-fraction").set_value(0.3)
    page.run()
    choose(page, part)
    page.at.number_input(key=f"train-{key}").set_value(value)
    page.run()
    page.button("Start training").click()
    page.run()
    assert words in page.text
    assert (started, all_runs()) == ([], [])
    assert page.at.number_input(key=f"train-{key}").value == value
    choose(page, "Data")
    assert page.at.slider(key="train-fraction").value == 0.3


@pytest.mark.parametrize(
    ("name", "words"),
    [("taken", "There is a run 'taken' already"), ("../x", "cannot name a run"), ("bundled", "is")],
)
def test_a_bad_name_starts_nothing(app, dataset, started, name, words):
    make_run(dataset, "taken")
    page = app("train")
    choose(page, "Name and note")
    page.at.text_input(key="train-name").set_value(name)
    page.run()
    page.button("Start training").click()
    page.run()
    assert words in page.text
    assert started == []
    assert len(all_runs()) == 1


def test_a_run_can_be_repeated_with_other_settings(app, dataset, started):
    make_run(dataset, "mine", patience=7, augmentation=Augmentation(shift=1.0), seed=4)
    page = app("train", run="mine")
    page.button("New training with these settings").click()
    page.run()
    assert "4 settings differ from the recipe" in page.text  # the epochs too
    page.at.number_input(key="train-epochs").set_value(8)
    page.run()
    page.button("Start training").click()
    page.run()
    again = open_run(started[0]).config
    assert again.differences(open_run("mine").config) == {
        "epochs": (8, 5),
        "warmup_epochs": (pytest.approx(0.8), pytest.approx(0.5)),
    }


def upload(page, text: str):
    page.at.file_uploader(key="train-groups").upload("people.csv", text.encode(), "text/csv")
    page.run()


def test_groups_stay_on_one_side(app, dataset, started):
    page = app("train")
    rows = [f"{row},p{row // 10}" for row in dataset.rows]
    upload(page, "\n".join(["row,person", *rows]))
    assert "people.csv: 9 groups of 90 images" in page.text
    choose(page, "Optimisation")  # the uploader is gone, its groups are kept
    page.button("Start training").click()
    page.run()
    config = open_run(started[0]).config
    assert config.grouped
    held = {row // 10 for row in config.split.validation}
    assert held.isdisjoint({row // 10 for row in config.split.training})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2", "the first line must name two columns"),
        ("row,person\n999999,x", "none of its 1 rows is in dataset"),
        ("row,person\n1,[x](http://y)\n1,z", "row 1 is in another group already"),
    ],
)
def test_a_bad_table_of_groups_is_one_sentence(app, text, words):
    page = app("train")
    upload(page, text)
    assert words in page.text


def test_groups_of_another_dataset_are_not_used(app, dataset, started, home):
    page = app("train")
    upload(page, "row,person\n" + "\n".join(f"{row},x{row % 2}" for row in dataset.rows))
    wish = page.at.session_state["train-wish"]
    wish.groups = type(wish.groups)("old.csv", "another", wish.groups.numbers, 0)
    page.button("Start training").click()
    page.run()
    assert "was read for another dataset" in page.text
    assert started == []


def test_the_estimate_follows_finished_runs_of_the_model(app, dataset):
    make_run(dataset, "one")  # 3 batches of 32 a second
    page = app("train")
    assert "as in the last run of this model" in page.text
    assert "at 96 a second" in page.text
    page.at.segmented_control(key="train-model").set_value("baseline")
    page.run()
    assert "a guess" in page.text


def test_the_estimate_says_what_goes_first(app, dataset):
    make_run(dataset, "busy", states.RUNNING)
    assert "after busy, about 2 min" in app("train").text


# Runs


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
    make_run(dataset, "mine")
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


# Damage


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
    assert table(page)["run"].tolist() == ["good"]
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


# The sidebar


def test_the_sidebar_tells_what_trains_on_every_page(app, dataset):
    assert not app("browse").at.sidebar.get("page_link")
    make_run(dataset, "mine", states.RUNNING)
    make_run(dataset, "next", states.QUEUED)
    for page in ("data", "browse", "train"):
        [link] = app(page).at.sidebar.get("page_link")
        label = link.proto.label.replace("\N{NO-BREAK SPACE}", " ")
        assert label == "mine, epoch 4 of 5, 1.2 px, 2 min left (+1)"
