"""Made-up faces for the tests of the statistics: shapes of low rank, and pictures."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.keypoints import KAGGLE_15, KeypointSchema

SCHEMA = KAGGLE_15

_TYPICAL = {
    "eye_center": (18, 38),
    "eye_inner_corner": (11, 38),
    "eye_outer_corner": (25, 38),
    "eyebrow_inner_end": (10, 27),
    "eyebrow_outer_end": (32, 29),
    "nose_tip": (0, 59),
    "mouth_corner": (14, 76),
    "mouth_center_top_lip": (0, 73),
    "mouth_center_bottom_lip": (0, 84),
}


def typical_face(schema: KeypointSchema = SCHEMA) -> np.ndarray:
    """``(K, 2)`` float64: a frontal face in the middle of the image."""
    middle = (schema.width - 1) / 2
    points = []
    for name in schema.names:
        side = 1 if "left" in name else -1
        away, y = _TYPICAL[name.replace("left_", "").replace("right_", "")]
        points.append((middle + side * away, y))
    return np.array(points, float)


def faces(rows: int, seed: int = 0, noise: float = 0.7) -> np.ndarray:
    """``(rows, K, 2)`` float32: shifted, scaled, turned heads with a mouth that opens."""
    rng = np.random.default_rng(seed)
    mean = typical_face()
    centre = mean.mean(axis=0)
    modes = [
        np.tile([1.0, 0.0], (len(mean), 1)),
        np.tile([0.0, 1.0], (len(mean), 1)),
        (mean - centre) / 20,
        np.stack([-(mean - centre)[:, 1], (mean - centre)[:, 0]], axis=1) / 20,
    ]
    opening = np.zeros_like(mean)
    opening[SCHEMA.index("mouth_center_bottom_lip"), 1] = 1.0
    turn = np.zeros_like(mean)
    turn[SCHEMA.index("nose_tip"), 0] = 1.0
    weights = rng.normal(0, [2, 2, 1, 1, 3, 3], (rows, 6))
    shapes = mean + np.einsum("nm,mkd->nkd", weights, np.array([*modes, opening, turn]))
    return (shapes + rng.normal(0, noise, shapes.shape)).astype(np.float32)


def four_points(keypoints: np.ndarray) -> np.ndarray:
    """A copy with only the eye centres, the nose tip and the bottom lip."""
    kept = ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip")
    few = np.full_like(keypoints, np.nan)
    columns = [SCHEMA.index(name) for name in kept]
    few[:, columns] = keypoints[:, columns]
    return few


def pictures(count: int, seed: int = 0, side: int = 96) -> np.ndarray:
    """``(count, side, side)`` uint8: smooth random pictures, each unlike the others."""
    rng = np.random.default_rng(seed)
    result = np.empty((count, side, side), np.uint8)
    for i in range(count):
        coarse = rng.uniform(40, 200, (8, 8)).astype(np.float32)
        result[i] = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    return result
