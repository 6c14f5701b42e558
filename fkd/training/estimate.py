"""How long a training will take: told before it starts from trainings that went before, and better
and better while it runs, from its own course."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.training.config import RunConfig
from fkd.training.history import Row
from fkd.training.status import Status

DEFAULT_PACE = {"compact": 250.0, "baseline": 130.0}
"""Images per second on two processor cores: a rough guess where nothing has been trained yet."""

ANY_PACE = 150.0
"""The same for models that nobody has measured."""

START_S = 12.0
"""Until the first batch, where no training tells: TensorFlow is loaded, the model compiled."""

SIMILAR = 2.0
"""Trainings compare whose numbers of images an epoch differ by this factor at most."""

_GUESS, _ONE, _LEAST = 0.5, 0.2, 0.05
"""Half of the range, as a share: of a guess, of what one training tells, and of any estimate."""

_SIGMA = 1.4826
"""Standard deviations in a median absolute deviation of normally distributed numbers."""

_RECENT = 10
"""Epochs that the pace of a training is told by, at most: the latest."""


@dataclass(frozen=True)
class Span:
    """A length of time in seconds that is known to lie between ``low`` and ``high``."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def plus(self, seconds: float) -> Span:
        return Span(self.low + seconds, self.high + seconds)


@dataclass(frozen=True)
class Past:
    """What a training tells about the next ones.

    Attributes:
        model: what was trained.
        machine: where, see ``machine.machine``; empty = not known.
        images: shown in an epoch.
        images_per_second: its pace, see ``pace``.
        start: seconds that each stage of its start took, by ``status.STAGES``.
    """

    model: str
    machine: str
    images: int
    images_per_second: float
    start: dict[str, float]

    @classmethod
    def of(cls, config: RunConfig, status: Status, rows: Sequence[Row]) -> Past | None:
        """None if no epoch of it came to its end."""
        speed = pace(config, rows)
        if speed is None:
            return None
        images = status.steps * _batch(config)
        return cls(config.model, status.machine, images, speed, status.stage_seconds())


@dataclass(frozen=True)
class Estimate:
    """How long a training will take.

    Attributes:
        seconds: from the start to the last epoch.
        images_per_second: the pace that it was reckoned with.
        runs: how many trainings that pace was measured in; 0: it is a guess.
    """

    seconds: Span
    images_per_second: float
    runs: int


def comparable(past: Sequence[Past], model: str, images: int, machine: str) -> list[Past]:
    """Those of ``past`` that tell how long ``images`` images an epoch take ``model`` on
    ``machine``, in the same order: of about as many images, else of any number."""
    same = [one for one in past if one.model == model and one.machine in ("", machine)]
    similar = [one for one in same if images / SIMILAR <= one.images <= images * SIMILAR]
    return similar or same


def estimate(model: str, images: int, epochs: int, past: Sequence[Past] = ()) -> Estimate:
    """How long ``epochs`` epochs of ``images`` images take, as far as ``past``, trainings that
    compare (see ``comparable``), tell: by the median of their paces, give or take their spread."""
    paces = [one.images_per_second for one in past]
    speed = statistics.median(paces) if paces else DEFAULT_PACE.get(model, ANY_PACE)
    around = _spread(paces) if len(paces) > 1 else _ONE if paces else _GUESS
    seconds = images * epochs / speed
    span = Span(seconds / (1 + around), seconds * (1 + around))
    return Estimate(span.plus(usual_start(past)), speed, len(paces))


def usual_start(past: Sequence[Past]) -> float:
    """Seconds until the first batch, usually."""
    starts = [sum(one.start.values()) for one in past if one.start]
    return statistics.median(starts) if starts else START_S


def usual_stage(past: Sequence[Past], stage: str) -> float | None:
    """Seconds that ``stage`` of the start takes, usually; None where nothing tells."""
    times = [one.start[stage] for one in past if stage in one.start]
    return statistics.median(times) if times else None


def remaining(rows: Sequence[Row], steps: int, epochs: int) -> Span | None:
    """How long a training will still take, told by its own history ``rows``: the median of its
    latest epochs, give or take what that is uncertain by. Before there are two epochs, the time
    that its batches took. None before there are a few batches.

    Args:
        steps: batches of an epoch.
        epochs: epochs to do in all.
    """
    # What came before the latest start is of the same course, the time for starting is not.
    timed = [row for row in rows if math.isfinite(row.seconds)]
    if not timed or not steps:
        return None
    left = max(0.0, epochs - timed[-1].step / steps)
    ends = [row for row in timed if row.whole][-_RECENT - 1 :]
    # The first epoch compiles and looks at the validation faces once more than the others.
    ends = ends[1:] if len(ends) > 2 and ends[0].epoch == 1 else ends
    took = [after.seconds - before.seconds for before, after in pairwise(ends)]
    took = [seconds for seconds in took if seconds > 0]
    if took:
        # The median of n numbers is certain to their spread by the root of n.
        around = _spread(took) / math.sqrt(len(took)) if len(took) > 1 else _ONE / 2
        each = statistics.median(took)
    else:
        first, last = timed[0], timed[-1]
        if last.step - first.step < 3 or last.seconds <= first.seconds:
            return None
        each = (last.seconds - first.seconds) / (last.step - first.step) * steps
        around = _ONE
    around = max(around, _LEAST)
    return Span(left * each * (1 - around), left * each * (1 + around))


def _spread(values: Sequence[float]) -> float:
    """How far ``values`` lie from their median, as a share of it."""
    middle = statistics.median(values)
    around = _SIGMA * statistics.median(abs(value - middle) for value in values)
    return max(_LEAST, around / middle)


def _batch(config: RunConfig) -> int:
    return min(config.batch_size, len(config.split.training))


def pace(config: RunConfig, rows: Sequence[Row]) -> float | None:
    """Images per second of a training from its history, the time that validating and saving took
    included: the median over its epochs. None if no epoch was finished.

    The first epoch, which is slow while everything warms up, counts only if it is the only one.
    """
    batch = _batch(config)
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
