"""What was found on a photo, for programs (JSON) and tables (CSV)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fkd.formats.safe_csv import table
from fkd.inference.faces import Face

COLUMNS = ("file", "face", "keypoint", "x", "y", "confidence")


@dataclass(frozen=True)
class PhotoFaces:
    """The faces on one photo, or why there are none.

    Attributes:
        name: of the photo.
        width, height: px; 0 if it could not be read.
        faces: from left to right.
        doubts: for each face, see ``doubts.doubts``.
        note: what was left out of the file.
        error: why it could not be read; empty if it could.
    """

    name: str
    width: int = 0
    height: int = 0
    faces: tuple[Face, ...] = ()
    doubts: tuple[tuple[str, ...], ...] = ()
    note: str = ""
    error: str = ""

    def __post_init__(self) -> None:
        if len(self.faces) != len(self.doubts):
            raise ValueError(f"{len(self.faces)} faces, but doubts of {len(self.doubts)}")

    def to_json(self) -> dict[str, Any]:
        """Positions in px of the photo, rounded to a hundredth; None for keypoints that the model
        never learned, which ``not_learned`` of each face names."""
        if self.error:
            return {"file": self.name, "error": self.error}
        return {
            "file": self.name,
            "width": self.width,
            "height": self.height,
            **({"note": self.note} if self.note else {}),
            "faces": [
                {
                    "box": [_rounded(v) for v in face.box],
                    "angle": _rounded(face.frame.angle),
                    "score": _rounded(face.score, 4),
                    "keypoints": {
                        name: {"x": _rounded(x), "y": _rounded(y), "confidence": _rounded(sure, 4)}
                        for name, (x, y), sure in zip(
                            face.schema.names, face.points, face.confidence, strict=True
                        )
                    },
                    "not_learned": [
                        name
                        for name, here in zip(face.schema.names, face.given, strict=True)
                        if not here
                    ],
                    "warnings": list(warnings),
                }
                for face, warnings in zip(self.faces, self.doubts, strict=True)
            ],
        }

    def rows(self) -> list[tuple[Any, ...]]:
        """A row of ``COLUMNS`` for each point; faces count from 1. What is not known is None."""
        return [
            (self.name, number, name, _rounded(x), _rounded(y), _rounded(sure, 4))
            for number, face in enumerate(self.faces, 1)
            for name, (x, y), sure in zip(
                face.schema.names, face.points, face.confidence, strict=True
            )
        ]


def to_csv(photos: Iterable[PhotoFaces]) -> bytes:
    """The points of ``photos`` as a table, as many rows for each face; those of points that the
    model never learned have no numbers. A name that a spreadsheet would take for a formula gets an
    apostrophe in front."""
    return table(COLUMNS, (row for photo in photos for row in photo.rows()))


def summary(results: Iterable[PhotoFaces], waiting: int = 0) -> str:
    """How many faces were found, and what became of each photo, every one counted once:
    ``12 faces on 9 photos; no face on 2 photos; 3 photos could not be read``. ``waiting`` photos
    have not been read yet."""
    faces = shown = bare = bad = 0
    for result in results:
        faces += len(result.faces)
        shown += bool(result.faces)
        bad += bool(result.error)
        bare += not result.faces and not result.error
    parts = [f"{_count(faces, 'face')} on {_count(shown, 'photo')}"] if shown else []
    parts += [f"no face on {_count(bare, 'photo')}"] if bare else []
    parts += [f"{_count(bad, 'photo')} could not be read"] if bad else []
    parts += [f"{_count(waiting, 'photo')} not predicted yet"] if waiting else []
    return "; ".join(parts) or "no photos"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _rounded(value: float, digits: int = 2) -> float | None:
    return round(float(value), digits) if math.isfinite(value) else None
