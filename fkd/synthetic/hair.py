"""Hair on head, chin and lip, in the face's frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.synthetic.anatomy import Face
from fkd.synthetic.canvas import RELIEF, SKIN, Image8, enlarge, multiply, soften
from fkd.synthetic.features import Features, uv
from fkd.synthetic.textures import MIDDLE, cut, cut_rays, varied

_RECEDED = {"receding": 0.3, "back": 0.08, "short": 0.05, "curly": 0.05}
_VOLUME = {"short": 0.05, "side": 0.1, "fringe": 0.12, "long": 0.12, "bob": 0.16, "curly": 0.24}


def _hairline(face: Face, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the hair meets the forehead, from the subject's left temple to the right one."""
    side = np.linspace(1, -1, 17)
    rise = _RECEDED.get(face.hair, 0.0)
    temple = rng.uniform(-0.4, -0.15)
    v = face.hairline - rise * (0.3 + np.abs(side))
    v = v + (temple - v) * np.abs(side) ** rng.uniform(4, 7)
    if face.hair in ("side", "bob", "long"):
        # Swept from a parting to one side, or away from the middle.
        part = rng.choice([-0.45, 0.0, 0.45], p=[0.35, 0.3, 0.35])
        v += rng.uniform(0.1, 0.35) * np.minimum(np.abs(side - part), 0.8) ** 1.3 - 0.08
    if face.hair == "fringe":
        low = rng.uniform(-0.72, -0.42) + rng.uniform(-0.25, 0.25) * side + rng.normal(0, 0.025, 17)
        v = np.maximum(v, low)
    u = side * face.width * (0.9 if face.hair in ("long", "bob") else 0.95)
    return np.stack([u, v], axis=-1)


def hair_mask(face: Face, rng: np.random.Generator) -> Image8:
    """Opacity of the hair, uint8 on the relief raster."""
    mask = RELIEF.blank()
    w = face.width
    grow = _VOLUME.get(face.hair, 0.06) * rng.uniform(0.6, 1.5)
    t = np.linspace(0, np.pi, 21)
    crown = np.stack([-(w + grow) * np.cos(t), -0.15 - (1.8 + grow) * np.sin(t) ** 0.7], axis=-1)
    if face.hair != "bald":
        RELIEF.fill(mask, np.concatenate([crown, _hairline(face, rng)]), 255)
    if face.hair in ("long", "bob"):
        bottom = 2.4 if face.hair == "long" else rng.uniform(0.9, 1.6)
        for sign in (-1, 1):
            near = rng.uniform(0.68, 0.95) * w
            lock = [
                (0.9 * w, -0.6), (w + grow, -0.5), (w + grow + 0.08, 0.4),
                (min(w + grow + rng.uniform(0.0, 0.25), 1.5), bottom), (near, bottom + 0.06),
                ((near + w) / 2, 0.5 * bottom), (0.94 * w, 0.1),
            ]  # fmt: skip
            RELIEF.fill(mask, np.array(lock) * [sign, 1], 255)
    else:
        length = rng.uniform(-0.1, 0.3)
        high = -0.95 if face.hair == "bald" else -0.65
        burn = [
            (0.9 * w, high), (w + grow, -0.5), (1.05 * w, length - 0.1),
            (1.0 * w, length + 0.1), (0.94 * w, -0.15),
        ]  # fmt: skip
        for sign in (-1, 1):
            RELIEF.fill(mask, np.array(burn) * [sign, 1], 215)
    soft = soften(mask, rng.uniform(0.6, 1.1))
    # Only the edge may fray, or the noise would leave tufts on the forehead.
    edge = cv2.multiply(soft, 255 - soft, scale=1.6 / 255)
    name = "curl" if face.hair == "curly" else "strand"
    frayed = cv2.multiply(edge, cut(name, RELIEF.shape, rng), scale=1 / MIDDLE)
    lifted = cv2.subtract(cv2.add(soft, frayed), edge)
    return np.asarray(lifted, np.uint8)


def hair_tone(face: Face, rng: np.random.Generator) -> Image8:
    """The grey pigment of the hair, uint8 on the skin raster."""
    tone = face.hair_tone
    if face.hair == "curly":
        strands = cut("curl", SKIN.shape, rng)
    else:
        parting = (rng.uniform(-0.5, 0.5), -2.1)
        strands = cut_rays(SKIN.shape, SKIN.index(parting), rng)
    return varied(strands, tone + 4, 0.26 * tone + 9)


def beard_mask(face: Face, features: Features, rng: np.random.Generator) -> Image8 | None:
    """Opacity of stubble, beard and moustache, or None for a smooth face."""
    if max(face.stubble, face.beard, face.moustache) < 0.08:
        return None
    mask = RELIEF.blank()
    w, chin = face.width, face.chin_v
    mouth = features.mouth
    strength = max(face.stubble * 55, face.beard * 225)
    if strength > 5:
        reach = face.lip_width + 0.12
        half = [
            (0, face.nose_length + 0.27), (0.3, face.nose_length + 0.29), (reach, 0.98),
            (0.78 * w, 0.75), (0.93 * w, -0.05), (1.05 * w, -0.05), (1.05 * w, 1.3),
            (0.8 * w, chin + 0.1), (0, chin + 0.2),
        ]  # fmt: skip
        RELIEF.fill(mask, np.array(half), strength)
        RELIEF.fill(mask, np.array(half) * [-1, 1], strength)
    if face.moustache:
        lower = mouth.top * uv(1.12, 1)
        bulk = 0.15 - 0.13 * np.abs(np.linspace(-1, 1, len(lower))) ** 1.5
        upper = np.stack([lower[:, 0], lower[:, 1] - bulk], axis=-1)
        lower[:, 1] += 0.035
        RELIEF.fill(mask, np.concatenate([upper, lower[::-1]]), 240 * face.moustache)
    sharp = face.beard > 0.4 or face.moustache > 0
    mask = enlarge(soften(mask, 1.5 if sharp else 2.6))
    lips = SKIN.blank(255)
    SKIN.fill(lips, np.concatenate([mouth.top, mouth.bottom[::-1]]), 30)
    grain = cut("blotch", SKIN.shape, rng)
    factor = varied(grain, 200, 34)
    return np.asarray(cv2.multiply(multiply(mask, lips), factor, scale=1 / 200), np.uint8)
