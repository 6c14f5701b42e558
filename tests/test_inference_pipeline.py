"""Faces on photos, found and read by the bundled model."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from inference_helper import bundled, drawn, photo_of, scene

from fkd.inference import pipeline as pipeline_module
from fkd.inference.detect import Found
from fkd.inference.frame import Frame
from fkd.inference.pipeline import Pipeline, of_box, whole
from fkd.keypoints import KAGGLE_15


def off(face, exact) -> float:
    """Mean distance in px of the model's crop at the scale of the face."""
    scale = face.frame.size / KAGGLE_15.width
    return float(np.hypot(*(face.points - exact).T).mean() / scale)


def test_a_crop_of_the_models_own_size_is_taken_whole():
    images, exact = drawn()
    found = bundled().batch([photo_of(image) for image in images])
    assert [len(faces) for faces in found] == [1] * len(images)
    for faces, image, points in zip(found, images, exact, strict=True):
        assert np.array_equal(faces[0].crop, image)
        assert faces[0].frame == Frame(47.5, 47.5, 96)
        assert off(faces[0], points) < 2.5


def test_an_enlarged_crop_is_taken_whole_too():
    images, exact = drawn()
    large = cv2.resize(images[1], None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    [face] = bundled()(photo_of(large))
    assert off(face, (exact[1] + 0.5) * 5 - 0.5) < 2.5


@pytest.mark.parametrize("angle", [0, 20, -30, 45])
def test_a_face_in_a_scene_is_found_however_it_is_turned(angle):
    photo, [exact] = scene((1, Frame(330, 220, 220, angle)))
    [face] = bundled()(photo)
    assert off(face, exact) < 3
    assert face.frame.angle == pytest.approx(angle, abs=12)
    assert face.confidence.min() > 0.3


def test_several_faces_come_from_left_to_right():
    places = [(1, Frame(480, 250, 190)), (3, Frame(130, 150, 150)), (5, Frame(300, 370, 120))]
    photo, exact = scene(*places)
    found = bundled()(photo)
    assert len(found) == 3
    order = sorted(range(3), key=lambda i: places[i][1].x)
    for face, i in zip(found, order, strict=True):
        assert off(face, exact[i]) < 3


def test_no_face_is_no_face():
    rng = np.random.default_rng(0)
    for gray in (
        np.full((300, 500), 128, np.uint8),
        rng.integers(0, 256, (400, 400), dtype=np.uint8),
        np.zeros((24, 2000), np.uint8),
    ):
        assert bundled()(photo_of(gray)) == []


def test_a_box_by_hand_is_enough_where_nothing_is_found():
    photo, [exact] = scene((2, Frame(300, 240, 200, 75)))  # turned further than is searched
    assert all(off(face, exact) > 5 for face in bundled()(photo))
    [face] = bundled().boxes(photo, [Frame(300, 240, 200, 60)])
    assert off(face, exact) < 3
    upright, [exact] = scene((2, Frame(300, 240, 200)))
    [face] = bundled().boxes(upright, [of_box(190, 150, 230, 190)])
    assert off(face, exact) < 3


def test_squares_of_boxes_and_photos():
    assert of_box(10, 20, 30, 40) == Frame(24.5, 39.5, 40)
    assert whole(photo_of(np.zeros((48, 96), np.uint8))) == Frame(47.5, 23.5, 96)
    with pytest.raises(ValueError, match="no square"):
        of_box(0, 0, 0, 0)


def test_averaging_with_the_mirror_is_symmetric_and_no_worse():
    images, exact = drawn()
    centred = replace(bundled(), reference=replace(bundled().reference, label_offset=0.0))
    there, _ = centred.crops(images)
    back, _ = centred.crops(images[:, :, ::-1])
    assert there == pytest.approx(KAGGLE_15.mirror(back), abs=1e-3)
    plain, _ = replace(bundled(), mirrored=False).crops(images)
    assert plain == pytest.approx(bundled().predict(images)[..., :2], abs=1e-3)
    errors = [np.hypot(*np.moveaxis(points - exact, -1, 0)).mean() for points in (there, plain)]
    assert errors[0] <= 1.02 * errors[1]


def test_what_is_no_face_is_doubted_because_its_mirror_image_says_something_else():
    noise = np.random.default_rng(1).integers(0, 256, drawn()[0].shape, dtype=np.uint8)
    _, on_faces = bundled().crops(drawn()[0])
    _, on_noise = bundled().crops(noise)
    assert on_noise.mean() > 2 * on_faces.mean()


def test_a_model_that_does_not_say_how_sure_it_is_still_finds_faces():
    sure = bundled()
    unsure = replace(
        sure,
        predict=lambda crops: sure.predict(crops)[..., :2],
        reference=replace(sure.reference, score=float("nan")),
    )
    photo, [exact] = scene((1, Frame(330, 220, 220)))
    [face] = unsure(photo)
    assert off(face, exact) < 3
    assert face.confidence.mean() > bundled()(photo)[0].confidence.mean()


def knowing(*names: str, **changes) -> Pipeline:
    """The bundled model as if it had learned the points ``names`` only; what it says of the others
    is far off."""
    known = np.isin(KAGGLE_15.names, names)
    whole_one = bundled()

    def predict(crops):
        output = whole_one.predict(crops).copy()
        output[:, ~known] = (7, 91, 0.01)
        return output

    learned = np.where(known, 20, 0)
    reference = replace(whole_one.reference, learned=learned, **changes)
    return replace(whole_one, predict=predict, reference=reference)


FOUR = ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip")


@pytest.mark.parametrize("mirrored", [True, False])
def test_points_that_the_model_never_learned_are_withheld(mirrored):
    some = replace(knowing(*FOUR), mirrored=mirrored)
    taught = some.reference.taught
    points, errors = some.crops(drawn()[0])
    assert np.isnan(points[:, ~taught]).all()
    assert np.isnan(errors[:, ~taught]).all()
    every = replace(bundled(), mirrored=mirrored)
    expected, expected_errors = every.crops(drawn()[0])
    # Where labels lie is told by fewer points, which may shift the mirrored ones by a little.
    assert points[:, taught] == pytest.approx(expected[:, taught], abs=0.5)
    assert errors[:, taught] == pytest.approx(expected_errors[:, taught], abs=0.8)


def test_a_face_is_found_and_straightened_by_the_points_that_were_learned():
    photo, [exact] = scene((3, Frame(330, 220, 220, 25)))
    [face] = knowing(*FOUR)(photo)
    assert face.given.tolist() == np.isin(KAGGLE_15.names, FOUR).tolist()
    assert off_of(face, exact, face.given) < 3
    assert face.frame.angle == pytest.approx(bundled()(photo)[0].frame.angle, abs=3)
    assert face.frame.angle == pytest.approx(20, abs=5)  # found upright
    assert face.score == pytest.approx(face.confidence[face.given].mean())
    assert np.isnan(face.confidence[~face.given]).all()


def off_of(face, exact, which) -> float:
    distance = np.hypot(*(face.points - exact)[which].T)
    return float(distance.mean() * KAGGLE_15.width / face.frame.size)


@pytest.mark.parametrize(
    "names",
    [
        ("nose_tip", "mouth_left_corner", "mouth_right_corner"),  # no eyes to measure by
        ("left_eye_center", "left_eye_outer_corner", "nose_tip"),  # on one side
        ("left_eye_center", "left_eye_inner_corner"),  # nothing that is seen in a mirror
        ("nose_tip",),
    ],
)
def test_few_points_are_enough_to_predict(names):
    some = knowing(*names)
    photo, [exact] = scene((1, Frame(330, 220, 220)))
    [face] = some.boxes(photo, [Frame(330, 220, 220)])
    assert face.given.tolist() == np.isin(KAGGLE_15.names, names).tolist()
    assert off_of(face, exact, face.given) < 3
    assert 0 < face.score <= 1
    assert np.isfinite(face.error[face.given]).all()
    assert any(off_of(one, exact, one.given) < 4 for one in some(photo))
    [crop] = some(photo_of(drawn()[0][0]))
    assert crop.given.sum() == len(names)


@pytest.mark.filterwarnings("error")
def test_a_model_that_learned_nothing_says_nothing():
    nothing = knowing()
    photo, _ = scene((1, Frame(330, 220, 220)))
    [face] = nothing.boxes(photo, [Frame(330, 220, 220)])
    assert not face.given.any()
    assert np.isnan(face.score)
    assert np.isnan(face.error).all()
    assert nothing(photo) == []
    assert not nothing(photo_of(drawn()[0][0]))[0].given.any()


def test_a_batch_finds_what_each_photo_alone_has():
    photos = [scene((i, Frame(200 + 20 * i, 240, 180)))[0] for i in range(4)]
    photos.insert(2, photo_of(np.full((200, 300), 90, np.uint8)))
    together = bundled().batch(photos)
    for photo, faces in zip(photos, together, strict=True):
        alone = bundled()(photo)
        assert len(alone) == len(faces)
        for a, b in zip(alone, faces, strict=True):
            assert a.points == pytest.approx(b.points, abs=0.05)


def test_threads_share_it():
    """What another thread looks at meanwhile does not get mixed in."""
    photos = [scene((i, Frame(220 + 10 * i, 240, 200)))[0] for i in range(4)]
    alone = [bundled()(photo)[0].points for photo in photos]
    wrong = []

    def look(number: int) -> None:
        for _ in range(3):
            [face] = bundled()(photos[number])
            if not np.allclose(face.points, alone[number], atol=0.05):
                wrong.append(number)

    threads = [threading.Thread(target=look, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def told(photo, scores: dict[str, float]) -> list[float]:
    """The scores of the faces found where the searches have one face each, with these scores."""
    usual = bundled().reference.score
    squares = {name: Frame(100.0 + 150 * n, 240, 120) for n, name in enumerate(scores)}

    def read(self, photos, wanted):
        return [Known(scores[named(frame)] * usual, frame) for _, frame in wanted]

    def named(frame: Frame) -> str:
        return next(n for n, square in squares.items() if abs(square.x - frame.x) < 1)

    turned = [replace(f, angle=30.0) for n, f in squares.items() if n.startswith("turned")]
    upright = [f for n, f in squares.items() if n.startswith("upright")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "_read", read)
        patch.setattr(
            pipeline_module,
            "searches",
            lambda gray: iter([[Found(f, 1.0) for f in some] for some in (upright, turned)]),
        )
        return [round(face.score / usual, 2) for face in bundled()(photo)]


@dataclass(frozen=True)
class Known:
    """A face whose score is known beforehand."""

    score: float
    frame: Frame


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ({"upright 1": 0.95, "upright 2": 0.85, "upright 3": 0.83}, [0.95, 0.85]),
        ({"upright 1": 0.85, "turned 1": 0.87}, [0.85]),  # nothing is sure
        ({"upright 1": 0.85, "turned 1": 0.90}, [0.90]),  # what was doubted is no face
        ({"upright 1": 0.90, "turned 1": 0.95}, [0.90]),  # none is searched for turned
        ({"upright 1": 0.83, "turned 1": 0.87}, []),
    ],
)
def test_how_sure_a_face_must_be_depends_on_what_else_there_is(scores, kept):
    assert told(photo_of(np.full((480, 640), 128, np.uint8)), scores) == kept
