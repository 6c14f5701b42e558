"""Measure the store of labels: ``python -m benchmarks.labels [--quick] [PART ...]``.

Parts are storm (8 processes that make 500 saves each, at once), kills (200 processes that are
killed while they save) and reading (all labels at a version, one image), each on SQLite and, where
Debian's ``postgresql`` is installed, on a PostgreSQL server that is started for it. Results go to
``benchmarks/results/labels.json``. The whole takes about ten minutes.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import URL, make_url

from benchmarks.data import QUICK, SCHEMA, Inputs
from benchmarks.postgres import running
from benchmarks.processes import in_child
from benchmarks.report import Claim, Figure, Part, median, p95
from benchmarks.runner import measure
from benchmarks.storm import blank

_NONE = Claim("below", 1)
_PROCESSES = 8
_IMAGES = 20
"""Images that all processes save to: so few that they meet."""

_FAULTS = {
    "lost": "acknowledged, but lost",
    "doubled": "there twice, or made by nobody",
    "half": "there in part",
    "overwritten": "over what their author had not seen",
}


@contextmanager
def _databases(inputs: Inputs, part: str) -> Iterator[dict[str, str]]:
    """An empty database of each kind, by name."""
    folder = inputs.folder / part
    folder.mkdir()
    urls = {"SQLite": URL.create("sqlite", database=str(folder / "labels.sqlite"))}
    with running() as server:
        if server is not None:
            urls["PostgreSQL"] = server.database()
        yield {name: url.render_as_string(hide_password=False) for name, url in urls.items()}


def storm(inputs: Inputs) -> Part:
    """Saves of several processes at once."""
    saves = 10 if inputs.sizes == QUICK else 500
    figures, raw = [], {}
    with _databases(inputs, "storm") as urls:
        for name, url in urls.items():
            found = raw[name] = in_child(
                "benchmarks.storm:storm",
                inputs.folder,
                url=url,
                processes=_PROCESSES,
                saves=saves,
                rows=_IMAGES,
            )
            pace = found["saves"] / found["seconds"]
            figures += [
                Figure(f"{name}: made", found["saves"], "saves", _at_least(_PROCESSES * saves)),
                *_faults(name, found),
                Figure(f"{name}: told of a conflict", found["conflicts"], "times", _at_least(1)),
                Figure(f"{name}: pace", pace, "saves/s"),
            ]
    notes = (
        f"{_PROCESSES} processes, {saves} saves of two points each, on the same {_IMAGES} images; "
        "where somebody else was there first, the process looks again and saves again.",
    )
    return Part("storm", figures, notes, raw)


def kills(inputs: Inputs) -> Part:
    """Processes killed while they save."""
    times = 5 if inputs.sizes == QUICK else 200
    figures, raw = [], {}
    with _databases(inputs, "kills") as urls:
        for name, url in urls.items():
            found = raw[name] = in_child(
                "benchmarks.storm:kills", inputs.folder, url=url, times=times, rows=_IMAGES
            )
            figures += [
                Figure(f"{name}: acknowledged", found["saves"], "saves", _at_least(times)),
                *_faults(name, found),
            ]
            if name == "SQLite":
                figures.append(
                    Figure("SQLite: checks not clean", found["unsound"], "checks", _NONE)
                )
    notes = (
        f"{times} processes, one after the other, each killed up to 0.1 s after its first save; "
        "SQLite's `integrity_check` after each.",
    )
    return Part("kills", figures, notes, raw)


def _at_least(count: int) -> Claim:
    return Claim("at least", count)


def _faults(name: str, found: dict[str, Any]) -> list[Figure]:
    return [
        Figure(f"{name}: {said}", found[what], "saves", _NONE) for what, said in _FAULTS.items()
    ]


def reading(inputs: Inputs) -> Part:
    """All labels of a dataset of the usual size after many changes, and those of one image."""
    rows, saves = inputs.sizes.rows, 10 if inputs.sizes == QUICK else 2_500
    figures, raw = [], {}
    with _databases(inputs, "reading") as urls:
        for name, url in urls.items():
            found = raw[name] = in_child(
                "benchmarks.labels:readings", inputs.folder, url=url, rows=rows, saves=saves
            )
            what = f"{rows:,} rows, {found['changes']:,} changes"
            figures += [
                Figure(f"{name}: all labels at a version, {what}", median(found["all"]), "ms"),
                Figure(f"{name}: labels of one image, 95th percentile", p95(found["one"]), "ms"),
            ]
    notes = ("One process, the database warm: medians of 5, of one image 500 at random.",)
    return Part("reading", figures, notes, raw)


def readings(url: str, rows: int, saves: int) -> dict[str, Any]:
    """Milliseconds that reading takes after ``saves`` saves of 40 changes, ten on each of four
    images."""
    from fkd.labels.at import labels_at
    from fkd.labels.point import Edit, PointLabel
    from fkd.labels.states import Origin, State
    from fkd.labels.store import LabelStore

    store, chance = LabelStore(blank(rows), make_url(url)), random.Random(0)
    for save in range(saves):
        label = PointLabel(State.VISIBLE, SCHEMA.width * save / saves, 1, Origin.EDITED)
        store.save(
            [
                Edit(row, keypoint, label)
                for row in chance.sample(range(rows), 4)
                for keypoint in chance.sample(range(len(SCHEMA)), 10)
            ],
            "somebody",
        )

    def timed(read: Callable[[], object]) -> float:
        start = time.perf_counter()
        read()
        return 1e3 * (time.perf_counter() - start)

    return {
        "changes": len(store.changes()),
        "all": [timed(lambda: labels_at(store)) for _ in range(5)],
        "one": [timed(lambda: store.labels_of(chance.randrange(rows))) for _ in range(500)],
    }


PARTS: dict[str, Callable[[Inputs], Part]] = {"storm": storm, "kills": kills, "reading": reading}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    return measure("labels", __doc__, PARTS, argv)


if __name__ == "__main__":
    sys.exit(main())
