"""The keypoint schema: which points a dataset has, and everything that follows from that.

This is the only module that knows the names, the number and the image size of Kaggle's points;
all others take them from the ``KeypointSchema`` that their dataset carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Side = str
"""``"left"`` or ``"right"`` (the subject's, not the viewer's) or ``"middle"``."""


@dataclass(frozen=True)
class Keypoint:
    """One point of a schema.

    ``label`` is the name in words, ``part`` the group it is drawn and counted with, ``color`` a
    hex RGB colour that no other point of the schema has: it can stand for the point's identity.
    """

    name: str
    part: str
    side: Side
    color: str

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class KeypointSchema:
    """The points of a dataset, in order, and how they hang together.

    Attributes:
        name: identifier, as stored in manifests.
        keypoints: the points in the order of every ``(..., K, 2)`` array.
        mirror_pairs: index pairs that change places when an image is flipped.
        edges: index pairs joined by a line when a face is drawn.
        image_size: ``(height, width)`` in px.
        eye_centers: indices of the points whose distance is the inter-ocular distance.
        typical: x, y in px where each point usually lies; None where that is not known.

    Raises:
        ValueError: if names or colours repeat, a pair names a point that does not exist, or there
            are more or fewer typical places than points.
    """

    name: str
    keypoints: tuple[Keypoint, ...]
    mirror_pairs: tuple[tuple[int, int], ...]
    edges: tuple[tuple[int, int], ...]
    image_size: tuple[int, int]
    eye_centers: tuple[int, int] | None = None
    typical: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        if self.typical is not None and len(self.typical) != len(self):
            raise ValueError(f"schema {self.name}: {len(self.typical)} typical places")
        for what in ("name", "color"):
            values = [getattr(k, what) for k in self.keypoints]
            if len(set(values)) != len(values):
                raise ValueError(f"schema {self.name}: every keypoint needs a {what} of its own")
        eyes = (self.eye_centers,) if self.eye_centers is not None else ()
        for pair in (*self.mirror_pairs, *self.edges, *eyes):
            if not all(0 <= i < len(self) for i in pair):
                raise ValueError(f"schema {self.name}: pair {pair} names no keypoint")
        paired = [i for pair in self.mirror_pairs for i in pair]
        if len(set(paired)) != len(paired):
            raise ValueError(f"schema {self.name}: a keypoint is in two mirror pairs")

    def __len__(self) -> int:
        return len(self.keypoints)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(k.name for k in self.keypoints)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The parts, in the order they first appear."""
        return tuple(dict.fromkeys(k.part for k in self.keypoints))

    @cached_property
    def coordinate_names(self) -> tuple[str, ...]:
        """``name_x``, ``name_y`` of each keypoint: the column names of coordinate tables."""
        return tuple(f"{name}_{axis}" for name in self.names for axis in "xy")

    @property
    def height(self) -> int:
        return self.image_size[0]

    @property
    def width(self) -> int:
        return self.image_size[1]

    @property
    def pixels(self) -> int:
        """Number of pixels of an image."""
        return self.height * self.width

    def index(self, name: str) -> int:
        """Index of the keypoint called ``name``; ``KeyError`` if there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None

    @cached_property
    def mirror_order(self) -> NDArray[np.intp]:
        """``(K,)`` indices that put each point in its mirror partner's place."""
        order = np.arange(len(self))
        for a, b in self.mirror_pairs:
            order[a], order[b] = b, a
        return order

    def mirror(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Points of the horizontally flipped image: ``x' = (width - 1) - x``, left and right
        exchanged. ``points`` is ``(..., K, 2)`` in px; a copy is returned; NaN stays NaN."""
        flipped = np.array(points)[..., self.mirror_order, :]
        flipped[..., 0] = (self.width - 1) - flipped[..., 0]
        return flipped


def _kaggle_15() -> KeypointSchema:
    # One Okabe-Ito hue per part, which colour-blind people tell apart too; the subject's left in
    # the darker shades, the right in the lighter ones.
    keypoints = (
        Keypoint("left_eye_center", "eyes", "left", "#0072b2"),
        Keypoint("right_eye_center", "eyes", "right", "#56b4e9"),
        Keypoint("left_eye_inner_corner", "eyes", "left", "#1f86c2"),
        Keypoint("left_eye_outer_corner", "eyes", "left", "#005d91"),
        Keypoint("right_eye_inner_corner", "eyes", "right", "#8accf2"),
        Keypoint("right_eye_outer_corner", "eyes", "right", "#35a0dc"),
        Keypoint("left_eyebrow_inner_end", "brows", "left", "#c98a00"),
        Keypoint("left_eyebrow_outer_end", "brows", "left", "#a87200"),
        Keypoint("right_eyebrow_inner_end", "brows", "right", "#ffc84d"),
        Keypoint("right_eyebrow_outer_end", "brows", "right", "#f2ae1c"),
        Keypoint("nose_tip", "nose", "middle", "#009e73"),
        Keypoint("mouth_left_corner", "mouth", "left", "#a8527f"),
        Keypoint("mouth_right_corner", "mouth", "right", "#e6a8cb"),
        Keypoint("mouth_center_top_lip", "mouth", "middle", "#cc79a7"),
        Keypoint("mouth_center_bottom_lip", "mouth", "middle", "#8a3a66"),
    )
    return KeypointSchema(
        name="kaggle-15",
        keypoints=keypoints,
        mirror_pairs=((0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (11, 12)),
        edges=(
            *((3, 0), (0, 2), (5, 1), (1, 4)),
            *((6, 7), (8, 9)),
            *((11, 13), (13, 12), (12, 14), (14, 11)),
        ),
        image_size=(96, 96),
        eye_centers=(0, 1),
        # Means over the crops that the bundled model learned from, which are cut as Kaggle's are.
        typical=(
            *((66.1, 37.5), (30.5, 37.9), (59.1, 37.9), (72.8, 37.1), (37.4, 38.1), (24.0, 37.7)),
            *((58.2, 26.1), (80.1, 28.0), (37.6, 26.4), (15.9, 28.9)),
            *((49.2, 58.7), (63.3, 76.2), (34.6, 76.7), (49.2, 72.3), (49.5, 83.8)),
        ),
    )


KAGGLE_15 = _kaggle_15()
"""Kaggle's "Facial Keypoints Detection": 15 points on 96x96 images."""

SCHEMAS = {schema.name: schema for schema in (KAGGLE_15,)}
"""The known schemas by name; a manifest names one of them."""
