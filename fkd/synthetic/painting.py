"""The pigment of a face: skin, eyes, brows, nose and mouth on the skin raster."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import SKIN, Image8
from fkd.synthetic.features import Eye, Features, Points
from fkd.synthetic.textures import cut

_WINDOW_MARGIN = 4


def _soften(image: Image8, sigma: float) -> Image8:
    """Blur by ``sigma`` frame units."""
    return cv2.GaussianBlur(image, (0, 0), sigma * SKIN.scale)


def _window(points: Points, margin: float) -> tuple[slice, slice]:
    """The part of the raster around ``points``."""
    low = np.floor(SKIN.index(points.min(axis=0) - margin)).astype(int)
    high = np.ceil(SKIN.index(points.max(axis=0) + margin)).astype(int)
    return slice(max(low[1], 0), max(high[1], 1)), slice(max(low[0], 0), max(high[0], 1))


def _mix(image: Image8, color: Image8 | float, mask: Image8, window: tuple[slice, slice]) -> None:
    """Lay ``color`` over ``image`` where ``mask`` is, within the window."""
    under = image[window].astype(np.float32)
    weight = mask[window].astype(np.float32) * np.float32(1 / 255)
    over = color[window] if isinstance(color, np.ndarray) else np.float32(color)
    image[window] = (under + (over - under) * weight + np.float32(0.5)).astype(np.uint8)


def _multiply(image: Image8, ink: Image8) -> Image8:
    return np.asarray(cv2.multiply(image, ink, scale=1 / 255), np.uint8)


def _skin(face: Face, rng: np.random.Generator) -> Image8:
    blotch = cut("blotch", SKIN.shape, rng)
    strength = face.tone * (0.018 + 0.025 * face.age)
    return np.asarray(cv2.convertScaleAbs(blotch, alpha=strength, beta=face.tone), np.uint8)


def _wide_shades(face: Face, features: Features, rng: np.random.Generator) -> Image8:
    """Broad soft changes of tone: eyelids, folds, wrinkles, blush, stubble; 255 changes nothing."""
    ink = SKIN.blank(255)
    old = face.age
    for eye in features.eyes:
        SKIN.fill(ink, eye.opening + np.float32([0, -0.05]), 205 - 45 * face.feminine)
        bag = eye.lower + np.float32([0, 0.07])
        SKIN.stroke(ink, bag[2:-2], 225 - 45 * old, 0.045)
        s, tip = eye.sign, face.nose_length
        depth = 0.25 + 0.5 * max(face.smile, 0) + 0.6 * old
        fold = np.float32(
            [
                (s * (face.nose_width + 0.02), tip - 0.02),
                (s * (face.nose_width + 0.1), tip + 0.13),
                (s * (face.lip_width + 0.06 + 0.05 * face.smile), face.mouth_height - 0.12),
                (s * (face.lip_width + 0.09 + 0.06 * face.smile), face.mouth_height + 0.06),
            ]
        )
        SKIN.stroke(ink, fold, 255 - 85 * min(depth, 1.2), 0.035)
    if old > 0.35:
        for row in range(3):
            v = -0.5 - 0.13 * row + rng.normal(0, 0.015)
            u = np.linspace(-0.55, 0.55, 7)
            line = np.stack([u, v + 0.05 * np.cos(4 * u) + rng.normal(0, 0.006, 7)], -1)
            SKIN.stroke(ink, line, 255 - 75 * (old - 0.2) * (0.5 + max(face.raised, 0)), 0.02)
    return _soften(ink, 0.035)


def _paint_eye(image: Image8, ink: Image8, eye: Eye, face: Face, rng: np.random.Generator) -> None:
    window = _window(np.concatenate([eye.opening, eye.crease]), 0.08)
    if face.lids > 0:
        ball = image.copy() if False else SKIN.blank()
        white = min(face.tone * 0.35 + 135, 222)
        SKIN.fill(ball, eye.opening + np.float32([0, 0.0]), white)
        radius = 0.098
        SKIN.disc(ball, eye.iris, (radius, radius), face.iris * 0.6)
        SKIN.disc(ball, eye.iris, (radius * 0.78, radius * 0.78), face.iris)
        SKIN.disc(ball, eye.iris, (radius * 0.42, radius * 0.42), 6)
        glint = eye.iris + np.float32([0.03, -0.035])
        SKIN.disc(ball, glint, (0.022, 0.022), 245)
        mask = SKIN.blank()
        SKIN.fill(mask, eye.opening, 255)
        _mix(image, ball, mask, window)
    # The shadow of lid and lashes on the eye, then the lashes themselves.
    lash = 0.03 + 0.022 * face.feminine
    SKIN.stroke(ink, eye.upper + np.float32([0, 0.018]), 150, 0.04)
    SKIN.stroke(ink, eye.upper, 45 if face.lids > 0 else 75, lash)
    SKIN.stroke(ink, eye.lower, 175 - 40 * face.feminine, 0.017)
    SKIN.stroke(ink, eye.crease[1:-1], 255 - 120 * face.crease, 0.02)


def _brow(image: Image8, eye: Eye, face: Face, rng: np.random.Generator) -> None:
    thick = face.brow_thick * np.interp(np.linspace(0, 1, len(eye.brow)), [0, 0.15, 0.5, 1], [0.75, 1, 0.9, 0.25])
    up, down = eye.brow.copy(), eye.brow.copy()
    up[:, 1] -= thick * 0.5
    down[:, 1] += thick * 0.5
    mask = SKIN.blank()
    SKIN.fill(mask, np.concatenate([up, down[::-1]]), 255 * face.brow_tone)
    window = _window(eye.brow, 0.16)
    soft = np.zeros_like(mask)
    piece = cv2.GaussianBlur(mask[window], (0, 0), 1.4).astype(np.float32)
    grain = cut("strand", piece.shape, rng)
    soft[window] = np.clip(piece * (1 + 0.3 * grain), 0, 255).astype(np.uint8)
    _mix(image, min(face.hair_tone * 0.75, face.tone * 0.8), soft, window)


def _nostrils(ink: Image8, face: Face) -> None:
    tip, wing = face.nose_length, face.nose_width
    for s in (-1, 1):
        SKIN.disc(ink, (s * wing * 0.48, tip + 0.095), (0.06, 0.03), 60, s * -12.0)
        side = np.float32(
            [(s * wing * 0.95, tip - 0.05), (s * wing * 1.1, tip + 0.04), (s * wing * 0.9, tip + 0.1)]
        )
        SKIN.stroke(ink, side, 175, 0.02)
    under = np.float32([(-wing * 0.8, tip + 0.115), (0, tip + 0.14), (wing * 0.8, tip + 0.115)])
    SKIN.stroke(ink, under, 185, 0.03)


def _paint_mouth(image: Image8, ink: Image8, features: Features, face: Face) -> None:
    mouth = features.mouth
    window = _window(np.concatenate([mouth.top, mouth.bottom]), 0.1)
    mask = SKIN.blank()
    SKIN.fill(mask, np.concatenate([mouth.top, mouth.bottom[::-1]]), 235)
    mask[window] = cv2.GaussianBlur(mask[window], (3, 3), 0)
    _mix(image, face.tone * face.lip_tone, mask, window)
    upper = SKIN.blank()
    SKIN.fill(upper, np.concatenate([mouth.top, mouth.upper[::-1]]), 70)
    _mix(image, face.tone * face.lip_tone * 0.6, upper, window)
    gap = float(mouth.lower[6, 1] - mouth.upper[6, 1])
    if gap > 0.02:
        hole = np.concatenate([mouth.upper, mouth.lower[::-1]])
        inside = SKIN.blank(22)
        teeth_mask = SKIN.blank()
        reach = min(0.11, gap * 0.8) if face.smile > -0.1 else 0.03
        rows = np.concatenate([mouth.upper, (mouth.upper + np.float32([0, reach]))[::-1]])
        SKIN.fill(inside, rows, min(face.tone * 0.3 + 150, 225))
        if gap > 0.12:
            SKIN.disc(inside, (0, float(mouth.lower[6, 1])), (0.2, gap * 0.35), 85)
        SKIN.fill(teeth_mask, hole, 255)
        _mix(image, inside, teeth_mask, window)
        SKIN.stroke(ink, mouth.lower, 190, 0.02)
    SKIN.stroke(ink, mouth.upper, 55 if gap < 0.02 else 110, 0.028)
    for corner, s in ((mouth.top[-1], 1), (mouth.top[0], -1)):
        SKIN.disc(ink, corner, (0.04, 0.03), 130, 20.0 * s)
    shade = mouth.bottom[2:-2] + np.float32([0, 0.035])
    SKIN.stroke(ink, shade, 205, 0.03)


def head_mask(face: Face, features: Features) -> Image8:
    """Where the head without its hair is: the outline and the ears."""
    mask = SKIN.blank()
    SKIN.fill(mask, features.outline, 255)
    for s in (-1, 1):
        SKIN.disc(mask, (s * face.width * 1.01, 0.24), (0.12, 0.29), 255, s * 12.0)
    return mask


def paint(face: Face, features: Features, rng: np.random.Generator) -> Image8:
    """The grey pigment of the bald face, uint8 on the skin raster."""
    image = _multiply(_skin(face, rng), _wide_shades(face, features, rng))
    ink = SKIN.blank(255)
    for eye in features.eyes:
        _paint_eye(image, ink, eye, face, rng)
        _brow(image, eye, face, rng)
    _nostrils(ink, face)
    _paint_mouth(image, ink, features, face)
    return _multiply(image, cv2.GaussianBlur(ink, (5, 5), 0.9))
