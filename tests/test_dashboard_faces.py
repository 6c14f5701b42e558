"""Faces with their marks: what the browser is told, and the picture for download."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dashboard.face_grid import LACKING, POINTS, Face, face_data
from dashboard.face_picture import annotated_png, sheet_png
from fkd.keypoints import KAGGLE_15

IMAGE = np.full(KAGGLE_15.image_size, 90, np.uint8)
NOWHERE = np.full((len(KAGGLE_15), 2), np.nan, np.float32)


def points(**places: tuple[float, float]) -> np.ndarray:
    found = NOWHERE.copy()
    for name, place in places.items():
        found[KAGGLE_15.index(name)] = place
    return found


def test_true_and_predicted_points_go_to_the_browser_apart():
    truth, guess = (
        points(nose_tip=(40.004, 50)),
        points(nose_tip=(41.5, 50), left_eye_center=(1, 2)),
    )
    data = face_data(Face("1", "row 1", IMAGE, truth, predicted=guess), KAGGLE_15, (POINTS,))
    nose, eye = KAGGLE_15.index("nose_tip"), KAGGLE_15.index("left_eye_center")
    assert data["points"][nose] == [40.0, 50.0]
    assert data["predicted"][nose] == [41.5, 50.0]
    assert (data["points"][eye], data["predicted"][eye]) == (None, [1.0, 2.0])
    assert sum(p is not None for p in data["predicted"]) == 2


def test_a_face_without_predictions_has_none():
    data = face_data(Face("1", "row 1", IMAGE, points(nose_tip=(4, 5))), KAGGLE_15, (POINTS,))
    assert data["predicted"] == [None] * len(KAGGLE_15)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({}, "no points"),
        ({"nose_tip": (4.0, 5.0)}, "only nose tip"),
        (dict.fromkeys(KAGGLE_15.names[1:], (4.0, 5.0)), "no L eye"),
        (dict.fromkeys(KAGGLE_15.names, (4.0, 5.0)), ""),
    ],
)
def test_what_a_face_lacks_is_named(there, words):
    face = Face("1", "row 1", IMAGE, points(**there))
    assert face_data(face, KAGGLE_15, (LACKING,))["lacking"] == words
    assert face_data(face, KAGGLE_15, (POINTS,))["lacking"] == ""


def picture(truth: np.ndarray, guess: np.ndarray | None = None, **show: bool) -> np.ndarray:
    toggles = {"points": True, "edges": False, "names": False, "pixels": True, **show}
    data = annotated_png(IMAGE, KAGGLE_15, truth, guess, mark_size=2.0, **toggles)
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def at(drawn: np.ndarray, x: float, y: float) -> tuple[int, ...]:
    """Colour of the enlarged picture where ``(x, y)`` px of the face lies."""
    return tuple(int(v) for v in drawn[round((y + 0.5) * 8 - 0.5), round((x + 0.5) * 8 - 0.5)])


def color_of(name: str) -> tuple[int, ...]:
    color = KAGGLE_15.keypoints[KAGGLE_15.index(name)].color
    return tuple(int(color[i : i + 2], 16) for i in (5, 3, 1))


def test_a_prediction_is_a_ring_with_a_line_from_the_truth():
    drawn = picture(points(nose_tip=(20, 40)), points(nose_tip=(40, 40)))
    color, grey = color_of("nose_tip"), (90, 90, 90)
    assert at(drawn, 20, 40) == color  # the dot
    assert at(drawn, 30, 40) == color  # the line
    assert at(drawn, 40 + 1.35, 40) == color  # the ring
    assert at(drawn, 40, 40 - 0.7) == grey  # is hollow


def test_without_true_points_there_are_rings_only():
    truth, guess = points(nose_tip=(20, 40)), points(nose_tip=(40, 40))
    drawn = picture(truth, guess, points=False)
    assert at(drawn, 30, 40) == (90, 90, 90)
    assert at(drawn, 40 + 1.35, 40) == color_of("nose_tip")


def test_a_missing_point_draws_nothing():
    assert (picture(NOWHERE, NOWHERE, names=True, edges=True) == 90).all()
    lonely = picture(NOWHERE, points(nose_tip=(40, 40)), names=True)
    assert at(lonely, 41.35, 40) == color_of("nose_tip")


def test_a_sheet_has_every_face_with_its_marks_and_its_caption():
    face = Face("1", "row 1", IMAGE, points(nose_tip=(20, 40)), "4.9 → 2.1 px")
    bare = Face("2", "test 7", IMAGE)
    drawn = cv2.imdecode(np.frombuffer(sheet_png([face, *[bare] * 6], KAGGLE_15), np.uint8), 1)
    assert drawn.shape == (2 * (288 + 40 + 8) + 8, 6 * (288 + 8) + 8, 3)
    x, y = (round((p + 0.5) * 3 - 0.5) + 8 for p in (20, 40))
    assert np.abs(drawn[y, x].astype(int) - color_of("nose_tip")).max() < 8
    assert (drawn[y, x + 296] == 90).all()  # the second face has no points
    assert (drawn[8 + 288 : 8 + 328, 8 : 8 + 288] < 100).any()  # words below the first
    assert (drawn[-40:, 400:] == 255).all()  # nothing where no face is


@pytest.mark.parametrize("title", ["", "Zeile ☃ 1", "x" * 400])
def test_any_caption_can_be_written(title):
    assert sheet_png([Face("1", title, IMAGE)], KAGGLE_15).startswith(b"\x89PNG")
