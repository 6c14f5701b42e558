"""A model's predictions of some images beside the truth, with all that is said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.evaluation import metrics
from fkd.evaluation.images import Predicted
from fkd.evaluation.learned import counting
from fkd.evaluation.metrics import Values
from fkd.evaluation.scores import Scores, score, score_by_source

UNFLAGGED = "without flagged rows"
"""The key of the rows whose labels do not look wrong in ``Result.scores``."""


@dataclass(frozen=True)
class Result:
    """How good a model is on ``n`` images.

    Attributes:
        model: its name.
        rows: ``(n,)`` source rows.
        at: ``(n,)`` where they lie in the arrays of the dataset.
        points: ``(n, K, 2)`` predicted, px; NaN for keypoints that the model never learned.
        expected: ``(n, K)`` px, or None: see ``Predicted``.
        errors: ``(n, K)`` px, NaN where a label is missing or the keypoint does not count.
        error: ``(n,)`` float32 px, mean of an image's errors; as ``Predicted`` has it, if the same
            keypoints count.
        nme: ``(n,)``: see ``metrics.nme``.
        flagged: how many of the images look wrongly labelled.
        scores: of all rows, each label source, and ``UNFLAGGED`` where there are flagged rows.
        counted: ``(K,)`` the keypoints that were scored.
        learned: ``(K,)`` from how many labels the model learned each, None if it does not say.
    """

    model: str
    rows: NDArray[np.int64]
    at: NDArray[np.intp]
    points: NDArray[np.float32]
    expected: NDArray[np.float32] | None
    errors: Values
    error: NDArray[np.float32]
    nme: Values
    flagged: int
    scores: dict[str, Scores]
    counted: NDArray[np.bool_]
    learned: NDArray[np.int64] | None = None


def judge(
    predicted: Predicted,
    dataset: Dataset,
    at: NDArray[np.intp],
    flagged: NDArray[np.bool_],
    counted: NDArray[np.bool_] | None = None,
) -> Result:
    """Compare what was ``predicted`` with the labels of ``dataset`` on the images at ``at``;
    ``flagged`` ``(N,)`` tells the images whose labels look wrong. Keypoints that the model never
    learned do not count, and with ``counted`` ``(K,)`` none but these.

    Raises:
        ValueError: if the model was not asked about one of the images.
    """
    truth, points, schema = np.asarray(dataset.keypoints[at]), predicted.points[at], dataset.schema
    counted = predicted.taught if counted is None else predicted.taught & counted
    scores = score_by_source(points, truth, schema, counted)
    truth = counting(truth, counted)
    fine = ~np.asarray(flagged[at])
    if not fine.all():
        scores[UNFLAGGED] = score(points[fine], truth[fine], schema)
    return Result(
        model=predicted.model,
        rows=np.asarray(dataset.rows[at]),
        at=at,
        points=points,
        expected=None if predicted.expected is None else predicted.expected[at],
        errors=metrics.point_errors(points, truth),
        error=predicted.error[at]
        if np.array_equal(counted, predicted.taught)
        else metrics.image_errors(points, truth).astype(np.float32),
        nme=metrics.nme(points, truth, schema),
        flagged=int((~fine).sum()),
        scores=scores,
        counted=counted,
        learned=predicted.learned,
    )
