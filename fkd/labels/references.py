"""Reference models: those by whose predictions labels are judged.

Labels that are right would be called wrong by a model that has learned too little. So a model
judges by default only where

- its run came to an end that is good for something: finished, or stopped with a validated epoch;
- its error is at most ``USEFUL`` of that of a model that always answers with the usual places;
- its error is at most ``LIMIT`` times that of any other that surely has not seen the images it
  is measured on. Of two models, the points that both have learned count.

Of those that are left, the one with the smallest error judges an image that several have not seen.
Errors are measured by the labels of the images that a model has not learned from, by medians: the
wrong labels that it is to find must not count against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.metrics import point_errors, rmse
from fkd.evaluation.parts import bundled_never_saw, held_back
from fkd.evaluation.predictions import Predictions, stored, stored_validation
from fkd.labels.unseen import Errors, Source, Unseen
from fkd.models.sources import BUNDLED, TrainedModel
from fkd.splits import positions
from fkd.statistics.missing import present
from fkd.training.status import FINISHED, STOPPED

LIMIT = 1.5
"""How many times the error of the best reference model another one may have."""

USEFUL = 0.5
"""What share of the error of the usual places a reference model may have."""

_MEDIAN_TO_RMS = 1 / np.sqrt(np.log(2))
"""Of distances in the plane from a normal distribution."""

Points = NDArray[np.floating]


@dataclass(frozen=True)
class Reference:
    """A model beside the labels of images that it has not learned from, as far as that is known.

    Attributes:
        source: which model, and how good it is.
        at: ``(n,)`` positions of these images in the dataset's arrays.
        found: what it says of them.
        usual: ``(K,)`` float64, px: what ``source.errors`` would be of the points' usual places.
    """

    source: Source
    at: NDArray[np.intp]
    found: Predictions
    usual: Errors

    @property
    def useful(self) -> bool:
        """Whether it has learned enough to judge anything."""
        return _ratio(self.source.errors, self.usual) <= USEFUL

    def near(self, other: Reference) -> bool:
        """Whether its error is near that of ``other``, or not known to be otherwise."""
        return _ratio(self.source.errors, other.source.errors, unknown=1.0) <= LIMIT


def reference(model: TrainedModel, dataset: Dataset, labels: Points) -> Reference | None:
    """What the run of ``model`` says of the images of ``dataset`` that it has not learned from,
    whose labels ``(N, K, 2)`` px are ``labels``; None for a model without a run, of a run on other
    data, or whose predictions are not stored.

    These are the images of the run's validation part; where the model was asked about all images,
    also those that are in neither part, as they have no label.
    """
    if (found := _of_run(model, dataset)) is None:
        return None
    return _measured(model.name, positions(dataset, found.rows), found, labels, False)


def bundled_reference(dataset: Dataset, made: Predictions, labels: Points) -> Reference:
    """As ``reference``, for ``made``, what the bundled model says of all images of ``dataset``."""
    at = positions(dataset, made.rows)
    return _measured(BUNDLED, at, made, labels, not bundled_never_saw(dataset))


@dataclass(frozen=True)
class Choice:
    """Which models judge.

    Attributes:
        judging: in the order in which they are asked about an image.
        left_out: the others in words, each with the reason.
    """

    judging: tuple[Reference, ...]
    left_out: tuple[str, ...] = ()


def references(models: Iterable[TrainedModel], dataset: Dataset, labels: Points) -> Choice:
    """Which of ``models`` may judge ``labels`` ``(N, K, 2)`` px of ``dataset``. The bundled model
    is among them where it was asked about the images before; where it may have seen them, it comes
    last."""
    found, left_out = [], []
    for model in models:
        if model.name == BUNDLED:
            made = stored(model, dataset)
            one = None if made is None else bundled_reference(dataset, made, labels)
        elif held_back(model, dataset) is None:
            continue
        elif not ended_well(model):
            left_out.append(f"run '{model.name}': not finished")
            continue
        else:
            one = reference(model, dataset, labels)
        found += [] if one is None else [one]
    choice = trusted(found)
    return Choice(choice.judging, (*choice.left_out, *left_out))


def trusted(found: Iterable[Reference]) -> Choice:
    """Those of ``found`` whose error lets them judge: those first that surely have not seen the
    images, then those that learned more of the keypoints, then by ascending error."""
    ranked = sorted(found, key=_rank)
    sure = [one for one in ranked if one.useful and not one.source.may_have_seen]
    judging, left_out = [], []
    for one in ranked:
        better = next((other for other in sure if not one.near(other)), None)
        if one.useful and better is None:
            judging.append(one)
            continue
        why = "too large to judge by"
        if one.useful and better is not None:
            why = f"more than {LIMIT:g} times the error of {better.source.title}"
        left_out.append(f"{one.source.title}: RMSE {one.source.rmse_px:.2f} px, {why}")
    return Choice(tuple(judging), tuple(left_out))


def ended_well(model: TrainedModel) -> bool:
    """Whether the run of ``model`` finished, or was stopped with a validated epoch to keep."""
    try:
        status = None if model.run is None else model.run.status
    except UserError:  # damaged: nobody knows
        return False
    return status is not None and status.state in (FINISHED, STOPPED) and status.best is not None


def unseen_by(found: Iterable[Reference], dataset: Dataset) -> Unseen:
    """What the reference models ``found`` say of the images of ``dataset``: of each the first that
    has not learned from it."""
    unseen = Unseen.none(len(dataset), len(dataset.schema))
    for one in found:
        unseen = unseen.joined(one.at, one.found, one.source)
    return unseen


def typical_errors(away: NDArray[np.floating]) -> Errors:
    """``(K,)`` float64: what the root mean square of the distances ``away`` ``(n, K)`` px would be
    by keypoint if they were those of a normal distribution with their median; NaN where there are
    none."""
    errors = np.full(away.shape[1], np.nan)
    for k in range(away.shape[1]):
        known = away[np.isfinite(away[:, k]), k]
        if len(known):
            errors[k] = _MEDIAN_TO_RMS * float(np.median(known))
    return errors


def relative_errors(sources: Sequence[Source]) -> Errors:
    """``(S,)`` float64: how many times the error of the best of ``sources`` each has, over the
    keypoints that both have learned; 1 where that is not known."""
    known = [one for one in sources if np.isfinite(one.errors).any()]
    worst = [
        max((_ratio(one.errors, other.errors, unknown=1.0) for other in known), default=1.0)
        if one in known
        else 1.0
        for one in sources
    ]
    return np.maximum(np.array(worst, np.float64), 1.0)


def _of_run(model: TrainedModel, dataset: Dataset) -> Predictions | None:
    if held_back(model, dataset) is None or model.run is None:
        return None
    if (everything := stored(model, dataset)) is not None:
        learned = model.run.config.split.training
        return everything.of_rows(np.setdiff1d(dataset.rows, learned, assume_unique=True))
    return stored_validation(model, dataset)


def _measured(
    name: str, at: NDArray[np.intp], found: Predictions, labels: Points, may_have_seen: bool
) -> Reference:
    # Points that it never learned are NaN, and count neither for it nor against it.
    here = np.where(np.isfinite(found.points), labels[at], np.nan)
    usual = np.broadcast_to(_places(labels), here.shape)
    source = Source(
        name,
        rmse(found.points, here),
        int(present(here).any(axis=1).sum()),
        may_have_seen,
        typical_errors(point_errors(found.points, here)),
    )
    return Reference(source, at, found, typical_errors(point_errors(usual, here)))


def _places(labels: Points) -> Points:
    """``(K, 2)`` where each point usually lies; NaN where no image has it."""
    places = np.full(labels.shape[1:], np.nan)
    for k in range(labels.shape[1]):
        known = labels[np.isfinite(labels[:, k]).all(axis=1), k]
        if len(known):
            places[k] = np.median(known, axis=0)
    return places


def _ratio(errors: Errors, to: Errors, unknown: float = 0.0) -> float:
    """How many times ``to`` the ``errors`` are, over the keypoints that both know of."""
    both = np.isfinite(errors) & np.isfinite(to)
    if not both.any():
        return unknown
    whole = float(np.sqrt(np.mean(to[both] ** 2)))
    part = float(np.sqrt(np.mean(errors[both] ** 2)))
    return part / whole if whole else (0.0 if not part else float("inf"))


def _rank(one: Reference) -> tuple[bool, int, float, str]:
    errors = one.source.errors
    known = np.isfinite(errors)
    error = float(np.sqrt(np.mean(errors[known] ** 2))) if known.any() else float("inf")
    learned = int(one.found.taught.sum())
    return one.source.may_have_seen, -learned, error, one.source.name
