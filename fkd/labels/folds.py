"""Predictions for every labelled image by models that have not seen it: out of fold.

The images are parted into k folds, and k ordinary runs are trained one after the other, each
without one of the folds. What a run then says of its validation part is said of images that it has
not learned from; together the runs cover them all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.labels.store import LabelStore
from fkd.labels.tags import excluded
from fkd.measures import measure
from fkd.models.sources import TrainedModel, trained_model
from fkd.progress import Progress, silent
from fkd.splits import make_folds
from fkd.training.config import RunConfig
from fkd.training.create import make_config
from fkd.training.launcher import launch
from fkd.training.runs import Run, check_run_name, create_run, run_names, runs_folder
from fkd.training.status import FINISHED, QUEUED, RESUMABLE

EPOCHS = 12
"""Epochs of a fold's run unless told otherwise: enough to tell a wrong label from a right one."""

_POLL_S = 0.5
_LONGEST_NAME = 48


def fold_name(dataset: str, number: int) -> str:
    """Name of the run of fold ``number`` (from 1 on)."""
    return check_run_name(f"{dataset[:_LONGEST_NAME]}-fold-{number}")


def fold_configs(
    dataset: Dataset,
    folds: int,
    model: str = "compact",
    *,
    seed: int = 0,
    groups: NDArray[np.integer[Any]] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> list[RunConfig]:
    """The configurations of ``folds`` trainings, each of which holds back another part.

    Args:
        groups: ``(N,)`` numbers of what must stay in one fold, see ``splits``; duplicates always
            do.
        seed, settings: as for ``make_config``; without a setting ``epochs``, ``EPOCHS``.

    Raises:
        UserError: if the model is unknown, a setting makes no sense or there are too few images.
    """
    settings = {"epochs": EPOCHS, **(settings or {})}
    duplicates = measure(dataset, progress).duplicate
    splits = make_folds(dataset, folds, seed, groups, duplicates)
    base = make_config(dataset, model, seed=seed, groups=groups, settings=settings)
    left_out = excluded(LabelStore(dataset))
    # They are judged like all others, but teach nothing.
    taught = [replace(split, training=np.setdiff1d(split.training, left_out)) for split in splits]
    return [replace(base, split=split) for split in taught]


def train_folds(
    dataset: Dataset, configs: list[RunConfig], progress: Progress = silent
) -> list[TrainedModel]:
    """Train ``configs`` one after the other and return their models.

    The runs are named by ``fold_name`` and stand among all others. Finished ones of the same
    configuration are taken as they are, and others go on where they stopped, so what was
    interrupted can simply be asked for again. Where ``progress`` raises, the run under way is
    stopped, its weights kept.

    Raises:
        UserError: if a run of such a name is of another configuration, or a training ends early.
    """
    runs = [_run_of(config, fold_name(dataset.name, i)) for i, config in enumerate(configs, 1)]
    for number, (run, config) in enumerate(zip(runs, configs, strict=True), 1):
        stage = f"training fold {number} of {len(runs)}"
        _finish(run or create_run(config, fold_name(dataset.name, number)), stage, progress)
    return [trained_model(fold_name(dataset.name, i)) for i in range(1, len(configs) + 1)]


def _run_of(config: RunConfig, name: str) -> Run | None:
    """The run of that name; ``UserError`` if it is of another configuration."""
    if name not in run_names():
        return None
    run = Run(runs_folder() / name)
    if differing := run.config.differences(config):
        what, (old, new) = next(iter(differing.items()))
        raise UserError(
            f"Run '{name}' was trained with other settings ({what} {old}, now {new}): rename or "
            "delete it, or use the same settings."
        )
    return run


def _finish(run: Run, stage: str, progress: Progress) -> None:
    """See ``run`` through to its end; ``UserError`` if that is not a good one."""
    status = run.status
    if status.state in RESUMABLE or (status.state == QUEUED and status.unattended):
        launch(run)
        status = run.status
    try:
        while status.active:
            progress(stage, round(100 * status.share), 100)
            time.sleep(_POLL_S)
            status = run.status
    except BaseException:
        if run.status.active:
            run.request_stop()
        raise
    if status.state != FINISHED:
        said = f"Run '{run.name}' {status.state}. {status.reason}".rstrip()
        raise UserError(f"{said} Run the same command to go on with it.")
