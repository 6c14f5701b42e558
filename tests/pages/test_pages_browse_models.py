"""Browse with a model: its predictions on faces, its errors to sort and filter by."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_helper import make_run, output_of, store_all, store_validation

from dashboard.browse import asking
from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.registry import open_named

pytestmark = pytest.mark.usefixtures("no_bundled")


@pytest.fixture
def output(dataset):
    """Image ``i`` is off by ``i / 15`` px at every point."""
    return output_of(dataset, 6)


@pytest.fixture
def model(dataset, output):
    model = make_run(dataset, "one")
    store_all(model, dataset, output)
    return model


@pytest.fixture
def half(dataset, output):
    """A run of which only the predictions of its validation part are there."""
    model = make_run(dataset, "half")
    store_validation(model, dataset, output)
    return model


@pytest.fixture(autouse=True)
def loader(monkeypatch, output):
    """In place of TensorFlow: a model that says what ``output`` has of the images it is shown;
    ``asked`` counts them, ``error`` is raised instead of loading it."""
    loader = SimpleNamespace(asked=0, error=None)

    def predict(images):
        loader.asked += len(images)
        every = np.asarray(open_named("demo").images)
        return np.stack([output[(every == image).all(axis=(1, 2)).argmax()] for image in images])

    def load(_model):
        ready: Future = Future()
        if loader.error is None:
            reference = SimpleNamespace(learned=None)
            ready.set_result(
                SimpleNamespace(predict=predict, schema=KAGGLE_15, reference=reference)
            )
        else:
            ready.set_exception(loader.error)
        return SimpleNamespace(stage="loading the model", ready=ready)

    monkeypatch.setattr(asking.MODELS, "load", load)
    monkeypatch.setattr(asking, "_KEPT", asking._Kept())
    return loader


def settled(page):
    """The page once what is in view is predicted."""
    state = page.at.session_state
    for _ in range(100):
        if "browse-asking" not in state or state["browse-asking"].state != "running":
            return page.run()
        time.sleep(0.02)
    raise AssertionError("the faces in view were not predicted")


def shown(page) -> list[dict]:
    """The faces of the grid, or the large one."""
    data = json.loads(page.at.get("bidi_component")[0].proto.json)
    return data["faces"] if "faces" in data else [data["face"]]


def test_without_a_model_there_are_no_predictions(app, dataset):
    page = app("browse")
    assert not any(any(face["predicted"]) for face in shown(page))
    assert "b-model" not in {box.key for box in page.at.selectbox}


@pytest.mark.usefixtures("model")
def test_a_model_is_chosen_in_the_view(app, output):
    page = app("browse")
    assert page.at.selectbox(key="b-model").options == ["none", "one"]
    assert "error (px)" not in page.at.selectbox(key="b-sort").options
    page.at.selectbox(key="b-model").set_value("one")
    page.run()
    assert page.query["model"] == "one"
    for number, face in enumerate(shown(page)):
        np.testing.assert_allclose(face["predicted"], output[number, :, :2], atol=0.006)
    page.at.selectbox(key="b-sort").set_value("error")
    page.run()
    assert (page.query["sort"], page.query["order"]) == ("error", "desc")
    assert [face["title"] for face in shown(page)[:3]] == ["89", "88", "87"]
    assert shown(page)[0]["note"] == "5.9"
    page.at.selectbox(key="b-model").set_value("")
    page.run()
    assert page.query == {"dataset": "demo", "order": "desc"}


@pytest.mark.usefixtures("model")
def test_a_link_sorts_and_filters_by_the_error(app):
    page = app("browse", model="one", sort="error", error="1..2", filter="heldback")
    assert "**4 (4.4 %)** of 90 images:" in page.text
    labels = {b.label for b in page.at.button}
    assert {"validation split", "error (px) 1–2"} <= labels
    assert [face["title"] for face in shown(page)] == ["16", "20", "24", "28"]
    assert page.at.number_input(key="b-low").value == 1
    page.at.number_input(key="b-high").set_value(1.7)
    page.run()
    assert page.query["error"] == "1..1.7"
    page.at.number_input(key="b-low").set_value(None)
    page.run()
    assert page.query["error"] == "0..1.7"
    page.button("Clear filters").click()
    page.run()
    assert page.query == {"dataset": "demo", "model": "one", "sort": "error"}


def test_images_without_labels_come_last(app, dataset, model):
    points = np.array(dataset.keypoints)
    points[89] = np.nan
    np.save(dataset.folder / "keypoints.npy", points)
    for order in ({}, {"order": "desc"}):
        page = app("browse", model="one", sort="error", per_page="96", **order)
        assert shown(page)[-1]["title"] == "89"
        assert shown(page)[-1]["note"] == ""
        assert any(shown(page)[-1]["predicted"])


@pytest.mark.usefixtures("model")
def test_one_face_has_its_predictions_in_the_table(app, dataset, output):
    page = app("browse", model="one", image="12", sort="error", order="desc")
    table = page.at.dataframe[0].value
    np.testing.assert_allclose(table["predicted x"], output[12, :, 0], atol=1e-3)
    np.testing.assert_allclose(table["predicted y"], output[12, :, 1], atol=1e-3)
    labelled = np.isfinite(dataset.keypoints[12]).all(axis=1)
    np.testing.assert_allclose(table["error px"][labelled], 12 / 15, atol=2e-3)
    assert table["error px"][~labelled].isna().all()
    np.testing.assert_allclose(table["expected error px"], 12 / 15, atol=1e-3)
    assert "**one**: 0.80 px mean error on this image. This image is in its vali" in page.text
    assert "validation split" not in app("browse", model="one", image="13").text
    [face] = shown(page)
    np.testing.assert_allclose(face["predicted"], output[12, :, :2], atol=0.006)
    page.at.button(key="b-Next").click()
    page.run()
    assert (page.query["image"], page.query["model"]) == ("11", "one")


@pytest.mark.usefixtures("half")
def test_predictions_of_the_validation_part_are_there_at_once(app):
    page = app("browse", model="half", sort="error", order="desc")
    assert "half has predicted 23 of 90 images: its validation split" in page.text
    assert page.button("Predict 90 images")
    assert [face["title"] for face in shown(page)[:2]] == ["88", "84"]


def test_what_asks_for_missing_predictions_offers_them(app, dataset, loader):
    make_run(dataset, "bare")
    page = app("browse", model="bare", sort="error")
    assert "To sort or filter by its error, bare has to predict all 90 images" in page.text
    assert page.button("Predict 90 images")
    assert not page.at.get("bidi_component")
    assert loader.asked == 0


def test_the_page_in_view_is_predicted_by_itself(app, dataset, loader, output):
    make_run(dataset, "bare")
    page = settled(app("browse", model="bare", per_page="24", page="2"))
    assert loader.asked == 24
    for number, face in enumerate(shown(page), 24):
        np.testing.assert_allclose(face["predicted"], output[number, :, :2], atol=0.006)
    page.run()
    app("browse", model="bare", image="30")
    assert loader.asked == 24  # no image is asked for twice
    page.button("Next page").click()
    settled(page.run())
    assert loader.asked == 48


@pytest.mark.usefixtures("half")
def test_only_what_is_not_there_is_predicted(app, loader, output):
    page = settled(app("browse", model="half", per_page="24"))
    assert loader.asked == 18  # every fourth was in the validation split
    for number, face in enumerate(shown(page)):
        np.testing.assert_allclose(face["predicted"], output[number, :, :2], atol=0.006)


def test_one_face_is_predicted_by_itself(app, dataset, loader, output):
    make_run(dataset, "bare")
    page = settled(app("browse", model="bare", image="30"))
    assert loader.asked == 1
    assert "**bare**: 2.00 px mean error on this image." in page.text
    table = page.at.dataframe[0].value
    np.testing.assert_allclose(table["predicted x"], output[30, :, 0], atol=1e-3)


def test_a_model_that_cannot_predict_says_why_and_is_asked_again(app, dataset, loader):
    make_run(dataset, "bare")
    loader.error = UserError("Model 'bare' cannot be read: it is empty.")
    page = settled(app("browse", model="bare", per_page="24"))
    assert "Model 'bare' cannot be read: it is empty." in page.text
    assert len(shown(page)) == 24
    loader.error = None
    page.button("Try again").click()
    page = settled(page.run())
    assert all(any(face["predicted"]) for face in shown(page))


@pytest.mark.usefixtures("model")
def test_test_images_have_no_predictions(app):
    page = app("browse", part="test", model="one", sort="error")
    assert "**22** test images" in page.text
    assert not any(any(face["predicted"]) for face in shown(page))
    assert page.query == {"dataset": "demo", "part": "test", "model": "one"}


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("name", ["gone", "../one", "*x*", "a" * 500])
def test_a_model_that_is_not_there_is_said_and_left_out(app, name):
    page = app("browse", model=name, sort="error", error="1..2")
    assert ("models made elsewhere" if "/" in name else "There is no run") in page.text
    assert "**90** training images" in page.text
    assert page.query == {"dataset": "demo"}


def test_predictions_made_meanwhile_are_taken(app, dataset, half, output):
    page = settled(app("browse", model="half", sort="error", order="desc"))
    assert shown(page)[0]["title"] == "88"
    store_all(half, dataset, output[::-1].copy())
    page.run()
    assert "validation split." not in page.text
    assert len([face for face in shown(page) if any(face["predicted"])]) == 48
    # Predictions of other images are far off, and differently so.
    assert float(shown(page)[0]["note"]) > 6
