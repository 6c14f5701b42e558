"""Images per second while training: our pipeline with everything on, beside plain ``model.fit``."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.data import Inputs
from benchmarks.processes import in_child
from benchmarks.report import Claim, Figure, Part, median

_PLAIN, _OURS, _COMPACT = "plain", "ours", "compact"
_RATIO = Claim("at least", 0.95)


def paces(name: str, rounds: int) -> dict[str, Any]:
    """Images per second of each of ``rounds`` epochs on dataset ``name``: of ``model.fit`` on
    arrays in memory without augmentation, and of trainings with all of it, in turns."""
    import keras

    from fkd.models import zoo
    from fkd.registry import open_named
    from fkd.training.config import Augmentation
    from fkd.training.create import make_config
    from fkd.training.loop import Training
    from fkd.training.reporter import Reporter
    from fkd.training.runs import create_run
    from fkd.training.status import RUNNING, Status

    dataset = open_named(name)
    trainings = {}
    for key, model in ((_OURS, "baseline"), (_COMPACT, "compact")):
        # The baseline as its recipe has it, but on every row and with every kind of augmentation.
        settings = {"missing": "mask", "augmentation": Augmentation(), "epochs": rounds + 1}
        config = make_config(dataset, model, settings=settings)
        run = create_run(config)
        trainings[key] = Training(run, config, dataset, Reporter(run, Status(RUNNING)))

    keras.mixed_precision.set_dtype_policy("float32")
    rows = len(trainings[_OURS].examples)
    images = np.asarray(dataset.images[:rows], np.float32)[..., None]
    points = np.nan_to_num(np.asarray(dataset.keypoints[:rows]))
    plain = zoo.build("baseline", dataset.schema)
    plain.compile("adam", "mse", metrics=["mae"])

    found: dict[str, list[float]] = {_PLAIN: [], _OURS: [], _COMPACT: []}
    for _ in range(rounds + 1):
        start = time.perf_counter()
        plain.fit(images, points, batch_size=64, epochs=1, verbose=0)
        found[_PLAIN].append(rows / (time.perf_counter() - start))
        for key, training in trainings.items():
            training._epoch()
            (row,) = [r for r in training.run.history if r.whole and r.epoch == training.epoch]
            found[key].append(row.images_per_second)
    # The first epoch of each compiles.
    return {key: values[1:] for key, values in found.items()}


def run(inputs: Inputs) -> Part:
    """Measure with drawn faces, a quarter of Kaggle's number."""
    sizes = replace(inputs.sizes, demo_rows=max(80, inputs.sizes.rows // 4))
    home = Inputs(inputs.folder / "pace", sizes).demo_home
    found = in_child("benchmarks.pace:paces", home, name="demo", rounds=sizes.rounds)
    ratios = [ours / plain for ours, plain in zip(found[_OURS], found[_PLAIN], strict=True)]
    beside = [c / ours for c, ours in zip(found[_COMPACT], found[_OURS], strict=True)]
    figures = [
        Figure("baseline, plain `model.fit` on arrays", median(found[_PLAIN]), "images/s"),
        Figure("baseline, our pipeline, all augmentation", median(found[_OURS]), "images/s"),
        Figure("ratio of the two, median of the rounds", median(ratios), "x", _RATIO),
        Figure("compact, our pipeline, all augmentation", median(found[_COMPACT]), "images/s"),
        Figure("compact / baseline through our pipeline", median(beside), "x"),
    ]
    notes = [
        f"One process, {sizes.rounds} rounds of one epoch each in turns, the first one left out; "
        "validation and checkpoints are not timed.",
    ]
    return Part("pace", figures, notes, found)
