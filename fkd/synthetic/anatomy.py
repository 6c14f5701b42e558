"""Who is drawn and with what expression: the numbers behind a face, drawn at random.

All lengths are in inter-ocular distances, see ``canvas``. The middle values follow the mean of
Kaggle's keypoints and common anthropometric proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T", str, int)


@dataclass(frozen=True)
class Face:
    """One person in one moment. Shares (0 to 1) unless the name or the comment says otherwise."""

    # Identity
    feminine: float
    age: float
    tone: float  # grey value of the skin under full light, 0 to 255
    width: float  # half width of the head at the cheekbones
    jaw: float  # half width at the mouth, as a share of ``width``
    chin: float  # v of the chin's lower edge with the mouth closed
    fleshy: float  # fullness of the cheeks, -1 to 1
    eye_width: float
    eye_tilt: float  # outer corner above the inner one
    crease: float  # depth of the upper lid's fold
    iris: float  # grey value, 0 to 255
    brow_lift: float  # height of the brow's inner end above the eyes
    brow_start: float  # u of the inner end
    brow_end: float  # u of the outer end
    brow_arch: float
    brow_thick: float
    brow_tone: float  # opacity
    nose_length: float  # v of the tip
    nose_width: float  # half distance of the wings
    nose_height: float  # how far the tip stands out
    lip_width: float  # half width of the mouth at rest
    lip_upper: float
    lip_lower: float
    lip_tone: float  # grey value of the lips over that of the skin
    mouth_height: float  # v of the closed lips
    skew: float  # asymmetry of brows and mouth, -1 to 1
    # Hair
    hair: str
    hair_tone: float  # grey value, 0 to 255
    hairline: float  # v of the forehead's upper end
    stubble: float
    beard: float
    moustache: float
    glasses: str  # "", "thin" or "thick"
    # Expression
    smile: float  # -0.5 to 1
    open_mouth: float
    lids: float  # opening of the eyes over the normal one
    raised: float  # brows, -1 (frown) to 1
    gaze: tuple[float, float]  # of the irises, in inter-ocular distances

    @property
    def jaw_drop(self) -> float:
        """How far the lower lip and the chin have moved down."""
        return 0.3 * self.open_mouth

    @property
    def chin_v(self) -> float:
        return self.chin + 0.8 * self.jaw_drop


def pick(rng: np.random.Generator, weights: dict[T, float]) -> T:
    """A key, as often as its weight says; ``rng.choice`` takes ten times as long."""
    rest = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        rest -= weight
        if rest < 0:
            return key
    return key


def _hair(rng: np.random.Generator, feminine: bool, age: float) -> str:
    if feminine:
        weights = {"long": 5, "bob": 4, "fringe": 2.5, "back": 3, "curly": 2, "side": 1.5}
    else:
        weights = {"short": 5, "side": 3.5, "curly": 1, "back": 1.5, "fringe": 1}
        weights |= {"receding": 1 + 4 * age, "bald": 0.4 + 1.5 * age}
    return pick(rng, weights)


def draw_face(rng: np.random.Generator) -> Face:
    """A person and an expression at random."""

    def normal(mean: float, std: float, low: float = -np.inf, high: float = np.inf) -> float:
        return float(min(max(rng.normal(mean, std), low), high))

    feminine = bool(rng.random() < 0.42)
    f = 1.0 if feminine else 0.0
    age = float(rng.beta(1.6, 1.9))
    tone = pick(rng, {215: 0.3, 200: 0.34, 178: 0.17, 145: 0.11, 112: 0.08}) + rng.normal(0, 8)
    dark_skin = tone < 150
    grey = age > 0.5 and rng.random() < (age - 0.35)
    if grey:
        hair_tone = rng.uniform(120, 215)
    elif dark_skin:
        hair_tone = rng.uniform(12, 35)
    else:
        hair_tone = pick(rng, {22: 0.36, 48: 0.32, 85: 0.2, 150: 0.12 if tone > 190 else 0.0})
        hair_tone += rng.normal(0, 8)
    smile = normal(0.28, 0.42, -0.35, 1.0)
    talks = rng.random() < 0.45
    open_mouth = float(rng.beta(1.2, 2.6)) if talks else 0.0
    if smile > 0.35 and rng.random() < 0.75:
        open_mouth = max(open_mouth, rng.uniform(0.3, 0.75))
    lids = normal(1.0 - 0.2 * max(smile, 0.0) - 0.14 * age, 0.16, 0.35, 1.35)
    if rng.random() < 0.03:
        lids = 0.0
    bearded = not feminine and rng.random() < 0.2
    lip_upper = normal(0.118 + 0.015 * f - 0.03 * age + 0.025 * dark_skin, 0.02, 0.06, 0.19)
    return Face(
        feminine=f,
        age=age,
        tone=float(np.clip(tone, 85, 232)),
        width=normal(1.12 - 0.03 * f, 0.055, 1.0, 1.26),
        jaw=normal(0.875 - 0.05 * f, 0.05, 0.76, 0.99),
        chin=normal(1.74 - 0.05 * f, 0.07, 1.55, 1.9),
        fleshy=normal(0.15, 0.5, -1, 1.2),
        eye_width=normal(0.385, 0.018, 0.33, 0.44),
        eye_tilt=normal(0.02 + 0.012 * f, 0.025, -0.05, 0.08),
        crease=float(rng.uniform(0.15, 1.0)),
        iris=normal(34 if dark_skin or rng.random() < 0.6 else 88, 10, 15, 120),
        brow_lift=normal(0.31 + 0.025 * f, 0.04, 0.19, 0.4),
        brow_start=normal(0.275, 0.045, 0.16, 0.39),
        brow_end=normal(0.9, 0.035, 0.8, 1.0),
        brow_arch=normal(0.07 + 0.035 * f, 0.03, 0.0, 0.17),
        brow_thick=normal(0.088 - 0.027 * f, 0.018, 0.035, 0.14),
        brow_tone=normal(0.72 - 0.25 * (hair_tone > 120), 0.15, 0.2, 0.95),
        nose_length=normal(0.60 - 0.02 * f, 0.05, 0.48, 0.74),
        nose_width=normal(0.235 - 0.025 * f + 0.035 * dark_skin, 0.022, 0.17, 0.31),
        nose_height=normal(0.5 - 0.03 * f, 0.05, 0.36, 0.64),
        lip_width=normal(0.385, 0.03, 0.3, 0.47),
        lip_upper=lip_upper,
        lip_lower=normal(lip_upper * 1.5, 0.02, 0.08, 0.27),
        lip_tone=normal(0.74 - 0.06 * f - 0.22 * f * (rng.random() < 0.55), 0.08, 0.35, 0.9),
        mouth_height=normal(1.07 - 0.02 * f, 0.05, 0.95, 1.2),
        skew=normal(0, 0.4, -1, 1),
        hair=_hair(rng, feminine, age),
        hair_tone=float(np.clip(hair_tone, 8, 220)),
        hairline=-normal(0.97 + 0.05 * (1 - f), 0.12, 0.74, 1.3),
        stubble=0.0 if feminine else float(rng.beta(1.0, 2.2)),
        beard=float(rng.uniform(0.5, 1.0)) if bearded else 0.0,
        moustache=float(rng.uniform(0.5, 1)) if not feminine and rng.random() < 0.16 else 0.0,
        glasses=pick(rng, {"": 0.87, "thin": 0.07, "thick": 0.06}),
        smile=smile,
        open_mouth=open_mouth,
        lids=lids,
        raised=normal(0.1 * open_mouth, 0.4, -1, 1.2),
        gaze=(normal(0, 0.022, -0.06, 0.06), normal(0.0, 0.012, -0.03, 0.03)),
    )
