"""What a model says of every labelled image of a dataset, and how far off that is: for looking at
faces, sorting them and filtering them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.evaluation.learned import counting, taught
from fkd.evaluation.metrics import image_errors
from fkd.evaluation.parts import held_back
from fkd.evaluation.predictions import Predictions, stored, stored_validation, version
from fkd.measures import orders
from fkd.models.sources import TrainedModel
from fkd.splits import positions


@dataclass(frozen=True)
class Predicted:
    """Predictions in the order of a dataset's arrays.

    Attributes:
        model: name of the model.
        points: ``(N, K, 2)`` float32, px; NaN for an image that the model was not asked about, and
            for keypoints that it never learned.
        expected: ``(N, K)`` float32, px: the errors that the model itself expects; None for a
            model that does not say.
        error: ``(N,)`` float32, px: mean distance between predicted and true points; NaN where
            nothing is labelled that is predicted.
        held_back: ``(N,)`` bool, in the validation part of the model's run.
        order: ``(2, N)`` int32, images by ascending, then by descending ``error``; NaN last.
        asked: how many images the model was asked about.
        version: see ``predictions.version``.
        learned: as ``Predictions`` has it.
    """

    model: str
    points: NDArray[np.float32]
    expected: NDArray[np.float32] | None
    error: NDArray[np.float32]
    held_back: NDArray[np.bool_]
    order: NDArray[np.int32]
    asked: int
    version: tuple[int, ...] = ()
    learned: NDArray[np.int64] | None = None

    @property
    def taught(self) -> NDArray[np.bool_]:
        """``(K,)`` which keypoints the model has learned."""
        return taught(self.learned, self.points.shape[1])

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        model: TrainedModel,
        dataset: Dataset,
        version: tuple[int, ...] = (),
    ) -> Self:
        """Spread ``predictions`` over ``dataset``.

        Raises:
            UserError: if they are about a row that the dataset does not have.
        """
        at = positions(dataset, predictions.rows)
        error = np.full(len(dataset), np.nan, np.float32)
        truth = counting(np.asarray(dataset.keypoints[at]), predictions.taught)
        error[at] = image_errors(predictions.points, truth)
        back = np.zeros(len(dataset), bool)
        if (rows := held_back(model, dataset)) is not None:
            back[positions(dataset, rows)] = True
        expected = predictions.expected
        return cls(
            model=model.name,
            points=_spread(predictions.points, at, len(dataset)),
            expected=None if expected is None else _spread(expected, at, len(dataset)),
            error=error,
            held_back=back,
            order=orders([error]),
            asked=len(at),
            version=version,
            learned=predictions.learned,
        )

    def covers(self, at: NDArray[np.intp]) -> bool:
        """Whether the model was asked about all the images at ``at``."""
        if self.asked == len(self.points):
            return True
        return bool(np.isfinite(self.points[at][:, self.taught]).all())


def look_up(model: TrainedModel, dataset: Dataset) -> Predicted | None:
    """What ``model`` is known to say of ``dataset``: its stored predictions, else those that its
    training left of the validation part; None without any."""
    now = version(model, dataset)  # first: what is read may be newer, but never older
    found = stored(model, dataset)
    if found is None:
        found = stored_validation(model, dataset)
    return None if found is None else Predicted.of(found, model, dataset, now)


def _spread(values: NDArray[np.float32], at: NDArray[np.intp], n: int) -> NDArray[np.float32]:
    if np.array_equal(at, np.arange(n)):
        return values  # no second copy of what may be large
    everywhere = np.full((n, *values.shape[1:]), np.nan, np.float32)
    everywhere[at] = values
    return everywhere
