"""From what a user asks for to a run: split, defaults of the model, versions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd import __version__
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.learned import with_mirrored
from fkd.keypoints import KAGGLE_15
from fkd.labels.at import corrected
from fkd.labels.store import LabelStore
from fkd.labels.tags import excluded
from fkd.measures import measure
from fkd.offset import measured_offset
from fkd.progress import Progress, silent
from fkd.splits import Split, extended, make_split, positions
from fkd.statistics.missing import present
from fkd.training.config import RECIPES, Augmentation, RunConfig

_RECORDED = ("tensorflow", "keras", "numpy", "scikit-learn")


def make_config(
    dataset: Dataset,
    model: str = "compact",
    *,
    seed: int = 0,
    fraction: float = 0.1,
    groups: NDArray[np.integer[Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> RunConfig:
    """The configuration of a training of ``model`` on ``dataset``.

    Args:
        seed: of the split, the first weights, the order and the augmentation.
        fraction: share of the images to validate on.
        groups: ``(N,)`` numbers of what must stay on one side of the split, see ``splits``.
        settings: fields of ``RunConfig`` that differ from the model's recipe, the version of the
            labels among them.

    Raises:
        UserError: if the model is unknown, a setting makes no sense, there is no such version of
            the labels, nothing to split, or nothing left that is not excluded from training.
    """
    values = all_settings(model, settings or {})
    if dataset.schema != KAGGLE_15 and "demo_share" not in (settings or {}):
        values["demo_share"] = 0.0  # faces are drawn with these points only
    duplicate = measure(dataset, progress).duplicate
    split = _included(_split(dataset, values, seed, fraction, groups, duplicate), dataset)
    if "label_offset" not in values and values.get("augmentation", Augmentation()).flip:
        values["label_offset"] = round(measured_offset(dataset, progress).trusted, 2)
    return RunConfig(
        dataset=dataset.name,
        data_hash=dataset.content_hash,
        split=split,
        model=model,
        grouped=groups is not None,
        seed=seed,
        packages=installed_versions(),
        **values,
    )


def _split(
    dataset: Dataset,
    values: Mapping[str, Any],
    seed: int,
    fraction: float,
    groups: NDArray[np.integer[Any]] | None,
    duplicate: NDArray[np.integer[Any]],
) -> Split:
    """The split by the labels that were ingested, so that runs on later versions of the labels
    hold back the same images. Images that have come to labels since are dealt in besides; only
    where too few had any to begin with, all are dealt by the labels of the version."""
    version, accepted = values.get("label_version", 0), values.get("accepted", True)
    now = corrected(dataset, version, accepted=accepted)
    gained = present(now.keypoints).any(axis=1) & ~present(dataset.keypoints).any(axis=1)
    try:
        split = make_split(dataset, seed, fraction, groups, duplicate)
    except UserError:
        return make_split(now, seed, fraction, groups, duplicate)
    return extended(split, now, seed, fraction, groups, duplicate) if gained.any() else split


def _included(split: Split, dataset: Dataset) -> Split:
    """``split`` without the images that somebody has excluded from training."""
    left = split.without(excluded(LabelStore(dataset)))
    for part in ("training", "validation"):
        if len(getattr(split, part)) and not len(getattr(left, part)):
            raise UserError(
                f"All images of the {part} part of '{dataset.name}' are excluded from training; "
                "include some again in Browse."
            )
    return left


def all_settings(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What ``RunConfig`` is told of a training of ``model``: its recipe, changed by ``settings``.

    Raises:
        UserError: if the model is unknown.
    """
    if model not in RECIPES:
        raise UserError(f"There is no model {model!r}; there are: {', '.join(RECIPES)}.")
    return {**RECIPES[model], **settings}


def installed_versions() -> dict[str, str]:
    """Versions of what decides the result of a training."""
    found = {"fkd": __version__}
    for name in _RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def teaches(dataset: Dataset, config: RunConfig) -> NDArray[np.bool_]:
    """``(K,)`` which keypoints a training of ``config`` on ``dataset`` (as ingested) has a label of
    to learn from; told without TensorFlow, before it starts.

    Raises:
        UserError: if a row of the split is not in the dataset, or there is no such version of the
            labels.
    """
    now = corrected(dataset, config.label_version, accepted=config.accepted)
    here = present(np.asarray(now.keypoints[positions(now, config.split.training)]))
    if config.missing == "complete":
        here = here[here.all(axis=1)]
    drawn = round(config.demo_share * len(here))  # these have every point
    labels = here.sum(axis=0) + drawn
    return with_mirrored(labels, config.augmentation.flip, dataset.schema) > 0
