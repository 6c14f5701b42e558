"""Photos to look for faces on: crops with known points, pasted into larger scenes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.inference.decode import Photo
from fkd.inference.frame import Frame
from fkd.keypoints import KAGGLE_15 as SCHEMA

SIZE = (960, 720)
"""Width and height of a scene in px."""
FACES = (90.0, 400.0)
"""Smallest and largest side in px of a crop as it is pasted."""
_DRAWN = 6
"""Drawn backgrounds."""
_SOFT = 2.0
"""Standard deviation in px of the blur of a pasted crop's border."""


@dataclass(frozen=True)
class Scene:
    """A photo with one face, or none.

    Attributes:
        photo: ``SIZE`` px.
        points: ``(K, 2)`` float64 in px of the photo, NaN where unknown; None without a face.
        scale: px of the photo for each px of the crop that was pasted.
    """

    photo: Photo
    points: NDArray[np.float64] | None = None
    scale: float = 1.0


def empty_scene(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> Scene:
    """A part of some background, as large as it needs to be, at times mirrored; of every other
    one a photo's."""
    width, height = size
    kinds = _grounds()
    some = kinds[rng.integers(len(kinds))]
    ground = some[rng.integers(len(some))]
    least = 1.01 * max(width / ground.shape[1], height / ground.shape[0])
    scale = least * rng.uniform(1, 1.6)
    ground = np.asarray(cv2.resize(ground, None, fx=scale, fy=scale), np.uint8)
    x, y = (rng.integers(0, n - m + 1) for n, m in zip(ground.shape[::-1], size, strict=True))
    part = ground[y : y + height, x : x + width]
    return Scene(_photo(part[:, ::-1] if rng.random() < 0.5 else part))


def scene(
    image: NDArray[np.uint8],
    points: NDArray[np.floating],
    angle: float,
    rng: np.random.Generator,
    size: tuple[int, int] = SIZE,
) -> Scene:
    """``image`` ``(H, W)`` with its ``points`` ``(K, 2)``, somewhere on a background, turned by
    ``angle`` degrees clockwise, its side within ``FACES``."""
    width, height = size
    side = min(rng.uniform(*FACES), min(size) / 1.5)
    reach = 0.75 * side  # of its corners, however it is turned
    at = (rng.uniform(reach, width - reach), rng.uniform(reach, height - reach))
    frame = Frame(*at, side, angle)
    matrix = frame.matrix(SCHEMA)
    pasted = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC)
    mask = cv2.warpAffine(np.ones(image.shape, np.float32), matrix, size)
    soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((5, 5))), (0, 0), _SOFT)
    ground = empty_scene(rng, size).photo.gray
    gray = np.asarray((ground * (1 - soft) + pasted * soft).round().clip(0, 255), np.uint8)
    return Scene(_photo(gray), frame.to_photo(points, SCHEMA), side / SCHEMA.width)


def _photo(gray: NDArray[np.uint8]) -> Photo:
    gray = np.ascontiguousarray(gray)
    return Photo("scene.png", np.repeat(gray[..., None], 3, axis=2), gray)


@cache
def _grounds() -> tuple[list[NDArray[np.uint8]], ...]:
    """scikit-learn's two photos, a temple and a flower, and drawn pictures; grey, no faces."""
    from sklearn.datasets import load_sample_images

    photos = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in load_sample_images().images]
    return photos, [_drawn(np.random.default_rng(seed)) for seed in range(_DRAWN)]


def _drawn(rng: np.random.Generator, size: tuple[int, int] = (640, 427)) -> NDArray[np.uint8]:
    """Clouds of every size, as in nature, with blocks, discs, lines and letters before them."""
    width, height = size
    canvas = np.zeros((height, width), np.float32)
    for cells in (3, 6, 12, 24, 48, 96):
        noise = rng.normal(0, 60 / cells**0.7, (cells, cells)).astype(np.float32)
        canvas += cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    canvas = (canvas + rng.uniform(80, 170)).clip(0, 255)
    for _ in range(40):
        at = rng.integers(0, size, (2, 2))
        level, reach = float(rng.integers(0, 256)), int(rng.integers(4, 60))
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(canvas, at[0], at[0] + rng.integers(5, 90, 2), level, -1)
        elif kind == 1:
            cv2.circle(canvas, at[0], reach, level, -1, cv2.LINE_AA)
        elif kind == 2:
            cv2.line(canvas, at[0], at[1], level, 1 + reach // 10, cv2.LINE_AA)
        else:
            text = "".join(rng.choice(list("ABEHMOSXo08"), 6))
            cv2.putText(canvas, text, at[0], cv2.FONT_HERSHEY_SIMPLEX, reach / 20, level, 2)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.8), np.uint8)
