"""Which images to show, and in which order: a value that fits in a link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.measures import ORDERED, TEST_ORDERED, Measures
from fkd.statistics.thresholds import OUTLIER_SCORE

Part = Literal["training", "test"]
ROW = "row"
"""The sort key that leaves the images in the order of the source file."""


@dataclass(frozen=True)
class Flag:
    """A yes-or-no property of images: what it is called and how it is read off."""

    label: str
    training: Callable[[Measures], NDArray[np.bool_]]
    test: Callable[[Measures], NDArray[np.bool_]] | None = None

    def of(self, part: Part) -> Callable[[Measures], NDArray[np.bool_]] | None:
        return self.training if part == "training" else self.test


FLAGS = {
    "complete": Flag("complete", lambda m: m.n_present == len(m.present)),
    "incomplete": Flag("has missing points", lambda m: m.n_present < len(m.present)),
    "many": Flag("many-point source", lambda m: m.source == 1),
    "few": Flag("few-point source", lambda m: m.source == 0),
    "outlier": Flag("shape outlier", lambda m: m.outlier >= OUTLIER_SCORE),
    "swapped": Flag("left and right swapped", lambda m: m.swapped),
    "outside": Flag("point outside the image", lambda m: m.outside),
    "duplicate": Flag(
        "has a duplicate", lambda m: m.duplicate >= 0, lambda m: m.test_duplicate >= 0
    ),
}
"""The flags to filter by; the keys stand in links."""


@dataclass(frozen=True)
class Quantity:
    """A number of each image, to sort by or to bound; ``digits`` after the point are shown."""

    label: str
    digits: int
    training: Callable[[Measures], NDArray[Any]]
    test: Callable[[Measures], NDArray[Any]] | None = None

    def of(self, part: Part) -> Callable[[Measures], NDArray[Any]] | None:
        return self.training if part == "training" else self.test


QUANTITIES = {
    "missing": Quantity("missing points", 0, lambda m: len(m.present) - m.n_present),
    "outlier": Quantity("outlier score", 2, lambda m: m.outlier),
    "brightness": Quantity("brightness", 0, lambda m: m.brightness, lambda m: m.test_brightness),
    "contrast": Quantity("contrast", 1, lambda m: m.contrast, lambda m: m.test_contrast),
    "sharpness": Quantity("sharpness", 2, lambda m: m.sharpness, lambda m: m.test_sharpness),
}
"""The quantities to sort by or to bound; the keys stand in links."""

QUERY_KEYS = ("part", "filter", "lacking", "pattern", "sort", "order", *QUANTITIES)
"""Every parameter that ``Selection.to_query`` may write."""


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
        flags: keys of ``FLAGS``.
        lacking: names of keypoints that must be missing.
        pattern: the exact set of present points, one ``0`` or ``1`` per keypoint of the schema.
        ranges: bounds on quantities.
        sort: ``ROW`` or a key of ``QUANTITIES``.
        descending: largest first.
    """

    part: Part = "training"
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
        return Selection(part=self.part, sort=self.sort, descending=self.descending)

    def of_part(self, part: Part) -> Selection:
        """The same for the other part, without what that part cannot be asked."""
        if part == self.part:
            return self
        keeps = part == "training"
        return replace(
            self,
            part=part,
            flags=tuple(f for f in self.flags if FLAGS[f].of(part)),
            lacking=self.lacking if keeps else (),
            pattern=self.pattern if keeps else "",
            ranges=tuple(r for r in self.ranges if QUANTITIES[r.quantity].of(part)),
            sort=self.sort if self.sort == ROW or QUANTITIES[self.sort].of(part) else ROW,
        )

    def to_query(self) -> dict[str, str]:
        """As query parameters; defaults are left out, so that links stay short."""
        query = {
            "part": "" if self.part == "training" else self.part,
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
            flags=_known(query.get("filter", ""), FLAGS),
            lacking=_known(query.get("lacking", ""), schema.names),
            pattern=pattern if len(pattern) == len(schema) and set(pattern) <= set("01") else "",
            ranges=tuple(r for key in QUANTITIES if (r := _range(key, query.get(key, "")))),
            sort=sort if sort in QUANTITIES else ROW,
            descending=query.get("order") == "desc",
        )
        return selection.of_part(part)

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


def select(measures: Measures, schema: KeypointSchema, selection: Selection) -> NDArray[np.intp]:
    """Positions of the selected images in the arrays of their part, in the order asked for.

    Images without the sort quantity (NaN) come last either way; ties keep the file's order.
    """
    part = selection.part
    n = len(measures.n_present) if part == "training" else len(measures.test_brightness)
    keep = np.ones(n, bool)
    for flag in selection.flags:
        if read := FLAGS[flag].of(part):
            keep &= read(measures)
    if part == "training":
        for name in selection.lacking:
            keep &= ~measures.present[schema.index(name)]
        for here, bit in zip(measures.present, selection.pattern, strict=False):
            keep &= here == (bit == "1")
    for bound in selection.ranges:
        if read := QUANTITIES[bound.quantity].of(part):
            values = read(measures)
            keep &= (values >= bound.low) & (values <= bound.high)
    if selection.sort == ROW:
        positions = np.flatnonzero(keep)
        return positions[::-1] if selection.descending else positions
    names, orders = (
        (ORDERED, measures.order) if part == "training" else (TEST_ORDERED, measures.test_order)
    )
    order = np.asarray(orders[2 * names.index(selection.sort) + selection.descending])
    return order[keep[order]].astype(np.intp) if selection.filtered else order.astype(np.intp)
