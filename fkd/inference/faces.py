"""The face as it was found: its square, the picture that the model saw, its points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.expected import confidence
from fkd.evaluation.metrics import mean
from fkd.inference.frame import Frame
from fkd.keypoints import KeypointSchema


@dataclass(frozen=True)
class Face:
    """A face on a photo with its keypoints.

    Attributes:
        frame: the square that it was cut from.
        crop: ``(H, W)`` uint8, the model's input, cut from there.
        inside: ``(K, 2)`` float64, the points in px of the crop; NaN for those that the model never
            learned, see ``evaluation.learned``.
        error: ``(K,)`` float64, the distance from the truth that the model expects of each, in px
            of the crop; NaN where it does not say.
        schema: what the points are called.
    """

    frame: Frame
    crop: NDArray[np.uint8]
    inside: NDArray[np.float64]
    error: NDArray[np.float64]
    schema: KeypointSchema

    def __post_init__(self) -> None:
        count = len(self.schema)
        if self.inside.shape != (count, 2) or self.error.shape != (count,):
            raise ValueError(f"{count} points, but {self.inside.shape} and {self.error.shape}")
        if self.crop.shape != self.schema.image_size:
            raise ValueError(f"a crop of {self.crop.shape}, not {self.schema.image_size}")

    @property
    def points(self) -> NDArray[np.float64]:
        """``(K, 2)`` in px of the photo; NaN as ``inside``."""
        return self.frame.to_photo(self.inside, self.schema)

    @property
    def given(self) -> NDArray[np.bool_]:
        """``(K,)`` which points have a place: those that the model has learned."""
        return np.asarray(np.isfinite(self.inside).all(axis=1))

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """``(K,)`` from 0 to 1, see ``evaluation.expected.confidence``; NaN where the model does
        not say."""
        return np.asarray(confidence(self.inside[None], self.error[None], self.schema)[0])

    @property
    def score(self) -> float:
        """The mean confidence of the points that have a place; NaN where the model does not
        say."""
        return mean(self.confidence[self.given])

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y of the top left corner, width and height in px of the photo, before any turn."""
        half = self.frame.size / 2
        return (
            self.frame.x - half + 0.5,
            self.frame.y - half + 0.5,
            self.frame.size,
            self.frame.size,
        )
