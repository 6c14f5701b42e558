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
from benchmarks.processes import Peak, in_child
from benchmarks.report import Claim, Figure, Part, median

MODULES = (
    "fkd.ingest",
    "fkd.measures",
    *(
        f"fkd.statistics.{name}"
        for name in ("coordinates", "duplicates", "missing", "quality", "shape_model", "swaps")
    ),
)
"""What an ingest imports sooner or later, and so belongs to the base that memory is counted from."""

_SPEEDUP = Claim("at least", 3)
_MEMORY = Claim("below", 500)


def notebook(table: str) -> dict[str, Any]:
    """The idiom of the competition's notebooks."""
    import pandas as pd

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


def ours(table: str, measured: bool) -> dict[str, Any]:
    """``fkd.ingest.ingest``, and if ``measured`` the measuring that the command line adds."""
    for name in MODULES:
        importlib.import_module(name)
    from fkd.ingest import ingest
    from fkd.measures import measure

    peak = Peak()
    start = time.perf_counter()
    dataset = ingest("bench", Path(table)).dataset
    seconds = time.perf_counter() - start
    if measured:
        measure(dataset)
    both = time.perf_counter() - start
    return {
        "seconds": seconds,
        "seconds_with_measures": both,
        "peak": peak.above_base(),
        "base_anonymous": peak.base_anonymous,
        "pixel_sum": int(dataset.images.sum(dtype=np.int64)),
    }


def run(inputs: Inputs) -> Part:
    """Measure; the table has ``inputs.sizes.rows`` rows."""
    _warm(inputs.table)
    theirs, mine, memory = [], [], {}
    for _ in range(inputs.sizes.repeats):
        theirs.append(in_child("benchmarks.ingest:notebook", inputs.folder, table=str(inputs.table)))
        mine.append(_ours(inputs, inputs.table, measured=True))
    memory["notebook"] = theirs[0]
    memory["ingest"] = _ours(inputs, inputs.table, measured=False)
    memory["ingest, 4x"] = _ours(inputs, inputs.long_table, measured=False)
    memory["with measures"] = mine[0]
    memory["with measures, 4x"] = _ours(inputs, inputs.long_table, measured=True)
    _same_pixels(theirs, mine)

    seconds = {
        "notebook": [r["seconds"] for r in theirs],
        "ours": [r["seconds"] for r in mine],
        "ours with measures": [r["seconds_with_measures"] for r in mine],
    }
    their_s, our_s, both_s = (median(values) for values in seconds.values())
    rows = f"{inputs.sizes.rows:,} rows"
    figures = [
        Figure(f"notebooks' `read_csv` and `split`, {rows}", their_s, "s"),
        Figure(f"`fkd.ingest`, {rows}", our_s, "s"),
        Figure("notebooks' time / ours", their_s / our_s, "x", _SPEEDUP),
        Figure("`fkd.ingest` and measuring the images", both_s, "s"),
        Figure("notebooks' time / ours with measuring", their_s / both_s, "x"),
    ]
    for what, result in memory.items():
        claim = None if what == "notebook" else _MEMORY
        figures.append(Figure(f"memory: {what}", result["peak"] / 1e6, "MB", claim))
        anonymous = (result["peak_anonymous"] - result["base_anonymous"]) / 1e6
        figures.append(Figure(f"memory: {what}, anonymous", max(0.0, anonymous), "MB"))
    notes = (
        f"Times are medians of {inputs.sizes.repeats}, in fresh interpreters, in turns, the table "
        "in the system's cache, imports left out.",
        "Memory is the peak of the resident memory (VmHWM) above that after all imports. Pages of "
        "the mapped dataset count in it, although the system can take them back at any time; "
        "anonymous memory, looked at every 20 ms, is without them.",
    )
    return Part("ingest", figures, notes, {"seconds": seconds, "memory": memory})


def _ours(inputs: Inputs, table: Path, measured: bool) -> dict[str, Any]:
    home = inputs.folder / "ingested"
    try:
        arguments = {"table": str(table), "measured": measured}
        return in_child("benchmarks.ingest:ours", home, **arguments)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _warm(path: Path) -> None:
    """Have the system read ``path`` into its cache."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _same_pixels(*runs: list[dict[str, Any]]) -> None:
    """Speed is compared of what gives the same."""
    sums = {result["pixel_sum"] for results in runs for result in results}
    if len(sums) != 1:
        raise RuntimeError(f"the images read differ: their pixels sum up to {sorted(sums)}")
