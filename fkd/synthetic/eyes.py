"""Eyes and brows: their pigment on the skin raster."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import SKIN, Image8, mix, soften, window
from fkd.synthetic.features import Eye, uv
from fkd.synthetic.textures import cut, varied

_IRIS_RADIUS = 0.098
"""Half of the iris' diameter, which hardly differs between people (about 11.7 of 63 mm)."""

_TAPER = np.interp(np.arange(13), [0, 2, 6, 12], [0.6, 1, 0.9, 0.2]).astype(np.float32)
"""Thickness along the brow, from its inner end."""


def _ball(image: Image8, eye: Eye, face: Face) -> None:
    """What is seen between the lids."""
    ball = SKIN.blank()
    SKIN.fill(ball, eye.opening, 0.38 * face.tone + 135)
    for share, tone in ((1.0, 0.55 * face.iris), (0.8, face.iris), (0.42, 5)):
        SKIN.disc(ball, eye.iris, (share * _IRIS_RADIUS, share * _IRIS_RADIUS), tone)
    SKIN.disc(ball, eye.iris + uv(0.03, -0.035), (0.024, 0.024), 215)
    between = SKIN.blank()
    SKIN.fill(between, eye.opening, 255)
    part = window(eye.opening, 0.06)
    mix(image[part], ball[part], between[part])


def paint_eye(image: Image8, ink: Image8, eye: Eye, face: Face) -> None:
    """Paint the eye on ``image`` and its lines on ``ink`` (255 is no ink)."""
    if face.lids > 0:
        _ball(image, eye, face)
    # The upper lid throws a shadow on the ball; its lashes are the darkest line of a face.
    SKIN.stroke(ink, eye.upper + uv(0, 0.018), 190, 0.04)
    SKIN.stroke(ink, eye.upper, 58 if face.lids > 0 else 80, 0.026 + 0.022 * face.feminine)
    if face.feminine:
        wing = eye.upper[-3:] + np.outer([0, 0, 1], uv(0.03 * eye.sign, -0.02))
        SKIN.stroke(ink, wing, 70, 0.035)
    SKIN.stroke(ink, eye.lower, 185 - 45 * face.feminine, 0.017)
    SKIN.stroke(ink, eye.crease[1:-1], 255 - 130 * face.crease, 0.02)


def paint_brow(image: Image8, eye: Eye, face: Face, rng: np.random.Generator) -> None:
    half = np.zeros_like(eye.brow)
    half[:, 1] = 0.5 * face.brow_thick * _TAPER
    mask = SKIN.blank()
    SKIN.fill(mask, np.concatenate([eye.brow - half, (eye.brow + half)[::-1]]), 255)
    part = window(eye.brow, 0.12)
    soft = soften(mask[part], 1.3)
    hairs = varied(cut("strand", soft.shape, rng), 180, 30)
    soft = np.asarray(cv2.multiply(soft, hairs, scale=face.brow_tone / 180), np.uint8)
    mix(image[part], min(face.hair_tone * 0.7, face.tone * 0.75), soft)
