"""A model as a compiled function over arrays of images."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# There is no public name for it; TensorFlow is pinned and a test compares the results.
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

BATCH = 128
"""Images predicted at a time."""


class Predictor:
    """Predicts keypoints; compiled once for any number of images, safe to share by threads.

    Args:
        frozen: take the weights as they are now, for good: then TensorFlow folds batch
            normalisation into convolutions, and one image takes two thirds of the time.
    """

    def __init__(self, model: keras.Model, *, frozen: bool = False) -> None:
        self.model = model
        self._call = tf.function(
            lambda images: model(tf.cast(images, tf.float32)[..., None], training=False),
            input_signature=[tf.TensorSpec((None, *model.input_shape[1:3]), tf.uint8)],
            autograph=False,
        )
        if frozen:
            constant = convert_variables_to_constants_v2(self._call.get_concrete_function())
            self._call = lambda images: constant(tf.constant(images))[0]

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(N, K, 2)`` points in px of ``(N, H, W)`` images, or ``(N, K, 3)`` with the distance
        from the truth that is to be expected of each."""
        found = list(self.batches(images))
        return np.concatenate(found) if found else self._nothing()

    def batches(self, images: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
        """The same, ``BATCH`` images after the other."""
        for start in range(0, len(images), BATCH):
            batch = np.ascontiguousarray(images[start : start + BATCH])
            yield self._call(batch).numpy().astype(np.float32)

    def _nothing(self) -> NDArray[np.float32]:
        return np.zeros((0, *self.model.output_shape[1:]), np.float32)
