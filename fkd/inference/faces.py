"""The face as it was found: its square, the picture that the model saw, its points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.inference.frame import Frame
from fkd.keypoints import KeypointSchema

NEAR = 0.1
"""A point is confident as far as it is likely to lie within this share of the distance between
the eyes: what PCK@0.1 counts as right."""


@dataclass(frozen=True)
class Face:
    """A face on a photo with its keypoints.

    Attributes:
        frame: the square that it was cut from.
        crop: ``(H, W)`` uint8, the model's input, cut from there.
        inside: ``(K, 2)`` float64, the points in px of the crop.
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
        """``(K, 2)`` in px of the photo."""
        return self.frame.to_photo(self.inside, self.schema)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """``(K,)`` from 0 to 1: how likely each point lies within ``NEAR`` times the distance
        between the eyes of where it belongs, if distances from the truth are exponentially
        distributed (as the model's loss takes them to be); NaN where the model does not say."""
        if self.schema.eye_centers is None:
            return np.full(len(self.schema), np.nan)
        left, right = self.schema.eye_centers
        between = float(np.hypot(*(self.inside[left] - self.inside[right])))
        return np.asarray(1 - np.exp(-NEAR * between / self.error))

    @property
    def score(self) -> float:
        """The mean confidence; NaN where the model does not say."""
        return float(self.confidence.mean())

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
