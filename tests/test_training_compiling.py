"""The step of the optimizer as trainings take it: Keras' own numbers in fewer operations."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from fkd.training.compiling import fuse_step


def weights(fused: bool, decay: float, average: bool) -> list[np.ndarray]:
    """All weights of a small model and its optimizer after six steps."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5), keras.layers.Dense(2)])
    rate = keras.optimizers.schedules.CosineDecay(1e-3, 40, warmup_target=1e-2, warmup_steps=3)
    more = {"use_ema": True, "ema_momentum": 0.8} if average else {}
    if decay:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=decay, global_clipnorm=0.5, **more)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    else:
        optimizer = keras.optimizers.Adam(rate, **more)
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    if fused:
        fuse_step(model.optimizer)
    chance = np.random.default_rng(0)
    for _ in range(6):
        model.train_on_batch(chance.normal(size=(8, 4)), 9 * chance.normal(size=(8, 2)))
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


@pytest.mark.parametrize(("decay", "average"), [(0.5, True), (0.5, False), (0.0, False)])
def test_it_is_the_step_that_keras_takes(decay, average):
    ours, theirs = weights(True, decay, average), weights(False, decay, average)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)
