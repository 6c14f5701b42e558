"""From examples to batches: in which order, varied how."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fkd.training.augment import augment
from fkd.training.config import RunConfig
from fkd.training.examples import Examples

Tensor = Any


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
