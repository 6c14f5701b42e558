"""What the canvas is told and what it tells: points keep their identity whatever is done to it."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.correction.drawing import Drawing, adjusted, canvas_scale
from dashboard.correction.pictures import picture, reference_face
from fkd.keypoints import KAGGLE_15

COUNT = len(KAGGLE_15)
SCALE = canvas_scale(KAGGLE_15)
places = st.tuples(st.floats(-40, 135), st.floats(-40, 135))
drawings = st.builds(
    lambda marks, serial: Drawing(KAGGLE_15, marks, serial),
    st.dictionaries(st.integers(0, COUNT - 1), places),
    st.integers(1, 0xFFFFFF),
)


def as_sent(drawing):
    return json.loads(json.dumps(drawing.to_json()))


@given(drawings)
def test_what_nobody_touched_has_not_moved(drawing):
    assert drawing.moved(as_sent(drawing)) == {}
    assert drawing.removed(as_sent(drawing)) == []


@given(drawings, st.randoms(), st.tuples(st.floats(-30, 30), st.floats(-30, 30)))
def test_points_are_told_by_colour_in_any_order(drawing, random, by):
    raw = as_sent(drawing)
    random.shuffle(raw["objects"])
    moved = random.sample(sorted(drawing.places), len(drawing.places) // 2)
    colors = {KAGGLE_15.keypoints[k].color for k in moved}
    for thing in raw["objects"]:
        if thing["fill"] in colors:
            thing["left"] += by[0] * drawing.scale
            thing["top"] += by[1] * drawing.scale
    found = drawing.moved(raw)
    if max(map(abs, by)) > 0.05:
        assert sorted(found) == sorted(moved)
    for k, place in found.items():
        was = drawing.places[k]
        assert place == pytest.approx((was[0] + by[0], was[1] + by[1]), abs=1e-6)


@given(drawings, st.data())
def test_what_is_deleted_is_told_and_nothing_else(drawing, data):
    gone = data.draw(st.sets(st.sampled_from(sorted(drawing.places)))) if drawing.places else set()
    colors = {KAGGLE_15.keypoints[k].color for k in gone}
    raw = as_sent(drawing)
    raw["objects"] = [t for t in raw["objects"] if t["fill"] not in colors]
    assert drawing.removed(raw) == sorted(gone, key=list(drawing.places).index)
    assert drawing.moved(raw) == {}


@given(drawings)
def test_another_drawing_is_not_taken_for_this_one(drawing):
    other = copy.copy(as_sent(drawing))
    later = Drawing(KAGGLE_15, drawing.places, drawing.serial % 0xFFFFFF + 1)
    assert later.moved(other) is None
    assert later.removed(other) == []


def test_a_click_of_the_librarys_own_point_tool_is_the_keypoint_of_its_colour():
    drawing = Drawing(KAGGLE_15, {0: (10, 10)}, 1)
    raw = as_sent(drawing)
    color = KAGGLE_15.keypoints[3].color
    radius, width = 6, 2
    raw["objects"].append(
        {
            "type": "Circle",
            "left": (20 + 0.5) * SCALE - radius - width / 2,
            "top": (30 + 0.5) * SCALE,
            "originX": "left",
            "originY": "center",
            "radius": radius,
            "strokeWidth": width,
            "fill": color,
            "stroke": "#ffffff",
        }
    )
    assert drawing.moved(raw) == {3: pytest.approx((20, 30))}


@pytest.mark.parametrize(
    "raw",
    [None, [], "x", {}, {"objects": None}, {"objects": [None, 3, {"fill": 7}]}, {"objects": {}}],
)
def test_nonsense_is_no_state_of_it(raw):
    drawing = Drawing(KAGGLE_15, {0: (10, 10)}, 1)
    assert drawing.moved(raw) is None
    assert drawing.removed(raw) == []


def test_circles_that_stand_nowhere_are_left_out():
    drawing = Drawing(KAGGLE_15, {0: (10, 10)}, 1)
    raw = as_sent(drawing)
    for bad in ({"left": "x"}, {"left": float("nan")}, {"radius": None}):
        broken = copy.deepcopy(raw)
        broken["objects"][1] |= bad
        assert drawing.moved(broken) == {}


def test_brightness_and_contrast():
    image = np.array([[100, 120], [140, 160]], np.uint8)
    assert (adjusted(image, 0, 1) == image).all()
    assert (adjusted(image, 200, 1) == 255).sum() == 4
    flat = adjusted(image, 0, 0)
    assert (flat == 130).all()


@pytest.mark.parametrize("smooth", [True, False])
def test_the_face_is_enlarged_about_the_centres_of_its_pixels(smooth):
    """A pixel's centre is its index: the step between two stands half a px of the image on."""
    image = np.zeros((8, 8), np.uint8)
    image[:, 4:] = 200
    url = picture(image, SCALE, smooth=smooth)
    kind, data = url.split(";base64,")
    assert kind == ("data:image/jpeg" if smooth else "data:image/png")
    large = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert large.shape == (8 * SCALE, 8 * SCALE)
    step = large[4 * SCALE].astype(int) > 100
    assert abs(int(np.argmax(step)) - 4 * SCALE) <= 1


def test_the_canvas_is_about_as_large_whatever_the_images():
    small = dataclasses.replace(KAGGLE_15, image_size=(40, 30))
    large = dataclasses.replace(KAGGLE_15, image_size=(3000, 4000))
    assert canvas_scale(large) == 1
    assert 700 < small.height * canvas_scale(small) < 800
    assert 700 < KAGGLE_15.width * SCALE < 800


def test_the_reference_face_is_a_picture_whatever_is_missing():
    points = np.full((COUNT, 2), np.nan)
    points[0] = 10, 20
    for target in (0, 1, None):
        url = reference_face(KAGGLE_15, points, target)
        svg = ElementTree.fromstring(base64.b64decode(url.split(",")[1]))
        assert len(list(svg)) == 2 + (target == 0)
