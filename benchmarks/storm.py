"""Many processes that save labels at once, and processes that are killed while they do.

Both are called in a fresh interpreter (``benchmarks.processes.in_child``): they fork, which a
process with threads or open databases must not do.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import count, islice
from multiprocessing import get_context
from typing import Any

import numpy as np
from sqlalchemy.engine import make_url

from fkd.dataset import Dataset
from fkd.keypoints import KAGGLE_15 as SCHEMA
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import Conflict, LabelStore

Save = tuple[int, int, int, int, float]
"""One that was acknowledged: number of the version, base, row, first keypoint, position."""

_POINTS = 2
"""Keypoints in each save: one alone could not be half saved."""

_LONGEST_LIFE_S = 0.1
"""A process that is to be killed lives for so long after its first save, at most."""


def blank(rows: int) -> Dataset:
    """Black images without labels, in memory."""
    return Dataset(
        name="blank",
        schema=SCHEMA,
        images=np.zeros((rows, *SCHEMA.image_size), np.uint8),
        keypoints=np.full((rows, len(SCHEMA), 2), np.nan, np.float32),
        rows=np.arange(rows),
        test_images=np.zeros((0, *SCHEMA.image_size), np.uint8),
        test_image_ids=np.zeros(0, np.int64),
        content_hash="blank",
    )


def storm(url: str, processes: int, saves: int, rows: int) -> dict[str, Any]:
    """``processes`` make ``saves`` saves each, on the same few ``rows``; where somebody else was
    there first they look again and save again. What went wrong is counted, see ``faults``."""
    start = time.perf_counter()
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        running = [
            pool.submit(_save_many, url, number, processes, saves, rows)
            for number in range(processes)
        ]
        found = [process.result() for process in running]
    seconds = time.perf_counter() - start
    made = [save for saves_made, _ in found for save in saves_made]
    return {
        "seconds": seconds,
        "saves": len(made),
        "conflicts": sum(conflicts for _, conflicts in found),
        **faults(url, rows, made, unknown=0),
    }


def _save_many(
    url: str, process: int, processes: int, saves: int, rows: int
) -> tuple[list[Save], int]:
    """The saves made, and how often somebody else was there first."""
    store, made, conflicts = LabelStore(blank(rows), make_url(url)), [], 0
    for wish in islice(_wishes(process, processes, rows), saves):
        while True:
            try:
                made.append(_save(store, wish))
                break
            except Conflict:
                conflicts += 1
    return made, conflicts


def _wishes(process: int, processes: int, rows: int) -> Iterator[tuple[int, int, float]]:
    """Rows, keypoints and positions that no other process and no other save wishes for."""
    chance, mine = random.Random(process), SCHEMA.width * process / processes
    for number in count():
        yield chance.randrange(rows), chance.randrange(len(SCHEMA)), mine + number * 1e-6


def _save(store: LabelStore, wish: tuple[int, int, float]) -> Save:
    row, first, x = wish
    base, _ = store.labels_of(row)
    label = PointLabel(State.VISIBLE, x, x, Origin.EDITED)
    edits = [Edit(row, (first + k) % len(SCHEMA), label) for k in range(_POINTS)]
    version = store.save(edits, "somebody", base=base)
    assert version is not None
    return version.number, base, row, first, x


def kills(url: str, times: int, rows: int) -> dict[str, Any]:
    """``times`` processes save one after the other, each is killed at a moment of its saves."""
    made: list[Save] = []
    unsound, chance = 0, random.Random(0)
    for number in range(times):
        wishes = _wishes(number, times, rows)
        made += _killed(url, rows, wishes, chance.uniform(0, _LONGEST_LIFE_S))
        unsound += not _sound(url)
    return {"saves": len(made), "unsound": unsound, **faults(url, rows, made, unknown=times)}


def _killed(
    url: str, rows: int, wishes: Iterator[tuple[int, int, float]], seconds: float
) -> list[Save]:
    """What a process said was saved before it was killed, ``seconds`` after its first save."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            store = LabelStore(blank(rows), make_url(url))
            for wish in wishes:
                os.write(write, f"{_save(store, wish)}\n".encode())
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as said:
        first = said.readline()
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        lines = [first, *said]
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "it ended before it was killed"
    return [_parsed(line) for line in lines]


def _parsed(line: str) -> Save:
    number, base, row, first, x = line.strip("()\n").split(",")
    return int(number), int(base), int(row), int(first), float(x)


def _sound(url: str) -> bool:
    """Whether an SQLite file is whole; PostgreSQL has no such check."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return True
    with closing(sqlite3.connect(str(address.database), timeout=60)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def faults(url: str, rows: int, made: list[Save], unknown: int) -> dict[str, int]:
    """What went wrong, each as a number of saves.

    ``lost``: acknowledged, but not there as they were made. ``doubled``: there although nobody was
    told so, beyond the ``unknown`` that were killed in between, or under a number that another has.
    ``half``: there in part. ``overwritten``: made although the image had changed since it was
    looked at, or over a label that is not the one before.
    """
    store = LabelStore(blank(rows), make_url(url))
    numbers = [version.number for version in store.versions()]
    changes = defaultdict(list)
    overwritten: set[int] = set()
    now: dict[tuple[int, str], PointLabel] = {}
    latest: dict[int, int] = {}  # version that changed an image last
    before: dict[int, int] = {}  # the one that had when a version came
    for change in store.changes():
        changes[change.number].append(change)
        place = (change.row, change.keypoint)
        if change.old != now.get(place, PointLabel()):
            overwritten.add(change.number)
        now[place] = change.new
        if latest.get(change.row) != change.number:
            before[change.number] = latest.get(change.row, 0)
            latest[change.row] = change.number
    lost = 0
    for number, base, row, first, x in made:
        wanted = {(row, SCHEMA.names[(first + k) % len(SCHEMA)], x) for k in range(_POINTS)}
        lost += {(c.row, c.keypoint, c.new.x) for c in changes[number]} != wanted
        if before.get(number, 0) > base:
            overwritten.add(number)
    told = Counter(number for number, *_ in made)
    untold = len(set(numbers) - set(told))
    return {
        "lost": lost,
        "doubled": sum(n - 1 for n in told.values())
        + max(0, untold - unknown)
        + (numbers != list(range(1, store.head() + 1))),
        "half": sum(len(changes[number]) != _POINTS for number in numbers),
        "overwritten": len(overwritten),
    }
