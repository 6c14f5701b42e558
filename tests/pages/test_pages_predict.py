"""The Predict page: photos in, points out, whatever is dropped on it."""

from __future__ import annotations

import io
import threading
import time
import zipfile

import numpy as np
import pytest
from inference_helper import bundled, drawn, scene
from predict_helper import APP, drop, found, opened, png, settled, words
from streamlit.testing.v1 import AppTest

from dashboard.prediction import inputs
from fkd.inference import photos
from fkd.inference.frame import Frame
from fkd.inference.sources import Source, from_upload


@pytest.fixture
def page(home):
    return opened()


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def test_it_says_what_to_do_and_offers_examples(page):
    assert not page.exception
    assert "drop photos of people above, take one with the camera, or choose an example" in words(
        page
    )
    assert any("Examples from demo" in e.label for e in page.expander)


def test_a_photo_with_a_face(page):
    photo, [exact] = scene((1, Frame(330, 220, 220)))
    app = drop(page, ("me.png", png(photo.gray)))
    assert not app.exception
    [face] = found(app)["me.png"].faces
    assert np.hypot(*(face.points - exact).T).mean() < 7
    table = app.dataframe[0].value
    assert len(table) == len(face.schema)
    assert [b.label for b in app.get("download_button")] == [
        "Picture (PNG)",
        "Faces (zip)",
        "Points (CSV)",
        "Points (JSON)",
    ]


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
    assert "leads outside the zip" in results["../../out.png"].error
    listed = app.dataframe[0].value.set_index("Photo")["Result"]
    assert len(listed) == len(results) >= 4
    assert listed["<b>bad</b>.txt"].startswith("Not read: it is not an image in a supported format")
    assert listed["empty.jpg"] == "Not read: it is empty (0 bytes)."
    assert "leads outside the zip" in listed["../../out.png"]
    bad = len(results) - 2
    assert f"**2 faces on 2 photos; {bad} photos could not be read**" in [
        m.value for m in app.markdown
    ]


def test_no_face_offers_the_way_on(page):
    app = drop(page, ("wall.png", png(np.full((200, 300), 90, np.uint8))))
    assert "No face was found. Turn on *Draw a box*" in words(app)
    assert not [b for b in app.button if b.label.startswith(("Remove", "Send to", "Undo"))]


def test_a_removed_face_comes_back(page):
    photo, _ = scene((1, Frame(480, 250, 190)), (3, Frame(130, 150, 150)))
    app = drop(page, ("two.png", png(photo.gray)))
    assert len(found(app)["two.png"].faces) == 2
    button(app, "Remove face 2").click().run()
    assert len(found(app)["two.png"].faces) == 1
    button(app, "Undo").click().run()
    assert not app.exception
    assert len(found(app)["two.png"].faces) == 2
    assert "Undo" not in {b.label for b in app.button}


def test_what_is_stopped_keeps_what_was_found_and_goes_on(page, monkeypatch):
    """However long a photo takes to read: its decoder cannot be interrupted."""
    go_on = threading.Event()

    def source(name: str, data: bytes, tell=None):
        for one in from_upload(name, data, tell):
            wait = go_on.wait if name == "slow.png" else lambda seconds: None
            yield Source(one.name, lambda one=one, wait=wait: (wait(60), one.load())[1])

    monkeypatch.setattr(inputs, "from_upload", source)
    monkeypatch.setattr(photos, "_SOON_S", 0.0)  # what is read is predicted at once
    data = png(scene((1, Frame(330, 220, 220)))[0].gray)
    bundled()  # is there, so that what is waited for is the photo
    widget = page.get("file_uploader")[0]
    for name in ("quick.png", "slow.png"):
        widget.upload(name, data)
    app = page.run()
    for _ in range(200):
        if "quick.png" in found(app):
            break
        time.sleep(0.1)
    app.run()
    assert "**1 face on 1 photo; 1 photo not predicted yet**" in [m.value for m in app.markdown]
    began = time.monotonic()
    app = button(app, "Stop").click().run()
    assert button(app, "Stop").disabled
    assert app.get("progress")[0].text == "Stopping..."
    while app.get("progress"):
        time.sleep(0.1)
        app.run()
    assert time.monotonic() - began < 4
    assert "Stopped. *Continue* predicts the remaining 1 photo." in words(app)
    assert list(found(app)) == ["quick.png"]
    go_on.set()
    app = settled(button(app, "Continue").click().run())
    assert not app.exception
    assert len(found(app)["slow.png"].faces) == 1


def test_an_example_by_link(home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.query_params["example"] = "row-0"
    app = settled(app.switch_page("../pages/predict.py").run())
    assert not app.exception
    [result] = found(app).values()
    assert result.name == "demo, row 0"
    assert len(result.faces) == 1


def test_what_is_drawn_stands_in_the_link(home):
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.query_params["example"] = "row-0"
    app.query_params["show"] = "points,edges,<b>"
    app = settled(app.switch_page("../pages/predict.py").run())
    pills = next(b for b in app.button_group if b.key == "predict-show")
    assert pills.value == ["points", "edges"]
    pills.set_value([]).run()
    assert not app.exception
    assert app.query_params["show"] == "nothing"
    next(b for b in app.button_group if b.key == "predict-show").set_value(
        ["points", "boxes"]
    ).run()
    assert "show" not in app.query_params


def test_a_list_of_many_shows_those_that_need_a_look(page):
    wall = png(np.full((200, 300), 90, np.uint8))
    face = png(scene((1, Frame(330, 220, 220)))[0].gray)
    app = drop(page, ("a.png", face), ("b.jpg", b""), ("c.png", wall), ("d.jpg", b""))
    kinds = next(b for b in app.button_group if b.key == "predict-kind")
    assert list(kinds.options) == ["All photos (4)", "Not read (2)", "No face (1)"]
    app = kinds.set_value("Not read").run()
    assert list(app.dataframe[0].value["Photo"]) == ["b.jpg", "d.jpg"]
    assert "Photo 1 of 2" in [m.value for m in app.markdown]
    assert "b.jpg is empty" in words(app)
    app = button(app, "Next photo").click().run()
    assert "d.jpg is empty" in words(app)
    assert button(app, "Next photo").disabled
    assert not app.exception


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
