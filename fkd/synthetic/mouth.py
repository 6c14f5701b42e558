"""The mouth's pigment on the skin raster."""

from __future__ import annotations

import numpy as np

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import SKIN, Image8, mix, window
from fkd.synthetic.features import Mouth, uv

_PARTED = 0.02
"""Lips closer than this, in the frame's units, are closed."""


def _inside(mouth: Mouth, face: Face, gap: float) -> Image8:
    """Dark, with the upper teeth and the tongue."""
    inside = SKIN.blank(24)
    if gap > 0.13:
        SKIN.disc(inside, mouth.lower[6], (0.2, 0.38 * gap), 80)
    # Lips that smile draw back from the teeth; in plain speech they show a little.
    reach = min(0.12, 0.72 * gap) if face.smile > 0.15 else min(0.06, 0.4 * gap)
    edge = mouth.upper + uv(0, reach)
    SKIN.fill(inside, np.concatenate([mouth.upper, edge[::-1]]), 0.2 * face.tone + 185)
    return inside


def paint_mouth(image: Image8, ink: Image8, mouth: Mouth, face: Face) -> None:
    """Paint the mouth on ``image`` and its lines on ``ink`` (255 is no ink)."""
    part = window(np.concatenate([mouth.top, mouth.bottom]), 0.1)
    tone = face.tone * face.lip_tone
    lips = SKIN.blank()
    SKIN.fill(lips, np.concatenate([mouth.top, mouth.bottom[::-1]]), 225)
    mix(image[part], tone, lips[part])
    upper = SKIN.blank()
    SKIN.fill(upper, np.concatenate([mouth.top, mouth.upper[::-1]]), 110)
    mix(image[part], 0.55 * tone, upper[part])
    SKIN.stroke(image, mouth.bottom[4:-4] - uv(0, 0.55 * face.lip_lower), 1.06 * tone, 0.03)

    gap = float(mouth.lower[6, 1] - mouth.upper[6, 1])
    if gap > _PARTED:
        hole = SKIN.blank()
        SKIN.fill(hole, np.concatenate([mouth.upper, mouth.lower[::-1]]), 255)
        mix(image[part], _inside(mouth, face, gap)[part], hole[part])
        SKIN.stroke(ink, mouth.lower, 175, 0.02)
    SKIN.stroke(ink, mouth.upper, 60 if gap < _PARTED else 120, 0.026)
    for corner in (mouth.top[0], mouth.top[-1]):
        SKIN.disc(ink, corner, (0.04, 0.03), 135)
    SKIN.stroke(ink, mouth.bottom[2:-2] + uv(0, 0.03), 212 - 18 * face.feminine, 0.03)
