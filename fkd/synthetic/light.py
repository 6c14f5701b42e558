"""Light on the relief: key light with cast shadow, sky, hollows and gloss."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.synthetic.canvas import RELIEF, Floats

_SHADOW_STEPS = (0.06, 0.13, 0.22, 0.34)
"""Distances, in the frame's units, at which something is looked for that stands in the light."""

_REACH = 1 + int(max(_SHADOW_STEPS) * RELIEF.scale)


@dataclass(frozen=True)
class Light:
    """Where the light comes from and how hard it is.

    ``key`` is a unit vector from the face to the light (x right, y down, z to the viewer);
    ``ambient`` the share of light that comes from everywhere; ``shadow`` the share of the key
    light that a cast shadow takes; ``gloss`` the strength of highlights.
    """

    key: NDArray[np.float64]
    ambient: float
    shadow: float
    gloss: float


def draw_light(rng: np.random.Generator) -> Light:
    side = (
        rng.normal(0, 0.55) if rng.random() < 0.75 else rng.choice([-1, 1]) * rng.uniform(0.9, 1.9)
    )
    key = np.array([side, -rng.normal(0.65, 0.35), rng.uniform(0.6, 1.3)])
    return Light(
        key=key / np.linalg.norm(key),
        ambient=float(rng.uniform(0.18, 0.6)),
        shadow=float(rng.uniform(0.2, 0.85)),
        gloss=float(rng.beta(1.3, 3) * 0.3),
    )


def _shadow(z: Floats, toward: NDArray[np.float64]) -> Floats:
    """0 to 1: how much of the light from ``toward`` (frame axes) is blocked by the relief."""
    across = max(float(np.hypot(toward[0], toward[1])), 1e-3)
    rise, flat = toward[2] / across, toward[:2] / across
    blocked = np.zeros_like(z)
    padded = cv2.copyMakeBorder(z, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE)
    height, width = z.shape
    for distance in _SHADOW_STEPS:
        dx, dy = (_REACH + round(float(axis) * distance * RELIEF.scale) for axis in flat)
        np.maximum(
            blocked,
            padded[dy : dy + height, dx : dx + width] - (z + np.float32(rise * distance)),
            out=blocked,
        )
    blocked *= 16
    np.minimum(blocked, 1, out=blocked)
    return np.asarray(cv2.GaussianBlur(blocked, (5, 5), 1.1))


def shade(z: Floats, light: Light, rotation: NDArray[np.float64]) -> Floats:
    """``(H, W, 2)``: the factor on the pigment (1 is full light), and the gloss to add (0 to 1)."""
    toward = rotation.T @ light.key
    half = light.key + np.array([0.0, 0.0, 1.0])
    half = rotation.T @ (half / np.linalg.norm(half))
    sky = rotation.T @ np.array([0.0, -1.0, 0.0])
    scale = RELIEF.scale / 8
    normal = np.empty((3, *z.shape), np.float32)
    cv2.Sobel(z, cv2.CV_32F, 1, 0, normal[0], scale=-scale, borderType=cv2.BORDER_REPLICATE)
    cv2.Sobel(z, cv2.CV_32F, 0, 1, normal[1], scale=-scale, borderType=cv2.BORDER_REPLICATE)
    normal[2] = 1
    normal /= np.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + 1)
    directions = np.stack([toward, sky, half]).astype(np.float32)
    facing, up, glint = (directions @ normal.reshape(3, -1)).reshape(normal.shape)

    # Wrapping the light a little round the edge of the shadow, as skin scatters it.
    key = np.maximum((facing + np.float32(0.18)) * np.float32(1 / 1.18), 0)
    key *= 1 - np.float32(light.shadow) * _shadow(z, toward)
    hollow = z - cv2.blur(z, (11, 11), borderType=cv2.BORDER_REPLICATE)
    around = 0.8 + 0.2 * up + 2.2 * np.minimum(hollow, np.float32(0.03))
    np.maximum(around, np.float32(0.15), out=around)
    glint = cv2.pow(np.maximum(glint, 0), 16) * np.float32(light.gloss)
    share = np.float32(light.ambient)
    return np.asarray(cv2.merge([(1 - share) * 1.12 * key + share * around, glint]))
