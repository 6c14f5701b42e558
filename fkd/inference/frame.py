"""Where on a photo a face's picture is taken from: a turned square, and the maps both ways."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema

Points = NDArray[np.floating]


@dataclass(frozen=True)
class Frame:
    """A square on a photo.

    Attributes:
        x, y: its centre, in px of the photo; the centre of the first pixel is (0, 0).
        size: its side, in px of the photo.
        angle: how far it is turned clockwise, in degrees.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.size, self.angle))) or self.size <= 0:
            raise ValueError(f"no square: {self}")

    def matrix(self, schema: KeypointSchema) -> NDArray[np.float64]:
        """``(2, 3)``: from px of the model's input to px of the photo."""
        scale = self.size / schema.width
        turn = math.radians(self.angle)
        cos, sin = scale * math.cos(turn), scale * math.sin(turn)
        linear = np.array([[cos, -sin], [sin, cos]])
        centre = np.array([(schema.width - 1) / 2, (schema.height - 1) / 2])
        offset = np.array([self.x, self.y]) - linear @ centre
        return np.concatenate([linear, offset[:, None]], axis=1)

    def to_photo(self, points: Points, schema: KeypointSchema) -> NDArray[np.float64]:
        """``(..., 2)`` points of the model's input as points of the photo."""
        matrix = self.matrix(schema)
        return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])

    def from_photo(self, points: Points, schema: KeypointSchema) -> NDArray[np.float64]:
        """The inverse of ``to_photo``."""
        matrix = self.matrix(schema)
        return np.asarray((points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T)

    def cut(self, gray: NDArray[np.uint8], schema: KeypointSchema) -> NDArray[np.uint8]:
        """``(H, W)`` uint8, the model's input; beyond the photo its border is repeated."""
        matrix = self.matrix(schema)
        scale = self.size / schema.width
        if scale > 1.5:
            # Each pixel is the mean of those that it covers: shrink first, then turn.
            gray, matrix = self._shrunk(gray, matrix, scale)
        size = (schema.width, schema.height)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(gray, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)

    def _shrunk(
        self, gray: NDArray[np.uint8], matrix: NDArray[np.float64], scale: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """What of ``gray`` lies around the square, ``scale`` times smaller; the matrix to it."""
        height, width = gray.shape
        reach = 0.75 * self.size + 2 * scale  # a turned square reaches 0.71 times its side
        centre = np.array([self.x, self.y])
        low = np.clip(np.floor(centre - reach), 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(centre + reach) + 1, low + 1, (width, height)).astype(int)
        part = gray[low[1] : high[1], low[0] : high[0]]
        whole = np.array(part.shape[::-1])
        shape = np.maximum(np.round(whole / scale), 1).astype(int)
        small = cv2.resize(part, tuple(shape.tolist()), interpolation=cv2.INTER_AREA)
        factor = shape / whole  # of pixel centres: (p + 0.5) * factor - 0.5
        offset = (matrix[:, 2] - low + 0.5) * factor - 0.5
        linear = matrix[:, :2] * factor[:, None]
        return np.asarray(small, np.uint8), np.concatenate([linear, offset[:, None]], axis=1)

    def corners(self) -> NDArray[np.float64]:
        """``(4, 2)`` in px of the photo, from the top left on clockwise."""
        turn, half = math.radians(self.angle), self.size / 2
        around = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        linear = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        return np.asarray(around @ linear.T + (self.x, self.y))


def between(points: Points, targets: Points, schema: KeypointSchema) -> Frame:
    """The square in which ``points`` ``(n, 2)`` of the photo lie closest to ``targets`` ``(n, 2)``
    of the model's input: least squares over turn, scale and shift (Umeyama, 1991).

    Raises:
        ValueError: if the points are all in one place.
    """
    source, target = np.asarray(targets, np.float64), np.asarray(points, np.float64)
    middle, place = source.mean(axis=0), target.mean(axis=0)
    a, b = source - middle, target - place
    # Points as complex numbers: one number turns and scales.
    turn = np.vdot(a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]) / (a**2).sum()
    centre = complex((schema.width - 1) / 2, (schema.height - 1) / 2)
    at = turn * (centre - complex(*middle)) + complex(*place)
    angle = math.degrees(math.atan2(turn.imag, turn.real))
    return Frame(at.real, at.imag, abs(turn) * schema.width, angle)
