"""What is minimised. Truth comes as ``(B, K, 3)``: x, y in px and a weight, 0 = missing."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

Tensor = Any


def split_truth(truth: Tensor) -> tuple[Tensor, Tensor]:
    """Points ``(B, K, 2)`` and weights ``(B, K)``."""
    return truth[..., :2], truth[..., 2]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of ``values`` ``(B, K)`` over points that are there; 0 where none is."""
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1e-6)


@keras.saving.register_keras_serializable(package="fkd")
class SquaredError(keras.losses.Loss):  # type: ignore[misc]
    """Mean squared error of the coordinates divided by ``size`` px, as the notebook had it."""

    def __init__(self, size: float = 96.0, name: str = "squared_error", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.size = size

    def call(self, truth: Tensor, predicted: Tensor) -> Tensor:
        points, weights = split_truth(truth)
        errors = ops.square((predicted[..., :2] - points) / self.size)
        return weighted_mean(ops.mean(errors, axis=-1), weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="fkd")
class KeypointLoss(keras.losses.Loss):  # type: ignore[misc]
    """Huber loss of the coordinates in px, and how well the expected error fits the real one.

    Beyond ``delta`` px the loss grows linearly, so that wrong labels do not take the lead (Huber
    1964). Where the model gives an expected error e, the distance r from the truth is taken as
    exponentially distributed with mean e: its negative log-likelihood r/e + log e, smallest at
    the mean of r, is added with the weight ``doubt``.
    """

    def __init__(
        self, delta: float = 2.0, doubt: float = 0.1, name: str = "keypoint_loss", **options: Any
    ) -> None:
        super().__init__(name=name, **options)
        self.delta, self.doubt = delta, doubt

    def call(self, truth: Tensor, predicted: Tensor) -> Tensor:
        points, weights = split_truth(truth)
        off = predicted[..., :2] - points
        size = ops.abs(off)
        near = 0.5 * ops.square(off)
        far = self.delta * (size - 0.5 * self.delta)
        loss = weighted_mean(ops.mean(ops.where(size < self.delta, near, far), axis=-1), weights)
        if predicted.shape[-1] == 3:
            distance = ops.stop_gradient(ops.sqrt(ops.sum(ops.square(off), axis=-1) + 1e-6))
            expected = predicted[..., 2]
            fit = distance / expected + ops.log(expected)
            loss += self.doubt * weighted_mean(fit, weights)
        return loss

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta, "doubt": self.doubt}


@keras.saving.register_keras_serializable(package="fkd")
class PixelError(keras.metrics.RootMeanSquaredError):  # type: ignore[misc]
    """RMSE in px over present coordinates, running over batches."""

    def __init__(self, name: str = "rmse_px", **options: Any) -> None:
        super().__init__(name=name, **options)

    def update_state(
        self, truth: Tensor, predicted: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        points, weights = split_truth(truth)
        super().update_state(points, predicted[..., :2], weights[..., None])
