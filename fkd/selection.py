"""Which images to show, and in which order: a value that fits in a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fkd.columns import ERROR, FLAGS, QUANTITIES, ROW, Column, Part
from fkd.keypoints import KeypointSchema
from fkd.measures import ORDERED, TEST_ORDERED, Measures

if TYPE_CHECKING:
    from fkd.evaluation.images import Predicted

QUERY_KEYS = ("part", "model", "filter", "lacking", "pattern", "sort", "order", *QUANTITIES)
"""Every parameter that ``Selection.to_query`` may write."""

_MAX_MODEL_NAME = 64


@dataclass(frozen=True)
class Range:
    """Images whose ``quantity`` lies within ``low`` and ``high``, both included."""

    quantity: str
    low: float
    high: float

    def __str__(self) -> str:
        # The shortest digits that give the very same number back.
        return "..".join(repr(float(end)).removesuffix(".0") for end in (self.low, self.high))


@dataclass(frozen=True)
class Selection:
    """Filters, all of which must hold, and an order.

    Attributes:
        part: training or test images.
        model: name of the model whose predictions are looked at; empty for none.
        flags: keys of ``FLAGS``.
        lacking: names of keypoints that must be missing.
        pattern: the exact set of present points, one ``0`` or ``1`` per keypoint of the schema.
        ranges: bounds on quantities.
        sort: ``ROW`` or a key of ``QUANTITIES``.
        descending: largest first.
    """

    part: Part = "training"
    model: str = ""
    flags: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    pattern: str = ""
    ranges: tuple[Range, ...] = ()
    sort: str = ROW
    descending: bool = False

    @property
    def filtered(self) -> bool:
        return bool(self.flags or self.lacking or self.pattern or self.ranges)

    def unfiltered(self) -> Selection:
        return replace(self, flags=(), lacking=(), pattern="", ranges=())

    def of_part(self, part: Part) -> Selection:
        """The same for the other part, without what that part cannot be asked."""
        return replace(self, part=part)._possible()

    def with_model(self, model: str) -> Selection:
        """The same with the predictions of ``model``, or, where that is empty, without what asks
        for some."""
        return replace(self, model=model)._possible()

    @property
    def asks_model(self) -> bool:
        """Whether a filter or the order needs predictions."""
        asked = [FLAGS[f] for f in self.flags] + [QUANTITIES[r.quantity] for r in self.ranges]
        asked += [QUANTITIES[self.sort]] if self.sort != ROW else []
        return any(column.model is not None for column in asked)

    def _possible(self) -> Selection:
        """Without what images of the part, or images without a model, cannot be asked."""
        keeps = self.part == "training"

        def known(column: Column) -> bool:
            return column.known(self.part, self.model)

        return replace(
            self,
            flags=tuple(f for f in self.flags if known(FLAGS[f])),
            lacking=self.lacking if keeps else (),
            pattern=self.pattern if keeps else "",
            ranges=tuple(r for r in self.ranges if known(QUANTITIES[r.quantity])),
            sort=self.sort if self.sort == ROW or known(QUANTITIES[self.sort]) else ROW,
        )

    def to_query(self) -> dict[str, str]:
        """As query parameters; defaults are left out, so that links stay short."""
        query = {
            "part": "" if self.part == "training" else self.part,
            "model": self.model,
            "filter": ",".join(self.flags),
            "lacking": ",".join(self.lacking),
            "pattern": self.pattern,
            **{r.quantity: str(r) for r in self.ranges},
            "sort": "" if self.sort == ROW else self.sort,
            "order": "desc" if self.descending else "",
        }
        return {key: value for key, value in query.items() if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str], schema: KeypointSchema) -> Selection:
        """Read a link. What it does not know or does not make sense is left out: links are
        hostile, and an old one should still show something."""
        part: Part = "test" if query.get("part") == "test" else "training"
        pattern = query.get("pattern", "")
        sort = query.get("sort", ROW)
        selection = cls(
            part=part,
            model=query.get("model", "")[:_MAX_MODEL_NAME],
            flags=_known(query.get("filter", ""), FLAGS),
            lacking=_known(query.get("lacking", ""), schema.names),
            pattern=pattern if len(pattern) == len(schema) and set(pattern) <= set("01") else "",
            ranges=tuple(r for key in QUANTITIES if (r := _range(key, query.get(key, "")))),
            sort=sort if sort in QUANTITIES else ROW,
            descending=query.get("order") == "desc",
        )
        return selection._possible()

    def describe(self, schema: KeypointSchema) -> str:
        """The filters in words; empty without any."""
        words = [FLAGS[f].label for f in self.flags]
        words += [f"lacks {schema.keypoints[schema.index(n)].label}" for n in self.lacking]
        if self.pattern:
            words.append(f"has exactly {pattern_words(self.pattern, schema)}")
        for r in self.ranges:
            name = QUANTITIES[r.quantity].label
            words.append(f"{name} {r.low:g}" if r.low == r.high else f"{name} {r.low:g}–{r.high:g}")
        return ", ".join(words)


def pattern_words(pattern: str, schema: KeypointSchema) -> str:
    """The points that ``pattern`` has, in words, or those it lacks where they are fewer."""
    here = [k.label for k, bit in zip(schema.keypoints, pattern, strict=True) if bit == "1"]
    gone = [k.label for k, bit in zip(schema.keypoints, pattern, strict=True) if bit == "0"]
    if not gone:
        return "all points"
    if not here:
        return "no points"
    return " + ".join(here) if len(here) <= len(gone) else "all but " + ", ".join(gone)


def _known(words: str, known: Mapping[str, Any] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words.split(",") if word in known))


def _range(quantity: str, text: str) -> Range | None:
    try:
        low, high = (float(end) for end in text.split(".."))
    except ValueError:
        return None
    return Range(quantity, low, high) if np.isfinite([low, high]).all() else None


def select(
    measures: Measures,
    schema: KeypointSchema,
    selection: Selection,
    predicted: Predicted | None = None,
) -> NDArray[np.intp]:
    """Positions of the selected images in the arrays of their part, in the order asked for.

    Images without the sort quantity (NaN) come last either way; ties keep the file's order.
    ``predicted`` is what ``selection.model`` says; without it, what asks for it is left out.
    """
    part = selection.part
    n = len(measures.n_present) if part == "training" else len(measures.test_brightness)
    keep = np.ones(n, bool)
    for flag in selection.flags:
        if (holds := FLAGS[flag].read(part, measures, predicted)) is not None:
            keep &= holds
    if part == "training":
        for name in selection.lacking:
            keep &= ~measures.present[schema.index(name)]
        for here, bit in zip(measures.present, selection.pattern, strict=False):
            keep &= here == (bit == "1")
    for bound in selection.ranges:
        values = QUANTITIES[bound.quantity].read(part, measures, predicted)
        if values is not None:
            keep &= (values >= bound.low) & (values <= bound.high)
    order = _order(measures, selection, predicted)
    if order is None:
        positions = np.flatnonzero(keep)
        return positions[::-1] if selection.descending else positions
    return order[keep[order]].astype(np.intp) if selection.filtered else order.astype(np.intp)


def _order(
    measures: Measures, selection: Selection, predicted: Predicted | None
) -> NDArray[np.integer[Any]] | None:
    """All images of the part in the order asked for; None for that of the file."""
    part, sort = selection.part, selection.sort
    if sort == ERROR:
        return None if predicted is None else np.asarray(predicted.order[int(selection.descending)])
    if sort == ROW:
        return None
    names, orders = (
        (ORDERED, measures.order) if part == "training" else (TEST_ORDERED, measures.test_order)
    )
    return np.asarray(orders[2 * names.index(sort) + selection.descending])
