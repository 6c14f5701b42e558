"""What the faces looked like that a model learned from: where their points lie in the crop, how
light and sharp they are, how sure the model is of faces of that kind. It travels in the model's
file, so that a photo can be cut as the model knows it, and told apart from what it does not know.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.expected import confidence
from fkd.evaluation.learned import taught, withheld
from fkd.inference.frame import Frame, between
from fkd.keypoints import KeypointSchema
from fkd.statistics.quality import image_quality
from fkd.stored import opened

NOTE = "reference.json"
"""Its name within a ``.keras`` file."""

LIGHT = ("brightness", "contrast", "sharpness")
"""The figures of ``ImageQuality``, in the order of ``Reference.light``."""

TAIL = 0.005
"""Share of the training images beyond either end of the range that counts as familiar."""

_SURE = 0.02
_LEAST_SPREAD = np.array([1.0, 1.0, 0.02, 1.0])
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Reference:
    """What a model's training images and its answers look like.

    Attributes:
        points: ``(K, 2)`` float64, the mean position of each keypoint in px of the crop.
        placing: ``(2, 4)`` float64, mean and standard deviation over the crops of how a face
            lies in it, next to ``points``: shift right and down in px, log of the size, degrees
            clockwise.
        light: ``(3, 2)`` float64, between which values all but ``TAIL`` at either end of the
            images lie, by ``LIGHT``.
        score: the mean confidence that all but 2 % of faces reach that it has not learned from;
            NaN where the model does not say how sure it is.
        rmse_px: its error on those faces, see ``evaluation.metrics``; NaN where not measured.
        label_offset: px that labels, and so the model's points, lie to the right of what they
            mark, see ``statistics.mirror``.
        learned: ``(K,)`` int64, from how many labels the model learned each keypoint; None where
            that is not known (models of older versions): then it counts as having learned all.

    Raises:
        ValueError: if an array has another shape, a point is not finite, or a number of labels
            is negative.
    """

    points: NDArray[np.float64]
    placing: NDArray[np.float64]
    light: NDArray[np.float64]
    score: float = float("nan")
    rmse_px: float = float("nan")
    label_offset: float = 0.0
    learned: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shapes = (self.points.shape[1:], self.placing.shape, self.light.shape)
        if shapes != ((2,), (2, 4), (3, 2)) or not np.isfinite(self.points).all():
            raise ValueError(f"no reference: {shapes}")
        if self.learned is not None and (
            self.learned.shape != self.points.shape[:1]
            or self.learned.dtype != np.int64
            or (self.learned < 0).any()
        ):
            raise ValueError(f"no numbers of labels for {len(self.points)} points: {self.learned}")

    @property
    def taught(self) -> NDArray[np.bool_]:
        """``(K,)`` which keypoints the model has learned from a label. What it says of the others
        means nothing."""
        return taught(self.learned, len(self.points))

    @classmethod
    def of(
        cls,
        images: NDArray[np.uint8],
        points: NDArray[np.floating],
        schema: KeypointSchema,
        others: NDArray[np.floating] | None = None,
    ) -> Self:
        """Of the ``images`` ``(N, H, W)`` and ``points`` ``(N, K, 2)`` that were learned from, NaN
        where missing; without a score yet. Where a point lies that none of them has, ``others``
        ``(M, K, 2)`` say, such as the labels of drawn faces."""
        typical = _mean_points([points] if others is None else [points, others], schema)
        lying = [p for face in points if (p := placing(face, typical, schema)) is not None]
        lies = np.array(lying or np.zeros((1, 4)))
        quality = image_quality(images)
        figures = [getattr(quality, name) for name in LIGHT]
        light = [np.quantile(f, (TAIL, 1 - TAIL)) if len(f) else (0.0, 0.0) for f in figures]
        spread = np.maximum(lies.std(axis=0), _LEAST_SPREAD)
        return cls(typical, np.stack([lies.mean(axis=0), spread]), np.array(light))

    def scored(self, unseen: NDArray[np.floating], rmse_px: float, schema: KeypointSchema) -> Self:
        """The same with how the model does on images that it has not learned from: its outputs
        ``unseen`` ``(M, K, 2 or 3)`` and their error. Points that it never learned do not count,
        whatever is said of them."""
        if unseen.shape[-1] != 3 or not len(unseen) or not self.taught.any():
            return replace(self, rmse_px=rmse_px)
        unseen = withheld(unseen, self.taught)
        sure = confidence(unseen[..., :2], unseen[..., 2], schema)[:, self.taught].mean(axis=-1)
        return replace(self, score=float(np.quantile(sure, _SURE)), rmse_px=rmse_px)

    def unusual(self, face: NDArray[np.floating], schema: KeypointSchema) -> float:
        """How many standard deviations off the usual ``face`` ``(K, 2)``, NaN where a point is
        missing, lies in its crop, by its place, size or turn, whichever is oddest; infinite without
        two points, but 0 for a model that has not learned two: by one there is no telling."""
        if self.taught.sum() < 2:
            return 0.0
        lies = placing(face, self.points, schema)
        if lies is None:
            return float("inf")
        return float(np.abs((lies - self.placing[0]) / self.placing[1]).max())

    def frame(self, face: NDArray[np.floating], schema: KeypointSchema) -> Frame:
        """The square in which ``face`` ``(K, 2)``, points of a photo, NaN where missing, lies as
        usual, upright.

        Raises:
            ValueError: if it has fewer than two points, or all of them in one place.
        """
        there = np.isfinite(face).all(axis=-1)
        return between(face[there], self.points[there], schema)

    def to_json(self) -> str:
        arrays = {name: getattr(self, name).round(4).tolist() for name in _ARRAYS}
        numbers = {name: _or_none(getattr(self, name)) for name in _NUMBERS}
        learned = None if self.learned is None else self.learned.tolist()
        others = {"label_offset": self.label_offset, "learned": learned}
        return json.dumps({**arrays, **numbers, **others})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The inverse of ``to_json``; ``ValueError`` if it is something else."""
        try:
            values: dict[str, Any] = json.loads(text)
            points, placing, light = (np.array(values[n], np.float64) for n in _ARRAYS)
            score, rmse_px = (float("nan" if values[n] is None else values[n]) for n in _NUMBERS)
            offset = float(values.get("label_offset", 0.0))
            learned = _counts(values.get("learned"))
        except (KeyError, TypeError, OverflowError, AttributeError, RecursionError) as error:
            raise ValueError(f"no reference: {error}") from None
        return cls(points, placing, light, score, rmse_px, offset, learned)

    def back(
        self,
        plain: NDArray[np.floating],
        mirrored: NDArray[np.floating],
        schema: KeypointSchema,
    ) -> NDArray[np.floating]:
        """The points ``(N, K, 2)`` that the model sees in ``mirrored`` images, in the images, where
        it sees ``plain`` itself. They come back on the side that the labels lie on, as far as the
        model puts points there: on drawn faces, whose labels are exact, it does not. Points that it
        never learned, or never learned the mirror image of, tell nothing of that."""
        points = schema.mirror(mirrored)
        both = self.taught & self.taught[schema.mirror_order]
        if not both.any():
            return points
        away = plain[..., both, 0] - points[..., both, 0]
        away = np.median(away, axis=-1, keepdims=True)
        low, high = sorted((0.0, 2 * self.label_offset))
        points[..., 0] += np.clip(away, low, high)
        return points

    @classmethod
    def read(cls, model: Path, schema: KeypointSchema) -> Self | None:
        """What the ``.keras`` file ``model`` holds; None if it holds none that fits."""
        try:
            with opened(model) as stream, zipfile.ZipFile(stream) as file:
                with file.open(NOTE) as note:
                    text = note.read(_MAX_BYTES + 1)  # what is announced may be wrong
                if len(text) > _MAX_BYTES:
                    return None
                found = cls.from_json(text)
        except Exception:  # zipfile and zlib each raise their own on a damaged file
            return None
        return found if len(found.points) == len(schema) else None


