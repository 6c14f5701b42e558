"""Predict, Browse, Correct and Train with a model that has not learned every point."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import FOUR, OTHERS, learned_from, make_run, output_of, store_all
from inference_helper import drawn, scene
from predict_helper import APP, drop, found, png
from streamlit.testing.v1 import AppTest

from benchmarks.bundled import deflate
from fkd.evaluation.learned import listed, never_learned
from fkd.inference.frame import Frame
from fkd.inference.reference import NOTE, Reference
from fkd.keypoints import KAGGLE_15
from fkd.labels.sheet import Sheet
from fkd.labels.store import LabelStore
from fkd.measures import measure
from fkd.models.sources import BUNDLED, trained_model
from fkd.registry import datasets_folder, open_named
from fkd.storage import DatasetWriter

ROW = 3
LIP, CORNER = (KAGGLE_15.index(n) for n in ("mouth_center_bottom_lip", "left_eye_inner_corner"))


@pytest.fixture
def few(dataset):
    """A run whose model is the bundled one, as if it had learned four points only."""
    model, bundled = make_run(dataset, "few"), trained_model(BUNDLED).path
    reference = replace(Reference.read(bundled, KAGGLE_15), learned=learned_from())
    deflate(bundled, model.path, {NOTE: reference.to_json()})
    return model


def components(app) -> list[dict]:
    return [json.loads(element.proto.json) for element in app.get("bidi_component")]


@pytest.mark.usefixtures("few")
def test_predict_gives_them_no_place_and_says_why(home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.query_params["model"] = "few"
    photo, [exact] = scene((1, Frame(330, 220, 220)))
    app = drop(app.switch_page("../pages/predict.py").run(), ("me.png", png(photo.gray)))
    assert not app.exception
    [face] = found(app)["me.png"].faces
    assert face.given.tolist() == FOUR.tolist()
    assert np.hypot(*(face.points - exact)[FOUR].T).mean() < 7
    said = [caption.value for caption in app.caption]
    assert any(words.startswith(f"Not predicted: {listed(OTHERS)}.") for words in said)
    table = app.dataframe[0].value
    assert table["Keypoint"].str.endswith(", not predicted").tolist() == (~FOUR).tolist()
    for column in ("x", "y", "Confidence"):
        assert np.isfinite(table[column]).tolist() == FOUR.tolist()
    shown = next(one for one in components(app) if "boxes" in one)
    rings = [place is not None for place in shown["face"]["predicted"]]
    assert rings == FOUR.tolist()
    grids = [one["faces"] for one in components(app) if "faces" in one]
    [crop] = [one for grid in grids for one in grid if one["title"] == "Face 1"]
    rings = [place is not None for place in crop["predicted"]]
    assert rings == FOUR.tolist()


def test_of_a_model_that_learned_all_nothing_is_said(home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app = drop(app.switch_page("../pages/predict.py").run(), ("face.png", png(drawn()[0][0])))
    assert not any("Not predicted" in caption.value for caption in app.caption)
    assert not app.dataframe[0].value["Keypoint"].str.contains("not predicted").any()


@pytest.fixture
def stored(dataset, no_bundled):
    """A run that learned four points and was asked about all images."""
    model = make_run(dataset, "few", learned=learned_from())
    store_all(model, dataset, output_of(dataset, 6))
    return model


@pytest.mark.usefixtures("stored")
def test_browse_draws_no_ring_for_them(app, dataset):
    page = app("browse", model="few")
    [grid] = components(page.at)
    for face in grid["faces"]:
        assert [place is not None for place in face["predicted"]] == FOUR.tolist()
    page = app("browse", model="few", image=str(ROW))
    assert "has not predicted this image yet" not in page.text
    off = 6 * ROW / len(dataset)
    assert f"few: {off:.2f} px mean error on this image" in page.text.replace("*", "")


@pytest.mark.usefixtures("stored")
def test_correct_drafts_the_others_only(app, dataset):
    store = LabelStore(dataset)
    sheet = Sheet.of(dataset.schema, ROW, *store.labels_of(ROW))
    bare = sheet.with_points(np.full((15, 2), np.nan))
    store.save(bare.edits(), "Ben")
    page = app("correct", queue="all", row=str(ROW), model="few")
    page.at.text_input[0].set_value("Ann")
    page.button("Begin").click()
    page.run()
    desk = page.at.session_state["correct-desk"]
    assert desk.drafts() == np.flatnonzero(FOUR).tolist()
    for k, usable in ((CORNER, False), (LIP, True)):
        desk.active = k
        page.run()
        [button] = [b for b in page.at.button if b.key == "correct-accept"]
        assert button.disabled is not usable


def few_points(images: np.ndarray, points: np.ndarray) -> None:
    """A dataset of images with four labels each, opened."""
    folder = datasets_folder() / "four"
    folder.mkdir(parents=True)
    with DatasetWriter(folder, "four", KAGGLE_15) as writer:
        labels = np.where(FOUR[:, None], points, np.nan).astype(np.float32)
        writer.add_training(images, labels, np.arange(len(images)))
        writer.finish(fingerprint="four", origin="test", sources={}, rejected_rows=0)
    measure(open_named("four"))


def test_train_says_what_nothing_teaches(app, empty_home):
    few_points(*drawn())
    page = app("train")
    note = never_learned(FOUR, KAGGLE_15)
    assert note not in page.text  # drawn faces are mixed in, which have every point
    page.at.session_state["train-wish"].change("demo_share", 0.0)
    assert note in page.run().text


def test_train_says_nothing_where_each_point_has_labels(app, dataset):
    page = app("train")
    page.at.session_state["train-wish"].change("demo_share", 0.0)
    assert "never learned" not in page.run().text
