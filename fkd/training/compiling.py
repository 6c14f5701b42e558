"""What a model is trained with: loss, optimizer, schedule; and going on with an optimizer."""

from __future__ import annotations

from types import MethodType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

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
    # With float16 another optimizer is around this one; with several devices its step differs.
    alone = tf.distribute.get_strategy().num_replicas_in_sync == 1
    if alone and isinstance(model.optimizer, keras.optimizers.Adam):
        fuse_step(model.optimizer)


def fuse_step(optimizer: keras.optimizers.Adam) -> None:
    """Let ``optimizer``, Adam or AdamW, take its step in one operation for each variable.

    Keras writes the step out in some seventy operations for each, two thirds of the whole graph
    of a training, and the first batch waits for that to be traced: 6.5 s of the processor instead
    of 2.7. The numbers are the same to rounding. It stays what it is, so that files name Keras'
    own class; there is no public place to do this, and Keras is pinned.
    """

    def apply(self: Any, gradients: Any, variables: Any) -> None:
        variables = [v.value for v in variables]
        rate = tf.cast(self.learning_rate, tf.float32)
        step = tf.cast(self.iterations.value + 1, tf.float32)
        if self.global_clipnorm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.global_clipnorm)
        powers = {"beta1_power": self.beta_1**step, "beta2_power": self.beta_2**step}
        shrink = 1 - rate * (self.weight_decay or 0.0)
        # The average begins with what the weights are after the first step.
        fresh = tf.where(step > 1, 1 - self.ema_momentum, 1.0) if self.use_ema else None
        for gradient, variable in zip(gradients, variables, strict=True):
            index = self._get_variable_index(variable)
            if self.weight_decay and self._use_weight_decay(variable):
                variable.assign(variable * shrink)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                lr=rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
                **powers,
            )
            if self.use_ema:
                average = self._model_variables_moving_average[index].value
                average.assign_sub((average - variable) * fresh)

    optimizer._backend_apply_gradients = MethodType(apply, optimizer)


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
