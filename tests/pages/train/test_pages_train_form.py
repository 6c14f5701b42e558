"""The form of the Train page: settings, groups, estimate."""

from __future__ import annotations

import pytest
from train_page_helper import make_run, table

from fkd.registry import remove
from fkd.training import status as states
from fkd.training.config import Augmentation
from fkd.training.runs import all_runs, open_run

pytestmark = pytest.mark.usefixtures("home")


def test_without_runs_it_says_how_to_begin(app):
    page = app("train")
    assert "No runs yet" in page.text
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
    assert table(page)["Run"].tolist() == ["mine"]


def test_one_button_starts_with_the_recipe(app, started):
    page = app("train")
    page.button("Start training").click()
    page.run()
    assert started == ["compact-1"]
    assert page.query["run"] == "compact-1"
    config = open_run("compact-1").config
    assert (config.dataset, config.model, config.epochs) == ("demo", "compact", 40)
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
    choose(page, "Optimization")
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
    assert "1 setting differs from the defaults of compact" in page.text
    page.at.segmented_control(key="train-model").set_value("baseline")
    page.run()
    assert page.at.number_input(key="train-epochs").value == 100
    assert "differs" not in page.text
    page.at.segmented_control(key="train-model").set_value("compact")
    page.run()
    assert page.at.number_input(key="train-epochs").value == 7
    page.button("Reset to defaults").click()
    page.run()
    assert page.at.number_input(key="train-epochs").value == 40


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
        ("Optimization", "learning_rate", -1.0, "The learning rate must be between"),
        ("Optimization", "batch_size", 100_000, "The batch size must be between"),
        ("Optimization", "seed", -3, "The seed must be between"),
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
    assert "4 settings differ from the defaults" in page.text  # the epochs too
    page.at.number_input(key="train-epochs").set_value(8)
    page.run()
    page.button("Start training").click()
    page.run()
    again = open_run(started[0]).config
    assert again.differences(open_run("mine").config) == {"epochs": (8, 5)}


def upload(page, text: str):
    page.at.file_uploader(key="train-groups").upload("people.csv", text.encode(), "text/csv")
    page.run()


def test_groups_stay_on_one_side(app, dataset, started):
    page = app("train")
    rows = [f"{row},p{row // 10}" for row in dataset.rows]
    upload(page, "\n".join(["row,person", *rows]))
    assert "people.csv: 9 groups of 90 images" in page.text
    choose(page, "Optimization")  # the uploader is gone, its groups are kept
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
    assert "belongs to another dataset" in page.text
    assert started == []


def test_the_estimate_is_a_range_from_comparable_runs(app, dataset):
    make_run(dataset, "one")  # 3 batches of 32 a second
    page = app("train")
    assert "as in the last comparable run" in page.text
    assert "at 96 per second" in page.text
    assert "50 s – 2 min" in page.text  # 38 batches and the start, give or take
    make_run(dataset, "two", states.STOPPED)
    assert "as in 2 comparable runs" in app("train").text
    page.at.segmented_control(key="train-model").set_value("baseline")
    page.run()
    assert "a guess" in page.text


def test_the_estimate_says_what_goes_first(app, dataset):
    make_run(dataset, "busy", states.RUNNING)
    assert "Starts after busy, in 5 s" in app("train").text
