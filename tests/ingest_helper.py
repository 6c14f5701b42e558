"""Ingests for the tests, and what they have left on disk."""

from __future__ import annotations

import numpy as np
from kaggle_helper import Tables

from fkd.dataset import Dataset
from fkd.ingest import IngestResult, ingest
from fkd.keypoints import KAGGLE_15
from fkd.registry import datasets_folder


def whole(name: str, tables: Tables, **options: object) -> IngestResult:
    return ingest(name, tables.training, tables.test, tables.lookup, **options)


def entries() -> set[str]:
    """What lies among the datasets, locks left out."""
    folder = datasets_folder()
    return {p.name for p in folder.iterdir() if p.suffix != ".lock"} if folder.is_dir() else set()


def state(name: str) -> dict[str, tuple[int, bytes]]:
    """The files of a dataset with their times: equal states mean that nothing was written."""
    folder = datasets_folder() / name
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


def check(dataset: Dataset, tables: Tables) -> None:
    np.testing.assert_array_equal(dataset.images, tables.images)
    np.testing.assert_array_equal(dataset.keypoints, tables.keypoints)
    np.testing.assert_array_equal(dataset.rows, np.arange(len(tables.images)))
    np.testing.assert_array_equal(dataset.test_images, tables.test_images)
    np.testing.assert_array_equal(dataset.test_image_ids, tables.image_ids)
    assert dataset.lookup is not None
    assert len(dataset.lookup) == len(tables.image_ids) * len(KAGGLE_15.coordinate_names)
