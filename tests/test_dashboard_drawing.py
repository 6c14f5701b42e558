"""What the canvas is told and what it tells: points keep their identity whatever is done to it."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.correction.backdrop import backdrop, reference_face
from dashboard.correction.drawing import DRAFT, Drawing, Mark, adjusted
from fkd.keypoints import KAGGLE_15
from fkd.labels.states import State

COUNT = len(KAGGLE_15)
places = st.tuples(st.floats(0, 95), st.floats(0, 95))
drawings = st.builds(
    lambda marks, serial, scale: Drawing(
        KAGGLE_15, {k: Mark(*m) for k, m in marks.items()}, scale, 6.0, serial
    ),
    st.dictionaries(
        st.integers(0, COUNT - 1),
        st.tuples(places, st.sampled_from([DRAFT, State.OCCLUDED, State.VISIBLE])),
    ),
    st.integers(1, 0xFFFFFF),
    st.sampled_from([8, 10, 12]),
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
    moved = random.sample(sorted(drawing.marks), len(drawing.marks) // 2)
    colors = {KAGGLE_15.keypoints[k].color for k in moved}
    for thing in raw["objects"]:
        if thing["fill"][:7] in colors or thing["stroke"] in colors:
            thing["left"] += by[0] * drawing.scale
            thing["top"] += by[1] * drawing.scale
    found = drawing.moved(raw)
    if max(map(abs, by)) > 0.05:
        assert sorted(found) == sorted(moved)
    for k, place in found.items():
        was = drawing.marks[k].place
        assert place == pytest.approx((was[0] + by[0], was[1] + by[1]), abs=1e-6)


@given(drawings, st.data())
def test_what_is_deleted_is_told_and_nothing_else(drawing, data):
    gone = data.draw(st.sets(st.sampled_from(sorted(drawing.marks)))) if drawing.marks else set()
    colors = {KAGGLE_15.keypoints[k].color for k in gone}
    raw = as_sent(drawing)
    raw["objects"] = [
        t for t in raw["objects"] if t["fill"][:7] not in colors and t["stroke"] not in colors
    ]
    assert drawing.removed(raw) == sorted(gone, key=list(drawing.marks).index)
    assert drawing.moved(raw) == {}


@given(drawings)
def test_another_drawing_is_not_taken_for_this_one(drawing):
    other = copy.copy(as_sent(drawing))
    later = Drawing(KAGGLE_15, drawing.marks, drawing.scale, 6.0, drawing.serial % 0xFFFFFF + 1)
    assert later.moved(other) is None
    assert later.removed(other) == []


def test_a_click_of_the_librarys_own_point_tool_is_the_keypoint_of_its_colour():
    drawing = Drawing(KAGGLE_15, {0: Mark((10, 10), State.VISIBLE)}, 8, 6.0, 1)
    raw = as_sent(drawing)
    color = KAGGLE_15.keypoints[3].color
    radius, width = 6, 2
    raw["objects"].append(
        {
            "type": "Circle",
            "left": (20 + 0.5) * 8 - radius - width / 2,
            "top": (30 + 0.5) * 8,
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
    drawing = Drawing(KAGGLE_15, {0: Mark((10, 10), State.VISIBLE)}, 8, 6.0, 1)
    assert drawing.moved(raw) is None
    assert drawing.removed(raw) == []


def test_circles_that_stand_nowhere_are_left_out():
    drawing = Drawing(KAGGLE_15, {0: Mark((10, 10), State.VISIBLE)}, 8, 6.0, 1)
    raw = as_sent(drawing)
    for bad in ({"left": "x"}, {"left": float("nan")}, {"radius": None}):
        broken = copy.deepcopy(raw)
        broken["objects"][1] |= bad
        assert drawing.moved(broken) == {}


def test_a_click_means_the_nearest_point_in_reach():
    marks = {0: Mark((10, 10), State.VISIBLE), 1: Mark((12, 10), State.VISIBLE)}
    drawing = Drawing(KAGGLE_15, marks, 8, 6.0, 1)
    assert drawing.at((11.2, 10)) == 1
    assert drawing.at((10.2, 10.1)) == 0
    assert drawing.at((20, 20)) is None


def test_brightness_and_contrast():
    image = np.array([[100, 120], [140, 160]], np.uint8)
    assert (adjusted(image, 0, 1) == image).all()
    assert (adjusted(image, 200, 1) == 255).sum() == 4
    flat = adjusted(image, 0, 0)
    assert (flat == 130).all()


def test_the_backdrop_is_a_picture_whatever_is_missing():
    points = np.full((COUNT, 2), np.nan)
    points[0] = 10, 20
    url = backdrop(
        "data:image/png;base64,AA==\"'<>",
        KAGGLE_15,
        8,
        points=points,
        names=True,
        edges=True,
        predicted=points + 1,
        original=points - 1,
        corrected=[0, 1],
        active=points[0],
    )
    import base64
    from xml.etree import ElementTree

    svg = ElementTree.fromstring(base64.b64decode(url.split(",")[1]))
    assert svg.attrib["width"] == str(8 * KAGGLE_15.width)
    assert "L eye" in ElementTree.tostring(svg, "unicode")
    assert reference_face(KAGGLE_15, points, 1).startswith("data:image/svg+xml")
