"""Opening a dataset that was ingested before: its arrays, its manifest and its measures."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.data import Inputs
from benchmarks.processes import in_child
from benchmarks.report import Claim, Figure, Part, median, p95

_LIMIT = Claim("below", 50)


def openings(name: str, count: int) -> dict[str, Any]:
    """Milliseconds of each of ``count`` times that the dataset ``name`` is opened."""
    from fkd.measures import load
    from fkd.registry import open_named

    times = []
    for _ in range(count):
        start = time.perf_counter()
        measures = load(open_named(name))
        times.append(1e3 * (time.perf_counter() - start))
        if measures is None:
            raise RuntimeError("the dataset has no measures")
    return {"ms": times}


def run(inputs: Inputs) -> Part:
    """Measure a dataset of ``inputs.sizes.rows`` rows."""
    count = inputs.sizes.openings
    ms = in_child("benchmarks.opening:openings", inputs.usual_home, name="usual", count=count)["ms"]
    what = f"opening {inputs.sizes.rows:,} rows"
    figures = [
        Figure(f"{what}, median", median(ms), "ms", _LIMIT),
        Figure(f"{what}, p95", p95(ms), "ms", _LIMIT),
    ]
    return Part("opening", figures, (f"{count} openings in one process, warm disk.",), {"ms": ms})
