"""The tables around a submission: which coordinates are asked for, and the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.dataset import Lookup
from fkd.formats import cells
from fkd.formats.point_names import plain_name
from fkd.formats.report import Report
from fkd.formats.source import TableSource
from fkd.formats.tables import Table
from fkd.formats.writing import number_text, write_table
from fkd.keypoints import KeypointSchema

ROW_ID, IMAGE_ID, FEATURE, LOCATION = "RowId", "ImageId", "FeatureName", "Location"

_ROWS_AT_A_TIME = 1 << 16


@dataclass(frozen=True)
class Submission:
    """Answers: ``row_ids`` int64 ``(M,)`` and ``locations`` float64 ``(M,)`` in px."""

    row_ids: NDArray[np.int64]
    locations: NDArray[np.float64]

    def __post_init__(self) -> None:
        _check_lengths(self.row_ids, self.locations)

    def __len__(self) -> int:
        return len(self.row_ids)


def full_lookup(image_ids: NDArray[np.integer], schema: KeypointSchema) -> Lookup:
    """Every coordinate of every image of ``image_ids`` ``(n,)``, row ids counting from 1."""
    per_image = len(schema.coordinate_names)
    images = np.asarray(image_ids, np.int64)
    total = len(images) * per_image
    coordinates = np.tile(np.arange(per_image, dtype=np.int64), len(images))
    return Lookup(np.arange(1, total + 1), np.repeat(images, per_image), coordinates)


def read_lookup(
    source: TableSource,
    schema: KeypointSchema,
    report: Report,
    known_image_ids: NDArray[np.integer] | None = None,
) -> Lookup:
    """The good rows of a lookup table; every problem of the others goes to ``report``.

    ``known_image_ids`` are the images of the test table; None accepts any. What stands in the
    ``Location`` column is not looked at: copies are about that have it empty, filled, or without
    the comma in front of it.

    Raises:
        ValidationError: if no row can be read at all, such as for missing columns.
        UserError: if the file turns out to be damaged.
    """
    read = _Columns(source, (ROW_ID, IMAGE_ID, FEATURE), report, optional=(LOCATION,))
    row_ids = read.row_ids()
    image_ids, good = read.integers(IMAGE_ID)
    if known_image_ids is not None:
        unknown = good & ~np.isin(image_ids, known_image_ids)
        read.complain(unknown, IMAGE_ID, _unknown_image, f"unknown {IMAGE_ID}")
    coordinates = _coordinates(read.text[FEATURE], schema, report)
    read.complain(coordinates < 0, FEATURE, _unknown_feature, f"unknown {FEATURE}")
    keep = read.finish()
    return Lookup(row_ids[keep], image_ids[keep], coordinates[keep])


def _coordinates(
    column: pa.StringArray, schema: KeypointSchema, report: Report
) -> NDArray[np.int64]:
    """Which coordinate of ``schema`` each name in ``column`` is, int64 ``(n,)``; -1 for none."""
    names = schema.coordinate_names
    written = pc.utf8_trim_whitespace(column).dictionary_encode()
    exact = {name: c for c, name in enumerate(names)}
    plain = {plain_name(name): c for name, c in exact.items()}
    spellings = written.dictionary.to_pylist()
    meant = [exact.get(name, plain.get(plain_name(name), -1)) for name in spellings]
    if any(c >= 0 and name != names[c] for name, c in zip(spellings, meant, strict=True)):
        report.note(f"The names in {FEATURE} were matched ignoring case, spaces and punctuation.")
    places: NDArray[np.int64] = np.array(meant, np.int64)[written.indices.to_numpy()]
    return places


def read_submission(source: TableSource, report: Report) -> Submission:
    """The good rows of a submission; as ``read_lookup``. Every location must be a finite number."""
    read = _Columns(source, (ROW_ID, LOCATION), report)
    row_ids = read.row_ids()
    locations, good, notes = cells.numbers(read.text[LOCATION], pa.float64())
    for note in notes:
        report.note(note)
    read.complain(~good, LOCATION, cells.number_reason, f"bad {LOCATION}")
    read.complain(good & ~np.isfinite(locations), LOCATION, _not_finite, f"bad {LOCATION}")
    keep = read.finish()
    return Submission(row_ids[keep], locations[keep].astype(np.float64))


def write_lookup(path: str | Path, lookup: Lookup, schema: KeypointSchema) -> None:
    """Write ``lookup`` with empty locations; a path that ends in ``.zip`` gets it zipped."""
    names = np.array(schema.coordinate_names)[lookup.coordinates].tolist()

    def block(part: slice) -> list[pa.Array]:
        features = pa.array(names[part], pa.string())
        nothing = pa.nulls(len(features), pa.string())
        ids = (pa.array(lookup.row_ids[part]), pa.array(lookup.image_ids[part]))
        return [*ids, features, nothing]

    write_table(path, (ROW_ID, IMAGE_ID, FEATURE, LOCATION), len(lookup), block, _ROWS_AT_A_TIME)


def write_submission(path: str | Path, submission: Submission) -> None:
    """Write ``submission`` in the fewest digits that read back equal; ``.zip`` gets it zipped.

    Raises:
        ValueError: if a location is not finite or a row id repeats: such a file is refused.
    """
    if not np.isfinite(submission.locations).all():
        raise ValueError("a location is not finite")
    if len(np.unique(submission.row_ids)) != len(submission):
        raise ValueError("a row id repeats")

    def block(part: slice) -> list[pa.Array]:
        return [pa.array(submission.row_ids[part]), number_text(submission.locations[part])]

    write_table(path, (ROW_ID, LOCATION), len(submission), block, _ROWS_AT_A_TIME)


class _Columns:
    """All rows of a small table as text by column, and the book of which of them are good."""

    def __init__(
        self,
        source: TableSource,
        columns: tuple[str, ...],
        report: Report,
        optional: tuple[str, ...] = (),
    ) -> None:
        self._table = Table(source, columns, report, optional)
        self._report = report
        parts = [self._table.text_rows(block) for block in self._table.blocks()]
        self._problems = [found for part in parts for found in part.problems]
        self.rows = np.concatenate([part.rows for part in parts])
        self.text = {c: pa.concat_arrays([part.columns[c] for part in parts]) for c in columns}
        self._good = np.ones(len(self.rows), np.bool_)

    def row_ids(self) -> NDArray[np.int64]:
        """The ``RowId`` column; ids that are no integers or not the first of their kind are noted
        as problems."""
        ids, good = self.integers(ROW_ID)
        first_row: dict[int, int] = {}
        for i in np.flatnonzero(good):
            row = int(self.rows[i])
            first = first_row.setdefault(int(ids[i]), row)
            if first != row:
                reason = f"{ids[i]} is already the {ROW_ID} of row {first}"
                self._note(i, ROW_ID, reason, f"duplicate {ROW_ID}")
        return ids

    def integers(self, column: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The ids in ``column``, and which are good; the others are noted as problems."""
        ids, good, notes = cells.integers(self.text[column])
        for note in notes:
            self._report.note(note)
        self.complain(~good, column, cells.integer_reason, f"bad {column}")
        return ids, good

    def complain(
        self, bad: NDArray[np.bool_], column: str, reason: Callable[[str], str], category: str
    ) -> None:
        """Note a problem for every row that ``bad`` marks; ``reason`` is given its text."""
        for i in np.flatnonzero(bad):
            self._note(i, column, reason(self.text[column][i].as_py()), category)

    def _note(self, i: np.intp, column: str, reason: str, category: str) -> None:
        self._good[i] = False
        problem = self._table.problem(int(self.rows[i]), column, reason)
        self._problems.append((problem, category))

    def finish(self) -> NDArray[np.bool_]:
        """Hand the problems to the report, in the order of rows; which rows are good."""
        for problem, category in sorted(self._problems, key=lambda found: found[0].row or 0):
            self._report.add(problem, category)
        return self._good


def _unknown_image(text: str) -> str:
    return f"image {text.strip()} is not in the test table"


def _unknown_feature(text: str) -> str:
    return f"{cells.quote(text)} is not a coordinate of a known keypoint"


def _not_finite(text: str) -> str:
    return f"{cells.quote(text)} is not a finite number" if text.strip() else "the field is empty"


def _check_lengths(*arrays: NDArray[np.generic]) -> None:
    if any(array.ndim != 1 or len(array) != len(arrays[0]) for array in arrays):
        raise ValueError(f"columns of shapes {[array.shape for array in arrays]} do not match")
