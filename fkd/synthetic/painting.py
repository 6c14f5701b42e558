"""The pigment of the bald head on the skin raster: skin, folds, nose; eyes and mouth put in."""

from __future__ import annotations

import cv2
import numpy as np

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import RELIEF, SKIN, Image8, enlarge, multiply, soften
from fkd.synthetic.eyes import paint_brow, paint_eye
from fkd.synthetic.features import Features, uv
from fkd.synthetic.mouth import paint_mouth
from fkd.synthetic.textures import cut, varied

_WRINKLE = np.stack([_U := np.linspace(-0.55, 0.55, 7), 0.05 * np.cos(4 * _U)], axis=-1)


def _skin(face: Face, rng: np.random.Generator) -> Image8:
    strength = face.tone * (0.018 + 0.035 * face.age)
    return varied(cut("blotch", SKIN.shape, rng), face.tone, strength)


def _folds(face: Face, features: Features, rng: np.random.Generator) -> Image8:
    """Ink of the broad soft shades: lids, bags, folds beside the mouth, wrinkles."""
    ink = RELIEF.blank(255)
    old, mouth_v = face.age, face.mouth_height
    for eye in features.eyes:
        s, tip = eye.sign, face.nose_length
        # The hollow between lid and brow is dark in most light, and darker with make-up.
        RELIEF.fill(ink, eye.opening * uv(1.04, 1.7) + uv(0, -0.07), 208)
        RELIEF.fill(ink, eye.opening + uv(0, -0.05), 200 - 40 * face.feminine)
        RELIEF.stroke(ink, eye.lower[2:-2] + uv(0, 0.07), 228 - 65 * old, 0.045)
        depth = 0.25 + 0.5 * max(face.smile, 0) + 0.6 * old
        wide = face.lip_width + 0.06 * face.smile
        fold = [
            (s * (face.nose_width + 0.03), tip - 0.02), (s * (face.nose_width + 0.12), tip + 0.13),
            (s * (wide + 0.07), mouth_v - 0.12), (s * (wide + 0.1), mouth_v + 0.06),
        ]  # fmt: skip
        RELIEF.stroke(ink, fold, 255 - 95 * min(depth, 1.2), 0.035)
    if old > 0.35:
        tone = 255 - 120 * (old - 0.2) * (0.5 + max(face.raised, 0))
        for row in range(3):
            shake = rng.normal(0, 0.008, (len(_WRINKLE), 2))
            RELIEF.stroke(ink, _WRINKLE + shake + [0, -0.5 - 0.13 * row], tone, 0.02)
    return enlarge(soften(ink, 1.05))


def _nose(ink: Image8, face: Face) -> None:
    tip, wing = face.nose_length, face.nose_width
    for s in (-1, 1):
        SKIN.disc(ink, (s * wing * 0.5, tip + 0.095), (0.06, 0.032), 60, s * -12.0)
        side = [(0.97, -0.03), (1.1, 0.04), (0.92, 0.1)]
        SKIN.stroke(ink, [(s * wing * u, tip + v) for u, v in side], 190, 0.02)
    under = [(-wing * 0.7, tip + 0.12), (0, tip + 0.14), (wing * 0.7, tip + 0.12)]
    SKIN.stroke(ink, under, 215, 0.03)


def head_mask(face: Face, features: Features) -> Image8:
    """Where the head without its hair is: the outline and the ears."""
    mask = SKIN.blank()
    SKIN.fill(mask, features.outline, 255)
    for s in (-1, 1):
        SKIN.disc(mask, (s * face.width * 1.01, 0.24), (0.12, 0.29), 255, s * 12.0)
    return mask


def paint(face: Face, features: Features, rng: np.random.Generator) -> Image8:
    """The grey pigment of the face without hair, uint8 on the skin raster."""
    image = multiply(_skin(face, rng), _folds(face, features, rng))
    ink = SKIN.blank(255)
    for eye in features.eyes:
        paint_eye(image, ink, eye, face)
        paint_brow(image, eye, face, rng)
    _nose(ink, face)
    paint_mouth(image, ink, features.mouth, face)
    return multiply(image, np.asarray(cv2.blur(ink, (3, 3)), np.uint8))