_ARRAYS, _NUMBERS = ("points", "placing", "light"), ("score", "rmse_px")


def _counts(values: Any) -> NDArray[np.int64] | None:
    """Numbers of labels from JSON; ``TypeError`` for what are none, ``OverflowError`` for numbers
    that no data set has."""
    if values is None:
        return None
    # NumPy would take True, 1.0 and "1" for a number as well.
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise TypeError(f"numbers of labels: {str(values)[:60]}")
    return np.array(values, np.int64)


def _or_none(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def _mean_points(
    sets: Sequence[NDArray[np.floating]], schema: KeypointSchema
) -> NDArray[np.float64]:
    """``(K, 2)`` means of the points in the first of ``sets``, each ``(N, K, 2)``, that has them at
    all, else of their mirror partners, mirrored; the middle of the image for what never is."""
    found = np.full((len(schema), 2), np.nan)
    for points in sets:
        there = np.isfinite(points).all(axis=-1)[..., None]
        counts = there.sum(axis=0)
        sums = np.where(there, points, 0).sum(axis=0, dtype=np.float64)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        found = np.where(np.isfinite(found), found, means)
    found = np.where(np.isfinite(found), found, schema.mirror(found))
    middle = (np.array([schema.width, schema.height]) - 1) / 2
    return np.asarray(np.where(np.isfinite(found), found, middle))


def placing(
    face: NDArray[np.floating], typical: NDArray[np.float64], schema: KeypointSchema
) -> NDArray[np.float64] | None:
    """``(4,)``: how far ``face`` ``(K, 2)`` lies right and down of ``typical`` in px, the log of
    how much larger it is, how many degrees it is turned clockwise. None without two points."""
    there = np.isfinite(face).all(axis=-1)
    if there.sum() < 2 or np.ptp(face[there], axis=0).max() < 1e-6:
        return None
    lies = between(face[there], typical[there], schema)
    middle = ((schema.width - 1) / 2, (schema.height - 1) / 2)
    right, down = lies.x - middle[0], lies.y - middle[1]
    return np.array([right, down, np.log(lies.size / schema.width), lies.angle])
