"""The server's time for a page of Browse, and its memory, by the size of the dataset.

The whole app runs in Streamlit's ``AppTest``: what a server does from the request to the list of
messages for the browser, but for sending them. ``AppTest`` adds a few milliseconds of its own,
measured with an app that does nothing; they are not taken off.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Inputs
from benchmarks.processes import ROOT, chill, in_child, resident, warm
from benchmarks.report import Claim, Figure, Part, median, p95
from fkd.keypoints import KAGGLE_15 as SCHEMA
from fkd.measures import Measures, load
from fkd.registry import open_named
from fkd.selection import FLAGS, QUANTITIES, ROW, Range, Selection, select

PAGE = 48
"""Faces on a page, as Browse has them unless asked otherwise."""

_LIMIT = Claim("below", 200)
_GROWTH = Claim("below", 2)
_MEMORY = Claim("below", 100)
_EMPTY_RUNS = 20


def queries(measures: Measures, count: int, seed: int) -> Iterator[dict[str, str]]:
    """Links to ``count`` full pages of Browse, each with another filter, sort and page."""
    rng = np.random.default_rng(seed)
    known: set[Selection] = set()
    while len(known) < count:
        selection = _selection(measures, rng)
        pages = len(select(measures, SCHEMA, selection)) // PAGE
        if pages and selection not in known:
            known.add(selection)
            page = 1 + int(rng.integers(pages))
            yield {**selection.to_query(), **({"page": str(page)} if page > 1 else {})}


def _selection(measures: Measures, rng: np.random.Generator) -> Selection:
    """A filter of one of the kinds that the app offers, and a sort."""

    def draw(words: Any) -> str:
        return str(rng.choice(list(words)))

    measured = [key for key, column in QUANTITIES.items() if column.training]
    sorted_by = Selection(sort=draw([ROW, *measured]), descending=bool(rng.integers(2)))
    quantity = draw(measured)
    # The ends differ every time, so that no selection is found in a cache.
    low, high = np.quantile(QUANTITIES[quantity].training(measures), np.sort(rng.random(2)))
    bounded = replace(sorted_by, ranges=(Range(quantity, round(low, 3), round(high, 3)),))
    image = int(rng.integers(measures.present.shape[1]))
    pattern = "".join("01"[int(here)] for here in measures.present[:, image])
    flags = [key for key, column in FLAGS.items() if column.training]
    kinds = (
        replace(sorted_by, flags=(draw(flags),)),
        replace(sorted_by, lacking=(draw(SCHEMA.names),)),
        replace(sorted_by, pattern=pattern),
        bounded,
        replace(bounded, flags=(draw(flags),)),
    )
    return kinds[int(rng.integers(len(kinds)))]


def browse(name: str, count: int, seed: int) -> dict[str, Any]:
    """Show ``count`` pages of the dataset ``name``.

    Returns milliseconds of each page (``ms``) and of each run of an app that does nothing
    (``empty_ms``), and the memory after the first page and after the last one.
    """
    from streamlit.testing.v1 import AppTest

    measures = load(open_named(name))
    if measures is None:
        raise RuntimeError("the dataset has no measures")
    asked = list(queries(measures, count, seed))

    empty = AppTest.from_string("import streamlit").run()
    empty_ms = [_milliseconds(empty) for _ in range(_EMPTY_RUNS)]

    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "browse.py")).run()
    at_first = resident()
    ms = []
    for query in asked:
        app.query_params = {"dataset": name, **query}
        ms.append(_milliseconds(app))
        _check(app, query)
    return {"ms": ms, "empty_ms": empty_ms, "first": at_first, "last": resident(), "asked": asked}


def _milliseconds(app: Any) -> float:
    start = time.perf_counter()
    app.run()
    return 1e3 * (time.perf_counter() - start)


def _check(app: Any, query: dict[str, str]) -> None:
    """An error in the page would be fast, but not what is measured."""
    troubles = [str(e.value) for e in (*app.exception, *app.error, *app.info)]
    if troubles or {k: v for k, v in app.query_params.items() if k != "dataset"} != query:
        raise RuntimeError(f"{query} was not shown: {troubles or app.query_params}")


def run(inputs: Inputs) -> Part:
    """Measure the usual and, where the disk has room for it, the large dataset, in turns."""
    repeats, views = inputs.sizes.repeats, inputs.sizes.views
    homes = {"usual": inputs.usual_home}
    notes = [
        f"A page of {PAGE} faces, each time with a filter and a sort not asked for before; p95 "
        f"of {repeats * views} in {repeats} processes. Timed is `AppTest.run()` of the whole app.",
        "Memory is that of the server's process after its first and its last page. Mapped pages "
        "of files are the system's cache, which it takes back when it needs the room.",
    ]
    if inputs.room_for_large():
        homes["large"] = inputs.large_home
    else:
        notes.append(f"Left out for want of disk space: {inputs.sizes.many_rows:,} rows.")
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in homes}
    for seed in range(repeats):
        for name, home in homes.items():
            warm(home)
            runs[name].append(_browse(home, name, views, seed))

    empty = [ms for results in runs.values() for result in results for ms in result["empty_ms"]]
    figures = [
        Figure("`AppTest` of an app that does nothing, median", median(empty), "ms"),
        *_figures(runs["usual"], inputs.sizes.rows),
    ]
    if "large" in runs:
        figures += _figures(runs["large"], inputs.sizes.many_rows)
        figures += _growth(runs["usual"], runs["large"])
        chill(homes["large"])
        runs["cold"] = [_browse(homes["large"], "large", views // 2, repeats)]
        what = f"page of {inputs.sizes.many_rows:,} rows, not yet in the system's cache"
        figures.append(Figure(f"{what}, median", median(_times(runs["cold"])), "ms"))
    return Part("browse", figures, notes, runs)


def _browse(home: Path, name: str, count: int, seed: int) -> dict[str, Any]:
    return in_child("benchmarks.browse:browse", home, name=name, count=count, seed=seed)


def _times(results: list[dict[str, Any]]) -> list[float]:
    return [ms for result in results for ms in result["ms"]]


def _memory(results: list[dict[str, Any]], when: str, kind: str) -> float:
    """Median over the processes, in MB."""
    return median([result[when][kind] for result in results]) / 1e6


def _figures(results: list[dict[str, Any]], rows: int) -> list[Figure]:
    what, ms = f"{rows:,} rows", _times(results)
    figures = [
        Figure(f"page of {what}, median", median(ms), "ms"),
        Figure(f"page of {what}, p95", p95(ms), "ms", _LIMIT),
    ]
    for kind in ("anonymous", "mapped"):
        for when in ("first", "last"):
            value = _memory(results, when, kind)
            figures.append(Figure(f"{kind} memory, {what}, {when} page", value, "MB"))
    return figures


def _growth(usual: list[dict[str, Any]], large: list[dict[str, Any]]) -> list[Figure]:
    slower = p95(_times(large)) / p95(_times(usual))
    more = _memory(large, "last", "anonymous") - _memory(usual, "last", "anonymous")
    return [
        Figure("p95 of the large dataset / of the usual one", slower, "x", _GROWTH),
        Figure("anonymous memory that the large dataset takes more", more, "MB", _MEMORY),
    ]
