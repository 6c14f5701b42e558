"""Drawn faces in larger scenes, and a model that knows where their points are."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from fkd.inference.decode import Photo
from fkd.inference.frame import Frame
from fkd.inference.loading import open_pipeline
from fkd.inference.pipeline import Pipeline
from fkd.keypoints import KAGGLE_15
from fkd.models.sources import BUNDLED, trained_model
from fkd.synthetic import render_faces


@cache
def bundled() -> Pipeline:
    """The pipeline around the bundled model; loaded once for all tests of a process."""
    return open_pipeline(trained_model(BUNDLED))


@cache
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Twelve drawn faces and their exact points. Not to be changed."""
    return render_faces(5, 0, 12)


def photo_of(gray: np.ndarray, name: str = "photo.png") -> Photo:
    return Photo(name, np.repeat(gray[..., None], 3, axis=2), gray)


def scene(
    *places: tuple[int, Frame], size: tuple[int, int] = (640, 480), name: str = "scene.png"
) -> tuple[Photo, list[np.ndarray]]:
    """A photo, ``size`` (width, height), with the drawn faces ``(number, where)`` on an even, noisy
    ground; and where their points are on it."""
    rng = np.random.default_rng(3)
    canvas = rng.normal(128, 4, size[::-1]).clip(0, 255).astype(np.uint8)
    points = []
    for number, frame in places:
        image, exact = drawn()[0][number], drawn()[1][number]
        matrix = frame.matrix(KAGGLE_15)
        warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC)
        mask = cv2.warpAffine(np.ones(image.shape, np.float32), matrix, size)
        soft = cv2.GaussianBlur(mask, (0, 0), 2) * mask
        canvas = (canvas * (1 - soft) + warped * soft).round().astype(np.uint8)
        points.append(frame.to_photo(exact, KAGGLE_15))
    return photo_of(canvas, name), points
