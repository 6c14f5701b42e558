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
from fkd.formats.bundle import Bundle, kinds_of_files, open_bundle, read_text
from fkd.formats.faces import Imported, Intake, given_out
from fkd.formats.finding import Pictures, is_picture
from fkd.formats.layouts import beside_labels, other_labels, yolo_labels
from fkd.formats.no_position import written
from fkd.formats.packing import packing
from fkd.formats.pictures import png
from fkd.formats.visibility import TWO_STATES, read_states
from fkd.formats.writing import fewest_digits
from fkd.formats.yolo_config import OWN, read_config
from fkd.formats.yolo_lines import Line, LineReader, holds_a_label, holds_a_number
from fkd.keypoints import KeypointSchema
from fkd.labels.formats import Visibility
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent

CONFIG = "data.yaml"

_BOX = "0 0.5 0.5 1 1"
"""The class, and the box as centre and size: the whole image."""
_V = (0, 0, 1, 2)
"""The visibility of each state."""


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
            words += written(_share(x, schema.width), _share(y, schema.height))
            words.append(str(_V[state]))
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
            f"# {name}, version {labels.version} {OWN}",
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


def read_yolo_pose(
    path: Path,
    schema: KeypointSchema,
    progress: Progress = silent,
    visibility: Visibility = "auto",
) -> Imported:
    """Read the folder or zip at ``path``: every ``.txt`` below a folder ``labels``, whatever its
    split is called, but for names of classes, lists of pictures and words, which stay unread.
    ``data.yaml`` says which points there are, in which order, and whether with ``visibility``;
    without names they are in the order of ``schema``.

    Raises:
        UserError: if anything in it is not as it should be, with what and where; if the files are
            a model's predictions, unless ``visibility`` is ``binary``.
    """
    with open_bundle(path) as bundle:
        files = yolo_labels(bundle)
        if not files:
            raise UserError(
                f"{bundle.title} holds no labels/train/*.txt; is it YOLO-pose? Give the folder "
                f"that holds the folder 'labels'; it has {kinds_of_files(bundle)}."
            )
        reader = LineReader(read_config(bundle, schema), schema, visibility)
        pictures = Pictures(bundle, "remove all images")
        intake, lines = Intake(schema), []
        faces = {PurePosixPath(name).stem for name in bundle.names if is_picture(name)}
        read_from = []
        for done, name in enumerate(files):
            progress("reading labels", done, len(files))
            text = _label_text(bundle, name, faces)
            if text is None:
                continue
            read_from.append(name)
            read = reader.read(text, name)
            picture = _beside(PurePosixPath(name))
            if read is not None:
                lines.append((name, pictures.find(picture, [""], name), read))
                continue
            intake.left_out += 1
            pictures.mark(picture, [""])
        if lines:
            _take(intake, lines, reader, visibility)
        intake.notes += (*reader.notes, *pictures.notes, *other_labels(bundle, "yolo-pose"))
        intake.assumptions += reader.assumptions
        read_from += (*reader.config.files, *pictures.used)
        return intake.finish(bundle, bundle.title, progress, read_from)


def _label_text(bundle: Bundle, name: str, faces: set[str]) -> str | None:
    """The text of the label file ``name``; None if it is none, but names of classes, a list of
    pictures or words. What has a picture of its name, one of ``faces`` without their suffixes, or a
    number in it, is a label, if a bad one."""
    data = bundle.read(name)
    # Words may be in any encoding; numbers are the same in most.
    text = data.decode("utf-8-sig", "replace")
    known = beside_labels(name)
    is_label = holds_a_label(text) if known else not text.strip() or holds_a_number(text)
    if not is_label and PurePosixPath(name).stem not in faces and "\0" not in text:
        return None
    if "\ufffd" in text:
        return read_text(bundle, name)
    return text


def _beside(file: PurePosixPath) -> str:
    """Where the picture of a label file lies, without its suffix: Ultralytics puts ``images`` for
    the last ``labels`` in its path."""
    parts = list(file.with_suffix("").parts)
    parts[len(parts) - 2 - parts[-2::-1].index("labels")] = "images"
    return "/".join(parts)


def _take(
    intake: Intake,
    lines: list[tuple[str, str | None, Line]],
    reader: LineReader,
    visibility: Visibility,
) -> None:
    values = np.stack([line.values for _, _, line in lines])
    read = read_states(
        values[..., :2],
        values[..., 2],
        visibility,
        lambda i: lines[i][2].where,
        says=reader.config.own or reader.dims == 2,
    )
    intake.notes += read.notes
    intake.in_file = TWO_STATES if reader.dims == 2 else read.held
    size = np.array((reader.schema.width, reader.schema.height))
    for (name, picture, line), shares, states in zip(
        lines, values[..., :2], read.states, strict=True
    ):
        intake.add(name, shares * size - 0.5, states, line.where, picture)


def held(labels: Labels) -> Labels:
    """What comes back of ``labels``: an absent point as missing, and so one that lies outside the
    image."""
    size = np.array((labels.schema.width, labels.schema.height))
    inside = np.all((labels.points >= -0.5) & (labels.points <= size - 0.5), axis=2)  # not NaN
    points = np.where(inside[:, :, None], labels.points, np.float32(math.nan))
    states = np.where(inside, labels.states, State.MISSING).astype(np.uint8)
    return replace(labels, points=points, states=states)
