"""Varying training images: one affine map for image and points, then light, noise and cut-outs.

No TensorFlow here: a training calls it from ``tf.data``, the dashboard for its preview, and both
see the same. What comes out follows from the generator alone, so that a resumed training sees what
it would have seen.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.training.config import Augmentation

Floats = NDArray[np.float32]

_NOISE_FIELDS = 64


def augment(
    images: NDArray[np.uint8],
    targets: Floats,
    how: Augmentation,
    schema: KeypointSchema,
    generator: np.random.Generator,
    offsets: Floats | float = 0.0,
) -> tuple[Floats, Floats]:
    """Vary a batch.

    Args:
        images: ``(B, H, W)`` grey levels.
        targets: ``(B, K, 3)`` float32: x, y in px and a weight, 0 where the point is missing.
        how: what may be varied, and how much.
        schema: says which points change places when an image is flipped.
        generator: what chance decides by.
        offsets: ``(B,)`` px, or one for all, that the labels lie to the right of what they mark;
            those of mirrored images will, too.

    Returns:
        Images ``(B, H, W)`` float32 in 0..255 and targets, varied. Points that left the image have
        weight 0.
    """
    matrices, flipped = random_affine(len(images), how, schema, generator)
    moved = np.empty(images.shape, np.float32)
    for image, matrix, out in zip(images, matrices, moved, strict=True):
        out[...] = warp(image, matrix)
    targets = move_targets(targets, matrices, flipped, schema, offsets)
    _light(moved, how, generator)
    if how.cutout:
        _cut_out(moved, how, generator)
    return np.clip(moved, 0, 255, out=moved), targets


def random_affine(
    count: int, how: Augmentation, schema: KeypointSchema, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Maps ``(count, 2, 3)`` of points, ``p' = map @ (x, y, 1)``, and which of them mirror."""
    angle = np.deg2rad(how.rotation) * _bell(generator, count)
    size = np.exp(np.log1p(how.scale) * _bell(generator, count))
    shift = how.shift * _bell(generator, count, 2)
    flipped = generator.random(count) < 0.5 if how.flip else np.zeros(count, bool)
    mirror = np.where(flipped, -1.0, 1.0)
    wide = np.exp(np.log1p(how.shear) * _bell(generator, count))
    skew = how.shear * _bell(generator, count)
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    columns = [mirror * cos * wide, -sin / wide + skew, mirror * sin * wide, cos / wide]
    linear = np.stack(columns, axis=-1).reshape(-1, 2, 2)
    centre = np.array([(schema.width - 1) / 2, (schema.height - 1) / 2])
    offset = centre - linear @ centre + shift
    return np.concatenate([linear, offset[..., None]], axis=-1), flipped


def _bell(generator: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """Numbers in -1..1, most of them near 0."""
    return 2 * generator.beta(2.5, 2.5, shape) - 1


def warp(image: NDArray[Any], matrix: NDArray[np.float64]) -> NDArray[Any]:
    """``image`` ``(H, W)`` moved so that what lay at ``p`` lies at ``matrix @ (x, y, 1)``;
    bilinear, borders repeated."""
    size = image.shape[::-1]
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def move_targets(
    targets: Floats,
    matrices: NDArray[np.float64],
    flipped: NDArray[np.bool_],
    schema: KeypointSchema,
    offsets: Floats | float = 0.0,
) -> Floats:
    """``(B, K, 3)`` targets under the maps of ``random_affine``. In mirrored images left and
    right points change names, and lie as far (``offsets``) to the right of what they mark as
    before; points outside the image get weight 0."""
    named = np.where(flipped[:, None, None], targets[:, schema.mirror_order], targets)
    named[..., 0] -= (2 * offsets * flipped)[:, None]
    points = named[..., :2] @ matrices[:, :, :2].transpose(0, 2, 1) + matrices[:, None, :, 2]
    edge = np.array([schema.width, schema.height]) - 0.5
    inside = ((points > -0.5) & (points < edge)).all(axis=-1)
    weights = np.where(inside, named[..., 2], 0)
    return np.concatenate([points, weights[..., None]], axis=-1).astype(np.float32)


def _light(images: Floats, how: Augmentation, generator: np.random.Generator) -> None:
    """Contrast about the image's mean, brightness, gamma and noise, in place."""
    each = (len(images), 1, 1)
    if how.contrast or how.brightness:
        gain = np.exp(np.log1p(how.contrast) * generator.uniform(-1, 1, each))
        mean = images.mean(axis=(1, 2), keepdims=True)
        lift = mean * (1 - gain) + how.brightness * generator.uniform(-1, 1, each)
        images *= gain.astype(np.float32)
        images += lift.astype(np.float32)
    if how.gamma:
        power = np.exp(np.log1p(how.gamma) * generator.uniform(-1, 1, each)).astype(np.float32)
        np.clip(images, 0, 255, out=images)
        images *= np.float32(1 / 255)
        np.power(images, power, out=images)
        images *= 255
    if how.noise:
        # A normal number for each pixel would cost more than all the rest: one of some fixed
        # fields, shifted anew for each batch, is as new to the model.
        height, width = images.shape[1:]
        down, right = generator.integers(height), generator.integers(width)
        fields = _noise_fields(height, width)[:, down : down + height, right : right + width]
        strength = (how.noise * generator.uniform(-1, 1, each)).astype(np.float32)
        images += strength * fields[generator.integers(_NOISE_FIELDS, size=len(images))]


@cache
def _noise_fields(height: int, width: int) -> Floats:
    generator = np.random.default_rng(0)
    return generator.standard_normal((_NOISE_FIELDS, 2 * height, 2 * width), np.float32)


def _cut_out(images: Floats, how: Augmentation, generator: np.random.Generator) -> None:
    """A rectangle of a tenth to a third of the width and height, filled with one grey."""
    size = np.array(images.shape[1:])
    for index in np.flatnonzero(generator.random(len(images)) < how.cutout):
        extent = generator.uniform(0.1, 1 / 3, 2) * size
        low = (generator.random(2) * size - extent / 2).round().astype(int)
        high = np.minimum(low + extent.round().astype(int), size)
        low = np.maximum(low, 0)
        images[index, low[0] : high[0], low[1] : high[1]] = generator.uniform(0, 255)
