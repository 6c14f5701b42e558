"""Layers of our models: registered and serialisable, so that saved models load in safe mode."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any  # Keras has no types of its own


@keras.saving.register_keras_serializable(package="fkd")
class HeatmapReadout(keras.layers.Layer):  # type: ignore[misc]
    """Keypoints from heatmaps, with sub-pixel precision, and how far off each is expected to be.

    Takes logits and raw error maps, each ``(B, h, w, K)``; returns ``(B, K, 3)`` float32: x, y
    and the expected distance from the truth, all in px of the image. Each point is the mean of
    the pixel centres under the softmax of its logits (the "soft-argmax", differentiable spatial
    to numerical transform: Nibali et al., arXiv:1801.07372); its expected error is the error map
    read with the same weights.

    Args:
        stride: image px per cell of the maps.
    """

    def __init__(self, stride: int, **options: Any) -> None:
        # Coordinates up to a hundred with errors of a hundredth need more than 16 bits.
        super().__init__(**{**options, "dtype": "float32"})
        self.stride = stride

    def call(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        logits, errors = (ops.cast(x, "float32") for x in inputs)
        height, width, count = logits.shape[1:]
        share = ops.softmax(ops.reshape(logits, (-1, height * width, count)), axis=1)
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        # A pixel's centre is its index: cell i covers the pixels from i * stride on.
        centres = (np.stack([columns.ravel(), rows.ravel()]) + 0.5) * self.stride - 0.5
        points = ops.einsum("bnk,cn->bkc", share, centres.astype(np.float32))
        # Where a point lies must not depend on how sure the model wants to be of it.
        flat = ops.reshape(errors, (-1, height * width, count))
        error = ops.sum(ops.stop_gradient(share) * flat, axis=1)
        return ops.concatenate([points, ops.softplus(error)[..., None] + 0.05], axis=-1)

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return (shapes[0][0], shapes[0][-1], 3)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stride": self.stride}


@keras.saving.register_keras_serializable(package="fkd")
class MeanOfTowers(keras.layers.Layer):  # type: ignore[misc]
    """The mean of what several networks say of the same image: ``(B, K, C)`` each.

    In training it gives all of them, one behind the other: ``(B, K, T * C)``, so that each learns
    from its own errors and they err differently. See ``losses.by_tower``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "dtype": "float32"})  # as for HeatmapReadout

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        if training:
            return ops.concatenate(inputs, axis=-1)
        return sum(inputs[1:], inputs[0]) / len(inputs)

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return shapes[0]
