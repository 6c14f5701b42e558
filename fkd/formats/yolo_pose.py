"""YOLO-pose, as Ultralytics documents it [1]: ``images/train/ROW.png``, ``labels/train/ROW.txt``
and ``data.yaml``.

A label file has a line for the face: its class, its box, then x, y and visibility of each point,
where x and y are shares of the image's width and height. An image begins at 0 there, at the edge of
its first pixel, and is mirrored by ``x' = width - x`` [2]; the centre of the first pixel is
therefore at 0.5 px, and fkd's x becomes ``(x + 0.5) / width``. A face's box is its whole image,
which is a crop of it. Visibility is 0 where a point has no position, 1 where it is covered, 2 where
it is visible.

[1] https://docs.ultralytics.com/datasets/pose/
[2] ``Instances.fliplr`` in ultralytics/utils/instance.py. Its reader, ``verify_image_label`` in
    ultralytics/data/utils.py, passes over images with coordinates outside.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.bundle import Bundle, open_bundle, read_text
from fkd.formats.faces import Imported, Intake, given_out, pictures_of
from fkd.formats.packing import packing
from fkd.formats.pictures import png
from fkd.formats.writing import fewest_digits
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent

CONFIG = "data.yaml"

_BOX = "0 0.5 0.5 1 1"
"""The class, and the box as centre and size: the whole image."""
_V = (0, 0, 1, 2)
"""The visibility of each state."""
_STATES = np.array((State.MISSING, State.OCCLUDED, State.VISIBLE), np.uint8)
"""The state of each visibility."""


def write_yolo_pose(
    path: Path, dataset: Dataset, labels: Labels, progress: Progress = silent
) -> None:
    """Write the faces of ``labels`` into the folder or zip at ``path``, see ``packing``.

    Raises:
        UserError: if something is at ``path``, or it cannot be written.
    """
    labels = held(labels)
    with packing(path) as package:
        for face in given_out(dataset, labels, progress):
            package.put(f"images/train/{face.row}.png", png(face.image))
            line = _line(face.points, face.states, labels.schema)
            package.put(f"labels/train/{face.row}.txt", line.encode())
        package.put(CONFIG, _config(dataset.name, labels).encode())


def _line(points: NDArray[np.float32], states: NDArray[np.uint8], schema: KeypointSchema) -> str:
    words = [_BOX]
    for (x, y), state in zip(points, states.tolist(), strict=True):
        if _V[state]:
            words += [_share(x, schema.width), _share(y, schema.height), str(_V[state])]
        else:
            words.append("0 0 0")
    return " ".join(words) + "\n"


def _share(value: np.float32, size: int) -> str:
    share = (float(value) + 0.5) / size
    return fewest_digits(
        share, lambda read: 0 <= read <= 1 and bool(np.float32(read * size - 0.5) == value)
    )


def _config(name: str, labels: Labels) -> str:
    names = labels.schema.names
    return "\n".join(
        (
            f"# {name}, version {labels.version} of the labels, by fkd",
            "# No images are held back: put some into a folder of their own, and name it as val.",
            "train: images/train",
            "val: images/train",
            "",
            f"kpt_shape: [{len(names)}, 3]",
            f"flip_idx: {labels.schema.mirror_order.tolist()}",
            "",
            "names:",
            "  0: face",
            "",
            "kpt_names:",
            "  0:",
            *(f"    - {name}" for name in names),
            "",
        )
    )


def read_yolo_pose(path: Path, schema: KeypointSchema, progress: Progress = silent) -> Imported:
    """Read the folder or zip at ``path``: every ``.txt`` below a folder ``labels``, whatever its
    split is called. The points are taken to be in the order of ``schema``.

    Raises:
        UserError: if anything in it is not as it should be, with what and where.
    """
    with open_bundle(path) as bundle:
        files = [PurePosixPath(name) for name in bundle.names if name.endswith(".txt")]
        files = [file for file in files if "labels" in file.parts[:-1]]
        if not files:
            raise UserError(f"{bundle.title} holds no labels/train/*.txt; is it YOLO-pose?")
        pictures = pictures_of(bundle)
        intake = Intake(schema)
        for done, file in enumerate(files):
            progress("reading labels", done, len(files))
            _read_file(bundle, file, pictures.get(_beside(file)), schema, intake)
        return intake.finish(bundle.title, bundle.read, progress)


def _beside(file: PurePosixPath) -> str:
    """Where the picture of a label file lies, without its suffix: Ultralytics puts ``images`` for
    the last ``labels`` in its path."""
    parts = list(file.with_suffix("").parts)
    parts[len(parts) - 2 - parts[-2::-1].index("labels")] = "images"
    return "/".join(parts)


def _read_file(
    bundle: Bundle, file: PurePosixPath, picture: str | None, schema: KeypointSchema, intake: Intake
) -> None:
    name = str(file)
    text = read_text(bundle, name)
    lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        intake.left_out += 1
        return
    number, words = lines[0]
    if len(lines) > 1:
        raise UserError(
            f"{name}, line {lines[1][0]}: the image has a face already; keep one for an image."
        )
    where = f"{name}, line {number}"
    points, states = _parse(words, schema, where)
    intake.add(file.name, points, states, where, picture)


def _parse(
    words: list[str], schema: KeypointSchema, where: str
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    expected = 5 + 3 * len(schema)
    if len(words) != expected:
        raise UserError(
            f"{where}: {len(words)} fields found, {expected} expected: class, box, and x, y, "
            f"visibility of each of the {len(schema)} points of {schema.name}."
        )
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        raise UserError(f"{where}: a field is no number; correct it.") from None
    points = values[5:].reshape(-1, 3)
    if not np.isfinite(values).all():
        raise UserError(f"{where}: a field is infinite or NaN; a missing point is 0 0 0.")
    if not np.isin(points[:, 2], (0, 1, 2)).all():
        raise UserError(f"{where}: a visibility is none of 0, 1 and 2; correct it.")
    size = np.array((schema.width, schema.height))
    return points[:, :2] * size - 0.5, _STATES[points[:, 2].astype(int)]


def held(labels: Labels) -> Labels:
    """What comes back of ``labels``: an absent point as missing, and so one that lies outside the
    image."""
    size = np.array((labels.schema.width, labels.schema.height))
    inside = np.all((labels.points >= -0.5) & (labels.points <= size - 0.5), axis=2)  # not NaN
    points = np.where(inside[:, :, None], labels.points, np.float32(math.nan))
    states = np.where(inside, labels.states, State.MISSING).astype(np.uint8)
    return replace(labels, points=points, states=states)
