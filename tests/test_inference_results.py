"""What was found on a photo, as JSON, as CSV and drawn."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from inference_helper import drawn

from fkd.inference.drawing import BOX, annotated, png
from fkd.inference.faces import Face
from fkd.inference.frame import Frame
from fkd.inference.results import COLUMNS, PhotoFaces, summary, to_csv
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


def four() -> Face:
    """A face of a model that learned the eye centres, the nose tip and the bottom lip only."""
    known = np.isin(KAGGLE_15.names, FOUR)
    inside = np.where(known[:, None], face().inside, np.nan)
    return replace(face(), inside=inside, error=np.where(known, 1.0, np.nan))


FOUR = ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip")
OTHERS = [name for name in KAGGLE_15.names if name not in FOUR]


def test_points_that_were_never_learned_are_null_and_named():
    found = PhotoFaces("a", 400, 300, (four(),), ((),)).to_json()
    [one] = json.loads(json.dumps(found, allow_nan=False))["faces"]
    assert one["not_learned"] == OTHERS
    assert tuple(one["keypoints"]) == KAGGLE_15.names
    for name in OTHERS:
        assert one["keypoints"][name] == {"x": None, "y": None, "confidence": None}
    assert all(None not in one["keypoints"][name].values() for name in FOUR)
    assert 0 < one["score"] < 1
    assert result().to_json()["faces"][0]["not_learned"] == []


def test_in_csv_they_have_no_numbers():
    photo = PhotoFaces("a", 400, 300, (four(),), ((),))
    rows = list(csv.DictReader(io.StringIO(to_csv([photo]).decode())))
    assert [row["keypoint"] for row in rows] == list(KAGGLE_15.names)
    for row in rows:
        numbers = [row["x"], row["y"], row["confidence"]]
        assert all(numbers) if row["keypoint"] in FOUR else numbers == ["", "", ""]


def test_points_without_a_place_are_not_drawn_nor_edges_to_them():
    color = np.full((300, 400, 3), 100, np.uint8)
    drawing = annotated(color, [four()], boxes=False)
    changed = (drawing != 100).any(axis=2)
    far = np.full(changed.shape, np.inf)
    ys, xs = np.mgrid[:300, :400]
    for x, y in four().points[four().given]:
        far = np.minimum(far, np.hypot(xs - x, ys - y))
    assert changed.any()
    assert far[changed].max() < 10
    # None of the edges joins two of the four.
    assert np.array_equal(annotated(color, [four()], boxes=False, edges=True), drawing)
    nothing = replace(four(), inside=np.full((15, 2), np.nan))
    assert (annotated(color, [nothing], boxes=False, edges=True) == 100).all()


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


def test_the_summary_counts_every_photo_once_and_names_its_units():
    bad, bare = PhotoFaces("b", error="b is empty."), PhotoFaces("c", 400, 300)
    two = PhotoFaces("d", 400, 300, (face(), face()), ((), ()))
    assert summary([result()]) == "1 face on 1 photo"
    assert summary([result(), two, bare, bad, bad], 4) == (
        "3 faces on 2 photos; no face on 1 photo; 2 photos could not be read; "
        "4 photos not predicted yet"
    )
    assert summary([bad]) == "1 photo could not be read"
    assert summary([]) == "no photos"


def test_every_face_has_its_doubts():
    with pytest.raises(ValueError, match="doubts"):
        PhotoFaces("a", 1, 1, (face(),), ())


def test_drawing_marks_points_and_box_and_leaves_the_photo_alone():
    color = np.full((300, 400, 3), 100, np.uint8)
    drawing = annotated(color, [face()])
    assert (color == 100).all()
    reach = 5
    for keypoint, (x, y) in zip(KAGGLE_15.keypoints, face().points, strict=True):
        wanted = np.array([int(keypoint.color[i : i + 2], 16) for i in (1, 3, 5)])
        spot = drawing[round(y) - reach : round(y) + reach, round(x) - reach : round(x) + reach]
        off = np.abs(spot.reshape(-1, 3).astype(int) - wanted).max(axis=1).min()
        assert off < 60, keypoint.name
    left, top, width, _ = face().box
    edge = drawing[round(top) - 2 : round(top) + 2, round(left) + 20 : round(left + width) - 20]
    line = np.array([int(BOX[i : i + 2], 16) for i in (1, 3, 5)])
    assert np.abs(edge.astype(int) - line).max(axis=2).min(axis=0).max() < 90
    assert edge.max(axis=2).min() < 60  # within a dark line
    assert (annotated(color, [face()], boxes=False)[round(top), round(left) + 20] == 100).all()
    lines = annotated(color, [face()], boxes=False, edges=True)
    assert (lines != annotated(color, [face()], boxes=False)).any()


@pytest.mark.parametrize("side", [96, 1000, 4000])
def test_marks_are_as_large_on_every_picture_looked_at_as_a_whole(side):
    color = np.full((side, side, 3), 100, np.uint8)
    size = side / 3
    frame = Frame(side / 2, side / 2, size)
    drawing = annotated(color, [face(frame)], boxes=False)
    x, y = face(frame).points[10]  # nothing near it
    row = np.flatnonzero((drawing[round(y)] != 100).any(axis=1))
    near = row[np.abs(row - x) < size / 12]
    radius = (near.max() - near.min() + 1) / 2
    # Of a picture scaled to 1,000 px, or as it is where it is smaller.
    assert 2.5 <= radius * min(1000 / side, 1) <= 7


def luminance(color: str) -> float:
    levels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_a_box_stands_out_on_every_ground():
    """Its line or the black around it, at 3 : 1 (WCAG 1.4.11)."""
    line = luminance(BOX)
    for ground in np.linspace(0, 1, 101):
        contrasts = [(max(a, ground) + 0.05) / (min(a, ground) + 0.05) for a in (line, 0.0)]
        assert max(contrasts) >= 3


def test_drawing_far_outside_of_the_photo_does_not_fail():
    color = np.zeros((50, 60, 3), np.uint8)
    annotated(color, [face(Frame(-1e9, 1e9, 1e8))])
    assert png(color).startswith(b"\x89PNG")
    assert png(color[..., 0]).startswith(b"\x89PNG")
