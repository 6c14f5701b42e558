"""Predictions of models that never saw the image: the only ones that a label can be judged by.

A model repeats the mistakes that it has learned from, so what it says of its training images says
little about their labels. Every image is therefore given the prediction of a model that has not
learned from it, and where that comes from; images without one have NaN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.learned import taught
from fkd.evaluation.parts import bundled_never_saw, held_back
from fkd.evaluation.predictions import (
    Predictions,
    learned_labels,
    stored,
    stored_validation,
)
from fkd.models.sources import TrainedModel
from fkd.splits import positions

SHAPE_ONLY = "shape only"
"""Source of images that no model was asked about."""

_FOLD = re.compile(r"-fold-\d+$")


@dataclass(frozen=True)
class Unseen:
    """Predictions in the order of a dataset's arrays.

    Attributes:
        points: ``(N, K, 2)`` float32, px; NaN for images that no model was asked about, and for
            points that the one which was asked never learned.
        expected: ``(N, K)`` float32, px: the error that the model itself expects; NaN where it
            does not say, and as ``points``.
        source: ``(N,)`` int32, index into ``sources``.
        sources: where predictions are from, in words; the first is ``SHAPE_ONLY``.

    Raises:
        ValueError: if the shapes do not go together.
    """

    points: NDArray[np.float32]
    expected: NDArray[np.float32]
    source: NDArray[np.int32]
    sources: tuple[str, ...] = (SHAPE_ONLY,)

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

    def source_of(self, at: int) -> str:
        """Where the prediction of image ``at`` is from, in words."""
        return self.sources[int(self.source[at])]

    def joined(self, rows: NDArray[np.intp], found: Predictions, source: str) -> Unseen:
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


def unseen_by(models: Iterable[TrainedModel], dataset: Dataset) -> Unseen:
    """What the runs of ``models`` say of the images of ``dataset`` that they have not learned from.

    Earlier models come first where several were asked about an image. That is the validation part
    of a run; where the run's model was asked about all images, also those that are in neither
    part, as they have no label. Models without a run, or of a run on other data, give nothing.
    """
    unseen = Unseen.none(len(dataset), len(dataset.schema))
    for model in models:
        if (found := _of_run(model, dataset)) is not None:
            kind = "out of fold" if _FOLD.search(model.name) else "validation part"
            words = f"{kind} of run '{model.name}'"
            unseen = unseen.joined(positions(dataset, found.rows), found, words)
    return unseen


def best_first(models: Iterable[TrainedModel], dataset: Dataset) -> list[TrainedModel]:
    """Those of ``models`` that are of a run on ``dataset``: those that learned more of the
    keypoints first, as their errors are over more of them, then by ascending validation error."""
    ranked = []
    for model in models:
        if model.run is None or held_back(model, dataset) is None:
            continue
        with suppress(UserError):  # a damaged status
            error = model.run.status.best_rmse_px
            known = taught(learned_labels(model, dataset.schema), len(dataset.schema)).sum()
            error = float("inf") if error is None else error
            ranked.append((-int(known), error, model.name, model))
    return [model for *_, model in sorted(ranked, key=lambda r: r[:3])]


def _of_run(model: TrainedModel, dataset: Dataset) -> Predictions | None:
    if held_back(model, dataset) is None or model.run is None:
        return None
    if (everything := stored(model, dataset)) is not None:
        learned = model.run.config.split.training
        return everything.of_rows(np.setdiff1d(dataset.rows, learned, assume_unique=True))
    return stored_validation(model, dataset)


def joined_by_bundled(unseen: Unseen, dataset: Dataset, made: Predictions) -> Unseen:
    """``unseen`` with what the bundled model says of the images of ``dataset`` that have nothing
    yet: ``made``, its predictions. Where it is not sure that it never saw them, the source says
    so."""
    words = "bundled model" if bundled_never_saw(dataset) else "bundled model, may have seen it"
    return unseen.joined(positions(dataset, made.rows), made, words)
