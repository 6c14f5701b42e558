"""Why the points of a face may be worse than usual, in words."""

from __future__ import annotations

import math

import numpy as np

from fkd.inference.faces import Face
from fkd.inference.reference import Reference
from fkd.statistics.quality import image_quality

_WORDS = (
    ("darker", "brighter"),
    ("lower in contrast", "higher in contrast"),
    ("blurrier", "grainier"),
)
_UNSURE = 0.88
"""Share of the reference's score below which the model counts as unsure: one face in twenty."""
_SMALL = 0.5
"""A face smaller than this share of the model's images was enlarged to be read."""
_ODD = 4.0
"""Standard deviations off the usual place in its square at which a face is called oddly placed."""


def doubts(face: Face, reference: Reference) -> tuple[str, ...]:
    """What sets ``face`` apart from the faces that its model learned from; empty if nothing."""
    quality = image_quality(face.crop[None])
    found = [
        few if value < low else many
        for (few, many), value, (low, high) in zip(
            _WORDS,
            (quality.brightness[0], quality.contrast[0], quality.sharpness[0]),
            reference.light,
            strict=True,
        )
        if not low <= value <= high
    ]
    said = [f"{' and '.join(found)} than the faces the model was trained on"] if found else []
    if face.frame.size < _SMALL * face.schema.width:
        said.append(f"only {face.frame.size:.0f} px wide in the photo")
    if math.isfinite(face.score) and face.score < _UNSURE * reference.score:
        said.append("low confidence")
    if reference.unusual(np.asarray(face.inside), face.schema) > _ODD:
        said.append("unusual position in its box: check the box")
    return tuple(said)
