"""300-W's ``.pts``: ``ROW.pts`` beside ``ROW.png``.

A file has the lines ``version: 1``, ``n_points: K``, ``{``, x and y of each point, ``}``. Pixels
count from 1, as in Matlab: "the coordinates of the top left pixel in an image are x=1, y=1" [1], so
fkd's x becomes ``x + 1``. The format has every point in every file, and no word for a point without
a position: that is ``nan nan`` here, which is what Menpo writes and reads [2]. Others write ``0 0``
or ``-1 -1``, see ``no_position``.

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
from fkd.formats.bundle import (
    Bundle,
    kinds_of_files,
    open_bundle,
    read_text,
    without_suffix,
)
from fkd.formats.faces import Imported, Intake, as_held, given_out
from fkd.formats.finding import Pictures
from fkd.formats.layouts import other_labels
from fkd.formats.no_position import written
from fkd.formats.packing import packing
from fkd.formats.pictures import png
from fkd.formats.visibility import TWO_STATES, without_position
from fkd.formats.writing import fewest_digits
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent

_COUNT = re.compile(r"\s*n_points\s*[:=]?\s*([0-9]{1,9})\s*$", re.IGNORECASE)
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
        _MISSING if np.isnan(point).any() else " ".join(written(*map(_number, point)))
        for point in points
    ]
    return "\n".join(("version: 1", f"n_points: {len(lines)}", "{", *lines, "}", ""))


def _number(value: np.float32) -> str:
    return fewest_digits(float(value) + 1, lambda read: bool(np.float32(read - 1) == value))


def read_pts(path: Path, schema: KeypointSchema, progress: Progress = silent) -> Imported:
    """Read every ``.pts`` in the folder or zip at ``path``. The points are taken to be in the order
    of ``schema``; one at ``nan nan``, ``0 0`` or ``-1 -1`` is missing. A file's picture is the one
    of its name beside it, or else anywhere in ``path``.

    Raises:
        UserError: if anything in it is not as it should be, with what and where.
    """
    with open_bundle(path) as bundle:
        files = [name for name in bundle.names if name.lower().endswith(".pts")]
        if not files:
            raise UserError(
                f"{bundle.title} holds no .pts files; is it the right format? It has "
                f"{kinds_of_files(bundle)}."
            )
        pictures = Pictures(bundle, "remove all images")
        points = np.empty((len(files), len(schema), 2))
        for done, name in enumerate(files):
            progress("reading labels", done, len(files))
            points[done] = _parse(bundle, name, schema)
        missing = np.asarray(np.isnan(points).all(axis=2))
        none, notes = without_position(points, ~missing)
        states = np.where(missing | none, State.MISSING, State.VISIBLE).astype(np.uint8)
        intake = Intake(schema)
        for name, placed, state in zip(files, points - 1, states, strict=True):
            intake.add(name, placed, state, name, pictures.find(without_suffix(name), [""], name))
        intake.notes += (*notes, *pictures.notes, *other_labels(bundle, "pts"))
        intake.in_file = TWO_STATES
        return intake.finish(bundle, bundle.title, progress, files)


def _parse(bundle: Bundle, name: str, schema: KeypointSchema) -> NDArray[np.float64]:
    text = read_text(bundle, name)
    if text.count("{") != 1 or text.count("}") != 1 or text.index("{") > text.index("}"):
        raise UserError(f"{name} needs its points between one '{{' and one '}}'.")
    head, rest = text.split("{")
    before = len(f"{head}{{".splitlines()) - 1  # lines that are over when the points begin
    rows = [
        (n, line.strip())
        for n, line in enumerate(rest.split("}")[0].splitlines(), before + 1)
        if line.strip()
    ]
    counts = [int(match[1]) for line in head.splitlines() if (match := _COUNT.match(line))]
    if counts != [len(schema)] or len(rows) != len(schema):
        said = counts[0] if counts else "no number"
        raise UserError(
            f"{name}: n_points says {said} and {len(rows)} points follow, but {schema.name} has "
            f"{len(schema)}."
        )
    return np.array([_point(line, f"{name}, line {n}") for n, line in rows])


def _point(line: str, where: str) -> tuple[float, float]:
    try:
        x, y = map(float, re.split(r"\s*[,;\s]\s*", line.strip(",; \t")))
    except ValueError:
        raise UserError(
            f"{where}: {line[:40]!r} is not x and y; a missing point is 'nan nan'."
        ) from None
    return x, y


def held(labels: Labels) -> Labels:
    """What comes back of ``labels``: positions, of visible points."""
    return as_held(labels, TWO_STATES)
