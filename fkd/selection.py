"""Which images to show, and in which order: a value that fits in a link."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fkd.columns import ERROR, FLAGS, QUANTITIES, ROW, Column, Part
from fkd.keypoints import KeypointSchema
from fkd.measures import ORDERED, TEST_ORDERED, Measures
from fkd.spans import tidy, within

if TYPE_CHECKING:
    from fkd.evaluation.images import Predicted
    from fkd.labels.tags import Tags

QUERY_KEYS = (
    "part",
    "model",
    "filter",
    "lacking",
    "tags",
    "rows",
    "pattern",
    "sort",
    "order",
    *QUANTITIES,
)
"""Every parameter that ``Selection.to_query`` may write."""

LACKS, TAG, RANGE = "lacks:", "tag:", "range:"
PATTERN, ROWS = "pattern", "rows"
"""What options begin with, or are called, that are no flag; see ``Selection.options``."""

_MAX_MODEL_NAME = 64
_MAX_TAGS, _LONGEST_TAG = 50, 40
_LONGEST_ROWS = 50_000


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
    """Filters and an order. Filters of one kind are joined by "or", the kinds by "and": images
    that lack the nose tip or an eye, and have one of two tags.

    Attributes:
        part: training or test images.
        model: name of the model whose predictions are looked at; empty for none.
        flags: keys of ``FLAGS``.
        lacking: names of keypoints, any of which must be missing.
        tags: tags, any of which an image must have.
        rows: single images, as ``spans`` writes their source rows; empty for all.
        pattern: the exact set of present points, one ``0`` or ``1`` per keypoint of the schema.
        ranges: bounds on quantities.
        sort: ``ROW`` or a key of ``QUANTITIES``.
        descending: largest first.
    """

    part: Part = "training"
    model: str = ""
    flags: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rows: str = ""
    pattern: str = ""
    ranges: tuple[Range, ...] = ()
    sort: str = ROW
    descending: bool = False

    @property
    def filtered(self) -> bool:
        return bool(
            self.flags or self.lacking or self.tags or self.rows or self.pattern or self.ranges
        )

    def unfiltered(self) -> Selection:
        return replace(self, flags=(), lacking=(), tags=(), rows="", pattern="", ranges=())

    @property
    def options(self) -> tuple[str, ...]:
        """What is filtered by, a word for each: the key of a flag, or ``LACKS``, ``TAG``,
        ``RANGE`` with a name, ``PATTERN``, ``ROWS``. Those of a kind stand together."""
        kinds = list(dict.fromkeys(flag.kind for flag in FLAGS.values()))
        return (
            *sorted(self.flags, key=lambda key: kinds.index(FLAGS[key].kind)),
            *(LACKS + name for name in self.lacking),
            *(TAG + tag for tag in self.tags),
            *((PATTERN,) if self.pattern else ()),
            *(RANGE + bound.quantity for bound in self.ranges),
            *((ROWS,) if self.rows else ()),
        )

    def with_option(self, option: str) -> Selection:
        """The same with a flag, ``LACKS`` or ``TAG`` option besides."""
        if option.startswith(LACKS):
            return replace(self, lacking=_with(self.lacking, option.removeprefix(LACKS)))
        if option.startswith(TAG):
            return replace(self, tags=_with(self.tags, option.removeprefix(TAG)))
        return replace(self, flags=_with(self.flags, option))

    def without_option(self, option: str) -> Selection:
        """The same without one of its ``options``."""
        return replace(
            self,
            flags=tuple(key for key in self.flags if key != option),
            lacking=tuple(name for name in self.lacking if LACKS + name != option),
            tags=tuple(tag for tag in self.tags if TAG + tag != option),
            rows="" if option == ROWS else self.rows,
            pattern="" if option == PATTERN else self.pattern,
            ranges=tuple(r for r in self.ranges if RANGE + r.quantity != option),
        )

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
        return any(column.model is not None for column in self._columns)

    @property
    def asks_measures(self) -> bool:
        """Whether a filter or the order needs the images to be measured."""
        return any(column.measured for column in self._columns)

    def without_measures(self) -> Selection:
        """The same without what needs the images to be measured."""
        return self._only(lambda column: not column.measured)

    @property
    def _columns(self) -> list[Column]:
        asked: list[Column] = [FLAGS[f] for f in self.flags]
        asked += [QUANTITIES[r.quantity] for r in self.ranges]
        asked += [QUANTITIES[self.sort]] if self.sort != ROW else []
        return asked

    def _only(self, kept: Callable[[Column], bool]) -> Selection:
        return replace(
            self,
            flags=tuple(f for f in self.flags if kept(FLAGS[f])),
            ranges=tuple(r for r in self.ranges if kept(QUANTITIES[r.quantity])),
            sort=self.sort if self.sort == ROW or kept(QUANTITIES[self.sort]) else ROW,
        )

    def _possible(self) -> Selection:
        """Without what images of the part, or images without a model, cannot be asked."""
        known = self._only(lambda column: column.known(self.part, self.model))
        if self.part == "training":
            return known
        return replace(known, lacking=(), tags=(), rows="", pattern="")

    def to_query(self) -> dict[str, str]:
        """As query parameters; defaults are left out, so that links stay short."""
        query = {
            "part": "" if self.part == "training" else self.part,
            "model": self.model,
            "filter": ",".join(self.flags),
            "lacking": ",".join(self.lacking),
            "tags": ",".join(self.tags),
            "rows": self.rows,
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
            tags=_tags(query.get("tags", "")),
            rows=tidy(query.get("rows", "")[:_LONGEST_ROWS]),
            pattern=pattern if len(pattern) == len(schema) and set(pattern) <= set("01") else "",
            ranges=tuple(r for key in QUANTITIES if (r := _range(key, query.get(key, "")))),
            sort=sort if sort in QUANTITIES else ROW,
            descending=query.get("order") == "desc",
        )
        return selection._possible()

    def words(self, option: str, schema: KeypointSchema, measures: Measures | None = None) -> str:
        """What one of ``options``, or one that could be added, is called. With ``measures``, a
        label source is called after the points that its images have."""
        if option.startswith(LACKS):
            return f"missing {schema.keypoints[schema.index(option.removeprefix(LACKS))].label}"
        if option.startswith(TAG):
            tag = option.removeprefix(TAG)
            return "excluded from training" if tag == _EXCLUDED else f"tag {tag}"
        if option == PATTERN:
            return f"has exactly {pattern_words(self.pattern, schema)}"
        if option == ROWS:
            return "chosen images"
        if option.startswith(RANGE):
            bound = next(r for r in self.ranges if RANGE + r.quantity == option)
            name, low, high = QUANTITIES[bound.quantity].label, bound.low, bound.high
            return f"{name} {low:g}" if low == high else f"{name} {low:g}–{high:g}"
        return FLAGS[option].words(measures)

    def describe(self, schema: KeypointSchema, measures: Measures | None = None) -> str:
        """The filters in words; empty without any."""
        kinds: dict[str, list[str]] = {}
        for option in self.options:
            kinds.setdefault(kind_of(option), []).append(self.words(option, schema, measures))
        return ", ".join(" or ".join(words) for words in kinds.values())


_EXCLUDED = "excluded"
"""As ``fkd.labels.tags`` has it, which comes after this module."""


def kind_of(option: str) -> str:
    """The kind of an option of a selection: those of the same kind are joined by "or"."""
    if option in FLAGS:
        return FLAGS[option].kind
    for kind in (LACKS, TAG):
        if option.startswith(kind):
            return kind
    return option


def pattern_words(pattern: str, schema: KeypointSchema) -> str:
    """The points that ``pattern`` has, in words, or those it lacks where they are fewer."""
    here = [k.label for k, bit in zip(schema.keypoints, pattern, strict=True) if bit == "1"]
    gone = [k.label for k, bit in zip(schema.keypoints, pattern, strict=True) if bit == "0"]
    if not gone:
        return "all points"
    if not here:
        return "no points"
    return " + ".join(here) if len(here) <= len(gone) else "all but " + ", ".join(gone)


def _with(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    return words if word in words else (*words, word)


def _known(words: str, known: Mapping[str, Any] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words.split(",") if word in known))


def _tags(words: str) -> tuple[str, ...]:
    tags = (tag.strip() for tag in words.split(",", _MAX_TAGS)[:_MAX_TAGS])
    printable = (
        tag
        for tag in tags
        if 0 < len(tag) <= _LONGEST_TAG and not any(unicodedata.category(c)[0] == "C" for c in tag)
    )
    return tuple(dict.fromkeys(printable))


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
    tags: Tags | None = None,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.intp]:
    """Positions of the selected images in the arrays of their part, in the order asked for.

    Images without the sort quantity (NaN) come last either way; ties keep the file's order.
    ``predicted`` is what ``selection.model`` says, ``tags`` are those of the images; without them,
    what asks for them is left out. ``rows`` ``(N,)`` are the source rows of the training images;
    without them, they are counted.
    """
    asked = _Asked(measures, schema, selection, predicted, tags, rows)
    keep = np.logical_and.reduce([asked.everything(), *asked.kinds().values()])
    order = _order(measures, selection, predicted)
    if order is None:
        positions = np.flatnonzero(keep)
        return positions[::-1] if selection.descending else positions
    return order[keep[order]].astype(np.intp) if selection.filtered else order.astype(np.intp)


def counts(
    measures: Measures,
    schema: KeypointSchema,
    selection: Selection,
    predicted: Predicted | None = None,
    tags: Tags | None = None,
    rows: NDArray[np.int64] | None = None,
) -> dict[str, int]:
    """For each option that can be added to ``selection``, how many images have it, of those that
    the filters of all other kinds leave. Parameters as of ``select``."""
    asked = _Asked(measures, schema, selection, predicted, tags, rows)
    kinds = asked.kinds()
    left: dict[str, NDArray[np.bool_]] = {}
    found = {}
    for option in asked.possible():
        kind = kind_of(option)
        if kind not in left:
            others = [mask for other, mask in kinds.items() if other != kind]
            left[kind] = np.logical_and.reduce([asked.everything(), *others])
        if (holds := asked.holds(option)) is not None:
            found[option] = int(np.count_nonzero(left[kind] & holds))
    return found


@dataclass(frozen=True)
class _Asked:
    """A selection, with what is known of the images: which of them fit."""

    measures: Measures
    schema: KeypointSchema
    selection: Selection
    predicted: Predicted | None
    tags: Tags | None
    rows: NDArray[np.int64] | None

    def everything(self) -> NDArray[np.bool_]:
        m = self.measures
        n = len(m.n_present) if self.selection.part == "training" else len(m.test_brightness)
        return np.ones(n, bool)

    def possible(self) -> list[str]:
        """The options that there are for the part: flags, points that may lack, tags."""
        part, model = self.selection.part, self.selection.model
        flags = [key for key, flag in FLAGS.items() if flag.known(part, model)]
        if part == "test":
            return flags
        tags = [TAG + tag for tag in self.tags or ()]
        return [*flags, *(LACKS + name for name in self.schema.names), *tags]

    def holds(self, option: str) -> NDArray[np.bool_] | None:
        """Which images fit one option; None where that is not known."""
        selection, m = self.selection, self.measures
        if option in FLAGS:
            return FLAGS[option].read(selection.part, m, self.predicted)
        if option.startswith(RANGE):
            bound = next(r for r in selection.ranges if RANGE + r.quantity == option)
            values = QUANTITIES[bound.quantity].read(selection.part, m, self.predicted)
            return None if values is None else (values >= bound.low) & (values <= bound.high)
        return self._of_labelled(option) if selection.part == "training" else None

    def _of_labelled(self, option: str) -> NDArray[np.bool_] | None:
        """As ``holds``, for what can be asked of labelled images only."""
        m = self.measures
        if option.startswith(LACKS):
            return np.asarray(~m.present[self.schema.index(option.removeprefix(LACKS))])
        if option == PATTERN:
            pattern = zip(m.present, self.selection.pattern, strict=False)
            masks = [here == (bit == "1") for here, bit in pattern]
            return np.asarray(np.logical_and.reduce(masks))
        rows = np.arange(len(m.n_present)) if self.rows is None else self.rows
        if option == ROWS:
            return within(self.selection.rows, rows)
        return None if self.tags is None else self.tags.held(option.removeprefix(TAG), rows)

    def kinds(self) -> dict[str, NDArray[np.bool_]]:
        """For each kind that is filtered by, which images fit any of its options."""
        found: dict[str, NDArray[np.bool_]] = {}
        for option in self.selection.options:
            if (holds := self.holds(option)) is not None:
                kind = kind_of(option)
                found[kind] = found[kind] | holds if kind in found else holds
        return found


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
