"""Browse while a training runs, beside Browse on an idle machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.data import Inputs
from benchmarks.processes import in_child, warm
from benchmarks.report import Claim, Figure, Part, p95

_LIMIT = Claim("below", 2)
_PATIENCE = 180


def start_training(name: str) -> dict[str, Any]:
    """Start a long training of ``compact`` on dataset ``name``; return once it trains."""
    from fkd.registry import open_named
    from fkd.training.create import make_config
    from fkd.training.launcher import launch
    from fkd.training.runs import create_run

    run = create_run(make_config(open_named(name), "compact", settings={"epochs": 10_000}))
    launch(run)
    deadline = time.monotonic() + _PATIENCE
    while run.status.stage != "training" or not run.status.images_per_second:
        if time.monotonic() > deadline or not run.status.active:
            raise RuntimeError(f"the training did not start: {run.status.reason or run.read_log()}")
        time.sleep(0.2)
    return {"run": run.name}


def stop_training(run: str) -> dict[str, Any]:
    """Cancel the training and wait until its processes are gone; return its pace."""
    from fkd.training.runs import open_run

    training = open_run(run)
    pace = training.status.images_per_second
    training.request_stop(cancel=True)
    while training.status.active:
        time.sleep(0.1)
    training.delete()
    return {"images_per_second": pace}


def run(inputs: Inputs) -> Part:
    """Measure the usual dataset, idle and busy in turns."""
    home, views = inputs.usual_home, inputs.sizes.views
    found: dict[str, list[Any]] = {"idle": [], "busy": [], "images_per_second": []}
    for seed in range(inputs.sizes.repeats):
        warm(home)
        found["idle"] += _browse(home, views, seed)
        started = in_child("benchmarks.responsive:start_training", home, name="usual")["run"]
        found["busy"] += _browse(home, views, seed)
        ended = in_child("benchmarks.responsive:stop_training", home, run=started)
        found["images_per_second"].append(ended["images_per_second"])
    idle, busy = p95(found["idle"]), p95(found["busy"])
    figures = [
        Figure("page of Browse, no training, p95", idle, "ms"),
        Figure("page of Browse, while compact trains, p95", busy, "ms"),
        Figure("while training / without", busy / idle, "x", _LIMIT),
    ]
    notes = [f"{views} pages in each of {inputs.sizes.repeats} processes of either kind."]
    return Part("responsive", figures, notes, found)


def _browse(home: Path, views: int, seed: int) -> list[float]:
    result = in_child("benchmarks.browse:browse", home, name="usual", count=views, seed=seed)
    return list(result["ms"])
