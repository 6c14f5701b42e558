"""Which rows of a dataset the labels in files are of: by the names of the files, or by their
images."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.faces import Imported

OTHER_IMAGE = 8
"""Mean difference of grey levels from which two images are not the same one, saved twice."""

_CLEARLY = 2.0
"""By how many grey levels in the mean the best of several alike images has to be closer."""
SAME_LEVELS = 1e-6
"""Mean differences of grey levels that are the same."""
_BLOCK = 256
_CELLS = 8
_CANDIDATES = 8
_NUMBER_AT_END = re.compile(r"(?:^|[^0-9A-Za-z])(?:[A-Za-z]*[G-Zg-z][A-Za-z]*)?([0-9]{1,18})$")
"""Digits after a mark, or after a word that is none of hexadecimal digits: a hash tells nothing."""
_ROBOFLOW = re.compile(r"_(?:png|jpe?g|bmp|webp|tiff?|pgm)\.rf\.[0-9A-Za-z]+$")
"""What Roboflow puts behind the name of a file."""

Rows = NDArray[np.int64]


def rows_in(imported: Imported, dataset: Dataset) -> tuple[Rows, str]:
    """``(N,)`` rows of ``dataset`` that the labels are of, and a note where that is news. Files
    called ``12.png`` say so; for others, such as ``3c6ef3c3-12.png``, and where the numbers do not
    fit the images, these are looked for in the dataset. Where images came along, they are compared
    with those of the dataset in any case.

    Raises:
        UserError: if a row or an image is not in the dataset, an image is another one or fits
            several rows, or nothing says which rows they are.
    """
    if not len(dataset):
        raise UserError(f"Dataset '{dataset.name}' has no images; is it the right dataset?")
    if not imported.numbered:
        return _of_unnumbered(imported, dataset), ""
    try:
        return _of_numbers(imported, dataset), ""
    except UserError:
        if imported.images is None:
            raise
        try:
            rows = _by_image(imported, dataset)
        except UserError:
            rows = None
        if rows is None:
            raise
    return rows, (
        "The numbers in the file names are not rows of the dataset, so labels were matched by "
        "their images."
    )


def _of_numbers(imported: Imported, dataset: Dataset) -> Rows:
    rows = imported.rows
    at = np.minimum(np.searchsorted(dataset.rows, rows), len(dataset) - 1)
    unknown = rows[dataset.rows[at] != rows]
    if len(unknown):
        raise UserError(
            f"Dataset '{dataset.name}' has no row {unknown[0]}; is it the right dataset?"
        )
    if imported.images is not None and (other := _first_other(imported, dataset, at)) >= 0:
        raise UserError(
            f"The image of row {rows[other]} is a different one in '{dataset.name}'; is it the "
            "right dataset?"
        )
    return rows


def _of_unnumbered(imported: Imported, dataset: Dataset) -> Rows:
    if imported.images is None:
        raise UserError(
            f"Nothing says which rows of '{dataset.name}' these {len(imported):,} faces are: name "
            "the files after them, such as 12.png, or include the images."
        )
    if len(imported) == len(dataset) and _first_other(imported, dataset, limit=0) < 0:
        return dataset.rows  # the very same images in the same order, duplicates among them or not
    return _by_image(imported, dataset)


def _first_other(
    imported: Imported,
    dataset: Dataset,
    at: NDArray[np.intp] | None = None,
    limit: float = OTHER_IMAGE,
) -> int:
    """The first of the images that is another one than that at its place ``at`` (by default the
    same) in ``dataset``, by more than ``limit`` grey levels; -1 if none is."""
    assert imported.images is not None
    at = np.arange(len(imported)) if at is None else at
    for start in range(0, len(at), _BLOCK):
        part = slice(start, start + _BLOCK)
        apart = _apart(imported.images[part], dataset.images[at[part]])
        if (other := np.flatnonzero(apart > limit)).size:
            return start + int(other[0])
    return -1


def _apart(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float64]:
    """``(n,)`` mean differences of grey levels."""
    return np.asarray(np.abs(images.astype(np.int16) - others).mean(axis=(1, 2)))


def _by_image(imported: Imported, dataset: Dataset) -> Rows:
    assert imported.images is not None
    tree = cKDTree(_thumbnails(dataset.images))
    wanted = _thumbnails(imported.images)
    # The mean difference of two images is at least that of their thumbnails.
    count = min(_CANDIDATES, len(dataset))
    _, near = tree.query(wanted, count, p=1, distance_upper_bound=OTHER_IMAGE * wanted.shape[1])
    near = near.reshape(len(wanted), count)
    rows = np.empty(len(imported), np.int64)
    taken: dict[int, int] = {}
    for i, candidates in enumerate(near):
        at = candidates[candidates < len(dataset)]
        apart = _apart(np.repeat(imported.images[i : i + 1], len(at), axis=0), dataset.images[at])
        same = apart <= OTHER_IMAGE
        rows[i] = _chosen(imported, i, dataset.rows[at[same]], apart[same], dataset)
        first = taken.setdefault(int(rows[i]), i)
        if first != i:
            raise UserError(
                f"{_called(imported, first)} and {_called(imported, i)} both show row {rows[i]} of "
                f"'{dataset.name}'; keep one of them."
            )
    return rows


def _chosen(
    imported: Imported, i: int, rows: Rows, apart: NDArray[np.float64], dataset: Dataset
) -> int:
    """Which of the ``rows`` image ``i`` is, of which they are ``apart``."""
    if not len(rows):
        raise UserError(
            f"{_called(imported, i)} is not among the images of '{dataset.name}'; is it the right "
            "dataset?"
        )
    order = np.argsort(apart, kind="stable")
    best = order[0]
    if len(rows) == 1 or apart[order[1]] - apart[best] >= _CLEARLY:
        return int(rows[best])
    if apart[best] == 0 and apart[order[1]] > 0:
        return int(rows[best])
    # The same picture twice, or frames of a film: the name may tell them apart, or the order of
    # as many files as there are rows.
    number = _number_in(imported.names[i]) if imported.names else None
    if number is not None and number in rows:
        return number
    if not imported.names and len(imported) == len(dataset):
        closest = apart[best] + SAME_LEVELS
        here = np.flatnonzero((rows == dataset.rows[i]) & (apart <= closest))
        if len(here):
            return int(rows[here[0]])
    alike = ", ".join(str(row) for row in sorted(rows[order[:4]].tolist()))
    raise UserError(
        f"{_called(imported, i)} looks like several rows of '{dataset.name}' ({alike}); name the "
        "files after their rows, such as 12.png."
    )


def _number_in(name: str) -> int | None:
    """The number that a file's ``name`` ends with; None where there is none that means anything."""
    found = _NUMBER_AT_END.search(_ROBOFLOW.sub("", name))
    return int(found[1]) if found else None


def _called(imported: Imported, i: int) -> str:
    return f"The image {imported.names[i]!r}" if imported.names else f"Image {i + 1} of the files"


def _thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """``(N, cells)`` mean levels of the cells of a grid over each of ``(N, H, W)`` images; what
    does not fill a cell at the right and lower edge is left out."""
    height, width = (max(side // _CELLS, 1) for side in images.shape[1:])
    rows, columns = images.shape[1] // height, images.shape[2] // width
    found = np.empty((len(images), rows * columns), np.float32)
    for start in range(0, len(images), _BLOCK):
        part = np.asarray(images[start : start + _BLOCK, : rows * height, : columns * width])
        cells = part.reshape(len(part), rows, height, columns, width)
        found[start : start + _BLOCK] = cells.mean(axis=(2, 4)).reshape(len(part), -1)
    return found
