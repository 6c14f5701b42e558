"""A simulated annotator: correct, train, score, and again; see ``annotator``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.planting import plant
from fkd.dataset import Dataset
from fkd.labels.at import labels_at
from fkd.labels.point import Edit, PointLabel
from fkd.labels.queue import of_suspects
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.splits import Split
from fkd.statistics.missing import present

STEPS = 2
"""Times that images are corrected and a model is trained, unless told otherwise."""

STEP = 0.1
"""Share of the training images that are looked at each time."""

_LABELLED, _WRONG = 0.25, 0.05
"""Shares of the training images that have labels at first, and wrong ones."""

_FOLDS = 2
_AUTHOR = "annotator"

Rows = NDArray[np.int64]


def annotate(
    name: str,
    queued: bool,
    seed: int,
    seen: int,
    people: str | None,
    start: dict[str, Any] | None = None,
    tenths: int = STEPS,
) -> dict[str, Any]:
    """Correct dataset ``name`` step by step, ``tenths`` of them, in the order of the queue or at
    random; what was done before is taken as it is. ``start`` is the first step of another dataset
    that began with the same labels. Every training shows about ``seen`` images, however many there
    are: more labels should not be more steps as well.

    Returns ``images``, how many there are to train on, and for each of ``steps``: ``looked`` at
    so far, how many of these ``needed`` it, how many ``labels`` were placed or moved, the
    ``version`` of the labels, what is left to do in these (see ``left``), and the errors of the
    model trained on it, ``rmse_px`` and ``mae_px``.
    """
    from fkd.groups import read_groups
    from fkd.registry import open_named
    from fkd.settings import home
    from fkd.training.create import make_config

    dataset = open_named(name)
    groups = None if people is None else read_groups(people, dataset)
    config = make_config(dataset, seed=seed, groups=groups, settings={"demo_share": 0.0})
    training, store = config.split.training, LabelStore(dataset)
    if not store.head():
        store.save(starting_edits(dataset, training, seed), _AUTHOR, note="a quarter is true")
    progress = home() / f"{name}.json"
    steps = json.loads(progress.read_text()) if progress.is_file() else []
    if not steps and start is not None:
        steps = [{**start, "rows": []}]
    while len(steps) <= tenths:
        # Of each step by itself, so that going on gives what going through would have given; and
        # not that of the mistakes, or chance would not be chance.
        rng = np.random.default_rng((seed, 1, len(steps)))
        looked, needed, labels, version = [], 0, 0, 1
        if steps:
            at_a_time = round(STEP * len(training))
            last = steps[-1]
            queue = (
                _queue(dataset, config, last["version"], seen // _FOLDS, groups) if queued else []
            )
            new = next_rows(queue, training, last["rows"], at_a_time, rng)
            edits = true_edits(store, new, last["version"])
            # Cut off after this, it is not saved again.
            token = f"{store.key} {len(steps)}"
            saved = store.save(edits, _AUTHOR, note=f"{len(new)} images", token=token)
            looked = [*last["rows"], *new]
            needed = last["needed"] + len({edit.row for edit in edits})
            labels = last["labels"] + len(edits)
            version = saved.number if saved else last["version"]
        run = f"{name}-v{version}"
        scores = _trained(_at(config, store, version, seen), run, dataset)
        about = {"looked": len(looked), "needed": needed, "labels": labels, "version": version}
        remaining = left(store, version, training)
        steps.append({**about, **remaining, "rows": looked, **scores})
        progress.write_text(json.dumps(steps))
    shown = [{k: v for k, v in step.items() if k != "rows"} for step in steps]
    return {"images": len(training), "steps": shown}


def _at(config: Any, store: LabelStore, version: int, seen: int) -> Any:
    """``config`` on the labels of ``version`` and the images that have some, of which it shows
    about ``seen``."""
    labels = labels_at(store, version)
    labelled = labels.rows[(labels.states >= State.OCCLUDED).any(axis=1)]
    split = Split(*(np.intersect1d(part, labelled) for part in _parts_of(config.split)))
    epochs = max(1, round(seen / len(split.training)))
    return replace(config, label_version=version, split=split, epochs=epochs)


def _parts_of(split: Split) -> tuple[Rows, Rows]:
    return split.training, split.validation


def starting_edits(dataset: Dataset, training: Rows, seed: int) -> list[Edit]:
    """What becomes of the true labels before the annotator comes; see the module."""
    from fkd.splits import positions

    rng = np.random.default_rng(seed)
    truth = np.asarray(dataset.keypoints)
    here = present(truth)
    at = rng.permutation(positions(dataset, training))
    _, wrong, hidden = np.split(at, np.cumsum(parts(len(at)))[:-1])
    chosen = np.isin(np.arange(len(dataset)), wrong)
    planted = plant(truth, dataset.schema, 1.0, rng, chosen).points
    planted[hidden] = np.nan
    edits = []
    for i, k in np.argwhere(~here | (planted != truth).any(axis=2)).tolist():
        label = PointLabel(State.MISSING if here[i, k] else State.ABSENT, origin=Origin.EDITED)
        if np.isfinite(planted[i, k]).all():
            label = _visible(planted[i, k])
        edits.append(Edit(int(dataset.rows[i]), k, label))
    return edits


def parts(n: int) -> tuple[int, int, int]:
    """How many of ``n`` images have true, wrong and no labels at first."""
    labelled, wrong = round(_LABELLED * n), round(_WRONG * n)
    return labelled - wrong, wrong, n - labelled


def _visible(place: NDArray[np.float32]) -> PointLabel:
    return PointLabel(State.VISIBLE, float(place[0]), float(place[1]), Origin.EDITED)


def true_edits(store: LabelStore, rows: Sequence[int], version: int) -> list[Edit]:
    """What the annotator changes on ``rows``: points that at ``version`` are not where they were
    ingested."""
    dataset, now = store.dataset, labels_at(store, version)
    edits = []
    for row in rows:
        at = dataset.position(row)
        assert at is not None
        truth = np.asarray(dataset.keypoints[at])
        here = np.isfinite(truth).all(axis=1)
        for k in np.flatnonzero(here & (now.points[at] != truth).any(axis=1)).tolist():
            edits.append(Edit(row, k, _visible(truth[k])))
    return edits


def left(store: LabelStore, version: int, rows: Rows) -> dict[str, float]:
    """How far the labels of ``rows`` at ``version`` are from those that were ingested:
    ``label_rmse_px`` over those that are there, the number of images with a ``wrong`` one, the
    share that is ``missing``."""
    from fkd.evaluation.metrics import rmse
    from fkd.splits import positions

    at = positions(store.dataset, rows)
    now, truth = labels_at(store, version).points[at], np.asarray(store.dataset.keypoints[at])
    there, real = present(now), present(truth)
    off = there & (now != truth).any(axis=2)
    return {
        "label_rmse_px": rmse(truth, now),  # either way round, but only labels may be missing
        "wrong": int(off.any(axis=1).sum()),
        "missing": float(1 - (there & real).sum() / real.sum()),
    }


def next_rows(
    queue: Sequence[int], training: Rows, looked: Sequence[int], n: int, rng: np.random.Generator
) -> list[int]:
    """The next ``n`` rows of ``training`` to look at: those of ``queue``, then any others."""
    left = dict.fromkeys(training[~np.isin(training, looked)].tolist())
    first = [row for row in queue if row in left]
    others = rng.permutation([row for row in left if row not in set(first)]).tolist()
    return [int(row) for row in [*first, *others][:n]]


def _queue(dataset: Dataset, config: Any, version: int, seen: int, groups: Any) -> list[int]:
    """Rows as Correct would show them, by predictions out of fold; no fold has learned from the
    people that are scored."""
    from fkd.evaluation.predictions import predict
    from fkd.labels.references import reference, unseen_by
    from fkd.labels.suspects import find_suspects
    from fkd.labels.twins import find_twins
    from fkd.measures import measure
    from fkd.models.sources import trained_model
    from fkd.splits import make_folds

    store, measures, held = LabelStore(dataset), measure(dataset), config.split.validation
    models = []
    folds = make_folds(dataset, _FOLDS, config.seed, groups, measures.duplicate)
    for number, fold in enumerate(folds, 1):
        split = Split(*(np.setdiff1d(part, held) for part in _parts_of(fold)))
        run = f"{dataset.name}-v{version}-fold-{number}"
        _train(_at(replace(config, split=split), store, version, seen), run)
        models.append(trained_model(run))
        predict(models[-1], dataset)  # of images without labels too
    labels = labels_at(store, version)
    twins = find_twins(dataset, measures, labels.points)
    asked = [reference(model, dataset, labels.points) for model in models]
    unseen = unseen_by([one for one in asked if one is not None], dataset)
    return list(of_suspects(find_suspects(labels, unseen, twins)).rows)


def _train(config: Any, name: str) -> None:
    """A run of that name, trained to its end; in this process, as it has TensorFlow already."""
    from fkd.training.runs import Run, create_run, runs_folder
    from fkd.training.status import FINISHED
    from fkd.training.worker import main

    run = Run(runs_folder() / name)
    if not run.folder.is_dir():
        run = create_run(config, name)
    if run.status.state != FINISHED:
        main(run.folder)
    if (status := run.status).state != FINISHED:
        raise RuntimeError(f"{name} {status.state}: {status.reason}")


def _trained(config: Any, name: str, dataset: Dataset) -> dict[str, float]:
    """Errors on the images held back, against the labels as ingested."""
    from fkd.evaluation.metrics import mae, rmse
    from fkd.evaluation.predictions import stored_validation
    from fkd.models.sources import trained_model
    from fkd.splits import positions

    _train(config, name)
    said = stored_validation(trained_model(name), dataset)
    assert said is not None
    truth = np.asarray(dataset.keypoints[positions(dataset, said.rows)])
    return {"rmse_px": rmse(said.points, truth), "mae_px": mae(said.points, truth)}
