"""The Predict page: photos in, points out, whatever is dropped on it."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from inference_helper import drawn, scene
from predict_helper import APP, drop, found, opened, png, settled, words
from streamlit.testing.v1 import AppTest

from fkd.inference.frame import Frame


@pytest.fixture
def page(home):
    return opened()


def test_it_says_what_to_do_and_offers_examples(page):
    assert not page.exception
    assert "Drop photos of people above" in words(page)
    assert any("Examples from demo" in e.label for e in page.expander)


def test_a_photo_with_a_face(page):
    photo, [exact] = scene((1, Frame(330, 220, 220)))
    app = drop(page, ("me.png", png(photo.gray)))
    assert not app.exception
    [face] = found(app)["me.png"].faces
    assert np.hypot(*(face.points - exact).T).mean() < 7
    table = app.dataframe[0].value
    assert len(table) == len(face.schema)
    assert {b.label for b in app.get("download_button")} == {"PNG", "JSON", "CSV"}


def test_bad_files_are_told_and_stop_nothing(page):
    photo, _ = scene((1, Frame(330, 220, 220)))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("in/face.png", png(drawn()[0][0]))
        archive.writestr("../../out.png", png(drawn()[0][0]))
    app = drop(
        page,
        ("ok.png", png(photo.gray)),
        ("<b>bad</b>.txt", b"no photo"),
        ("empty.jpg", b""),
        ("some.zip", stream.getvalue()),
    )
    assert not app.exception
    results = found(app)
    assert len(results["ok.png"].faces) == len(results["in/face.png"].faces) == 1
    assert "is not an image" in results["<b>bad</b>.txt"].error
    assert "leads out of its zip" in results["../../out.png"].error
    overview = app.dataframe[1].value
    assert len(overview) == len(results) >= 4
    assert any("could not be read" in e.label for e in app.expander)


def test_no_face_offers_the_way_on(page):
    app = drop(page, ("wall.png", png(np.full((200, 300), 90, np.uint8))))
    assert "No face was found. Turn on *Draw a box*" in words(app)


def test_an_example_by_link(home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.query_params["example"] = "row-0"
    app = settled(app.switch_page("../pages/predict.py").run())
    assert not app.exception
    [result] = found(app).values()
    assert result.name == "demo, row 0"
    assert len(result.faces) == 1


@pytest.mark.parametrize("example", ["row-99999", "x-1", "row-<b>", "test--1"])
def test_an_example_that_is_not_there(home, example):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.query_params["example"] = example
    app = app.switch_page("../pages/predict.py").run()
    assert not app.exception
    assert "has no image" in words(app)


def test_a_model_that_is_not_there(home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.query_params["model"] = "gone-7"
    app = app.switch_page("../pages/predict.py").run()
    assert not app.exception
    assert "There is no model gone-7" in words(app).replace("\\", "")


def test_without_any_model(home, no_bundled):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app = app.switch_page("../pages/predict.py").run()
    assert not app.exception
    assert "There is no model yet" in words(app)


def test_without_a_dataset_photos_can_be_predicted_all_the_same(empty_home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app = app.switch_page("../pages/predict.py").run()
    app = drop(app, ("face.png", png(drawn()[0][0])))
    assert not app.exception
    assert len(found(app)["face.png"].faces) == 1
