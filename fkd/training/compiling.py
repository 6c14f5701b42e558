"""What a model is trained with: loss, optimizer, schedule; and going on with an optimizer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from fkd.keypoints import KeypointSchema
from fkd.models import losses
from fkd.training.config import RunConfig


def loss_of(config: RunConfig, schema: KeypointSchema) -> keras.losses.Loss:
    """The baseline is trained as it was in the notebook, other models with the robust loss."""
    return (
        losses.SquaredError(schema.width) if config.model == "baseline" else losses.KeypointLoss()
    )


def compile_model(
    model: keras.Model, config: RunConfig, loss: keras.losses.Loss, steps: int
) -> None:
    """Give ``model`` the optimizer of ``config`` and ``loss``; an epoch has ``steps`` batches."""
    rate: Any = config.learning_rate
    if config.schedule == "cosine":
        warmup = round(config.warmup_epochs * steps)
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=config.learning_rate / 100 if warmup else config.learning_rate,
            warmup_target=config.learning_rate if warmup else None,
            warmup_steps=warmup,
            decay_steps=max(1, config.epochs * steps - warmup),
        )
    averaging: dict[str, Any] = {}
    if config.average:
        # A short training must not be judged by an average that reaches back to its beginning.
        momentum = max(0.0, min(config.average, 1 - 10 / (config.epochs * steps)))
        averaging = {"use_ema": True, "ema_momentum": momentum}
    optimizer: keras.optimizers.Optimizer
    if config.weight_decay:
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=config.weight_decay, global_clipnorm=20.0, **averaging
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    else:
        optimizer = keras.optimizers.Adam(rate, **averaging)
    model.compile(optimizer, loss, metrics=[losses.PixelError()])
    model.optimizer.build(model.trainable_variables)


def restart_average(model: keras.Model) -> None:
    """Let the average of the weights, where there is one, begin anew with what they are now."""
    averages = [v for v in model.optimizer.variables if v.path.endswith("_average")]
    for average, weight in zip(averages, model.trainable_variables, strict=bool(averages)):
        average.assign(weight)


def take_over(model: keras.Model, saved: keras.Model, batches: int) -> None:
    """Put ``model``, just built and compiled, where ``saved`` stood after ``batches`` batches.

    A saved optimizer is not used itself: it has forgotten which weights do not decay.
    """
    pairs = [(model.weights, saved.weights), (model.optimizer.variables, saved.optimizer.variables)]
    for targets, sources in pairs:
        for target, source in zip(targets, sources, strict=True):
            target.assign(source)
    # Saved models lack what chance goes by in dropout, which counts the batches it has seen.
    for state in model.variables:
        if state.path.endswith("seed_generator_state"):
            state.assign(state.numpy() + np.array([0, batches], state.dtype))
