"""Queues that stay as they are while they are worked through: what was found at one moment, kept
under an id that a link can name.

Trainings end and labels change all the time; rows, order and reasons of a queue do not. They lie in
``queues/`` in the workspace, one file a snapshot, so that a link opens the same queue after a
restart and for another person; ``housekeeping`` sweeps those that nobody opens any more. Where the
workspace cannot be written, they last as long as the program.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fkd import stored
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.predictions import version
from fkd.files import replace_text
from fkd.labels.at import labels_at
from fkd.labels.database import StoreError
from fkd.labels.queue import Queue, of_suspects, unlabelled
from fkd.labels.references import ended_well, references, unseen_by
from fkd.labels.states import Labels
from fkd.labels.store import LabelStore
from fkd.labels.suspects import KINDS, MISSING, REASONS, Suspect, find_suspects
from fkd.labels.twins import Twins, find_twins
from fkd.labels.unseen import Source, Unseen
from fkd.measures import Measures
from fkd.models.sources import BUNDLED, TrainedModel
from fkd.private import make_folder
from fkd.scratch import instead_of
from fkd.settings import home
from fkd.training.runs import Run

MOST = 20_000
"""Images of each kind that a queue holds, those to be looked at first."""

_ID = re.compile(r"[0-9a-f]{12}(-[0-9a-f]{12})?")
_LARGEST = 64 << 20
_LONGEST = 10_000_000

Stamps = tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True)
class Snapshot:
    """What there is to look at, as of one moment.

    Attributes:
        id: names it in links.
        labels: as they were.
        unseen: what the reference models said, as far as they are still what they were.
        twins: labels of duplicates.
        suspects: by kind and descending score.
        stamps: the models that might have judged then, see ``stamps``.
        left_out: those that do not judge, with the reason, in words.
        last_row: the last image of the dataset: one that grows does not make the queue longer.
    """

    id: str
    labels: Labels
    unseen: Unseen
    twins: Twins
    suspects: tuple[Suspect, ...]
    stamps: Stamps
    left_out: tuple[str, ...]
    last_row: int

    @property
    def version(self) -> int:
        """Of the labels."""
        return self.labels.version

    @cached_property
    def judged_by(self) -> list[tuple[Source, int]]:
        """The reference models, and of how many images each was asked."""
        counts = np.bincount(self.unseen.source, minlength=len(self.unseen.sources))
        return list(zip(self.unseen.sources, counts.tolist(), strict=True))[1:]

    @cached_property
    def queues(self) -> dict[str, Queue]:
        """The suspects of each kind."""
        return {kind: of_suspects(s for s in self.suspects if s.kind == kind) for kind in KINDS}

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """All images, in the order of the dataset."""
        return tuple(self.labels.rows[self.labels.rows <= self.last_row].tolist())

    @cached_property
    def unlabelled(self) -> tuple[int, ...]:
        """Those with missing labels, ascending."""
        rows = unlabelled(self.labels)
        return tuple(rows[rows <= self.last_row].tolist())


def stamps(models: Iterable[TrainedModel], dataset: Dataset) -> Stamps:
    """Another value whenever other models may judge labels of ``dataset``, or other predictions
    of theirs. What a training does until it ends does not count."""
    found: list[tuple[str | int, ...]] = []
    for model in models:
        with suppress(OSError):  # deleted meanwhile
            stamp = version(model, dataset)
            run = model.run
            here = run is None or _data_hash(run, stamp) == dataset.content_hash
            if model.name == BUNDLED or (here and ended_well(model)):
                found.append((model.name, *stamp))
    return tuple(sorted(found, key=repr))


@lru_cache(maxsize=4096)
def _data_hash(run: Run, stamp: tuple[int, ...]) -> str:
    """On what data ``run`` is; its configuration is long, and read anew only where ``stamp`` is
    another one."""
    try:
        return run.config.data_hash
    except UserError:  # damaged
        return ""


def take(
    store: LabelStore, measures: Measures, models: Sequence[TrainedModel], number: int
) -> Snapshot:
    """A new snapshot of the queues of ``store.dataset`` with its labels at version ``number``, by
    those of ``models`` that may judge; kept on disk.

    Raises:
        StoreError: if the labels cannot be read.
    """
    dataset = store.dataset
    labels = labels_at(store, number)
    judges = stamps(models, dataset)
    names = {name for name, *_ in judges}
    choice = references([m for m in models if m.name in names], dataset, labels.points)
    asked = [one.source.name for one in choice.judging]
    unseen = unseen_by(choice.judging, dataset)
    twins = find_twins(dataset, measures, labels.points)
    suspects = _foremost(find_suspects(labels, unseen, twins))
    last = int(dataset.rows[-1]) if len(dataset) else -1
    made = Snapshot(
        secrets.token_hex(6), labels, unseen, twins, suspects, judges, choice.left_out, last
    )
    _write(made.id, _to_json(made, store.key, asked))
    return made


def _foremost(suspects: Iterable[Suspect]) -> tuple[Suspect, ...]:
    seen: Counter[str] = Counter()
    found = []
    for one in suspects:
        seen[one.kind] += 1
        if seen[one.kind] <= MOST:
            # Missing points are taken from the prediction, which need not be kept twice.
            found.append(replace(one, fix=None) if one.kind == MISSING else one)
    return tuple(found)


def reopen(
    store: LabelStore, measures: Measures, models: Sequence[TrainedModel], name: str
) -> Snapshot | None:
    """The snapshot with the id ``name``; None if there is none of ``store.dataset``, or it cannot
    be read any more. Of its reference models those count that have not changed since.

    Raises:
        StoreError: if the labels cannot be read.
    """
    dataset = store.dataset
    value = _read(name, _snapshot_check(dataset))
    if value is None or value["dataset"] != store.key:
        return None
    try:
        labels = labels_at(store, value["version"])
    except StoreError:
        raise
    except UserError:  # no such version: the database is another one
        return None
    then = tuple(tuple(one) for one in value["stamps"])
    same = {name for name, *_ in set(stamps(models, dataset)) & set(then)}
    choice = references([m for m in models if m.name in same], dataset, labels.points)
    judging = {one.source.name: one for one in choice.judging}
    asked = [judging[one] for one in value["asked"] if one in judging]
    return Snapshot(
        name,
        labels,
        unseen_by(asked, dataset),
        find_twins(dataset, measures, labels.points),
        tuple(_suspect(one) for one in value["suspects"]),
        then,
        tuple(value["left_out"]),
        value["last_row"],
    )


def keep_rows(store: LabelStore, name: str, of: str, rows: Sequence[int]) -> None:
    """Keep ``rows``, which the selection ``of`` had when the snapshot ``name`` was looked at, in
    their order."""
    _write(_beside(name, of), {"dataset": store.key, "of": of, "rows": list(rows)})


def kept_rows(store: LabelStore, name: str, of: str) -> tuple[int, ...] | None:
    """What ``keep_rows`` kept; None if there is nothing."""
    value = _read(_beside(name, of), _ROWS)
    if value is None or (value["dataset"], value["of"]) != (store.key, of):
        return None
    return tuple(value["rows"])


def _beside(name: str, of: str) -> str:
    return f"{name}-{hashlib.sha256(of.encode()).hexdigest()[:12]}"


def _path(name: str) -> Path:
    return instead_of(home() / "queues") / f"{name}.json"


def _write(name: str, value: dict[str, Any]) -> None:
    """A queue that cannot be kept, as the disk is full, is one that lasts until the program ends:
    no reason not to show it."""
    with suppress(OSError):
        path = _path(name)
        make_folder(path.parent)
        replace_text(path, json.dumps(value, separators=(",", ":")))


def _read(name: str, check: stored.Check) -> Any:
    if not _ID.fullmatch(name):
        return None
    path = _path(name)
    try:
        value = stored.read_json(path, check, limit=_LARGEST)
    except (OSError, ValueError):
        return None
    with suppress(OSError):  # ``housekeeping`` goes by the time that it was last opened
        os.utime(path)
    return value


def _to_json(made: Snapshot, key: str, asked: list[str]) -> dict[str, Any]:
    return {
        "dataset": key,
        "version": made.version,
        "last_row": made.last_row,
        "stamps": [list(one) for one in made.stamps],
        "asked": asked,
        "left_out": list(made.left_out),
        "suspects": [_plain(one) for one in made.suspects],
    }


def _plain(one: Suspect) -> dict[str, Any]:
    value = {**vars(one), "keypoints": list(one.keypoints), "fix": None}
    if one.fix is not None:
        value["fix"] = [[x, y] if math.isfinite(x + y) else None for x, y in one.fix.tolist()]
    return value


def _suspect(value: dict[str, Any]) -> Suspect:
    fix = value["fix"]
    if fix is not None:
        fix = np.array([(np.nan, np.nan) if xy is None else xy for xy in fix], np.float32)
    fields = {field: value[field] for field in _SUSPECT}
    return Suspect(**{**fields, "keypoints": tuple(value["keypoints"]), "fix": fix})


_ROW = stored.whole()
_ROWS = stored.record(
    {
        "dataset": stored.text(1000),
        "of": stored.text(),
        "rows": stored.list_of(_ROW, _LONGEST),
    }
)
_SUSPECT: dict[str, stored.Check] = {
    "row": _ROW,
    "kind": stored.one_of(*KINDS),
    "reason": stored.one_of(*REASONS),
    "score": stored.number(),
    "keypoints": stored.list_of(_ROW),
    "note": stored.text(),
    "source": stored.text(),
    "standing": stored.text(),
    "fix": stored.anything,
}
"""What each field of a suspect may hold; which points there are, the dataset says."""


def _snapshot_check(dataset: Dataset) -> stored.Check:
    points = len(dataset.schema)
    place = stored.maybe(stored.list_of(stored.number(), 2, shortest=2))
    suspect = stored.record(
        _SUSPECT
        | {
            "keypoints": stored.list_of(stored.whole(0, points - 1), points),
            "fix": stored.maybe(stored.list_of(place, points, shortest=points)),
        }
    )
    return stored.record(
        {
            "dataset": stored.text(1000),
            "version": _ROW,
            "last_row": stored.whole(-1),
            "stamps": stored.list_of(_stamp),
            "asked": stored.list_of(stored.text()),
            "left_out": stored.list_of(stored.text()),
            "suspects": stored.list_of(suspect, len(KINDS) * MOST),
        }
    )


def _stamp(value: Any, name: str) -> None:
    stored.list_of(stored.anything, 100, shortest=1)(value, name)
    stored.text()(value[0], name)
    for number in value[1:]:
        stored.whole(high=1 << 70)(number, name)
