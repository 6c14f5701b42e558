"""Every face on a photo and its keypoints: find squares, cut, predict, straighten, predict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.learned import withheld
from fkd.inference.decode import Photo
from fkd.inference.detect import Found, apart, searches
from fkd.inference.faces import Face
from fkd.inference.frame import Frame
from fkd.inference.reference import Reference
from fkd.keypoints import KeypointSchema

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""``(N, H, W)`` uint8 crops to ``(N, K, 2 or 3)``, see ``models.Predictor``."""

_SQUARE = 1.15
"""A photo whose sides differ by no more than this factor may be a crop of one face."""
_USUAL = 4.0
"""Standard deviations off the usual place, size and turn that a face in such a crop may lie."""
_STRAIGHT = 2.0
"""Standard deviations beyond which a crop is cut again by the points found in it."""
_DOUBTED, _SURE = 0.84, 0.88
"""Shares of the reference's score. What reaches the last one is a face, and ends the search.
Upright ones beside it, or where nothing is sure, have to reach the first; ``doubts`` warns of
them. Turned ones have to be sure: turned four ways, a photo shows the cascade four times as much
that is no face. See ``benchmarks/robustness.py``."""


@dataclass(frozen=True)
class Pipeline:
    """From photos to faces, with one model.

    Attributes:
        predict: the model.
        schema: its keypoints and the size of its images.
        reference: what it learned from looked like.
        mirrored: take the mean of what the model says of a crop and of its mirror image, which
            is a little closer than the former.
    """

    predict: Predict
    schema: KeypointSchema
    reference: Reference
    mirrored: bool = True

    def __call__(self, photo: Photo) -> list[Face]:
        """The faces on ``photo``, from left to right."""
        return self.batch([photo])[0]

    def batch(
        self, photos: Sequence[Photo], check: Callable[[], None] = lambda: None
    ) -> list[list[Face]]:
        """The faces on each of ``photos``; the model sees those of all of them together. ``check``
        is called before each search of a photo, and may raise to end it all."""
        found: list[list[Face]] = [[] for _ in photos]
        searching = {i: self._searches(photo) for i, photo in enumerate(photos)}
        while searching:
            tried: list[tuple[int, Found]] = []
            for i, search in list(searching.items()):
                check()
                if (squares := next(search, None)) is None:
                    del searching[i]
                else:
                    tried += [(i, square) for square in squares]
            faces = self._read(photos, [(i, square.frame) for i, square in tried])
            now: dict[int, list[Face]] = {i: [] for i in searching}
            for (i, square), face in zip(tried, faces, strict=True):
                if self._may_be(face, square, photos[i]):
                    now[i].append(face)
            for i, new in now.items():
                if any(self._sureness(face) >= _SURE for face in new):
                    # What earlier searches doubted is not there, or found again.
                    found[i] = new
                    del searching[i]
                else:
                    found[i] += new
        return [sorted(_once(faces), key=lambda face: face.frame.x) for faces in found]

    def boxes(self, photo: Photo, frames: Sequence[Frame]) -> list[Face]:
        """The faces in squares that a person has drawn: taken as they are, one for each."""
        return self._read([photo], [(0, frame) for frame in frames])

    def crops(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The points ``(N, K, 2)`` of ``crops`` ``(N, H, W)`` in their px, and how far off each is
        to be expected ``(N, K)``: what the model says itself, and on top of that how far apart it
        puts the point in the crop and in its mirror image. On what is no face, models are as sure
        of themselves as on faces, but do not say the same twice. Both are float64, and NaN for
        points that the model never learned."""
        taught = self.reference.taught
        both = self.predict(np.concatenate([crops, crops[:, :, ::-1]])).astype(np.float64)
        both = withheld(both, taught)
        plain, mirrored = both[: len(crops)], both[len(crops) :, self.schema.mirror_order]
        back = self.reference.back(plain[..., :2], both[len(crops) :, :, :2], self.schema)
        apart = np.hypot(*np.moveaxis(plain[..., :2] - back, -1, 0))
        if (once := taught & ~taught[self.schema.mirror_order]).any():
            # It knows these on one side only: their mirror image says nothing of them.
            back[:, once], mirrored[:, once] = plain[:, once, :2], plain[:, once]
            others = taught & ~once
            apart[:, once] = apart[:, others].mean(axis=1, keepdims=True) if others.any() else 0.0
        own = (plain[..., 2] + mirrored[..., 2]) / 2 if both.shape[-1] == 3 else 0.0
        points = (plain[..., :2] + back) / 2 if self.mirrored else plain[..., :2]
        return points, own + apart

    def _searches(self, photo: Photo) -> Iterator[list[Found]]:
        """The whole photo where it may be a crop; then what the cascade finds."""
        if max(photo.gray.shape) <= _SQUARE * min(photo.gray.shape):
            yield [Found(whole(photo), np.inf)]
        if not self._is_crop(photo):
            yield from searches(photo.gray)

    def _is_crop(self, photo: Photo) -> bool:
        """Has the photo the size of the model's own images?"""
        return photo.gray.shape == self.schema.image_size

    def _may_be(self, face: Face, square: Found, photo: Photo) -> bool:
        """Whether what was read in ``square`` is a face, or may be one where there is no other."""
        if self._is_crop(photo):
            return True
        if np.isinf(square.weight):
            usual = self.reference.unusual(self._within(face, square.frame), self.schema)
            if usual > _USUAL:
                return False
        return self._sureness(face) >= (_SURE if square.frame.angle else _DOUBTED)

    def _sureness(self, face: Face) -> float:
        """The score as a share of what the model reaches on faces that it has not learned from."""
        usual = self.reference.score
        return face.score / usual if np.isfinite(usual) else face.score

    def _within(self, face: Face, frame: Frame) -> NDArray[np.float64]:
        """The points of ``face`` in px of the crop that ``frame`` is."""
        return frame.from_photo(face.points, self.schema)

    def _read(self, photos: Sequence[Photo], squares: list[tuple[int, Frame]]) -> list[Face]:
        """Cut, predict; where a face lies askew in its square, cut it straight and predict anew."""
        faces = self._cut_and_predict(photos, squares)
        askew = [
            k
            for k, (i, _) in enumerate(squares)
            if not self._is_crop(photos[i])
            and self.reference.unusual(faces[k].inside, self.schema) > _STRAIGHT
        ]
        again = [(squares[k][0], self.reference.frame(faces[k].points, self.schema)) for k in askew]
        for k, face in zip(askew, self._cut_and_predict(photos, again), strict=True):
            if not face.score < faces[k].score:
                faces[k] = face
        return faces

    def _cut_and_predict(
        self, photos: Sequence[Photo], squares: list[tuple[int, Frame]]
    ) -> list[Face]:
        if not squares:
            return []
        crops = np.stack([frame.cut(photos[i].gray, self.schema) for i, frame in squares])
        points, errors = self.crops(crops)
        return [
            Face(frame, crop, at, error, self.schema)
            for (_, frame), crop, at, error in zip(squares, crops, points, errors, strict=True)
        ]


def whole(photo: Photo) -> Frame:
    """The square around the whole of ``photo``."""
    height, width = photo.gray.shape
    return Frame((width - 1) / 2, (height - 1) / 2, float(max(height, width)))


def of_box(x: float, y: float, width: float, height: float) -> Frame:
    """The square around a box whose top left pixel is (``x``, ``y``).

    Raises:
        ValueError: if it has no extent.
    """
    return Frame(x + (width - 1) / 2, y + (height - 1) / 2, max(width, height))


def _once(faces: list[Face]) -> list[Face]:
    """Each face once, though several squares led to it: as the model was surest of it."""
    better = sorted(faces, key=lambda face: -face.score if np.isfinite(face.score) else 0.0)
    kept = apart([Found(face.frame, 0.0) for face in better])
    frames = {id(found.frame) for found in kept}
    return [face for face in better if id(face.frame) in frames]
