"""What becomes of labels that were read from files: edits of a dataset's labels, or a dataset of
their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.faces import Imported
from fkd.labels.at import labels_at
from fkd.labels.exchange import codec
from fkd.labels.formats import FORMATS
from fkd.labels.point import Edit, PointLabel
from fkd.labels.queries import IMPORT
from fkd.labels.states import Labels, Origin, State
from fkd.labels.store import LabelStore
from fkd.progress import Progress, silent
from fkd.registry import check_name, locked, staged
from fkd.storage import DatasetWriter, open_dataset

SAME_PX = 1e-3
"""Positions that lie so close are the same: other tools round to three decimals."""

OTHER_IMAGE = 8
"""Mean difference of grey levels from which two images are not the same one, saved twice."""

_BLOCK = 256


def rows_in(imported: Imported, dataset: Dataset) -> NDArray[np.int64]:
    """``(N,)`` rows of ``dataset`` that the labels are of. Where images came with them, they are
    compared with those of the dataset.

    Raises:
        UserError: if a row is not in the dataset, an image is another one, or nothing says which
            rows they are.
    """
    rows = imported.rows
    if not imported.numbered:
        if imported.images is None or len(imported) != len(dataset):
            raise UserError(
                f"Nothing says which rows of '{dataset.name}' these {len(imported):,} faces are: "
                f"name the files after them, such as 12.png, or bring all {len(dataset):,} faces "
                "with their images."
            )
        rows = dataset.rows
    at = np.minimum(np.searchsorted(dataset.rows, rows), len(dataset) - 1)
    unknown = rows[dataset.rows[at] != rows]
    if len(unknown):
        raise UserError(
            f"Dataset '{dataset.name}' has no row {unknown[0]}; is it the right dataset?"
        )
    if imported.images is not None:
        _compare(imported.images, dataset, rows, at)
    return rows


def _compare(
    images: NDArray[np.uint8], dataset: Dataset, rows: NDArray[np.int64], at: NDArray[np.intp]
) -> None:
    for start in range(0, len(images), _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = np.abs(images[part].astype(np.int16) - dataset.images[at[part]])
        other = np.flatnonzero(apart.mean(axis=(1, 2)) > OTHER_IMAGE)
        if len(other):
            raise UserError(
                f"The image of row {rows[start + other[0]]} is another one in '{dataset.name}'; is "
                "it the right dataset?"
            )


def edits_of_import(
    imported: Imported, dataset: Dataset, current: Labels, format: str, source: str
) -> list[Edit]:
    """What must be changed in ``current``, the labels of all of ``dataset``, to say what the file
    called ``source`` says.

    What the format cannot hold is not taken for a change: an occluded point stays so where a file
    without states has it in its place.

    Raises:
        UserError: as ``rows_in``.
    """
    rows = rows_in(imported, dataset)
    now = codec(format).held(current.take(np.searchsorted(current.rows, rows)))
    with np.errstate(invalid="ignore"):
        moved = (np.abs(imported.points - now.points) > SAME_PX).any(axis=2)
    return [
        Edit(int(rows[i]), int(k), _label(imported, i, k, source))
        for i, k in np.argwhere(moved | (imported.states != now.states))
    ]


def _label(imported: Imported, i: int, k: int, source: str) -> PointLabel:
    state = State(int(imported.states[i, k]))
    x, y = imported.points[i, k].tolist() if state.placed else (None, None)
    return PointLabel(state, x, y, Origin.IMPORTED, source)


def register_imported(
    name: str, imported: Imported, format: str, source: str, progress: Progress = silent
) -> Dataset:
    """Register the faces as a new dataset ``name``; ``source`` is what they were read from. Its
    own labels are the positions: states beside them are edits, see ``edits_of_import``.

    Raises:
        UserError: if there are no images with the labels, or ``name`` is taken or no name.
    """
    check_name(name)
    images = imported.images
    if images is None:
        raise UserError(
            f"There is no dataset '{name}' that these labels could be for, and no images with them "
            "to make it of: name another dataset, or bring the images along."
        )
    with locked(name) as target:
        if target.exists():
            raise UserError(f"Dataset '{name}' exists. Choose another name, or remove it first.")
        with staged(target) as stage, DatasetWriter(stage, name, imported.schema) as writer:
            for start in range(0, len(imported), _BLOCK):
                part = slice(start, start + _BLOCK)
                progress("writing the dataset", start, len(imported))
                writer.add_training(images[part], imported.points[part], imported.rows[part])
            writer.finish(
                origin="import", sources={"labels": source, "format": format}, rejected_rows=0
            )
        return open_dataset(target)


def save_imported(
    dataset: Dataset, imported: Imported, format: str, source: str, author: str
) -> str:
    """Make the labels of ``dataset`` say what was ``imported`` from ``source``, as a version by
    ``author``; what was changed, in words, empty for nothing.

    Raises:
        UserError: as ``edits_of_import`` and ``LabelStore.save`` do.
    """
    store = LabelStore(dataset)
    current = labels_at(store)
    edits = edits_of_import(imported, dataset, current, format, source)
    note = f"import of {source} ({FORMATS[format].title})"
    version = None
    if edits:
        version = store.save(edits, author, base=current.version, note=note, kind=IMPORT)
    if version is None:
        return ""
    labels, rows = len(edits), len({edit.row for edit in edits})
    return (
        f"{labels:,} label{'' if labels == 1 else 's'} of {rows:,} row{'' if rows == 1 else 's'} "
        f"changed, now version {version.number} of the labels"
    )
