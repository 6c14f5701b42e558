"""From a dataset on disk to batches: which rows, which targets, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.learned import with_mirrored
from fkd.keypoints import KeypointSchema
from fkd.models.losses import FILLED
from fkd.training.augment import augment
from fkd.training.config import RunConfig

Tensor = Any


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
        for images, positions in zip(self.images, self.positions, strict=True):
            here = (indices >= start) & (indices < start + len(positions))
            if here.any():
                found[here] = images[positions[indices[here] - start]]
            start += len(positions)
        return found


def targets_of(keypoints: NDArray[np.floating]) -> NDArray[np.float32]:
    """``(N, K, 3)`` targets of ``(N, K, 2)`` keypoints: NaN becomes weight 0 (and the middle of
    nowhere, which never counts)."""
    here = np.isfinite(keypoints).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(here, keypoints, 0), here], axis=-1).astype(np.float32)


def _filled(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """``targets`` with each missing point at the mean place of the labelled ones."""
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
    from fkd.splits import positions

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
    from fkd.keypoints import KAGGLE_15
    from fkd.synthetic.parallel import render_blocks

    if schema != KAGGLE_15:
        raise UserError(f"Drawn faces have the points of {KAGGLE_15.name}, not {schema.name}.")
    images, points = zip(*render_blocks(seed, 1 << 30, count), strict=True)
    return np.concatenate(images), np.concatenate(points)


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the examples in ``epoch``: the same on every machine, another in each epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count)


def training_batches(
    examples: Examples, config: RunConfig, epoch: int, first_step: int = 0
) -> tf.data.Dataset:
    """The batches of ``epoch`` (from 0), those before ``first_step`` left out: images
    ``(B, H, W, 1)`` float32 and targets ``(B, K, 3)``. All batches have the same size; rows that
    do not fill one wait for another epoch."""
    size = min(config.batch_size, len(examples))
    steps = batches_per_epoch(examples, config)
    order = epoch_order(len(examples), config.seed, epoch)[: steps * size].reshape(steps, size)
    numbers = tf.data.Dataset.range(first_step, steps)

    def make(step: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        indices = order[step]
        images, targets = examples.pick(indices), examples.targets[indices]
        if not config.augmentation.active:
            return images.astype(np.float32)[..., None], targets
        # A generator of its own for each batch: a resumed epoch goes on where it was.
        generator = np.random.default_rng([config.seed, epoch, int(step)])
        varied, targets = augment(
            images,
            targets,
            config.augmentation,
            examples.schema,
            generator,
            examples.offsets[indices],
        )
        return varied[..., None], targets

    def prepare(step: Tensor) -> tuple[Tensor, Tensor]:
        images, targets = tf.numpy_function(make, [step], [tf.float32, tf.float32])
        images.set_shape([size, *examples.schema.image_size, 1])
        targets.set_shape([size, len(examples.schema), 3])
        return images, targets

    batches = numbers.map(prepare, num_parallel_calls=2, deterministic=True).prefetch(2)
    options = tf.data.Options()
    options.autotune.enabled = False  # it would take cores from the model to no end
    return batches.with_options(options)


def batches_per_epoch(examples: Examples, config: RunConfig) -> int:
    return len(examples) // min(config.batch_size, len(examples))
