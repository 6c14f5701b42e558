"""How good a model is on the validation images of its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation import metrics
from fkd.evaluation.learned import counting, withheld
from fkd.splits import positions
from fkd.training.config import RunConfig
from fkd.training.examples import targets_of

SAMPLES = 12
"""Faces whose predictions are kept after each epoch."""


@dataclass(frozen=True)
class Validated:
    """Errors on the validation images (see ``evaluation.metrics``) and the predictions
    ``(N, K, 2 or 3)``, px, NaN for points that the run does not teach."""

    loss: float
    rmse_px: float
    mae_px: float
    nme: float
    predicted: NDArray[np.float32]


class Validation:
    """The validation images of a run with their true points, and what judges predictions. Labels
    of points that are not ``taught`` ``(K,)`` do not count: nobody can be right about them.

    Raises:
        UserError: if there are labels, but none that counts.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: RunConfig,
        loss: keras.losses.Loss,
        taught: NDArray[np.bool_],
    ) -> None:
        at = positions(dataset, config.split.validation)
        self.rows = dataset.rows[at]
        self.images = np.asarray(dataset.images[at])
        labels = np.asarray(dataset.keypoints[at])
        self.truth = counting(labels, taught)
        if np.isfinite(labels).any() and not np.isfinite(self.truth).any():
            raise UserError(
                f"No validation image of '{dataset.name}' has a label of a point that the training "
                "rows label, so nothing tells how good the model is: choose another seed or share."
            )
        self._taught = taught
        self._schema, self._loss = dataset.schema, loss
        self._targets = targets_of(self.truth)
        self.samples = _sample_faces(self.truth)

    def __call__(self, predicted: NDArray[np.float32]) -> Validated:
        points: NDArray[Any] = predicted[..., :2]
        nme = metrics.nme(points, self.truth, self._schema)
        return Validated(
            loss=float(self._loss(self._targets, predicted)),
            rmse_px=metrics.rmse(points, self.truth),
            mae_px=metrics.mae(points, self.truth),
            nme=float(np.nanmean(nme)) if np.isfinite(nme).any() else float("nan"),
            predicted=withheld(predicted, self._taught),
        )


def _sample_faces(truth: NDArray[np.floating]) -> NDArray[np.intp]:
    """Positions of the faces to follow: those with the most points, spread over all of them."""
    labelled = np.isfinite(truth).all(axis=-1).sum(axis=1)
    most = np.flatnonzero(labelled >= np.sort(labelled)[-min(SAMPLES, len(truth))])
    chosen = np.linspace(0, len(most) - 1, min(SAMPLES, len(most))).round().astype(int)
    return np.asarray(most[np.unique(chosen)], np.intp)
