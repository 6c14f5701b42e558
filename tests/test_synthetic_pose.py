"""The way from the face's frame to the picture and back."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkd.synthetic import anatomy, features, pose, relief
from fkd.synthetic.canvas import RELIEF, SKIN

SHAPE = (80, 64)


@pytest.fixture(scope="module")
def face_relief():
    face = anatomy.draw_face(np.random.default_rng(3))
    return relief.build(face, features.locate(face))


@settings(max_examples=25, deadline=None)
@given(
    yaw=st.floats(-0.35, 0.35),
    pitch=st.floats(-0.25, 0.25),
    roll=st.floats(-0.5, 0.5),
    scale=st.floats(18, 40),
)
def test_tracing_inverts_projecting(face_relief, yaw, pitch, roll, scale):
    held = pose.Pose(pose.rotation(yaw, pitch, roll), scale, (31.3, 35.8))
    seen, missed = pose.trace(face_relief, held, SHAPE)
    assert seen.shape == (*SHAPE, 2)
    flat = (seen.reshape(-1, 2) - np.array(RELIEF.origin)) / RELIEF.scale
    solid = np.column_stack([flat, pose.heights_at(face_relief, flat)])
    back = held.project(solid).reshape(*SHAPE, 2)
    pixels = np.stack(np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[0])), axis=-1)
    error = np.linalg.norm(back - pixels, axis=-1)
    # Around the eyes, nose and mouth, where nothing hides anything in such mild turns.
    u, v = (flat.reshape(*SHAPE, 2)[..., axis] for axis in (0, 1))
    middle = (np.abs(u) < 0.7) & (v > -0.5) & (v < 1.2)
    assert middle.any()
    assert np.percentile(error[middle], 98) < 0.2
    assert np.percentile(missed[middle], 98) < 0.5


def test_without_turning_the_picture_is_the_frame():
    held = pose.Pose(pose.rotation(0, 0, 0), 36.0, (40.0, 30.0))
    np.testing.assert_allclose(held.project(np.array([[0.5, -0.25, 9.0]])), [[58.0, 21.0]])


@pytest.mark.parametrize(
    ("turn", "shift"),
    [
        ({"yaw": 0.2}, (1, 0)),  # to the viewer's right
        ({"pitch": 0.2}, (0, 1)),  # down
    ],
)
def test_what_stands_out_moves_with_the_turn(turn, shift):
    angles = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0} | turn
    moved = pose.rotation(**angles) @ np.array([0.0, 0.0, 1.0])
    np.testing.assert_allclose(moved[:2], np.array(shift) * np.sin(0.2), atol=1e-12)


def test_the_eyes_are_placed_in_proportion_to_the_picture():
    eyes = np.array([[0.5, 0, 0], [-0.5, 0, 0]])
    for shape in ((50, 50), (100, 100)):
        held = pose.place(pose.rotation(0, 0, 0), eyes, shape, np.random.default_rng(0))
        left, right = held.project(eyes) / shape[0]
        assert left[0] - right[0] == pytest.approx(0.37, abs=0.1)
        assert (left[0] + right[0]) / 2 == pytest.approx(0.5, abs=0.1)


def test_both_rasters_cover_the_frame_alike():
    """Enlarging from one to the other keeps every feature in its place."""
    spot = np.array([0.4, 0.7], np.float32)
    coarse = RELIEF.blank()
    RELIEF.disc(coarse, spot, (0.2, 0.2), 255)
    large = cv2.resize(coarse, SKIN.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ys, xs = np.indices(large.shape)
    centre = np.array([(xs * large).sum(), (ys * large).sum()], float) / large.sum(dtype=float)
    np.testing.assert_allclose(centre, SKIN.index(spot), atol=0.1)
