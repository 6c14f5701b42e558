"""What is measured once per image and kept beside the dataset, so that pages only look it up."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.locks import alone
from fkd.private import like_parent, make_folder
from fkd.progress import Progress, silent
from fkd.scratch import instead_of
from fkd.stored import load_array, read_json, within

ORDERED = ("missing", "outlier", "brightness", "contrast", "sharpness")
"""What training images can be sorted by."""

TEST_ORDERED = ("brightness", "contrast", "sharpness")
"""What test images can be sorted by."""

VERSION = 1
"""Raised whenever a measure changes its meaning; older measures are then made anew."""


@dataclass(frozen=True)
class Measures:
    """One value per training image (N) and, with the prefix ``test_``, per test image (M).

    Attributes:
        present: ``(K, N)`` bool, by keypoint first so that one keypoint's column reads fast.
        n_present: ``(N,)`` int16, labelled points of an image.
        source: ``(N,)`` int8, label source: see ``statistics.missing.label_source``.
        outlier: ``(N,)`` float32, row score of the shape model (3 = one face in a thousand).
        point_outlier: ``(N, K)`` float32, the same of each point given the others; NaN = missing.
        swapped: ``(N,)`` bool, left and right seem exchanged.
        outside: ``(N,)`` bool, a point lies outside the image.
        brightness, contrast, sharpness: ``(N,)`` float32, see ``statistics.quality``.
        duplicate: ``(N,)`` int32, number of the image's group of duplicates, -1 = none.
        pair_a, pair_b: ``(P,)`` int64 duplicate pairs; an index from N on is a test image.
        pair_similarity, pair_label_distance: ``(P,)`` float32; distance in px, NaN where unknown.
        pair_exact: ``(P,)`` bool, equal byte by byte.
        order, test_order: ``(2 * Q, N)`` and ``(2 * Q', M)`` int32: for each of ``ORDERED`` and
            ``TEST_ORDERED`` the images in ascending, then in descending order. Sorting half a
            million values takes longer than all else that a page does.
    """

    present: NDArray[np.bool_]
    n_present: NDArray[np.int16]
    source: NDArray[np.int8]
    outlier: NDArray[np.float32]
    point_outlier: NDArray[np.float32]
    swapped: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    duplicate: NDArray[np.int32]
    test_brightness: NDArray[np.float32]
    test_contrast: NDArray[np.float32]
    test_sharpness: NDArray[np.float32]
    test_duplicate: NDArray[np.int32]
    pair_a: NDArray[np.int64]
    pair_b: NDArray[np.int64]
    pair_similarity: NDArray[np.float32]
    pair_label_distance: NDArray[np.float32]
    pair_exact: NDArray[np.bool_]
    order: NDArray[np.int32]
    test_order: NDArray[np.int32]

    @classmethod
    def of(cls, **columns: NDArray[Any]) -> Self:
        """Measures of the given columns; the orders are worked out here."""
        missing = len(columns["present"]) - columns["n_present"]
        values = {**columns, "missing": missing}
        return cls(
            **columns,
            order=orders([values[name] for name in ORDERED]),
            test_order=orders([values[f"test_{name}"] for name in TEST_ORDERED]),
        )


class Provisional(Measures):
    """What is known of a dataset that is not measured yet; see ``provisional``."""


def orders(quantities: list[NDArray[Any]]) -> NDArray[np.int32]:
    """Ascending and descending order of each quantity; ties as in the file, NaN last."""
    both = []
    for values in quantities:
        both += [np.argsort(sign * values.astype(np.float64), kind="stable") for sign in (1, -1)]
    return np.stack(both).astype(np.int32)


_NAMES = tuple(field.name for field in fields(Measures))


def with_labels(measures: Measures, dataset: Dataset) -> Measures:
    """``measures`` of a dataset whose labels were corrected since: which points there are is told
    from the labels of ``dataset``. Outlier scores, swaps and label distances stay those of the
    labels as ingested; duplicates and image quality do not depend on labels."""
    from fkd.statistics.coordinates import outside_image
    from fkd.statistics.missing import label_source, present

    keypoints = np.asarray(dataset.keypoints)
    here = present(keypoints)
    columns = {name: getattr(measures, name) for name in _NAMES if "order" not in name}
    return Measures.of(
        **columns
        | {
            "present": np.ascontiguousarray(here.T),
            "n_present": here.sum(axis=1).astype(np.int16),
            "source": label_source(keypoints),
            "outside": outside_image(keypoints, dataset.schema).any(axis=1),
        }
    )


def provisional(dataset: Dataset) -> Provisional:
    """What the labels alone tell, at once, for as long as ``dataset`` is not measured: which points
    there are, label sources, points outside the image. The rest is as if nothing were known: scores
    and qualities NaN, nothing swapped, no duplicates."""
    from fkd.statistics.coordinates import outside_image
    from fkd.statistics.missing import label_source, present

    keypoints = np.asarray(dataset.keypoints)
    here = present(keypoints)
    n, m, k = _sizes(dataset)
    unknown, unknown_test = np.full(n, np.nan, np.float32), np.full(m, np.nan, np.float32)
    nothing, no_pairs = np.empty(0, np.float32), np.empty(0, np.int64)
    return Provisional.of(
        present=np.ascontiguousarray(here.T),
        n_present=here.sum(axis=1).astype(np.int16),
        source=label_source(keypoints),
        outlier=unknown,
        point_outlier=np.full((n, k), np.nan, np.float32),
        swapped=np.zeros(n, bool),
        outside=np.asarray(outside_image(keypoints, dataset.schema).any(axis=1)),
        **dict.fromkeys(("brightness", "contrast", "sharpness"), unknown),
        duplicate=np.full(n, -1, np.int32),
        **{f"test_{name}": unknown_test for name in TEST_ORDERED},
        test_duplicate=np.full(m, -1, np.int32),
        pair_a=no_pairs,
        pair_b=no_pairs,
        pair_similarity=nothing,
        pair_label_distance=nothing,
        pair_exact=np.empty(0, bool),
    )


def compute(dataset: Dataset, progress: Progress = silent) -> Measures:
    """Measure ``dataset`` without looking at or writing what is stored."""
    from fkd.statistics.coordinates import outside_image
    from fkd.statistics.duplicates import find_duplicates
    from fkd.statistics.missing import label_source, present
    from fkd.statistics.quality import image_quality
    from fkd.statistics.shape_model import fit_shape_models
    from fkd.statistics.swaps import find_swaps

    keypoints, schema = np.asarray(dataset.keypoints), dataset.schema
    n = len(dataset)
    here = present(keypoints)
    quality = image_quality(dataset.images, progress)
    test_quality = image_quality(dataset.test_images, progress)
    progress("fitting the shape model", 0, 0)
    models = fit_shape_models(keypoints, schema)
    scores = models.score(keypoints)
    swaps = find_swaps(keypoints, schema, models)
    pairs = find_duplicates(dataset.images, dataset.test_images, keypoints, progress)
    return Measures.of(
        present=np.ascontiguousarray(here.T),
        n_present=here.sum(axis=1).astype(np.int16),
        source=label_source(keypoints),
        outlier=scores.rows,
        point_outlier=scores.points,
        swapped=swaps.rows,
        outside=np.asarray(outside_image(keypoints, schema).any(axis=1)),
        brightness=quality.brightness,
        contrast=quality.contrast,
        sharpness=quality.sharpness,
        duplicate=pairs.group[:n],
        test_brightness=test_quality.brightness,
        test_contrast=test_quality.contrast,
        test_sharpness=test_quality.sharpness,
        test_duplicate=pairs.group[n:],
        pair_a=pairs.a,
        pair_b=pairs.b,
        pair_similarity=pairs.similarity,
        pair_label_distance=pairs.label_distance,
        pair_exact=pairs.exact,
    )


def measure(dataset: Dataset, progress: Progress = silent) -> Measures:
    """The measures of ``dataset``: read where they are stored, otherwise made and stored.

    Safe when several processes ask at once: the others wait. ``progress`` is called while it
    waits too; a call that it stops leaves nothing half-written.
    """
    if dataset.folder is None:
        return compute(dataset, progress)
    if (stored := load(dataset)) is not None:
        return stored
    folder = make_folder(instead_of(dataset.folder))
    lock = folder / ".measures.lock"
    with alone(lock, progress, "waiting for another process that measures it"):
        if (stored := load(dataset)) is not None:
            return stored
        _store(compute(dataset, progress), dataset, folder)
    if (stored := load(dataset)) is None:
        raise UserError(
            f"The measures of dataset '{dataset.name}' were stored and cannot be read again; is "
            "something wrong with the disk?"
        )
    return stored


def load(dataset: Dataset) -> Measures | None:
    """The stored measures, memory-mapped; None if there are none, or only older or damaged ones."""
    if dataset.folder is None:
        return None
    found = _load(dataset, dataset.folder)
    if found is None and (folder := instead_of(dataset.folder)) != dataset.folder:
        found = _load(dataset, folder)
    return found


def _load(dataset: Dataset, beside: Path) -> Measures | None:
    folder = beside / "measures"
    try:
        if read_json(folder / "measures.json", limit=1 << 16) != _about(dataset):
            return None
        pairs = len(load_array(folder / "pair_a.npy", np.int64, (None,)))
        return Measures(
            **{
                name: load_array(folder / f"{name}.npy", *kind)
                for name, kind in _kinds(dataset, pairs).items()
            }
            | {
                name: load_array(folder / f"{name}.npy", *kind, check=within(*bounds))
                for name, (kind, bounds) in _numbers(dataset, pairs).items()
            }
        )
    except (OSError, ValueError):
        return None


_Kind = tuple[Any, tuple[int, ...]]
"""Type and shape."""


def _kinds(dataset: Dataset, pairs: int) -> dict[str, _Kind]:
    """Measures that may have any value: damage in one shows, and spoils nothing else."""
    n, m, k = _sizes(dataset)
    return {
        **dict.fromkeys(("outlier", "brightness", "contrast", "sharpness"), (np.float32, (n,))),
        "point_outlier": (np.float32, (n, k)),
        **{f"test_{name}": (np.float32, (m,)) for name in TEST_ORDERED},
        **dict.fromkeys(("pair_similarity", "pair_label_distance"), (np.float32, (pairs,))),
    }


def _numbers(dataset: Dataset, pairs: int) -> dict[str, tuple[_Kind, tuple[int, int]]]:
    """Measures that count or name something, with the least and the largest that there is: pages
    look it up by them."""
    n, m, k = _sizes(dataset)
    image, test_image, either = (0, n - 1), (0, m - 1), (0, n + m - 1)
    group = (-1, max(0, n + m - 1))
    return {
        "present": ((np.bool_, (k, n)), (0, 1)),
        "n_present": ((np.int16, (n,)), (0, k)),
        "source": ((np.int8, (n,)), (-1, 1)),
        "swapped": ((np.bool_, (n,)), (0, 1)),
        "outside": ((np.bool_, (n,)), (0, 1)),
        "duplicate": ((np.int32, (n,)), group),
        "test_duplicate": ((np.int32, (m,)), group),
        "pair_a": ((np.int64, (pairs,)), either),
        "pair_b": ((np.int64, (pairs,)), either),
        "pair_exact": ((np.bool_, (pairs,)), (0, 1)),
        "order": ((np.int32, (2 * len(ORDERED), n)), image),
        "test_order": ((np.int32, (2 * len(TEST_ORDERED), m)), test_image),
    }


def _sizes(dataset: Dataset) -> tuple[int, int, int]:
    return len(dataset), len(dataset.test_images), len(dataset.schema)


def _about(dataset: Dataset) -> dict[str, Any]:
    return {"version": VERSION, "content_hash": dataset.content_hash}


def _store(measures: Measures, dataset: Dataset, folder: Path) -> None:
    target = folder / "measures"
    for leftover in folder.glob(".measures-*"):  # of a process that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    stage = Path(tempfile.mkdtemp(prefix=".measures-", dir=folder))
    try:
        for name in _NAMES:
            np.save(stage / f"{name}.npy", getattr(measures, name))
        (stage / "measures.json").write_text(json.dumps(_about(dataset)))
        like_parent(stage)
        # Readers that have the old files mapped keep them; there is nothing to merge.
        if target.is_symlink() or target.is_file():
            target.unlink()
        shutil.rmtree(target, ignore_errors=True)
        stage.rename(target)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
