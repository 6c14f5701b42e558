"""The models, by name. A further one is a function here and an entry in ``MODELS``.

Every model takes ``(B, H, W, 1)`` grey levels from 0 to 255 and returns ``(B, K, 2)`` points in px
or ``(B, K, 3)``: the points and the distance from the truth to be expected of each, in px.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from fkd.errors import UserError
from fkd.keypoints import KeypointSchema
from fkd.models.layers import HeatmapReadout, MeanOfTowers

Tensor = Any


def baseline(schema: KeypointSchema) -> keras.Model:
    """The network of the notebook that the project began with: 6,663,070 parameters."""
    inputs = keras.Input((schema.height, schema.width, 1), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    for filters, dropout in ((32, 0.1), (64, 0.2), (128, 0.3)):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
        x = layers.BatchNormalization()(x)
        x = layers.Dropout(dropout)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(2 * len(schema), dtype="float32")(x)
    # It predicts coordinates divided by the image's size; from here on they are px again.
    x = layers.Rescaling(float(schema.width), name="px", dtype="float32")(x)
    return keras.Model(
        inputs, layers.Reshape((len(schema), 2), name="keypoints")(x), name="baseline"
    )


TOWERS = 2
"""Networks within ``compact``."""


def compact(schema: KeypointSchema) -> keras.Model:
    """Small encoders and decoders side by side, with heatmaps a quarter of the image's size.

    Each learns by itself and they err differently: on the real faces two of half the size are
    closer together than one. Their mean is what the model says.
    """
    inputs = keras.Input((schema.height, schema.width, 1), name="image")
    x = layers.Rescaling(1 / 64, offset=-2.0, name="scale")(inputs)
    points = [_tower(x, schema, f"tower_{number}") for number in range(1, TOWERS + 1)]
    return keras.Model(inputs, MeanOfTowers(name="keypoints")(points), name="compact")


def _tower(x: Tensor, schema: KeypointSchema, name: str) -> Tensor:
    """``(B, K, 3)`` from one encoder and decoder.

    Convolutions run where the picture is small already; what they find at 1/32 of its size (where
    the face is, which way it turns) comes down to 1/4 through three steps of doubling, at each of
    which the finer features of the encoder are added (Ronneberger et al., arXiv:1505.04597; Lin
    et al., arXiv:1612.03144).
    """
    x = _conv(x, 16, kernel=5, stride=2)
    finer = []
    for filters, blocks in ((32, 0), (48, 1), (72, 1), (96, 1)):
        x = _conv(x, filters, stride=2)
        for _ in range(blocks):
            x = _residual(x, filters)
        finer.append(x)
    x = _conv(finer.pop(), 48, kernel=1)
    for filters in (48, 48, 32):
        x = _up_and_add(x, finer.pop(), filters)
    maps = [
        layers.Conv2D(len(schema), 1, dtype="float32", name=f"{name}_{what}")(x)
        for what in ("where", "error")
    ]
    return HeatmapReadout(4, name=name)(maps)


def _conv(
    x: Tensor, filters: int, *, kernel: int = 3, stride: int = 1, relu: bool = True
) -> Tensor:
    x = layers.Conv2D(
        filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = layers.BatchNormalization(momentum=0.95)(x)
    return layers.ReLU()(x) if relu else x


def _residual(x: Tensor, filters: int) -> Tensor:
    inside = _conv(_conv(x, filters), filters, relu=False)
    return layers.ReLU()(layers.Add()([x, inside]))


def _up_and_add(x: Tensor, finer: Tensor, filters: int) -> Tensor:
    if x.shape[-1] != filters:
        x = _conv(x, filters, kernel=1)
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    x = layers.ReLU()(layers.Add()([x, _conv(finer, filters, kernel=1, relu=False)]))
    return _conv(x, filters)


MODELS: dict[str, Callable[[KeypointSchema], keras.Model]] = {
    "compact": compact,
    "baseline": baseline,
}


def build(name: str, schema: KeypointSchema) -> keras.Model:
    """A new model with random weights; ``UserError`` if there is none of that name."""
    if name not in MODELS:
        raise UserError(f"There is no model {name!r}; there are: {', '.join(MODELS)}.")
    return MODELS[name](schema)


def multiply_adds(model: keras.Model) -> int:
    """Multiply-add operations of one image through convolutions and dense layers."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            total += (
                layer.output.shape[1] * layer.output.shape[2] * layer.kernel.shape.num_elements()
            )
        elif isinstance(layer, layers.Dense):
            total += layer.kernel.shape.num_elements()
    return total
