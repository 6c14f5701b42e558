"""Labels on the Train page: which version a run learns from, chosen and told."""

from __future__ import annotations

import pytest
from train_page_helper import make_run, table

from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.training.runs import open_run, run_names

pytestmark = pytest.mark.usefixtures("home", "no_bundled")


@pytest.fixture
def store(dataset):
    """Three versions: the left eye centre of three images moved, the last one by an accepted
    prediction."""
    store = LabelStore(dataset)
    for row in (1, 2, 3):
        origin = Origin.PREDICTION if row == 3 else Origin.EDITED
        store.save([Edit(row, 0, PointLabel(State.VISIBLE, 60.0, 40.0, origin))], "Ann")
    return store


def start(page):
    page.button("Start training").click()
    page.run()
    return open_run(run_names()[0]).config


def test_without_corrections_there_is_nothing_to_choose(app, started):
    page = app("train")
    assert not [box for box in page.at.selectbox if box.key == "train-label_version"]
    config = start(page)
    assert config.learns_from == (0, True)


@pytest.mark.usefixtures("store")
def test_the_latest_is_what_is_latest_when_it_starts(app, store, started):
    page = app("train")
    box = page.at.selectbox(key="train-label_version")
    assert box.options == ["latest (version 3)", "as ingested", "version 2", "version 1"]
    store.save([Edit(5, 0, PointLabel(State.ABSENT))], "Ann")
    assert start(page).learns_from == (4, True)


@pytest.mark.usefixtures("store")
def test_a_version_without_accepted_predictions(app, started):
    page = app("train")
    page.at.selectbox(key="train-label_version").set_value(2)
    page.at.checkbox(key="train-accepted").uncheck()
    page.run()
    assert start(page).learns_from == (2, False)


def test_a_version_that_the_dataset_does_not_have_gives_way_to_the_latest(app, store, started):
    page = app("train")
    page.at.session_state["train-wish"].change("label_version", 9)  # as chosen for another dataset
    page.run()
    assert page.at.selectbox(key="train-label_version").value == -1
    assert start(page).learns_from == (3, True)


@pytest.mark.usefixtures("store")
def test_corrections_keep_the_split(app, dataset, started):
    """Before and after are validated on the same images."""
    before = make_run(dataset, "before").config
    assert start(app("train")).split.digest == before.split.digest


@pytest.mark.usefixtures("store")
def test_the_table_the_head_and_the_differences_say_which(app, dataset):
    make_run(dataset, "old")
    make_run(dataset, "new", label_version=3, accepted=False)
    page = app("train")
    by_name = dict(zip(table(page)["Run"], table(page)["Labels"], strict=True))
    assert by_name == {"old": "as ingested", "new": "version 3, without accepted predictions"}
    page.at.text_input(key="runs-filter").set_value("ingested")
    page.run()
    assert table(page)["Run"].tolist() == ["old"]
    page = app("train", run="new,old")
    assert "validation images; labels version 3, without accepted predictions" in page.text
    compared = page.at.dataframe[0].value
    assert list(compared.columns[5:]) == ["Labels"]  # nothing else differs
    assert dict(zip(compared["Run"], compared["Labels"], strict=True))["old"] == "as ingested"
    settings = next(e.value for e in page.at.dataframe if "Value" in e.value.columns)
    values = dict(zip(settings["Setting"], settings["Value"], strict=True))
    assert values["Labels"] == "version 3, without accepted predictions"
    assert not {"label_version", "accepted"} & values.keys()
