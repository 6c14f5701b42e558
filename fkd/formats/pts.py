"""300-W's ``.pts``: ``ROW.pts`` beside ``ROW.png``.

A file has the lines ``version: 1``, ``n_points: K``, ``{``, x and y of each point, ``}``. Pixels
count from 1, as in Matlab: "the coordinates of the top left pixel in an image are x=1, y=1" [1], so
fkd's x becomes ``x + 1``. The format has every point in every file, and no word for a point without
a position: that is ``nan nan`` here, which is what Menpo writes and reads [2].

[1] https://ibug.doc.ic.ac.uk/resources/300-W/, which eos (github.com/patrikhuber/eos) quotes where
    it subtracts 1.
[2] menpo/io/output/landmark.py writes with ``numpy.savetxt``, and 1-based; menpo/io/input reads
    with ``float``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.bundle import Bundle, open_bundle, read_text, without_suffix
from fkd.formats.faces import Imported, Intake, given_out, pictures_of, without_states
from fkd.formats.packing import packing
from fkd.formats.pictures import png
from fkd.formats.writing import fewest_digits
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent

_COUNT = re.compile(r"n_points\s*:\s*([0-9]{1,9})")
_MISSING = "nan nan"


def write_pts(path: Path, dataset: Dataset, labels: Labels, progress: Progress = silent) -> None:
    """Write the faces of ``labels`` into the folder or zip at ``path``, see ``packing``.

    Raises:
        UserError: if something is at ``path``, or it cannot be written.
    """
    with packing(path) as package:
        for face in given_out(dataset, labels, progress):
            package.put(f"{face.row}.png", png(face.image))
            package.put(f"{face.row}.pts", _text(face.points).encode())


def _text(points: NDArray[np.float32]) -> str:
    lines = [
        _MISSING if np.isnan(point).any() else f"{_number(point[0])} {_number(point[1])}"
        for point in points
    ]
    return "\n".join(("version: 1", f"n_points: {len(lines)}", "{", *lines, "}", ""))


def _number(value: np.float32) -> str:
    return fewest_digits(float(value) + 1, lambda read: bool(np.float32(read - 1) == value))


def read_pts(path: Path, schema: KeypointSchema, progress: Progress = silent) -> Imported:
    """Read every ``.pts`` in the folder or zip at ``path``. The points are taken to be in the order
    of ``schema``.

    Raises:
        UserError: if anything in it is not as it should be, with what and where.
    """
    with open_bundle(path) as bundle:
        files = [name for name in bundle.names if name.lower().endswith(".pts")]
        if not files:
            raise UserError(f"{bundle.title} holds no .pts files; is it the right format?")
        pictures = pictures_of(bundle)
        intake = Intake(schema)
        for done, name in enumerate(files):
            progress("reading labels", done, len(files))
            points, states = _parse(bundle, name, schema)
            intake.add(name, points, states, name, pictures.get(without_suffix(name)))
        return intake.finish(bundle.title, bundle.read, progress)


def _parse(
    bundle: Bundle, name: str, schema: KeypointSchema
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    text = read_text(bundle, name)
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    words = [line for _, line in lines]
    if words.count("{") != 1 or words.count("}") != 1 or words.index("{") > words.index("}"):
        raise UserError(f"{name} needs its points between one line '{{' and one line '}}'.")
    head, rows = words[: words.index("{")], lines[words.index("{") + 1 : words.index("}")]
    counts = [int(match[1]) for line in head if (match := _COUNT.fullmatch(line.lower()))]
    if counts != [len(schema)] or len(rows) != len(schema):
        said = counts[0] if counts else "no number"
        raise UserError(
            f"{name}: n_points says {said} and {len(rows)} points follow, where {schema.name} has "
            f"{len(schema)}."
        )
    points = np.array([_point(line, f"{name}, line {n}") for n, line in rows])
    missing = np.isnan(points).all(axis=1)
    return points - 1, np.where(missing, State.MISSING, State.VISIBLE).astype(np.uint8)


def _point(line: str, where: str) -> tuple[float, float]:
    try:
        x, y = map(float, line.split())
    except ValueError:
        raise UserError(
            f"{where}: {line[:40]!r} is not x and y; a missing point is 'nan nan'."
        ) from None
    return x, y


held = without_states
