"""Evaluate's links and ways back, and what it says where it cannot score."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from evaluate_page_helper import faces
from evaluation_helper import (
    make_run,
    output_of,
    store_all,
)

from dashboard.tasks import tasks
from fkd.evaluation.metrics import point_errors

pytestmark = pytest.mark.usefixtures("home", "no_bundled")


@pytest.mark.usefixtures("model", "other")
def test_widgets_set_the_link_and_the_link_sets_the_widgets(app):
    page = app("evaluate", model="one")
    page.at.selectbox(key="e-other").set_value("two")
    page.run()
    assert page.query == {"dataset": "demo", "model": "one", "with": "two"}
    page.at.selectbox(key="e-model").set_value("two")
    page.run()
    assert page.query == {"dataset": "demo", "model": "two"}  # not with itself
    page = app("evaluate", model="two", rows="all", section="faces", faces="best", page="2")
    group = {b.key: b.value for b in page.at.button_group}
    assert (group["e-split"], group["e-section"], group["e-which"]) == ("all", "faces", "best")


@pytest.mark.usefixtures("model", "other")
def test_runs_compared_on_train_are_compared_here(app):
    page = app("train", run="one,two")
    page.button("Evaluate").click()
    page.run()
    assert "two is more accurate than one" in page.text
    assert page.query == {"dataset": "demo", "model": "one", "with": "two"}


@pytest.mark.usefixtures("model", "other")
def test_coming_back_finds_the_last_view(app):
    page = app("evaluate", model="one", section="faces").come_back("evaluate")
    assert (page.query["model"], page.query["section"]) == ("one", "faces")


@pytest.mark.usefixtures("model")
def test_back_from_browse_finds_the_view_that_was_left(app):
    page = app("evaluate", section="faces", faces="best")
    # The address that Streamlit leaves behind on the way to Browse.
    page.at.query_params["sort"] = "error"
    page.at.query_params["image"] = "88"
    for key in ("section", "faces"):
        del page.at.query_params[key]
    page.run()
    assert page.query == {"dataset": "demo", "model": "one", "section": "faces", "faces": "best"}


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "query",
    [
        {"model": "../../etc", "with": "`x`*", "rows": "some", "section": "__class__"},
        {"model": "one", "with": "one", "by": "x", "faces": "ugliest", "page": "²"},
        {"model": "one", "section": "faces", "page": "-3"},
        {"model": "x" * 5000, "page": "9" * 400},
    ],
)
def test_a_hostile_link_shows_something_harmless(app, query):
    page = app("evaluate", **query)
    assert "unexpected" not in page.text
    assert "## one:" in page.text


@pytest.mark.usefixtures("model")
def test_a_model_that_is_gone_is_said(app):
    page = app("evaluate", model="gone")
    assert "There is no model named `gone`" in page.text
    assert page.query["model"] == "one"


# Where it cannot


def test_without_a_model_it_leads_to_train(app):
    page = app("evaluate")
    assert "no trained model yet" in page.text
    assert page.at.get("page_link")[-1].proto.label == "Go to Train"


def test_while_the_first_epoch_trains_it_says_to_wait(app, model):
    model.path.unlink()
    assert "No run has finished an epoch yet" in app("evaluate").text


def test_without_a_dataset_it_leads_to_data(app, empty_home, dataset):
    from fkd.registry import remove

    remove("demo")
    assert "No dataset is open" in app("evaluate").text


def test_predictions_that_are_missing_are_offered(app, dataset):
    make_run(dataset, "one")
    page = app("evaluate")
    assert "There are no predictions of one for the 90 images of demo yet" in page.text
    assert not page.at.metric
    assert page.button("Predict 90 images")


def test_a_model_of_other_data_is_scored_on_all_images(app, dataset):
    model = make_run(dataset, "one")
    config = model.run.folder / "config.json"
    value = json.loads(config.read_text())
    config.write_text(json.dumps({**value, "dataset": "elsewhere", "data_hash": "0" * 64}))
    store_all(model, dataset, output_of(dataset, 6))
    page = app("evaluate")
    assert "RMSE on 90 images" in page.text
    assert "no validation split here, so all images are scored" in page.text
    [rows] = [b for b in page.at.button_group if b.key == "e-split"]
    assert rows.options == ["All images"]


def test_a_damaged_validation_file_is_one_sentence(app, model):
    model.run.validation.write_bytes(b"PK nonsense")
    page = app("evaluate")
    assert "for its validation split cannot be read" in page.text
    assert page.button("Predict 90 images")


def test_a_damaged_configuration_leaves_all_images(app, model, dataset):
    (model.run.folder / "config.json").write_text("{")
    store_all(model, dataset, output_of(dataset, 6))
    page = app("evaluate")
    assert "RMSE on 90 images" in page.text


def test_a_damaged_model_fails_in_words_and_can_be_tried_again(app, dataset):
    make_run(dataset, "one")  # its weights are none
    page = app("evaluate")
    page.button("Predict 90 images").click()
    page.run().finish()
    assert "The model in " in page.text
    assert "cannot be read" in page.text
    assert "unexpected" not in page.text
    assert page.button("Try again")


def test_predicting_shows_how_far_it_is_and_can_be_stopped(app, dataset):
    model = make_run(dataset, "one")
    page = app("evaluate")
    page.button("Predict 90 images").click()
    page.run()
    page.button("Stop").click()
    for _ in range(100):
        page.run()
        if tasks().list()[-1].state != "running":
            break
        time.sleep(0.1)
    page.run()
    assert tasks().list()[-1].state == "stopped"
    assert page.button("Try again")
    assert not list(model.storage.rglob("*.npy"))


def test_errors_on_faces_agree_with_the_labels(app, dataset, model):
    output = output_of(dataset, 6)
    errors = point_errors(output[..., :2], np.asarray(dataset.keypoints))
    page = app("evaluate", section="faces")
    row = int(faces(page)[3]["title"].removeprefix("row "))
    assert faces(page)[3]["note"] == f"{np.nanmean(errors[row]):.1f} px"
