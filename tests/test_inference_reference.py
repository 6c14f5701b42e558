"""What a model learned from, kept in its file, and what is unlike it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from inference_helper import drawn

from fkd.inference.doubts import doubts
from fkd.inference.faces import Face
from fkd.inference.frame import Frame
from fkd.inference.reference import NOTE, Reference, placing
from fkd.keypoints import KAGGLE_15
from fkd.models.sources import BUNDLED, trained_model


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.of(*drawn(), KAGGLE_15)


def face_of(crop, points, error=1.0, size=200.0) -> Face:
    count = len(KAGGLE_15)
    frame = Frame(100, 100, size)
    return Face(frame, crop, np.asarray(points, float), np.full(count, float(error)), KAGGLE_15)


def test_it_is_read_back_from_a_model_file(reference, tmp_path):
    unseen = np.concatenate([drawn()[1], np.full((12, len(KAGGLE_15), 1), 0.5)], axis=-1)
    scored = reference.scored(unseen, 1.25, KAGGLE_15)
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(NOTE, scored.to_json())
    found = Reference.read(path, KAGGLE_15)
    assert found is not None
    assert found.points == pytest.approx(scored.points, abs=1e-3)
    assert found.placing == pytest.approx(scored.placing, abs=1e-3)
    assert found.light == pytest.approx(scored.light, abs=1e-3)
    assert (found.score, found.rmse_px) == pytest.approx((scored.score, 1.25), abs=1e-5)
    assert 0.9 < found.score < 1


def test_without_expected_errors_there_is_no_score(reference):
    scored = reference.scored(drawn()[1], 2.0, KAGGLE_15)
    assert np.isnan(scored.score)
    assert Reference.from_json(scored.to_json()).rmse_px == 2
    assert np.isnan(Reference.from_json(scored.to_json()).score)


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"points": 1}', '{"points": null}'])
def test_a_damaged_note_is_none(tmp_path, text):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(NOTE, text)
    assert Reference.read(path, KAGGLE_15) is None


def test_files_without_a_note_have_none(tmp_path):
    (tmp_path / "a.keras").write_bytes(b"no zip")
    assert Reference.read(tmp_path / "a.keras", KAGGLE_15) is None
    assert Reference.read(tmp_path / "gone.keras", KAGGLE_15) is None
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as file:
        file.writestr("config.json", "{}")
    assert Reference.read(tmp_path / "b.keras", KAGGLE_15) is None


def test_the_bundled_model_has_one_and_says_where_faces_lie():
    found = Reference.read(trained_model(BUNDLED).path, KAGGLE_15)
    assert found is not None
    assert 0.5 < found.score < 1
    assert 1 < found.rmse_px < 2
    left, right = (found.points[i] for i in KAGGLE_15.eye_centers)
    assert left[0] - right[0] == pytest.approx(36, abs=3)
    assert abs(left[1] - right[1]) < 2


def test_placing_measures_shift_size_and_turn():
    typical = drawn()[1][0].astype(float)
    lies = placing(typical + np.array([3, -2]), typical, KAGGLE_15)
    assert lies == pytest.approx([3, -2, 0, 0], abs=1e-9)
    centre = (np.array([KAGGLE_15.width, KAGGLE_15.height]) - 1) / 2
    grown = placing((typical - centre) * 1.5 + centre, typical, KAGGLE_15)
    assert grown == pytest.approx([0, 0, np.log(1.5), 0], abs=1e-9)
    a = np.radians(20)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    turned = placing((typical - centre) @ turn + centre, typical, KAGGLE_15)
    assert turned == pytest.approx([0, 0, 0, 20], abs=1e-9)


def test_placing_needs_two_points(reference):
    nothing = np.full((len(KAGGLE_15), 2), np.nan)
    assert placing(nothing, reference.points, KAGGLE_15) is None
    nothing[0] = 5, 5
    assert placing(nothing, reference.points, KAGGLE_15) is None
    assert reference.unusual(nothing, KAGGLE_15) == np.inf
    empty = Reference.of(
        np.zeros((0, 96, 96), np.uint8), np.zeros((0, len(KAGGLE_15), 2)), KAGGLE_15
    )
    assert np.isfinite(empty.points).all()


def test_usual_faces_are_usual_and_odd_ones_are_not(reference):
    off = [reference.unusual(points, KAGGLE_15) for points in drawn()[1]]
    assert max(off) < 4
    assert reference.unusual(drawn()[1][0] + (25, 0), KAGGLE_15) > 5


def test_a_frame_puts_a_face_where_the_model_expects_it(reference):
    points = Frame(300, 200, 150, 25).to_photo(drawn()[1][2].astype(float), KAGGLE_15)
    frame = reference.frame(points, KAGGLE_15)
    lies = placing(frame.from_photo(points, KAGGLE_15), reference.points, KAGGLE_15)
    assert lies == pytest.approx([0, 0, 0, 0], abs=1e-6)


def taught_only(reference: Reference, *names: str) -> Reference:
    learned = [9 if name in names else 0 for name in KAGGLE_15.names]
    return replace(reference, learned=np.array(learned))


EYES = ("left_eye_center", "right_eye_center")


def test_it_keeps_from_how_many_labels_each_point_was_learned(reference):
    assert reference.learned is None
    assert reference.taught.all()
    assert Reference.from_json(reference.to_json()).learned is None
    some = replace(reference, learned=np.arange(15))
    found = Reference.from_json(some.to_json())
    assert found.learned.dtype == np.int64
    assert found.learned.tolist() == list(range(15))
    assert found.taught.tolist() == [False] + [True] * 14
    older = json.loads(some.to_json())
    del older["learned"]
    assert Reference.from_json(json.dumps(older)).learned is None


@pytest.mark.parametrize(
    "learned",
    [
        *([], [1] * 14, [1] * 16, [1] * 14 + [-1], [1] * 14 + [1.5], [1] * 14 + [True]),
        *([1] * 14 + ["1"], [1] * 14 + [None], [[1]] * 15, {"a": 1}, "1" * 15, 15, False),
        [1] * 14 + [1 << 70],
    ],
)
def test_what_are_no_numbers_of_labels_is_refused(reference, learned, tmp_path):
    text = json.dumps({**json.loads(reference.to_json()), "learned": learned})
    with pytest.raises(ValueError, match="no "):
        Reference.from_json(text)
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(NOTE, text)
    assert Reference.read(path, KAGGLE_15) is None


def test_points_that_were_never_learned_do_not_decide_how_sure_it_is(reference):
    points = drawn()[1]
    output = np.concatenate([points, np.full((12, 15, 1), 0.5)], axis=-1)
    some = taught_only(reference, *EYES, "nose_tip")
    wild = output.copy()
    wild[:, ~some.taught] = 500
    assert some.scored(wild, 1.0, KAGGLE_15).score == some.scored(output, 1.0, KAGGLE_15).score
    assert some.scored(output, 1.0, KAGGLE_15).score > 0.9
    nothing = taught_only(reference)
    assert np.isnan(nothing.scored(output, 1.0, KAGGLE_15).score)


def test_faces_of_some_points_are_placed_by_these(reference):
    some = taught_only(reference, *EYES, "nose_tip")
    face = np.where(some.taught[:, None], drawn()[1][2].astype(float), np.nan)
    assert some.unusual(face, KAGGLE_15) < 4
    assert some.unusual(face + np.array([25, 0]), KAGGLE_15) > 5
    on_photo = Frame(300, 200, 150, 25).to_photo(face, KAGGLE_15)
    frame = some.frame(on_photo, KAGGLE_15)
    lies = placing(frame.from_photo(on_photo, KAGGLE_15), some.points, KAGGLE_15)
    assert lies == pytest.approx([0, 0, 0, 0], abs=1e-6)
    one = taught_only(reference, "nose_tip")
    alone = np.where(one.taught[:, None], face, np.nan)
    assert one.unusual(alone, KAGGLE_15) == 0  # by one point there is no telling
    assert reference.unusual(alone, KAGGLE_15) == np.inf


def test_the_side_that_labels_lie_on_is_told_by_points_learned_on_both(reference):
    offset = replace(reference, label_offset=1.0)
    exact = drawn()[1].astype(float)
    right = np.array([1, 0])
    plain, mirrored = exact + right, KAGGLE_15.mirror(exact) + right
    every = offset.back(plain, mirrored, KAGGLE_15)
    assert every == pytest.approx(plain)
    some = taught_only(offset, *EYES, "left_eye_inner_corner")
    plain[:, ~some.taught], mirrored[:, ~some.taught] = 1000, -1000
    found = some.back(plain, mirrored, KAGGLE_15)
    assert found[:, :2] == pytest.approx(plain[:, :2])
    left_only = taught_only(offset, "left_eye_center")
    found = left_only.back(plain, mirrored, KAGGLE_15)
    assert found == pytest.approx(KAGGLE_15.mirror(mirrored))  # nothing to go by


def test_where_points_lie_that_the_images_have_no_label_of(reference):
    images, points = drawn()
    few = points.copy()
    few[:, 3:] = np.nan  # the eye centres and the left inner corner
    found = Reference.of(images, few, KAGGLE_15).points
    assert found[:3] == pytest.approx(reference.points[:3])
    right_corner = KAGGLE_15.index("right_eye_inner_corner")
    assert found[right_corner] == pytest.approx(KAGGLE_15.mirror(found)[right_corner])
    assert found[KAGGLE_15.index("nose_tip")].tolist() == [47.5, 47.5]
    others = np.where(np.arange(15)[None, :, None] == 2, 0, points)  # the images' own come first
    found = Reference.of(images, few, KAGGLE_15, others).points
    assert found == pytest.approx(reference.points)


def test_doubts_of_a_face_of_one_point_are_not_about_its_square(reference):
    images, points = drawn()
    one = taught_only(reference, "nose_tip")
    alone = np.where(one.taught[:, None], points[0], np.nan)
    assert doubts(face_of(images[0], alone), one) == ()


def test_doubts_say_what_is_unlike(reference):
    images, points = drawn()
    assert doubts(face_of(images[0], points[0]), reference) == ()
    [dark] = doubts(face_of((images[0] * 0.1).astype(np.uint8), points[0]), reference)
    assert dark.startswith("darker and lower in contrast")
    blurred = np.full_like(images[0], 128)
    assert "lower in contrast and blurrier" in doubts(face_of(blurred, points[0]), reference)[0]
    assert doubts(face_of(images[0], points[0], size=30), reference) == (
        "only 30 px wide in the photo",
    )
    assert any("check the box" in d for d in doubts(face_of(images[0], points[0] + 30), reference))
    with_errors = np.concatenate([points, np.full((12, len(KAGGLE_15), 1), 0.5)], axis=-1)
    scored = reference.scored(with_errors, 1.0, KAGGLE_15)
    assert doubts(face_of(images[0], points[0], error=20), scored) == ("low confidence",)
