"""The dataset value: images with keypoints, unlabelled test images and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema


def check_array(what: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type) -> None:
    """``ValueError`` unless ``array`` has ``shape`` and ``dtype``."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{what}: expected {np.dtype(dtype)} of shape {shape}, "
            f"got {array.dtype} of shape {array.shape}"
        )


@dataclass(frozen=True)
class Lookup:
    """What a submission must answer: row ``row_ids[i]`` asks for coordinate ``coordinates[i]``
    (index into ``schema.coordinate_names``) of image ``image_ids[i]``; each int64 ``(M,)``."""

    row_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    coordinates: NDArray[np.int64]

    def __post_init__(self) -> None:
        for what in ("row_ids", "image_ids", "coordinates"):
            check_array(what, getattr(self, what), (len(self.row_ids),), np.int64)

    def __len__(self) -> int:
        return len(self.row_ids)


@dataclass(frozen=True)
class Dataset:
    """Labelled images, and where they exist the unlabelled test images.

    Attributes:
        name: under which it is registered.
        schema: the keypoints, in the order of ``keypoints``.
        images: ``(N, H, W)`` uint8; usually memory-mapped and read-only.
        keypoints: ``(N, K, 2)`` float32, x and y in px of the image; NaN where missing.
        rows: ``(N,)`` int64, ascending: the row of the source file each image came from, counted
            from 0. Equal to ``arange(N)`` unless bad rows were skipped.
        test_images: ``(M, H, W)`` uint8.
        test_image_ids: ``(M,)`` int64.
        lookup: the coordinates to submit, or None.
        content_hash: hex digest of all of the above, as ingested.
        folder: where it lies on disk; None for a dataset in memory.
        manifest: what was recorded when it was written.
        labels: which state of the labels ``keypoints`` are, see ``labels_key``; empty: as
            ingested.

    Raises:
        ValueError: when an array has another shape or dtype, or ``rows`` does not ascend.
    """

    name: str
    schema: KeypointSchema
    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    rows: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_image_ids: NDArray[np.int64]
    lookup: Lookup | None = None
    content_hash: str = ""
    folder: Path | None = None
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    labels: str = ""

    def __post_init__(self) -> None:
        n, m, size = len(self.images), len(self.test_images), self.schema.image_size
        check_array("images", self.images, (n, *size), np.uint8)
        check_array("keypoints", self.keypoints, (n, len(self.schema), 2), np.float32)
        check_array("rows", self.rows, (n,), np.int64)
        if n > 1 and not (self.rows[1:] > self.rows[:-1]).all():
            raise ValueError("rows must ascend: each image comes from a later row of the file")
        check_array("test images", self.test_images, (m, *size), np.uint8)
        check_array("test image ids", self.test_image_ids, (m,), np.int64)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels_key(self) -> str:
        """Differs whenever images or labels do; ``content_hash`` stays the same as long as the
        files do."""
        return f"{self.content_hash}@{self.labels}" if self.labels else self.content_hash

    def position(self, row: int) -> int | None:
        """Index into the arrays of source row ``row``; None if that row is not in the dataset."""
        at = int(np.searchsorted(self.rows, row))
        return at if at < len(self.rows) and self.rows[at] == row else None

    def test_position(self, image_id: int) -> int | None:
        """Index into ``test_images`` of ``image_id``; None if there is no such image."""
        found = np.flatnonzero(self.test_image_ids == image_id)
        return int(found[0]) if len(found) else None
