"""How long one face takes, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.data import Inputs
from benchmarks.processes import in_child
from benchmarks.report import Claim, Figure, Part, median

_CALL = Claim("below", 6)
_FASTER = Claim("at least", 10)
_COST = Claim("below", 76)


def latencies(calls: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of one face through ``compact`` compiled and ``baseline`` with ``predict``,
    ``calls`` of each in turns; millions of multiply-adds of both."""
    from fkd.keypoints import KAGGLE_15
    from fkd.models import zoo
    from fkd.models.predictor import Predictor

    compact, baseline = (zoo.build(name, KAGGLE_15) for name in ("compact", "baseline"))
    predict = Predictor(compact, frozen=True)  # as the Predict page does
    face = np.random.default_rng(0).integers(0, 256, (1, 96, 96), np.uint8)
    batch = face[..., None].astype(np.float32)
    ways: dict[str, Callable[[], Any]] = {
        "compiled": lambda: predict(face),
        "predict": lambda: baseline.predict(batch, verbose=0),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        for _ in range(3):
            way()
    for _ in range(rounds):
        for name, way in ways.items():
            for _ in range(calls):
                start = time.perf_counter()
                way()
                found[name].append(1e3 * (time.perf_counter() - start))
    cost = {m.name: zoo.multiply_adds(m) / 1e6 for m in (compact, baseline)}
    parameters = {m.name: m.count_params() for m in (compact, baseline)}
    return {"ms": found, "multiply_adds": cost, "parameters": parameters}


def run(inputs: Inputs) -> Part:
    """Measure untrained networks: weights do not change the time."""
    found = in_child(
        "benchmarks.latency:latencies", inputs.folder, calls=20, rounds=inputs.sizes.rounds
    )
    ms = {name: median(times) for name, times in found["ms"].items()}
    figures = [
        Figure("compact, multiply-adds of a face", found["multiply_adds"]["compact"], "M", _COST),
        Figure("baseline, multiply-adds of a face", found["multiply_adds"]["baseline"], "M"),
        Figure("compact, parameters", found["parameters"]["compact"] / 1e6, "M"),
        Figure("one face, compact, compiled call, median", ms["compiled"], "ms", _CALL),
        Figure("one face, baseline, `model.predict`, median", ms["predict"], "ms"),
        Figure("baseline / compact", ms["predict"] / ms["compiled"], "x", _FASTER),
    ]
    return Part("latency", figures, ["One process, both ways in turns."], found)
