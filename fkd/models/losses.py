"""What is minimised. Truth comes as ``(B, K, 3)``: x, y in px and a weight: 0 = missing,
1 = labelled, ``FILLED`` = filled in, which is learned from but never measured by."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any

FILLED = 2.0


def split_truth(truth: Tensor) -> tuple[Tensor, Tensor]:
    """Points ``(B, K, 1, 2)`` and weights ``(B, K, 1)``, 0 or 1, to go with ``by_tower``."""
    return truth[..., None, :2], ops.minimum(truth[..., 2:], 1)


def by_tower(predicted: Tensor) -> Tensor:
    """``(B, K, T, C)`` of what a model gives in training: ``(B, K, C)``, or T times as much from a
    ``MeanOfTowers``, whose C is 3: x, y and expected error."""
    count, values = predicted.shape[1:]
    channels = 3 if values % 3 == 0 else values
    return ops.reshape(predicted, (-1, count, values // channels, channels))


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of ``values`` ``(B, K, T)`` over points that are there, those with a weight
    ``(B, K, 1)``; 0 where none is."""
    return ops.sum(ops.mean(values * weights, axis=-1)) / ops.maximum(ops.sum(weights), 1e-6)


@keras.saving.register_keras_serializable(package="fkd")
class SquaredError(keras.losses.Loss):  # type: ignore[misc]
    """Mean squared error of the coordinates divided by ``size`` px, as the notebook had it."""

    def __init__(self, size: float, name: str = "squared_error", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.size = size

    def call(self, truth: Tensor, predicted: Tensor) -> Tensor:
        points, weights = split_truth(truth)
        errors = ops.square((by_tower(predicted)[..., :2] - points) / self.size)
        return weighted_mean(ops.mean(errors, axis=-1), weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="fkd")
class KeypointLoss(keras.losses.Loss):  # type: ignore[misc]
    """Mean distance from the truth in px, and how well the expected distance fits the real one.

    The distance r is rounded off near zero, sqrt(r^2 + ``smooth``^2) - ``smooth``. It grows
    linearly, so that wrong labels do not take the lead; on the real faces that gave a lower RMSE
    than squares or the Huber loss of the coordinates. Where the model gives an expected distance
    e, r is taken as exponentially distributed with mean e: its negative log-likelihood
    r/e + log e, smallest at the mean of r, is added with the weight ``doubt``.
    """

    def __init__(
        self, smooth: float = 0.3, doubt: float = 0.1, name: str = "keypoint_loss", **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.smooth, self.doubt = smooth, doubt

    def call(self, truth: Tensor, predicted: Tensor) -> Tensor:
        points, weights = split_truth(truth)
        predicted = by_tower(predicted)
        squares = ops.sum(ops.square(predicted[..., :2] - points), axis=-1)
        loss = weighted_mean(ops.sqrt(squares + self.smooth**2) - self.smooth, weights)
        if predicted.shape[-1] == 3:
            distance = ops.stop_gradient(ops.sqrt(squares))
            expected = predicted[..., 2]
            loss += self.doubt * weighted_mean(distance / expected + ops.log(expected), weights)
        return loss

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smooth": self.smooth, "doubt": self.doubt}


@keras.saving.register_keras_serializable(package="fkd")
class PixelError(keras.metrics.RootMeanSquaredError):  # type: ignore[misc]
    """RMSE in px over labelled coordinates, running over batches."""

    def __init__(self, name: str = "rmse_px", **options: Any) -> None:
        super().__init__(name=name, **options)

    def update_state(
        self, truth: Tensor, predicted: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        labelled = ops.cast(truth[..., 2:] == 1, "float32")
        mean = ops.mean(by_tower(predicted), axis=2)
        super().update_state(truth[..., :2], mean[..., :2], labelled)
