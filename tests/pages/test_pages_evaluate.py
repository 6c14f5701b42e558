"""The Evaluate page: what it scores, what it says where it cannot, and its links."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from evaluation_helper import (
    make_run,
    no_bundled_model,
    output_of,
    split_of,
    store_all,
    store_validation,
)

from dashboard.tasks import tasks
from fkd.evaluation.metrics import point_errors, rmse
from fkd.registry import open_named
from fkd.statistics.missing import present

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def no_bundled(monkeypatch):
    no_bundled_model(monkeypatch)


@pytest.fixture
def dataset(home):
    return open_named("demo")


@pytest.fixture
def model(dataset):
    """A run off by up to 6 px that left the predictions of its validation part."""
    model = make_run(dataset, "one")
    store_validation(model, dataset, output_of(dataset, 6))
    return model


@pytest.fixture
def other(dataset):
    """A closer run on the same split that was asked about all images."""
    model = make_run(dataset, "two")
    store_all(model, dataset, output_of(dataset, 3, seed=1))
    return model


def faces(page) -> list[dict]:
    [grid] = page.at.get("bidi_component")
    return json.loads(grid.proto.json)["faces"]


def tables(page):
    return [element.value for element in page.at.dataframe]


def held_back_rmse(dataset, error: float, seed: int = 0) -> str:
    output = output_of(dataset, error, seed=seed)[::4, :, :2]
    return f"{rmse(output, np.asarray(dataset.keypoints[::4])):.2f}"


# What it says


@pytest.mark.usefixtures("model")
def test_one_model_on_what_it_held_back(app, dataset):
    page = app("evaluate")
    expected = held_back_rmse(dataset, 6)
    assert f"## one: {expected} px RMSE on 23 images it has not seen in training" in page.text
    assert page.metrics()["RMSE"] == f"{expected} px"
    assert list(page.metrics()) == [
        "RMSE",
        "MAE",
        "NME",
        "AUC@0.08",
        "FR@0.1",
        "PCK@0.05",
        "PCK@0.1",
    ]
    assert all(metric.help for metric in page.at.metric)
    assert "learned from" not in page.text
    points = int(present(np.asarray(dataset.keypoints[::4])).sum())
    assert f"{points} labelled points in 23 images" in page.text
    sources, keypoints = tables(page)
    assert sources["rows"].tolist()[:3] == ["all rows", "many-point rows", "few-point rows"]
    assert sources["images"].tolist()[0] == sum(sources["images"].tolist()[1:3]) == 23
    assert keypoints["labels"].sum() == points
    assert page.query == {"dataset": "demo", "model": "one"}


@pytest.mark.usefixtures("model", "other")
def test_two_models_side_by_side(app, dataset):
    page = app("evaluate", model="one", **{"with": "two"})
    near, far = held_back_rmse(dataset, 3, seed=1), held_back_rmse(dataset, 6)
    assert f"## two is closer than one: {near} against {far} px RMSE on 23 images" in page.text
    [first, second] = [m for m in page.at.metric if m.label == "RMSE"]
    assert (first.value, first.delta) == (f"{far} px", "")
    assert second.value == f"{near} px"
    assert float(second.delta.split()[0]) == pytest.approx(float(near) - float(far), abs=0.011)
    sources, keypoints = tables(page)
    assert set(sources["model"]) == {"one", "two"}
    assert {"one RMSE px", "two RMSE px"} <= set(keypoints.columns)


@pytest.mark.usefixtures("other")
def test_all_images_come_with_a_warning(app):
    page = app("evaluate", model="two", rows="all")
    assert "RMSE on 90 images" in page.text
    assert "not seen in training" not in page.text
    assert "two has learned from 67 (74 %) of these images: that flatters it" in page.text


def test_runs_with_other_splits_are_scored_on_what_both_held_back(app, dataset, model):
    other = make_run(dataset, "two", split_of(dataset, 2))
    store_validation(other, dataset, output_of(dataset, 3))
    page = app("evaluate", model="two", **{"with": "one"})
    assert "on 23 images" in page.text
    assert "held different images back; these are the ones that neither has seen" in page.text


def test_runs_without_a_common_image_offer_all(app, dataset, model):
    other = make_run(dataset, "two", split_of(dataset, 4, 1))
    for one in (model, other):
        store_all(one, dataset, output_of(dataset, 3))
    page = app("evaluate", model="two", **{"with": "one"})
    assert "No image was held back by both" in page.text
    page.button("Score all images").click()
    page.run()
    assert page.query["rows"] == "all"
    assert "two has learned from 67 (74 %) of these images; one has" in page.text


def test_flagged_rows_are_told_and_counted_apart(app, dataset, model):
    swapped = np.arange(90) >= 88  # the two that the model is worst at
    np.save(dataset.folder / "measures" / "swapped.npy", swapped)
    store_all(model, dataset, output_of(dataset, 6))
    page = app("evaluate", rows="all")
    rest = rmse(output_of(dataset, 6)[:88, :, :2], np.asarray(dataset.keypoints[:88]))
    assert "Without the 2 images whose labels look wrong" in page.text
    assert f"RMSE is {rest:.2f} px" in page.text
    last = tables(page)[0].iloc[-1]
    assert (last["rows"], last["images"]) == ("without flagged rows", 88)
    assert last["RMSE px"] == pytest.approx(rest)


def test_the_floor_needs_pictures_labelled_twice(app, model):
    assert "perfect model" not in app("evaluate").text  # drawn faces are all different


# Faces


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("which", "start"), [("worst", 88), ("best", 0), ("median", 44)])
def test_faces_come_in_the_order_of_their_error(app, which, start):
    page = app("evaluate", section="faces", faces=which)
    shown = faces(page)
    assert shown[0]["title"] == f"row {start}"
    assert shown[0]["note"] == f"{6 * start / 90:.1f} px"
    assert len(shown) == 23
    assert any(shown[0]["predicted"])


@pytest.mark.usefixtures("other")
def test_more_faces_on_the_next_page(app):
    page = app("evaluate", section="faces", rows="all", page="3")
    assert [face["title"] for face in faces(page)[:2]] == ["row 41", "row 40"]
    assert page.query["page"] == "3"
    assert len(faces(app("evaluate", section="faces", rows="all", page="9999"))) == 90 - 3 * 24


@pytest.mark.usefixtures("model", "other")
def test_two_models_on_the_same_faces(app):
    page = app("evaluate", model="two", section="faces", **{"with": "one"})
    shown = faces(page)
    assert [face["title"] for face in shown[:4]] == ["row 88", "row 88", "row 84", "row 84"]
    assert [face["note"] for face in shown[:2]] == ["two: 2.9 px", "one: 5.9 px"]
    assert shown[0]["predicted"] != shown[1]["predicted"]
    apart = app(
        "evaluate", model="two", section="faces", by="apart", faces="best", **{"with": "one"}
    )
    assert faces(apart)[0]["title"] == "row 0"


@pytest.mark.usefixtures("model")
def test_a_chosen_face_leads_to_browse(app):
    page = app("evaluate", section="faces")
    page.at.session_state["e-chosen"] = "0:88"
    page.run()
    assert "### Row 88" in page.text
    assert "1 of 23" in page.text
    assert page.query == {
        "dataset": "demo",
        "model": "one",
        "filter": "heldback",
        "sort": "error",
        "order": "desc",
        "image": "88",
    }


# Expected errors


@pytest.mark.usefixtures("model")
def test_expected_errors_beside_actual_ones(app):
    page = app("evaluate", section="expected")
    assert page.metrics()["Rank correlation"] == "1.00"
    assert page.metrics()["Actual / expected"] == "1.00"
    [bins] = tables(page)
    np.testing.assert_allclose(bins["mean expected px"], bins["mean actual px"], atol=1e-3)


def test_a_model_that_expects_nothing_has_no_such_section(app, dataset):
    model = make_run(dataset, "one")
    store_validation(model, dataset, output_of(dataset, 6, sure=False))
    page = app("evaluate", section="expected")
    assert "Rank correlation" not in page.metrics()
    assert "#### Cumulative errors" in page.text


# The bundled model


def test_the_bundled_model_stands_beside_the_runs(app, dataset, model, tmp_path, monkeypatch):
    from fkd.models import sources

    path = tmp_path / "compact.keras"
    path.write_bytes(b"no weights")
    monkeypatch.setattr(sources, "_BUNDLED_FILE", path)
    page = app("evaluate")
    assert page.at.selectbox(key="e-model").options == ["bundled", "one"]
    assert page.query["model"] == "one"  # it has a validation part here
    bundled = sources.trained_model("bundled")
    store_all(bundled, dataset, output_of(dataset, 3))
    page = app("evaluate", model="bundled", **{"with": "one"})
    assert "on 23 images" in page.text
    assert "Whether bundled has seen these pictures in training is not known" in page.text
    page = app("evaluate", model="bundled")
    assert "RMSE on 90 images" in page.text
    assert "no validation part here" in page.text


# Links


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
    assert (group["e-rows"], group["e-section"], group["e-faces"]) == ("all", "faces", "best")


@pytest.mark.usefixtures("model", "other")
def test_runs_compared_on_train_are_compared_here(app):
    page = app("train", run="one,two")
    page.button("Evaluate").click()
    page.run()
    assert "two is closer than one" in page.text
    assert page.query == {"dataset": "demo", "model": "one", "with": "two"}


@pytest.mark.usefixtures("model", "other")
def test_coming_back_finds_the_last_view(app):
    page = app("evaluate", model="one", section="faces")
    page.at.switch_page("../pages/stats.py")
    page.at.query_params.clear()
    page.run()
    page.at.switch_page("../pages/evaluate.py")
    page.at.query_params.clear()
    page.run()
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
    assert "There is no model `gone` (any more)" in page.text
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
    assert "one has not predicted the 90 images of demo yet" in page.text
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
    assert "no validation part here, so all images are scored" in page.text
    [rows] = [b for b in page.at.button_group if b.key == "e-rows"]
    assert rows.options == ["All images"]


def test_a_damaged_validation_file_is_one_sentence(app, model):
    model.run.validation.write_bytes(b"PK nonsense")
    page = app("evaluate")
    assert "left of its validation part cannot be read" in page.text
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
