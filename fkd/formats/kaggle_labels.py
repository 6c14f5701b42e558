"""Labels as Kaggle's ``training.csv``: coordinates as everywhere in fkd, the centre of the first
pixel being 0; two empty fields where a point has no position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.faces import Imported, as_held, positions
from fkd.formats.kaggle_images import TrainingTable, training_columns
from fkd.formats.packing import packing
from fkd.formats.pictures import Spool
from fkd.formats.report import Report, ValidationError
from fkd.formats.source import open_table
from fkd.formats.visibility import TWO_STATES
from fkd.formats.writing import ROWS_AT_A_TIME, replacing_table, write_rows
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent

FILE = "training.csv"
TAGS, _BETWEEN = "Tags", ";"
"""The column of the images' tags, and what stands between them."""


def write_kaggle(path: Path, dataset: Dataset, labels: Labels, progress: Progress = silent) -> None:
    """Write the faces of ``labels`` as ``training.csv`` into the folder or zip at ``path``, see
    ``packing``, or as that file where ``path`` ends in ``.csv``.

    Raises:
        UserError: if something is at ``path``, or it cannot be written.
    """
    at = positions(dataset, labels)

    def images(part: slice) -> NDArray[np.uint8]:
        return np.asarray(dataset.images[at[part]])

    stage, total = "writing faces", len(labels)
    progress(stage, 0, total)
    columns, block = training_columns(labels.points, labels.schema, images)
    if any(row in labels.tags for row in labels.rows.tolist()):
        columns, block = (*columns, TAGS), _with_tags(block, labels)
    with _stream(Path(path)) as stream:
        write_rows(
            stream, columns, total, block, ROWS_AT_A_TIME, lambda done: progress(stage, done, total)
        )


def _with_tags(
    block: Callable[[slice], list[pa.Array]], labels: Labels
) -> Callable[[slice], list[pa.Array]]:
    """``block`` with a column of the tags of its images."""

    def tagged(part: slice) -> list[pa.Array]:
        words = [_BETWEEN.join(labels.tags.get(row, ())) for row in labels.rows[part].tolist()]
        return [*block(part), pa.array(words)]

    return tagged


@contextmanager
def _stream(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".csv":
        with packing(path) as package, package.open(FILE) as stream:
            yield stream
        return
    if path.exists():
        raise UserError(f"{path} already exists and is not overwritten; choose another name.")
    with replacing_table(path) as stream:
        yield stream


def read_kaggle(path: Path, schema: KeypointSchema, progress: Progress = silent) -> Imported:
    """Read a training table: a CSV file, or a zip or folder that holds one. Its rows are counted
    from 0; a coordinate makes a point visible.

    Raises:
        UserError: if anything in it is not as it should be, with what and where.
    """
    report, spool = Report(), Spool(schema)
    keypoints = [np.empty((0, len(schema), 2), np.float32)]
    tags: list[tuple[str, ...]] = []
    try:
        with open_table(path, "training") as source:
            table = TrainingTable(source, schema, report)
            for batch in table:
                assert batch.keypoints is not None
                spool.append(batch.images)
                keypoints.append(batch.keypoints)
                if TAGS in batch.fields:
                    texts = batch.fields[TAGS].to_pylist()
                    tags += [tuple(filter(None, (text or "").split(_BETWEEN))) for text in texts]
                progress("reading faces", min(batch.bytes_read, source.size), source.size)
        if report:
            raise ValidationError(report)
    except ValidationError as error:
        raise UserError(f"{error}. Nothing was imported; correct the file.") from None
    points = np.concatenate(keypoints)
    if not np.isfinite(points).any():
        raise UserError(f"{report.file} has no label at all; is it the right file?")
    states = np.where(np.isnan(points[..., 0]), State.MISSING, State.VISIBLE).astype(np.uint8)
    rows = np.arange(len(points))
    return Imported(
        schema,
        rows,
        points,
        states,
        spool.finish(),
        numbered=False,
        notes=tuple(report.notes),
        unread=tuple(name for name in source.siblings if name != source.entry),
        in_file=TWO_STATES,
        unsaid=table.absent,
        tags=tuple(tags),
    )


def held(labels: Labels) -> Labels:
    """What comes back of ``labels``: positions, of visible points."""
    return as_held(labels, TWO_STATES)
