"""What was found on a photo, as JSON, as CSV and drawn."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from inference_helper import drawn

from fkd.inference.drawing import annotated, png
from fkd.inference.faces import Face
from fkd.inference.frame import Frame
from fkd.inference.results import COLUMNS, PhotoFaces, to_csv
from fkd.keypoints import KAGGLE_15

FRAME = Frame(200, 150, 192, 0)


def face(frame: Frame = FRAME, error: float = 1.0) -> Face:
    images, points = drawn()
    count = len(KAGGLE_15)
    return Face(frame, images[0], points[0].astype(float), np.full(count, error), KAGGLE_15)


def result(**changes) -> PhotoFaces:
    return PhotoFaces("a.jpg", 400, 300, (face(),), (("dark",),), **changes)


def test_json_has_every_point_in_px_of_the_photo():
    found = json.loads(json.dumps(result().to_json()))
    assert {k: found[k] for k in ("file", "width", "height")} == {
        "file": "a.jpg",
        "width": 400,
        "height": 300,
    }
    [one] = found["faces"]
    assert one["box"] == pytest.approx([104.5, 54.5, 192, 192])
    assert 0 < one["score"] < 1
    assert one["warnings"] == ["dark"]
    assert tuple(one["keypoints"]) == KAGGLE_15.names
    exact = FRAME.to_photo(drawn()[1][0].astype(float), KAGGLE_15)
    for name, (x, y) in zip(KAGGLE_15.names, exact, strict=True):
        point = one["keypoints"][name]
        assert (point["x"], point["y"]) == pytest.approx((x, y), abs=0.006)
        assert 0 < point["confidence"] < 1


def test_a_model_that_says_nothing_of_its_errors_gives_null():
    found = PhotoFaces("a", 400, 300, (face(error=np.nan),), ((),)).to_json()
    assert found["faces"][0]["score"] is None
    assert found["faces"][0]["keypoints"][KAGGLE_15.names[0]]["confidence"] is None
    json.dumps(found, allow_nan=False)


def test_a_file_that_could_not_be_read_has_its_reason_only():
    assert PhotoFaces("b.jpg", error="b.jpg is empty.").to_json() == {
        "file": "b.jpg",
        "error": "b.jpg is empty.",
    }


def test_csv_has_a_row_for_each_point_and_no_formula():
    photos = [result(), PhotoFaces("=cmd()", 400, 300, (face(), face()), ((), ()))]
    rows = list(csv.reader(io.StringIO(to_csv(photos).decode())))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1 + 3 * len(KAGGLE_15)
    assert rows[1][:3] == ["a.jpg", "1", KAGGLE_15.names[0]]
    assert rows[-1][:2] == ["'=cmd()", "2"]


def test_every_face_has_its_doubts():
    with pytest.raises(ValueError, match="doubts"):
        PhotoFaces("a", 1, 1, (face(),), ())


def test_drawing_marks_points_and_box_and_leaves_the_photo_alone():
    color = np.full((300, 400, 3), 100, np.uint8)
    drawing = annotated(color, [face()])
    assert (color == 100).all()
    radius = round(0.015 * 192)
    for keypoint, (x, y) in zip(KAGGLE_15.keypoints, face().points, strict=True):
        wanted = np.array([int(keypoint.color[i : i + 2], 16) for i in (1, 3, 5)])
        spot = drawing[round(y) - radius - 2 : round(y) + radius + 3, round(x) - radius - 2 :][
            :, : 2 * radius + 5
        ].reshape(-1, 3)
        assert np.abs(spot.astype(int) - wanted).max(axis=1).min() < 40, keypoint.name
    left, top, width, _ = face().box
    edge = drawing[round(top), round(left) + 20 : round(left + width) - 20]
    assert (edge.astype(int) > 200).all()
    assert (annotated(color, [face()], boxes=False)[round(top), round(left) + 20] == 100).all()
    lines = annotated(color, [face()], boxes=False, edges=True)
    assert (lines != annotated(color, [face()], boxes=False)).any()


def test_drawing_far_outside_of_the_photo_does_not_fail():
    color = np.zeros((50, 60, 3), np.uint8)
    annotated(color, [face(Frame(-1e9, 1e9, 1e8))])
    assert png(color).startswith(b"\x89PNG")
    assert png(color[..., 0]).startswith(b"\x89PNG")
