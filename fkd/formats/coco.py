"""COCO keypoints: ``annotations.json`` beside ``images/ROW.png``.

COCO's keypoints are indices of pixels, counted from 0 [1, 2]: the centre of the first pixel is 0,
as everywhere in fkd, so positions are written as they are. Boxes are measured from the corner of
the image [1]; a face's box is its whole image, which is a crop of it. ``v`` is 0 where a point has
no position, 1 where it is covered, 2 where it is visible. What ``v`` cannot tell, absent from
missing, stands in ``states``, an attribute that other readers pass over.
Tags of an image stand in ``tags``, a list of words.

[1] https://cocodataset.org/#format-data: "0-indexed location x,y"; "box coordinates are measured
    from the top left image corner".
[2] detectron2/data/datasets/coco.py takes them for "pixel indices" and adds 0.5 to place them in
    an image that begins at 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.bundle import Bundle, kinds_of_files, open_bundle
from fkd.formats.coco_reading import IMAGES, CocoReader, parsed
from fkd.formats.faces import Imported, given_out
from fkd.formats.packing import packing
from fkd.formats.pictures import png
from fkd.formats.writing import fewest_digits
from fkd.keypoints import KeypointSchema
from fkd.labels.formats import Visibility
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent
from fkd.user_files import is_user_file
from fkd.words import listed

FILE = "annotations.json"

_CATEGORY = 1
_SHOWN = 5
_V = np.array([0, 0, 1, 2])
"""COCO's ``v`` of each state."""


def write_coco(path: Path, dataset: Dataset, labels: Labels, progress: Progress = silent) -> None:
    """Write the faces of ``labels`` into the folder or zip at ``path``, see ``packing``.

    Raises:
        UserError: if something is at ``path``, or it cannot be written.
    """
    with packing(path) as package:
        for face in given_out(dataset, labels, progress):
            package.put(_picture(face.row), png(face.image))
        with package.open(FILE) as file:
            for text in _annotations(dataset, labels):
                file.write(text.encode())


def _picture(row: int) -> str:
    return f"{IMAGES}/{row}.png"


def _annotations(dataset: Dataset, labels: Labels) -> Iterator[str]:
    """The text of the JSON file, an image and an annotation a line."""
    schema = labels.schema
    info = {
        "description": f"{dataset.name}, version {labels.version} of the labels",
        "content_hash": dataset.content_hash,
    }
    category = {
        "id": _CATEGORY,
        "name": "face",
        "supercategory": "face",
        "keypoints": list(schema.names),
        "skeleton": [[a + 1, b + 1] for a, b in schema.edges],
    }
    rows = labels.rows.tolist()
    yield f'{{"info": {json.dumps(info)},\n"licenses": [],\n'
    yield f'"categories": [{json.dumps(category)}],\n"images": [\n'
    size = {"width": schema.width, "height": schema.height}
    yield from _lines(
        {"id": row, "file_name": _picture(row), **size, **_tags(labels, row)} for row in rows
    )
    yield '\n],\n"annotations": [\n'
    yield from _lines(
        _annotation(row, points, states, schema)
        for row, points, states in zip(rows, labels.points, labels.states, strict=True)
    )
    yield "\n]}\n"


def _tags(labels: Labels, row: int) -> dict[str, list[str]]:
    tags = labels.tags.get(row)
    return {"tags": list(tags)} if tags else {}


def _lines(values: Iterable[Any]) -> Iterator[str]:
    for i, value in enumerate(values):
        yield (",\n" if i else "") + json.dumps(value)


def _annotation(
    row: int, points: NDArray[np.float32], states: NDArray[np.uint8], schema: KeypointSchema
) -> dict[str, Any]:
    flat: list[float] = []
    for (x, y), v in zip(points, _V[states].tolist(), strict=True):
        flat += [_number(x), _number(y), v] if v else [0, 0, 0]
    return {
        "id": row + 1,  # pycocotools takes an id of 0 for no match
        "image_id": row,
        "category_id": _CATEGORY,
        "iscrowd": 0,
        "bbox": [0, 0, schema.width, schema.height],
        "area": schema.pixels,
        "num_keypoints": int((states >= State.OCCLUDED).sum()),
        "keypoints": flat,
        "states": [State(state).word for state in states.tolist()],
    }


def _number(value: np.float32) -> float:
    return float(fewest_digits(float(value), lambda read: bool(np.float32(read) == value)))


def read_coco(
    path: Path,
    schema: KeypointSchema,
    progress: Progress = silent,
    visibility: Visibility = "auto",
) -> Imported:
    """Read a folder or zip with ``annotations.json``, or another single JSON file, or that file
    itself. The order of the keypoints is taken from the names in its category.

    Raises:
        UserError: if anything in it is not as it should be, with what and where.
    """
    path = Path(path)
    with _opened(path) as (bundle, name, alone):
        root = parsed(bundle, name)
        reader = CocoReader(schema, bundle, name, visibility, alone)
        return reader.read(root, path.name or str(path), progress)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Bundle, str, bool]]:
    """The files, which of them has the annotations, and whether it was given alone."""
    if path.suffix.lower() == ".json" and is_user_file(path):
        folder, name = path.absolute().parent, path.name
        if folder.name == "annotations":  # as CVAT has it; the images lie in a folder beside that
            folder, name = folder.parent, f"annotations/{name}"
        with open_bundle(folder) as bundle:
            yield bundle, name, True
        return
    with open_bundle(path) as bundle:
        found = [name for name in bundle.names if name.lower().endswith(".json")]
        named = [name for name in found if PurePosixPath(name).name == FILE]
        if not found:
            raise UserError(
                f"{bundle.title} holds no JSON file with annotations; is it COCO? It has "
                f"{kinds_of_files(bundle)}."
            )
        if len(named or found) > 1:
            raise UserError(
                f"{bundle.title} holds several JSON files: {listed(named or found, _SHOWN)}; "
                "unpack it if it is a zip, and choose one of them."
            )
        yield bundle, (named or found)[0], False


def held(labels: Labels) -> Labels:
    """What comes back of ``labels``: everything."""
    return labels
