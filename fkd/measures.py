"""What is measured once per image and kept beside the dataset, so that pages only look it up."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.locks import alone
from fkd.private import like_parent, make_folder
from fkd.progress import Progress, silent
from fkd.scratch import instead_of
from fkd.storage import load_mapped

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
    def of(cls, **columns: NDArray[Any]) -> Measures:
        """Measures of the given columns; the orders are worked out here."""
        missing = len(columns["present"]) - columns["n_present"]
        values = {**columns, "missing": missing}
        return cls(
            **columns,
            order=orders([values[name] for name in ORDERED]),
            test_order=orders([values[f"test_{name}"] for name in TEST_ORDERED]),
        )


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
    stored = load(dataset)
    assert stored is not None
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
        about = json.loads((folder / "measures.json").read_text())
        if about != _about(dataset):
            return None
        stored = Measures(**{name: load_mapped(folder / f"{name}.npy") for name in _NAMES})
    except Exception:  # NumPy's header parser raises whatever Python's tokenizer does
        return None
    return stored if _fits(stored, dataset) else None


def _fits(measures: Measures, dataset: Dataset) -> bool:
    """Whether there is a measure for each image: damage can also leave sound, short files."""
    n, m, k, pairs = *_sizes(dataset), len(measures.pair_a)
    odd = {"present": (k, n), "point_outlier": (n, k)}
    odd |= {"order": (2 * len(ORDERED), n), "test_order": (2 * len(TEST_ORDERED), m)}
    lengths = {"pair_": pairs, "test_": m}
    for name in _NAMES:
        length = next((size for start, size in lengths.items() if name.startswith(start)), n)
        if getattr(measures, name).shape != odd.get(name, (length,)):
            return False
    return True


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
        shutil.rmtree(target, ignore_errors=True)
        stage.rename(target)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
