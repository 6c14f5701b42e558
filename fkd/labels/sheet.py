"""The labels of one image while somebody edits them: every step gives a new sheet, and can be taken
back. Nothing here is saved; ``LabelStore.save`` takes a sheet's ``edits``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.keypoints import KeypointSchema
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.stored import parse_json, record, table_of, whole

PointLabels = tuple[PointLabel, ...]

DIGITS = 2
"""Digits after the point that a position placed by hand is kept with, in px."""

STEPS = 200
"""Steps that can be taken back on one image before they are saved."""


@dataclass(frozen=True)
class Sheet:
    """The labels of one image being edited.

    Attributes:
        schema: the keypoints, one label for each.
        row: source row of the image.
        base: the version of the labels that the editing began with.
        saved: the labels at that version.
        labels: the labels now.
        past, future: what undo and redo lead to, the nearest last.
    """

    schema: KeypointSchema
    row: int
    base: int
    saved: PointLabels
    labels: PointLabels
    past: tuple[PointLabels, ...] = ()
    future: tuple[PointLabels, ...] = ()

    @classmethod
    def of(cls, schema: KeypointSchema, row: int, base: int, saved: Iterable[PointLabel]) -> Self:
        """Nothing edited yet."""
        labels = tuple(saved)
        return cls(schema, row, base, labels, labels)

    @property
    def points(self) -> NDArray[np.float64]:
        """``(K, 2)`` px, NaN where a point has no position."""
        return np.array([label.place or (np.nan, np.nan) for label in self.labels])

    def changed(self) -> list[int]:
        """Keypoints whose label is another than the saved one."""
        pairs = zip(self.labels, self.saved, strict=True)
        return [k for k, (now, before) in enumerate(pairs) if now != before]

    def edits(self) -> list[Edit]:
        """What is to be saved."""
        return [Edit(self.row, k, self.labels[k]) for k in self.changed()]

    def open_points(self) -> list[int]:
        """Keypoints that nobody has said anything of."""
        return [k for k, label in enumerate(self.labels) if label.state == State.MISSING]

    def next_open(self, after: int | None = None, skipped: Iterable[int] = ()) -> int | None:
        """The next keypoint to be placed: the first open one behind ``after``, then from the
        beginning, those ``skipped`` left out; None if there is none."""
        left = [k for k in self.open_points() if k not in set(skipped)]
        behind = [k for k in left if after is not None and k > after]
        return next(iter(behind or left), None)

    def with_labels(self, labels: Sequence[PointLabel]) -> Sheet:
        """A step to ``labels``; none where they say the same as now. A label that says what is
        saved is the saved one again, wherever it came from: there is nothing to save."""
        pairs = zip(labels, self.saved, strict=True)
        wanted = tuple(saved if new.same_as(saved) else new for new, saved in pairs)
        if wanted == self.labels:
            return self
        past = (*self.past, self.labels)[-STEPS:]
        return replace(self, labels=wanted, past=past, future=())

    def place(self, places: dict[int, tuple[float, float]]) -> Sheet:
        """Put each keypoint of ``places`` at its x, y in px: one step. Those that would lie
        outside the image come to its edge, those that are not finite stay where they are; an
        occluded point stays occluded."""
        labels = list(self.labels)
        for k, place in places.items():
            if not np.isfinite(place).all():
                continue
            x, y = self._inside(place)
            now = labels[k]
            state = now.state if now.state.placed else State.VISIBLE
            if (now.state, now.x, now.y) != (state, x, y):
                labels[k] = PointLabel(state, x, y, Origin.EDITED)
        return self.with_labels(labels)

    def nudge(self, k: int, dx: float, dy: float) -> Sheet:
        """Move keypoint ``k`` by ``dx``, ``dy`` px; one without a position stays."""
        place = self.labels[k].place
        return self if place is None else self.place({k: (place[0] + dx, place[1] + dy)})

    def mark(self, k: int, state: State, fallback: tuple[float, float] | None = None) -> Sheet:
        """Give keypoint ``k`` another state. A position is kept where the state has one; where
        there is none yet, ``fallback`` is taken, and without that nothing changes."""
        now = self.labels[k]
        if now.state == state:
            return self
        if state.placed:
            place = now.place or (self._inside(fallback) if fallback else None)
            if place is None or not np.isfinite(place).all():
                return self
            return self._with(k, PointLabel(state, *place, Origin.EDITED))
        return self._with(k, PointLabel(state, origin=_by_hand(state)))

    def accept(self, points: NDArray[np.floating], which: Iterable[int], source: str) -> Sheet:
        """Take the predictions ``points`` ``(K, 2)`` of the model ``source`` as the labels of the
        keypoints in ``which``: one step. Those that are not finite are left out."""
        labels = list(self.labels)
        for k in which:
            if np.isfinite(points[k]).all():
                x, y = self._inside((float(points[k, 0]), float(points[k, 1])))
                labels[k] = PointLabel(State.VISIBLE, x, y, Origin.PREDICTION, source)
        return self.with_labels(labels)

    def swap(self, pairs: Iterable[tuple[int, int]]) -> Sheet:
        """Exchange the labels of each pair of keypoints, such as left and right: one step."""
        labels = list(self.labels)
        for a, b in pairs:
            labels[a], labels[b] = labels[b], labels[a]
        return self._edited(labels)

    def with_points(self, points: NDArray[np.floating]) -> Sheet:
        """Put all keypoints where ``points`` ``(K, 2)`` px says, as one step; those that have no
        place there lose theirs. One that lies there already, as exactly as ``points`` can say it,
        is not touched."""
        finite = np.isfinite(points).all(axis=1)
        gone = [
            PointLabel(origin=Origin.REMOVED) if label.state.placed and not known else label
            for label, known in zip(self.labels, finite, strict=True)
        ]
        there = (self.points.astype(points.dtype) == points).all(axis=1)
        places = {
            int(k): (float(points[k, 0]), float(points[k, 1]))
            for k in np.flatnonzero(finite & ~there)
        }
        placed = replace(self, labels=tuple(gone)).place(places)
        return self.with_labels(placed.labels)

    def back_to_saved(self, k: int | None = None) -> Sheet:
        """Keypoint ``k``, or all, as they were saved: one step."""
        labels = [s if k in (None, i) else now for i, (now, s) in enumerate(self._pairs())]
        return self.with_labels(labels)

    def undo(self) -> Sheet:
        """One step back; the same sheet where there is none."""
        if not self.past:
            return self
        return replace(
            self,
            labels=self.past[-1],
            past=self.past[:-1],
            future=(*self.future, self.labels),
        )

    def redo(self) -> Sheet:
        """The step that was taken back last; the same sheet where there is none."""
        if not self.future:
            return self
        return replace(
            self,
            labels=self.future[-1],
            past=(*self.past, self.labels),
            future=self.future[:-1],
        )

    def onto(self, base: int, saved: Iterable[PointLabel], keep: bool = True) -> Sheet:
        """The edits of this sheet on top of what was ``saved`` meanwhile as version ``base``; with
        ``keep`` false, those labels alone."""
        fresh = tuple(saved)
        mine = set(self.changed()) if keep else set()
        labels = [now if k in mine else fresh[k] for k, now in enumerate(self.labels)]
        return Sheet(self.schema, self.row, base, fresh, tuple(labels))

    def to_json(self) -> str:
        """The edits, to be kept until they are saved."""
        changed = {self.schema.names[k]: asdict(self.labels[k]) for k in self.changed()}
        return json.dumps(changed)

    def with_json(self, text: str) -> Sheet:
        """With the edits that ``to_json`` wrote.

        Raises:
            UserError: if they cannot be read.
        """
        labels = list(self.labels)
        try:
            for name, value in parse_json(text, _EDITS).items():
                state, origin = State(value.pop("state")), Origin(value.pop("origin"))
                labels[self.schema.index(name)] = PointLabel(state=state, origin=origin, **value)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"The unsaved edits of row {self.row} cannot be read ({error})."
            ) from None
        return self.with_labels(labels)

    def _pairs(self) -> list[tuple[PointLabel, PointLabel]]:
        return list(zip(self.labels, self.saved, strict=True))

    def _inside(self, place: tuple[float, float]) -> tuple[float, float]:
        """``place`` rounded; outside the image, its nearest edge."""
        limits = (self.schema.width - 0.5, self.schema.height - 0.5)
        x, y = (min(max(v, -0.5), top) for v, top in zip(place, limits, strict=True))
        return round(x, DIGITS), round(y, DIGITS)

    def _with(self, k: int, label: PointLabel) -> Sheet:
        return self.with_labels([label if i == k else now for i, now in enumerate(self.labels)])

    def _edited(self, labels: Sequence[PointLabel]) -> Sheet:
        """A step to ``labels`` by hand: what another name gets is somebody's edit now."""
        return self.with_labels(
            [
                now if new.same_as(now) else replace(new, origin=_by_hand(new.state), source="")
                for new, now in zip(labels, self.labels, strict=True)
            ]
        )


_EDITS = table_of(record({"state": whole(), "origin": whole()}))


def _by_hand(state: State) -> Origin:
    """Where a label comes from that a person has put in this state."""
    return Origin.REMOVED if state == State.MISSING else Origin.EDITED
