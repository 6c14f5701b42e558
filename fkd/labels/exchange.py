"""Labels out to files of the field's formats, and in from them. What each format cannot hold
stands in ``fkd.labels.formats``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats import coco, kaggle_labels, pts, yolo_pose
from fkd.formats.faces import Imported
from fkd.formats.kaggle_images import is_outside
from fkd.keypoints import KAGGLE_15, KeypointSchema
from fkd.labels.formats import FORMATS, Visibility
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent
from fkd.words import counted


@dataclass(frozen=True)
class Codec:
    """What writes a format, what reads it, and ``held``: the labels that come back of some."""

    write: Callable[[Path, Dataset, Labels, Progress], None]
    read: Callable[[Path, KeypointSchema, Progress, Visibility], Imported]
    held: Callable[[Labels], Labels]


def _without_visibility(
    read: Callable[[Path, KeypointSchema, Progress], Imported],
) -> Callable[[Path, KeypointSchema, Progress, Visibility], Imported]:
    return lambda path, schema, progress, _: read(path, schema, progress)


_CODECS = {
    "kaggle": Codec(
        kaggle_labels.write_kaggle,
        _without_visibility(kaggle_labels.read_kaggle),
        kaggle_labels.held,
    ),
    "coco": Codec(coco.write_coco, coco.read_coco, coco.held),
    "yolo-pose": Codec(yolo_pose.write_yolo_pose, yolo_pose.read_yolo_pose, yolo_pose.held),
    "pts": Codec(pts.write_pts, _without_visibility(pts.read_pts), pts.held),
}


def codec(name: str) -> Codec:
    """The codec of the format called ``name``; ``UserError`` if there is none."""
    try:
        return _CODECS[name]
    except KeyError:
        raise UserError(f"There is no format {name!r}; there are: {', '.join(FORMATS)}.") from None


@dataclass(frozen=True)
class Exported:
    """What an export did: how many ``rows`` it wrote to ``path``, and a sentence for each sort of
    label that the format could not hold as it was."""

    path: Path
    rows: int
    lost: tuple[str, ...]


def export(
    dataset: Dataset,
    labels: Labels,
    format: str,
    path: str | Path,
    progress: Progress = silent,
) -> Exported:
    """Write ``labels``, and the images of ``dataset`` that they are of, to ``path``: a folder, a
    zip if it ends in ``.zip``, for Kaggle's format also a table if it ends in ``.csv``. It is
    written whole or not at all.

    Raises:
        UserError: if there is no such format, there are no labels, a point lies where no file may
            have it, something is at ``path`` already, or it cannot be written.
        ValueError: if the labels are of another dataset.
    """
    used = codec(format)
    if labels.schema != dataset.schema:
        raise ValueError(f"labels of {labels.schema.name} do not fit {dataset.name}")
    if not len(labels):
        raise UserError(f"Dataset '{dataset.name}' has no rows to export.")
    _check(labels)
    used.write(Path(path), dataset, labels, progress)
    return Exported(Path(path), len(labels), _lost(labels, used.held(labels)))


def _check(labels: Labels) -> None:
    outside = is_outside(labels.points, labels.schema).any(axis=2)
    if outside.any():
        at, k = np.argwhere(outside)[0]
        label = labels.schema.keypoints[k].label
        raise UserError(
            f"Row {labels.rows[at]}: {label} is more than half an image outside the image; "
            "correct it before exporting."
        )


def _lost(labels: Labels, held: Labels) -> tuple[str, ...]:
    different = labels.states != held.states
    counts = Counter(
        zip(labels.states[different].tolist(), held.states[different].tolist(), strict=True)
    )
    return tuple(
        f"{counted(n, f'{State(old).word} point is', f'{State(old).word} points are')} "
        f"{State(new).word} in the file."
        for (old, new), n in sorted(counts.items())
    )


def read(
    path: str | Path,
    format: str,
    schema: KeypointSchema = KAGGLE_15,
    progress: Progress = silent,
    visibility: Visibility = "auto",
) -> Imported:
    """The labels at ``path``, a folder, zip or file as ``export`` writes it or other tools do.
    ``visibility`` says what 1 means in files that have it, see ``Visibility``.

    Raises:
        UserError: if there is no such format, it has no visibility and ``visibility`` says
            something of it, or anything in the files is not as it should be: the first mistake
            found, what and where.
    """
    used = codec(format)
    if visibility != "auto" and not FORMATS[format].visibility:
        raise UserError(
            f"{FORMATS[format].title} does not say how visible points are; leave visibility at "
            "'auto'."
        )
    return used.read(Path(path), schema, progress, visibility)
