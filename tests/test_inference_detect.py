"""Squares that may hold faces: each search only when asked for, in px of the photo."""

from __future__ import annotations

import numpy as np
import pytest
from inference_helper import scene

from fkd.inference.detect import MAX_FACES, Found, apart, searches
from fkd.inference.frame import Frame


def near(found: list[Found], frame: Frame) -> bool:
    return any(
        np.hypot(one.frame.x - frame.x, one.frame.y - frame.y) < 0.15 * frame.size
        and 0.75 < one.frame.size / frame.size < 1.3
        for one in found
    )


def test_an_upright_face_is_in_the_first_search():
    frame = Frame(330, 220, 220)
    assert near(next(searches(scene((1, frame))[0].gray)), frame)


def test_a_small_face_on_a_large_photo_is_in_the_second():
    frame = Frame(1500, 300, 140)
    photo, _ = scene((1, frame), size=(2560, 1200))
    found = list(searches(photo.gray))
    assert len(found) == 3  # twice upright, then turned
    assert near(found[1], frame)


@pytest.mark.parametrize("angle", [-30, 30, 45])
def test_a_turned_face_is_in_the_last(angle):
    frame = Frame(330, 240, 220, angle)
    *_, turned = searches(scene((1, frame))[0].gray)
    assert near([one for one in turned if abs(one.frame.angle - angle) < 16], frame)


def test_each_search_is_made_only_when_asked_for(monkeypatch):
    from fkd.inference import detect

    made = []
    monkeypatch.setattr(detect, "_search", lambda gray, side, angle: made.append(angle) or [])
    search = searches(np.zeros((400, 500), np.uint8))
    assert made == []
    next(search)
    assert made == [0]
    assert list(search) == [[]]
    assert made == [0, *detect.ANGLES]


def test_faces_within_each_other_are_one():
    faces = [Frame(100, 100, 80), Frame(110, 95, 70), Frame(200, 100, 80), Frame(105, 100, 300)]
    kept = apart([Found(frame, 1.0) for frame in faces])
    assert [one.frame for one in kept] == [faces[0], faces[2]]
    many = [Found(Frame(100.0 * i, 0, 20), 1.0) for i in range(MAX_FACES + 5)]
    assert len(apart(many)) == MAX_FACES
