"""The tables of images, ``training.csv`` and ``test.csv``, in Kaggle's layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.formats import cells
from fkd.formats._parallel import ordered_map
from fkd.formats.no_position import PLACES, lie_at, stand_for_none
from fkd.formats.report import Report
from fkd.formats.source import TableSource
from fkd.formats.tables import (
    SHOWN,
    Block,
    Found,
    Table,
    TextRows,
    columns_named,
    lacking,
    quoted,
)
from fkd.formats.writing import ROWS_AT_A_TIME, number_text, pixel_text, write_table
from fkd.keypoints import KeypointSchema
from fkd.words import counted, listed

IMAGE = "Image"
IMAGE_ID = "ImageId"

_COORDINATE = re.compile(r"([\W_][xyXY]|[a-z][XY])\W*$")
"""How names of columns end that are meant for coordinates: not ``sex``, but ``eyeX``."""


@dataclass(frozen=True)
class ImageBatch:
    """Good rows of an image table, in order.

    Attributes:
        rows: int64 ``(n,)``, 0-based data rows of the file.
        images: uint8 ``(n, H, W)``.
        keypoints: float32 ``(n, K, 2)`` in px, NaN where missing; None in a test table.
        image_ids: int64 ``(n,)``; None in a training table.
        fields: the text of further columns, ``(n,)`` each, by their names.
        bytes_read: bytes of the table read so far, this batch included; ``TableSource.size`` is
            the total.
    """

    rows: NDArray[np.int64]
    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32] | None
    image_ids: NDArray[np.int64] | None
    bytes_read: int
    fields: dict[str, pa.StringArray] = field(default_factory=dict)


@dataclass
class _Parsed:
    """A block as numbers, before bad rows are left out."""

    rows: NDArray[np.int64]
    images: NDArray[np.uint8]
    bytes_read: int
    problems: list[Found]
    keypoints: NDArray[np.float32] | None = None
    ids: NDArray[np.int64] | None = None
    ids_good: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    fields: dict[str, pa.StringArray] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    stood_for_nothing: int = 0


class TrainingTable:
    """The good rows of a training table, in batches of some megabytes of text; they can be gone
    through once.

    Columns of coordinates that the table does not have are missing in all its rows; columns that
    are no coordinates are kept as ``fields``. What both mean, and any other way in which the table
    is not as Kaggle's, goes to ``report.notes``; every problem of the other rows to ``report``. The
    memory used does not depend on the length of the table.

    Attributes:
        absent: indices of keypoints that the table has no columns for.

    Raises:
        ValidationError: if no row can be read at all, such as for missing columns.
        UserError: if the file turns out to be damaged; also while it is read.
    """

    def __init__(self, source: TableSource, schema: KeypointSchema, report: Report) -> None:
        self._schema, self._report = schema, report
        self._table = Table(source, (IMAGE,), report, schema.coordinate_names, keep_others=True)
        _check_coordinates(self._table, schema)
        names = schema.coordinate_names[::2]
        self.absent = tuple(k for k, x in enumerate(names) if x in self._table.absent)
        if self.absent:
            points = listed((schema.names[k] for k in self.absent), SHOWN)
            report.note(
                f"The table has no columns for {len(self.absent)} of {len(schema)} keypoints "
                f"({points}); they are missing in every row."
            )
        if self._table.others:
            report.note(f"Kept beside the labels: the {columns_named(self._table.others)}.")

    def __iter__(self) -> Iterator[ImageBatch]:
        parse = partial(_parse_training, self._table, self._schema)
        nothing = 0
        for parsed in ordered_map(parse, self._table.blocks()):
            for note in sorted(parsed.notes):
                self._report.note(note)
            nothing += parsed.stood_for_nothing
            yield from _good_rows(parsed, self._report)
        if nothing:
            at = "at 0, 0 or -1, -1"
            self._report.note(
                f"{counted(nothing, f'point {at} was', f'points {at} were')} read as missing: that "
                "is where other tools put missing points."
            )


def read_training(
    source: TableSource, schema: KeypointSchema, report: Report
) -> Iterator[ImageBatch]:
    """The good rows of a ``TrainingTable``."""
    yield from TrainingTable(source, schema, report)


def _check_coordinates(table: Table, schema: KeypointSchema) -> None:
    """``ValidationError`` if the table has no coordinates, only one of a point's two, or columns
    that seem to be misspelt coordinates."""
    absent = set(table.absent)
    if len(absent) == len(schema.coordinate_names):
        names = schema.coordinate_names
        raise table.refuse(
            f"it has no column of any keypoint, such as {names[0]} and {names[1]}: is it a table "
            "with labels?"
        )
    halves = [
        name
        for pair in zip(schema.coordinate_names[::2], schema.coordinate_names[1::2], strict=True)
        for name in pair
        if name in absent and not absent.issuperset(pair)
    ]
    if halves:
        raise table.refuse(f"{lacking(halves)}, though the other coordinate of the point is there")
    odd = [name for name in table.others if _COORDINATE.search(name)]
    if absent and odd:
        near = get_close_matches(odd[0], sorted(absent), 1)
        meant = f": is {quoted(odd[0])} meant to be {near[0]}?" if near else ""
        look = "looks like a coordinate" if len(odd) == 1 else "look like coordinates"
        raise table.refuse(
            f"the {columns_named(odd)} {look}, but {schema.name} has no such keypoint{meant}"
        )


def read_test(source: TableSource, schema: KeypointSchema, report: Report) -> Iterator[ImageBatch]:
    """The good rows of a test table; as ``read_training``. An ImageId that an earlier row has
    makes a row bad, even if that earlier row is bad for another reason."""
    table = Table(source, (IMAGE_ID, IMAGE), report)
    seen: dict[int, int] = {}
    for parsed in ordered_map(partial(_parse_test, table, schema), table.blocks()):
        for note in sorted(parsed.notes):
            report.note(note)
        assert parsed.ids is not None
        for i in np.flatnonzero(parsed.ids_good):
            image_id, row = int(parsed.ids[i]), int(parsed.rows[i])
            first = seen.setdefault(image_id, row)
            if first != row:
                reason = f"{image_id} is already the {IMAGE_ID} of row {first}"
                problem = table.problem(row, IMAGE_ID, reason)
                parsed.problems.append((problem, f"duplicate {IMAGE_ID}"))
        yield from _good_rows(parsed, report)


def _good_rows(parsed: _Parsed, report: Report) -> Iterator[ImageBatch]:
    parsed.problems.sort(key=lambda found: found[0].row or 0)
    for problem, category in parsed.problems:
        report.add(problem, category)
    bad = {problem.row for problem, _ in parsed.problems}
    keep = np.array([row not in bad for row in parsed.rows.tolist()], np.bool_)
    if keep.any():
        pick = slice(None) if keep.all() else keep
        yield ImageBatch(
            parsed.rows[pick],
            parsed.images[pick],
            None if parsed.keypoints is None else parsed.keypoints[pick],
            None if parsed.ids is None else parsed.ids[pick],
            parsed.bytes_read,
            {name: column.filter(pa.array(keep)) for name, column in parsed.fields.items()},
        )


def _parse_training(table: Table, schema: KeypointSchema, block: Block) -> _Parsed:
    text = table.text_rows(block)
    keypoints, problems, nothing, number_notes = _keypoints(table, schema, text)
    images, pixel_problems, notes = _images(table, schema, text)
    found = [*text.problems, *problems, *pixel_problems]
    fields = {name: text.columns[name] for name in table.others}
    return _Parsed(
        text.rows,
        images,
        block.bytes_read,
        found,
        keypoints,
        fields=fields,
        notes=notes | number_notes,
        stood_for_nothing=nothing,
    )


def _parse_test(table: Table, schema: KeypointSchema, block: Block) -> _Parsed:
    text = table.text_rows(block)
    column = text.columns[IMAGE_ID]
    ids, good, id_notes = cells.integers(column)
    problems = [*text.problems]
    for i in np.flatnonzero(~good):
        reason = cells.integer_reason(column[i].as_py())
        problems.append((table.problem(text.rows[i], IMAGE_ID, reason), f"bad {IMAGE_ID}"))
    images, pixel_problems, notes = _images(table, schema, text)
    problems += pixel_problems
    return _Parsed(
        text.rows,
        images,
        block.bytes_read,
        problems,
        ids=ids,
        ids_good=good,
        notes=notes | id_notes,
    )


def _images(
    table: Table, schema: KeypointSchema, text: TextRows
) -> tuple[NDArray[np.uint8], list[Found], set[str]]:
    column = text.columns[IMAGE]
    flat, good, notes = cells.pixels(column, schema.pixels)
    problems = [
        (table.problem(text.rows[i], IMAGE, reason), category)
        for i in np.flatnonzero(~good)
        for reason, category in cells.pixel_reasons(column[i].as_py(), schema.pixels)
    ]
    return flat.reshape(-1, *schema.image_size), problems, notes


def _keypoints(
    table: Table, schema: KeypointSchema, text: TextRows
) -> tuple[NDArray[np.float32], list[Found], int, set[str]]:
    """The points, what is wrong with some, how many stood where others put missing ones, and how
    else than by Kaggle they were written."""
    names = schema.coordinate_names
    absent = set(table.absent)
    values = np.full((len(text.rows), len(names)), np.nan, np.float32)
    good = np.ones(values.shape, np.bool_)
    notes: set[str] = set()
    for c, name in enumerate(names):
        if name not in absent:
            values[:, c], good[:, c], how = cells.numbers(text.columns[name], pa.float32())
            notes |= how
    points = values.reshape(len(values), len(schema), 2)
    nothing = _stand_for_missing(points, text, schema)
    points[nothing] = np.nan
    outside = good & is_outside(points, schema).reshape(values.shape)
    missing = (good & np.isnan(values)).reshape(points.shape)
    alone = (missing & ~missing[..., ::-1]).reshape(values.shape)
    problems: list[Found] = []
    for i, c in np.argwhere(~good | outside | alone):
        name = names[c]
        raw = text.columns[name][i].as_py()
        if not good[i, c]:
            reason, category = cells.number_reason(raw), "bad coordinate"
        elif outside[i, c]:
            reason = (
                f"{cells.quote(raw)} is far outside the image of {schema.width}x{schema.height} px"
            )
            category = "coordinate far outside the image"
        else:
            reason = f"the coordinate is missing, but {names[c ^ 1]} is given"
            category = "half a keypoint"
        problems.append((table.problem(text.rows[i], name, reason), category))
    return points, problems, int(nothing.sum()), notes


def _stand_for_missing(
    points: NDArray[np.float32], text: TextRows, schema: KeypointSchema
) -> NDArray[np.bool_]:
    """Which of ``(n, K, 2)`` points stand for none as they are written, in all their digits."""
    found = stand_for_none(points)
    for i, k in np.argwhere(found):
        numbers = [
            float(text.columns[name][i].as_py().replace(",", "."))
            for name in schema.coordinate_names[2 * k : 2 * k + 2]
        ]
        found[i, k] = stand_for_none(np.array(numbers))
    return found


def _coordinate_text(points: NDArray[np.float32]) -> list[pa.Array]:
    """The columns of ``(n, K, 2)`` points, none written so that it would be read as missing."""
    columns = [number_text(column) for column in points.reshape(len(points), -1).T]
    for place in PLACES:
        here = lie_at(place, points)
        for k in np.flatnonzero(here.any(axis=0)):
            x = columns[2 * k].cast(pa.string())
            columns[2 * k] = pc.if_else(pa.array(here[:, k]), place.beside, x)
    return columns


def is_outside(points: NDArray[np.floating], schema: KeypointSchema) -> NDArray[np.bool_]:
    """Which coordinates of ``(..., K, 2)`` points lie more than half an image size beyond the
    image's border, ``(..., K, 2)``; missing ones do not. No face that is worth a label reaches so
    far out of its crop."""
    size = np.array((schema.width, schema.height), np.float64)
    # The border runs along the outer edges of the outermost pixels.
    low, high = -0.5 - size / 2, size - 0.5 + size / 2
    with np.errstate(invalid="ignore"):
        return np.asarray((points < low) | (points > high))


def write_training(
    path: str | Path,
    images: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    schema: KeypointSchema,
) -> None:
    """Write ``images`` uint8 ``(n, H, W)`` and ``keypoints`` float32 ``(n, K, 2)`` px as a
    training table that reads back equal; a path that ends in ``.zip`` gets it zipped.

    Raises:
        ValueError: if the shapes do not fit the schema, or a coordinate could not be read back:
            half of a keypoint missing, infinite or far outside the image.
    """
    images, keypoints = np.asarray(images), np.asarray(keypoints, np.float32)
    _check_images(images)
    if images.shape[1:] != schema.image_size or keypoints.shape != (len(images), len(schema), 2):
        raise ValueError(
            f"images {images.shape} and keypoints {keypoints.shape} do not fit {schema.name}"
        )
    columns, block = training_columns(keypoints, schema, lambda part: images[part])
    write_table(path, columns, len(images), block, ROWS_AT_A_TIME)


def training_columns(
    keypoints: NDArray[np.float32],
    schema: KeypointSchema,
    images: Callable[[slice], NDArray[np.uint8]],
) -> tuple[tuple[str, ...], Callable[[slice], list[pa.Array]]]:
    """Names of the columns of a training table, and what gives the text of a part of its rows;
    ``images`` gives uint8 ``(n, H, W)`` of a part.

    Raises:
        ValueError: if a coordinate could not be read back, as ``write_training``.
    """
    missing = np.isnan(keypoints)
    unreadable = is_outside(keypoints, schema) | (missing != missing[..., ::-1])
    if unreadable.any():
        row, point, _ = np.argwhere(unreadable)[0]
        raise ValueError(f"row {row}: {schema.names[point]} is half missing or far outside")

    def block(part: slice) -> list[pa.Array]:
        return [*_coordinate_text(keypoints[part]), pixel_text(images(part))]

    return (*schema.coordinate_names, IMAGE), block


def write_test(path: str | Path, image_ids: NDArray[np.integer], images: NDArray[np.uint8]) -> None:
    """Write ``image_ids`` ``(n,)`` and ``images`` uint8 ``(n, H, W)`` as a test table; a path that
    ends in ``.zip`` gets it zipped.

    Raises:
        ValueError: if the shapes do not match or an id repeats.
    """
    images, image_ids = np.asarray(images), np.asarray(image_ids, np.int64)
    _check_images(images)
    if image_ids.shape != images.shape[:1]:
        raise ValueError(f"{image_ids.shape} image ids do not fit images {images.shape}")
    if len(np.unique(image_ids)) != len(image_ids):
        raise ValueError("an image id repeats")

    def block(part: slice) -> list[pa.Array]:
        return [pa.array(image_ids[part]), pixel_text(images[part])]

    write_table(path, (IMAGE_ID, IMAGE), len(images), block, ROWS_AT_A_TIME)


def _check_images(images: NDArray[np.uint8]) -> None:
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (n, H, W), not {images.dtype} {images.shape}")
