"""What is trained on: which rows, with which targets, and the drawn faces among them.

No TensorFlow here: a training gathers its examples while that is still being loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.learned import with_mirrored
from fkd.keypoints import KAGGLE_15, KeypointSchema
from fkd.splits import positions
from fkd.synthetic.parallel import render_blocks
from fkd.training.config import RunConfig


@dataclass(frozen=True)
class Examples:
    """Images with targets, picked by index.

    Attributes:
        images: ``(N, H, W)`` uint8 each; memory-mapped or not. Several are one after the other.
        positions: for each array in ``images``, which of it are used, in order.
        targets: ``(n, K, 3)`` float32: x, y in px and a weight, see ``models.losses``.
        offsets: ``(n,)`` float32, px that labels lie to the right of what they mark.
        schema: the keypoints.
    """

    images: tuple[NDArray[np.uint8], ...]
    positions: tuple[NDArray[np.intp], ...]
    targets: NDArray[np.float32]
    offsets: NDArray[np.float32]
    schema: KeypointSchema

    def __post_init__(self) -> None:
        count = sum(len(p) for p in self.positions)
        if self.offsets.shape != (count,):
            raise ValueError(f"{count} images, but offsets of shape {self.offsets.shape}")
        if self.targets.shape != (count, len(self.schema), 3):
            raise ValueError(f"{count} images, but targets of shape {self.targets.shape}")

    def __len__(self) -> int:
        return len(self.targets)

    def learned(self, flip: bool) -> NDArray[np.int64]:
        """``(K,)`` how many labels of each keypoint there are to learn from, with ``flip`` also on
        mirrored images; points that were filled in are no labels."""
        return with_mirrored((self.targets[..., 2] == 1).sum(axis=0), flip, self.schema)

    def labels(self) -> NDArray[np.float32]:
        """``(n, K, 2)`` px: the targets that are labels; NaN for the others."""
        return np.where(self.targets[..., 2:] == 1, self.targets[..., :2], np.float32(np.nan))

    def pick(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """``(len(indices), H, W)`` images."""
        found = np.empty((len(indices), *self.schema.image_size), np.uint8)
        start = 0
        for images, used in zip(self.images, self.positions, strict=True):
            here = (indices >= start) & (indices < start + len(used))
            if here.any():
                found[here] = images[used[indices[here] - start]]
            start += len(used)
        return found


def targets_of(keypoints: NDArray[np.floating]) -> NDArray[np.float32]:
    """``(N, K, 3)`` targets of ``(N, K, 2)`` keypoints: NaN becomes weight 0 (and the middle of
    nowhere, which never counts)."""
    here = np.isfinite(keypoints).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(here, keypoints, 0), here], axis=-1).astype(np.float32)


def _filled(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """``targets`` with each missing point at the mean place of the labelled ones."""
    from fkd.models.losses import FILLED  # it brings TensorFlow, which few trainings need here

    missing = targets[..., 2:] == 0
    counts = np.maximum((~missing).sum(axis=0), 1)
    mean = np.where(missing, 0, targets[..., :2]).sum(axis=0, dtype=np.float64) / counts
    whole = np.concatenate([mean, np.full((len(mean), 1), FILLED)], axis=-1)
    known = (~missing).any(axis=0)  # a point that nobody has labelled stays missing
    return np.where(missing & known, whole, targets).astype(np.float32)


def training_examples(dataset: Dataset, config: RunConfig) -> Examples:
    """What ``config`` trains on: the rows of its split, missing labels handled its way, and the
    drawn faces it asks for.

    Raises:
        UserError: if no row is left.
    """
    chosen = positions(dataset, config.split.training)
    keypoints = np.array(dataset.keypoints[chosen])
    if config.missing == "complete":
        whole = np.isfinite(keypoints).all(axis=(1, 2))
        chosen, keypoints = chosen[whole], keypoints[whole]
        if not len(chosen):
            raise UserError(
                f"No training row of '{dataset.name}' has every point; train on every row instead."
            )
    if not np.isfinite(keypoints).any():
        raise UserError(f"No training row of '{dataset.name}' has a label.")
    images, used = [dataset.images], [chosen]
    targets = [targets_of(keypoints)]
    offsets = [np.full(len(chosen), config.label_offset, np.float32)]
    if config.missing == "mean":
        targets = [_filled(targets[0])]
    if drawn := round(config.demo_share * len(chosen)):
        faces, points = _drawn_faces(drawn, config.seed, dataset.schema)
        images.append(faces)
        used.append(np.arange(drawn))
        targets.append(targets_of(points))
        offsets.append(np.zeros(drawn, np.float32))  # they lie exactly where they belong
    return Examples(
        tuple(images),
        tuple(used),
        np.concatenate(targets),
        np.concatenate(offsets),
        dataset.schema,
    )


def _drawn_faces(
    count: int, seed: int, schema: KeypointSchema
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Drawn faces with every point; none that a demo dataset of up to a billion rows has."""
    if schema != KAGGLE_15:
        raise UserError(f"Drawn faces have the points of {KAGGLE_15.name}, not {schema.name}.")
    images, points = zip(*render_blocks(seed, 1 << 30, count), strict=True)
    return np.concatenate(images), np.concatenate(points)
