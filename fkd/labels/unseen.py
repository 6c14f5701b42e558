"""Predictions of reference models: what labels are compared with, image by image.

A model repeats the mistakes that it has learned from, so what it says of its training images says
little about their labels. Every image is therefore given the prediction of a model that has not
learned from it, and which one that was; images without one have NaN. Which models may be asked is
said in ``references``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.predictions import Predictions
from fkd.models.sources import BUNDLED, model_title

Errors = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """Where a prediction is from.

    Attributes:
        name: of the run, or ``BUNDLED``; empty: no model was asked.
        rmse_px: the model's error by the labels of the images that it judges, see
            ``evaluation.metrics``; NaN where none of them has a label.
        images: how many labelled images that was measured on.
        may_have_seen: nobody knows for sure that it has not learned from these images.
        errors: ``(K,)`` float64, px: how far its points usually lie from the labels of these
            images, by keypoint; NaN where that is not known.
    """

    name: str = ""
    rmse_px: float = float("nan")
    images: int = 0
    may_have_seen: bool = False
    errors: Errors = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)

    @property
    def title(self) -> str:
        """What it is called."""
        if not self.name:
            return "the usual shape of faces"
        return model_title(self.name) if self.name == BUNDLED else f"run '{self.name}'"

    def standing(self, images: str = "this image") -> str:
        """How good the model is, and whether it may have seen ``images``; empty without a model."""
        if not self.name:
            return ""
        seen = f"{'may have' if self.may_have_seen else 'has not'} seen {images}"
        if not self.images:
            return seen
        kind = "labelled" if self.name == BUNDLED else "validation"
        of = f"{self.images:,} {kind} {'image' if self.images == 1 else 'images'}"
        return f"RMSE {self.rmse_px:.2f} px on {of}, {seen}"


SHAPE_ONLY = Source()
"""Source of images that no model was asked about."""


@dataclass(frozen=True)
class Unseen:
    """Predictions in the order of a dataset's arrays.

    Attributes:
        points: ``(N, K, 2)`` float32, px; NaN for images that no model was asked about, and for
            points that the one which was asked never learned.
        expected: ``(N, K)`` float32, px: the error that the model itself expects; NaN where it
            does not say, and as ``points``.
        source: ``(N,)`` int32, index into ``sources``.
        sources: where predictions are from; the first is ``SHAPE_ONLY``.

    Raises:
        ValueError: if the shapes do not go together.
    """

    points: NDArray[np.float32]
    expected: NDArray[np.float32]
    source: NDArray[np.int32]
    sources: tuple[Source, ...] = (SHAPE_ONLY,)

    def __post_init__(self) -> None:
        shape = self.points.shape
        if (*self.expected.shape, 2) != shape or self.source.shape != shape[:1]:
            raise ValueError(f"points {shape}, errors {self.expected.shape}: they do not match")

    @classmethod
    def none(cls, rows: int, keypoints: int) -> Self:
        """Nothing is predicted of any image."""
        points = np.full((rows, keypoints, 2), np.nan, np.float32)
        return cls(points, points[..., 0].copy(), np.zeros(rows, np.int32))

    @property
    def known(self) -> NDArray[np.bool_]:
        """``(N,)`` whether there is a prediction."""
        return self.source > 0

    def source_of(self, at: int) -> Source:
        """Where the prediction of image ``at`` is from."""
        return self.sources[int(self.source[at])]

    def joined(self, rows: NDArray[np.intp], found: Predictions, source: Source) -> Unseen:
        """With what ``found`` says of the images at ``rows``, as far as they have nothing yet."""
        new = ~self.known[rows]
        rows = rows[new]
        points, expected = self.points.copy(), self.expected.copy()
        numbers = self.source.copy()
        points[rows] = found.points[new]
        if found.expected is not None:
            expected[rows] = found.expected[new]
        numbers[rows] = len(self.sources)
        return Unseen(points, expected, numbers, (*self.sources, source))
