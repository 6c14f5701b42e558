"""The face's relief: height towards the viewer over the face's frame."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import RELIEF, Floats, Image8
from fkd.synthetic.features import Features, half_width

_U, _V = RELIEF.axes()

_SMOOTH = 8
_TALL_V = ((np.arange(-_SMOOTH, len(_V) + _SMOOTH) - RELIEF.origin[1]) / RELIEF.scale).astype(
    _V.dtype
)
"""The heights of the rows and of as many more as the smoothing takes."""

_KERNEL = np.hanning(2 * _SMOOTH + 3)[1:-1].astype(np.float32)
_KERNEL /= _KERNEL.sum()


def _bumps(face: Face, features: Features) -> Floats:
    """Rows of height, ``u``, its spread, ``v``, its spread, and whether mirrored too."""
    tip, tall, wing = face.nose_length, face.nose_height, face.nose_width
    mouth, drop = face.mouth_height, face.jaw_drop
    full, smile, old = face.fleshy, max(face.smile, 0.0), face.age
    chin = face.chin_v
    upper_lip = float(features.mouth.top[6, 1] + features.mouth.upper[6, 1]) / 2
    lower_lip = float(features.mouth.lower[6, 1] + features.mouth.bottom[6, 1]) / 2
    return np.array(
        [
            # Nose: root, bridge, tip, wings, and the groove behind the wings.
            (0.13 * tall, 0, 0.14, 0.02, 0.2, 0),
            (0.29 * tall, 0, 0.16, tip - 0.26, 0.2, 0),
            (0.38 * tall, 0, 0.24, tip + 0.02, 0.2, 0),
            (0.36 * tall, 0, 0.135, tip, 0.12, 0),
            (0.075, wing * 0.78, 0.08, tip + 0.04, 0.08, 1),
            (-0.02, wing * 1.45, 0.06, tip + 0.04, 0.09, 1),
            # Sockets, eyeballs under their lids, brow ridge, glabella.
            (-0.09 - 0.03 * old, 0.5, 0.27, -0.06, 0.15, 1),
            (-0.07, 0.26, 0.11, -0.02, 0.12, 1),
            (0.085, 0.5, 0.16, 0.01, 0.09, 1),
            (0.075 - 0.05 * face.feminine, 0.45, 0.28, -0.27, 0.085, 1),
            (0.02, 0, 0.2, -0.32, 0.14, 0),
            # Cheekbones, cheeks, hollows under them.
            (0.09 - 0.03 * full, 0.74, 0.22, 0.36, 0.17, 1),
            (0.06 + 0.05 * full + 0.09 * smile, 0.54, 0.2, 0.62 - 0.08 * smile, 0.18, 1),
            (-0.02 + 0.08 * full, 0.74, 0.2, 0.95, 0.24, 1),
            (0.05 * full * (0.5 + old), 0.62, 0.2, 1.28, 0.16, 1),
            # Muzzle, philtrum, lips, the groove under them, chin.
            (0.16, 0, 0.42, mouth - 0.02, 0.34, 0),
            (-0.02, 0, 0.04, (tip + upper_lip) / 2 + 0.05, 0.07, 0),
            (0.05, 0, 0.2, upper_lip, 0.055, 0),
            (0.05, 0, 0.2, lower_lip, 0.065, 0),
            (-0.04, face.lip_width + 0.06, 0.07, mouth, 0.1, 1),
            (-0.05, 0, 0.26, mouth + drop + 0.3, 0.06, 0),
            (0.12, 0, 0.27, chin - 0.2, 0.15, 0),
            # Temples.
            (-0.05, 0.98, 0.14, -0.35, 0.3, 1),
        ],
        np.float32,
    )


def _gauss(x: Floats, middle: Floats, spread: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * ((x[None] - middle[:, None]) / spread[:, None]) ** 2))


def _skull(face: Face) -> Floats:
    """The head without features: round towards the sides, sloping back above and below."""
    half = np.maximum(
        half_width(face, np.clip(_TALL_V, -1.1, face.chin_v - 0.22)), 0.85 * face.width
    )
    # The outline's corners would show as ridges across the cheeks.
    half = np.convolve(half, _KERNEL, mode="valid")
    ratio = _U[None] ** 2 * (1 / half[:, None]) ** 2
    # Beyond the rim the surface goes on straight: a steeper one could not be turned.
    rim = np.minimum(ratio, 1.25)
    side = 0.36 * rim + 0.3 * rim * rim + 0.55 * (ratio - rim)
    profile = (
        -0.3 * np.maximum(-0.45 - _V, 0) ** 2 - 1.5 * np.maximum(_V - face.chin_v + 0.12, 0) ** 2
    )
    return np.asarray(profile[:, None] - side)


def build(face: Face, features: Features, hair: Image8 | None = None) -> Floats:
    """``(H, W)`` heights on the relief raster.

    Gaussian bumps are separable, so that all of them are one product of two thin matrices.
    """
    bumps = _bumps(face, features)
    height, u, u_spread, v, v_spread, mirrored = bumps.T
    across = _gauss(_U, u, u_spread) + mirrored[:, None] * _gauss(_U, -u, u_spread)
    down = _gauss(_V, v, v_spread) * height[:, None]
    z = _skull(face)
    z += down.T @ across
    if hair is not None:
        # Not at the head's sides, where one more slope would blacken the outline.
        thick = np.clip(4.4 - 4 / face.width * np.abs(_U), 0, 1) * np.float32(0.14 / 255)
        z += cv2.GaussianBlur(hair.astype(np.float32), (7, 7), 1.5) * thick
    return z
