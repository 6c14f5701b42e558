"""How long a training will take, told before it starts, from trainings that went before."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.training.config import RunConfig
from fkd.training.history import Row

DEFAULT_PACE = {"compact": 250.0, "baseline": 130.0}
"""Images per second on two processor cores: a rough guess where nothing has been trained yet."""

ANY_PACE = 150.0
"""The same for models that nobody has measured."""

START_S = 12.0
"""Until the first batch: TensorFlow is loaded, the model built and compiled."""


@dataclass(frozen=True)
class Estimate:
    """How long a training will take.

    Attributes:
        seconds: from the start to the last epoch.
        images_per_second: the pace that it was reckoned with.
        runs: how many trainings that pace was measured in; 0: it is a guess.
    """

    seconds: float
    images_per_second: float
    runs: int


def estimate(model: str, images: int, epochs: int, paces: Sequence[float] = ()) -> Estimate:
    """How long ``epochs`` epochs of ``images`` images take.

    Args:
        paces: of finished trainings of the same model on this computer, see ``pace``; their
            median counts.
    """
    speed = statistics.median(paces) if paces else DEFAULT_PACE.get(model, ANY_PACE)
    return Estimate(START_S + images * epochs / speed, speed, len(paces))


def pace(config: RunConfig, rows: Sequence[Row]) -> float | None:
    """Images per second of a training from its history, the time that validating and saving took
    included: the median over its epochs. None if no epoch was finished.

    The first epoch, which is slow while everything warms up, counts only if it is the only one.
    """
    batch = min(config.batch_size, len(config.split.training))
    ends = [row for row in rows if row.whole]
    if len(ends) == 1:
        steps, seconds = [ends[0].step], [ends[0].seconds]
    else:
        steps = np.diff([row.step for row in ends]).tolist()
        seconds = np.diff([row.seconds for row in ends]).tolist()
    speeds = [n * batch / s for n, s in zip(steps, seconds, strict=True) if s > 0 and n > 0]
    return statistics.median(speeds) if speeds else None


def images_per_epoch(
    n_present: NDArray[np.integer[Any]],
    points: int,
    *,
    fraction: float,
    missing: str,
    demo_share: float,
) -> int:
    """About how many images an epoch shows.

    Args:
        n_present: ``(N,)`` labelled points of each image of the dataset.
        points: how many each could have.
        fraction: share held back for validation.
        missing, demo_share: as in ``RunConfig``.
    """
    needed = points if missing == "complete" else 1
    return round(int((n_present >= needed).sum()) * (1 - fraction) * (1 + demo_share))
