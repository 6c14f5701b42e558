"""Where the features of a face lie: its curves and landmarks in the face's frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.synthetic.anatomy import Face

Points = NDArray[np.float32]

_T = np.linspace(0, 1, 13, dtype=np.float32)
_ARCH = 4 * _T * (1 - _T)
_LEAN = _ARCH * (2 * _T - 1)
_FULL = np.abs(2 * _T - 1) * _ARCH
_BOW = 0.018 * (np.abs(_T - 0.5) < 0.01) - 0.008 * (np.abs(np.abs(_T - 0.5) - 0.167) < 0.01)
_ABOVE = np.linspace(-1.95, 0.6, 18, dtype=np.float32)
_BELOW = np.linspace(1, 0, 22, dtype=np.float32) ** 2


def _curve(start: Points, end: Points, bulge: float, lean: float = 0.0) -> Points:
    """From ``start`` to ``end``, bent down by ``bulge`` in its middle (``lean`` shifts the apex
    towards the end)."""
    line: Points = start + _T[:, None] * (end - start)
    line[:, 1] += bulge * _ARCH if lean == 0 else bulge * _ARCH + (bulge * lean) * _LEAN
    return line


def uv(u: float, v: float) -> Points:
    """A point or a displacement."""
    return np.array([u, v], np.float32)


@dataclass(frozen=True)
class Eye:
    """An eye's lids as curves from the inner to the outer corner, its brow and its iris."""

    sign: int  # 1 for the subject's left, at positive u
    inner: Points
    outer: Points
    upper: Points
    lower: Points
    crease: Points
    iris: Points
    brow: Points  # middle line, from the inner to the outer end

    @property
    def opening(self) -> Points:
        """The outline between the lids."""
        return np.concatenate([self.upper, self.lower[::-1]])


@dataclass(frozen=True)
class Mouth:
    """Curves from the subject's right corner to the left one."""

    top: Points  # upper edge of the upper lip
    upper: Points  # lower edge of the upper lip
    lower: Points  # upper edge of the lower lip
    bottom: Points  # lower edge of the lower lip


@dataclass(frozen=True)
class Features:
    eyes: tuple[Eye, Eye]  # left, right
    mouth: Mouth
    nose_tip: Points
    outline: Points  # of the head without ears and hair, closed

    def landmarks(self) -> dict[str, Points]:
        """The frame coordinates of the named points."""
        mouth = self.mouth
        points = {
            "nose_tip": self.nose_tip,
            "mouth_left_corner": mouth.top[-1],
            "mouth_right_corner": mouth.top[0],
            "mouth_center_top_lip": mouth.top[len(_T) // 2],
            "mouth_center_bottom_lip": mouth.bottom[len(_T) // 2],
        }
        for side, eye in zip(("left", "right"), self.eyes, strict=True):
            points |= {
                f"{side}_eye_center": eye.iris,
                f"{side}_eye_inner_corner": eye.inner,
                f"{side}_eye_outer_corner": eye.outer,
                f"{side}_eyebrow_inner_end": eye.brow[0],
                f"{side}_eyebrow_outer_end": eye.brow[-1],
            }
        return points


def _eye(face: Face, sign: int) -> Eye:
    half = face.eye_width / 2
    inner = uv(sign * (0.5 - half), face.eye_tilt / 2)
    outer = uv(sign * (0.5 + half), -face.eye_tilt / 2)
    rise = 0.096 * face.lids + 0.012 * (face.lids > 0)
    drop = (0.048 - 0.014 * max(face.smile, 0)) if face.lids > 0 else 0.035
    upper = _curve(inner, outer, -rise if face.lids > 0 else 0.028, -0.12)
    lower = _curve(inner, outer, drop, 0.15)
    crease = _curve(inner, outer, -rise - 0.045 - 0.05 * (1 - min(face.lids, 1)), 0.1)
    middle: Points = np.mean((inner, outer), axis=0, dtype=np.float32)
    iris = middle + uv(face.gaze[0], face.gaze[1] + (drop - rise) * 0.15)
    if face.lids == 0:
        iris = middle + uv(0, 0.03)
    lift = face.brow_lift + 0.05 * face.raised + 0.015 * face.skew * sign
    brow_inner = uv(sign * (face.brow_start + 0.03 * min(face.raised, 0)), 0.01 - lift)
    brow_outer = uv(sign * face.brow_end, 0.03 - face.brow_lift - 0.02 * face.raised)
    brow_outer[1] += 0.02 * face.age
    brow = _curve(brow_inner, brow_outer, -face.brow_arch, 0.35)
    return Eye(sign, inner, outer, upper, lower, crease, iris, brow)


def _mouth(face: Face) -> Mouth:
    stretch = face.lip_width + 0.085 * face.smile - 0.05 * face.open_mouth
    middle = face.mouth_height
    lift = 0.075 * face.smile
    corner_v = middle - 0.004 - lift + 0.22 * face.jaw_drop
    skew = 0.018 * face.skew
    right, left = uv(-stretch, corner_v + skew), uv(stretch, corner_v - skew)
    thin = 1 - 0.3 * max(face.smile, 0.0)
    rise = 0.25 * face.jaw_drop * (0.5 + max(face.smile, 0))
    seam = middle - corner_v - 0.3 * rise
    top = _curve(right, left, seam - face.lip_upper * thin)
    # Cupid's bow: the peaks beside the middle stand above it.
    top[:, 1] += _BOW
    upper = _curve(right, left, seam)
    lower = _curve(right, left, middle - corner_v + face.jaw_drop)
    bottom = _curve(right, left, middle - corner_v + face.jaw_drop + face.lip_lower * thin)
    # Full in the middle, thin towards the corners.
    bottom[:, 1] -= 0.22 * face.lip_lower * _FULL
    return Mouth(top, upper, lower, bottom)


def half_width(face: Face, v: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half width of the head without ears and hair at the heights ``v``; 0 below the chin."""
    chin = face.chin_v
    heights = [-1.95, -1.75, -1.4, -0.9, -0.4, 0.0, 0.4, 0.75]
    widths = [0.0, 0.5, 0.86, 1.0, 1.02, 1.01, 1.0, 0.965 + 0.02 * face.fleshy]
    jaw = face.jaw * (1 + 0.05 * face.fleshy)
    drop = chin - 0.75
    heights += [0.75 + drop * s for s in (0.35, 0.6, 0.78, 0.9, 0.97, 1.0)]
    widths += [jaw, 0.87 * jaw, 0.71 * jaw, 0.5 * jaw, 0.29 * jaw, 0.0]
    return (face.width * np.interp(v, heights, widths)).astype(np.float32)


def _outline(face: Face) -> Points:
    v = np.concatenate([_ABOVE, face.chin_v - (face.chin_v - 0.6) * _BELOW])
    u = half_width(face, v)
    # Two passes of a short mean round the corners of the piecewise linear profile.
    for _ in range(2):
        u[1:-1] = (u[:-2] + 2 * u[1:-1] + u[2:]) / 4
    right = np.stack([-u, v], axis=1)
    left = np.stack([u, v], axis=1)
    return np.concatenate([left, right[::-1]])


def locate(face: Face) -> Features:
    """All curves of a face."""
    return Features(
        eyes=(_eye(face, 1), _eye(face, -1)),
        mouth=_mouth(face),
        nose_tip=uv(0.0, face.nose_length),
        outline=_outline(face),
    )
