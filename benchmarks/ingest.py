"""Reading a table of faces: ``fkd.ingest`` against what notebooks do.

Every measurement is made in a fresh interpreter, ours and theirs in turns, with the table in the
system's cache. Times are of the calls alone: starting and importing is left out on both sides.
"""

from __future__ import annotations

import importlib
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Inputs
from benchmarks.processes import Peak, in_child, warm
from benchmarks.report import Claim, Figure, Part, median

MODULES = (
    "fkd.ingest",
    "fkd.measures",
    *(
        f"fkd.statistics.{name}"
        for name in ("coordinates", "duplicates", "missing", "quality", "shape_model", "swaps")
    ),
)
"""What an ingest imports sooner or later: no part of the memory or time that it takes."""

_SPEEDUP = Claim("at least", 3)
_MEMORY = Claim("below", 500)


def notebook(table: str) -> dict[str, Any]:
    """The idiom of the competition's notebooks."""
    import pandas as pd  # type: ignore[import-untyped]

    peak = Peak()
    start = time.perf_counter()
    frame = pd.read_csv(table)
    images = np.stack([np.array(s.split(), dtype="float32") for s in frame.Image])
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "peak": peak.above_base(),
        "base_anonymous": peak.base_anonymous,
        "pixel_sum": int(images.sum(dtype=np.int64)),
    }


def ours(table: str) -> dict[str, Any]:
    """``fkd.ingest.ingest``, and then the measuring of the images that the command line adds."""
    for name in MODULES:
        importlib.import_module(name)
    from fkd.ingest import ingest
    from fkd.measures import measure

    peak = Peak()
    start = time.perf_counter()
    dataset = ingest("bench", Path(table)).dataset
    seconds, ingest_peak = time.perf_counter() - start, peak.above_base()
    measure(dataset)
    return {
        "seconds": seconds,
        "seconds_with_measures": time.perf_counter() - start,
        "ingest_peak": ingest_peak,
        "peak": peak.above_base(),
        "base_anonymous": peak.base_anonymous,
        "pixel_sum": int(dataset.images.sum(dtype=np.int64)),
    }


def run(inputs: Inputs) -> Part:
    """Measure; the table has ``inputs.sizes.rows`` rows."""
    warm(inputs.table)
    theirs, mine = [], []
    for _ in range(inputs.sizes.repeats):
        arguments = {"table": str(inputs.table)}
        theirs.append(in_child("benchmarks.ingest:notebook", inputs.folder, **arguments))
        mine.append(_ours(inputs, inputs.table))
    _same_pixels(theirs, mine)
    long = _ours(inputs, inputs.long_table)

    rows = inputs.sizes.rows
    figures = [*_speed(theirs, mine, rows), _resident("notebooks", theirs[0], "peak")]
    for times, result in ((1, mine[0]), (4, long)):
        figures += _memory(f"{times * rows:,} rows", result)
    notes = (
        f"Times are medians of {inputs.sizes.repeats}, in fresh interpreters, in turns, the table "
        "in the system's cache, imports left out.",
        "Memory is the peak above that after all imports: resident memory (VmHWM), in which pages "
        "of the mapped dataset count while measuring, although the system can take them back at "
        "any time; and anonymous memory, looked at every 20 ms, which is without them.",
    )
    return Part("ingest", figures, notes, {"notebook": theirs, "ours": mine, "ours, 4x": long})


def _speed(theirs: list[dict[str, Any]], mine: list[dict[str, Any]], rows: int) -> list[Figure]:
    their_s = median([result["seconds"] for result in theirs])
    our_s = median([result["seconds"] for result in mine])
    both_s = median([result["seconds_with_measures"] for result in mine])
    return [
        Figure(f"notebooks' `read_csv` and `split`, {rows:,} rows", their_s, "s"),
        Figure(f"`fkd.ingest`, {rows:,} rows", our_s, "s"),
        Figure("notebooks' time / ours", their_s / our_s, "x", _SPEEDUP),
        Figure("`fkd.ingest` and measuring the images", both_s, "s"),
        Figure("notebooks' time / ours with measuring", their_s / both_s, "x"),
    ]


def _resident(what: str, result: dict[str, Any], key: str, claim: Claim | None = None) -> Figure:
    return Figure(f"resident memory: {what}", result[key] / 1e6, "MB", claim)


def _memory(rows: str, result: dict[str, Any]) -> list[Figure]:
    anonymous = max(0, result["peak_anonymous"] - result["base_anonymous"]) / 1e6
    return [
        _resident(f"`fkd.ingest`, {rows}", result, "ingest_peak", _MEMORY),
        _resident(f"with measuring, {rows}", result, "peak"),
        Figure(f"anonymous memory: with measuring, {rows}", anonymous, "MB", _MEMORY),
    ]


def _ours(inputs: Inputs, table: Path) -> dict[str, Any]:
    home = inputs.folder / "ingested"
    try:
        return in_child("benchmarks.ingest:ours", home, table=str(table))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _same_pixels(*runs: list[dict[str, Any]]) -> None:
    """Speed is compared of what gives the same."""
    sums = {result["pixel_sum"] for results in runs for result in results}
    if len(sums) != 1:
        raise RuntimeError(f"the images read differ: their pixels sum up to {sorted(sums)}")
