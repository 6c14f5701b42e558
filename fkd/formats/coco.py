"""COCO keypoints: ``annotations.json`` beside ``images/ROW.png``.

COCO's keypoints are indices of pixels, counted from 0 [1, 2]: the centre of the first pixel is 0,
as everywhere in fkd, so positions are written as they are. Boxes are measured from the corner of
the image [1]; a face's box is its whole image, which is a crop of it. ``v`` is 0 where a point has
no position, 1 where it is covered, 2 where it is visible. What ``v`` cannot tell, absent from
missing, stands in ``states``, an attribute that other readers pass over.

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
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.bundle import Bundle, open_bundle
from fkd.formats.faces import Imported, Intake, given_out
from fkd.formats.packing import packing
from fkd.formats.pictures import png
from fkd.formats.source import leads_out
from fkd.formats.writing import fewest_digits
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Labels, State
from fkd.progress import Progress, silent

FILE = "annotations.json"
IMAGES = "images"

_CATEGORY = 1
_V = np.array([0, 0, 1, 2])
"""COCO's ``v`` of each state."""
_STATES = (State.MISSING, State.OCCLUDED, State.VISIBLE)
"""The state of each ``v``."""


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
    yield from _lines({"id": row, "file_name": _picture(row), **size} for row in rows)
    yield '\n],\n"annotations": [\n'
    yield from _lines(
        _annotation(row, points, states, schema)
        for row, points, states in zip(rows, labels.points, labels.states, strict=True)
    )
    yield "\n]}\n"


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


def read_coco(path: Path, schema: KeypointSchema, progress: Progress = silent) -> Imported:
    """Read a folder or zip with ``annotations.json``, or another single JSON file, or that file
    itself. The order of the keypoints is taken from the names in its category.

    Raises:
        UserError: if anything in it is not as it should be, with what and where.
    """
    path = Path(path)
    with _opened(path) as (bundle, name):
        root = _parsed(bundle, name)
        intake = _Reader(schema, bundle, name).read(root)
        return intake.finish(path.name or str(path), bundle.read, progress)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Bundle, str]]:
    """The files, and which of them has the annotations."""
    if path.is_file() and path.suffix.lower() == ".json":
        with open_bundle(path.parent) as bundle:
            yield bundle, path.name
        return
    with open_bundle(path) as bundle:
        found = [name for name in bundle.names if name.lower().endswith(".json")]
        named = [name for name in found if PurePosixPath(name).name == FILE]
        if len(named or found) != 1:
            listed = ", ".join(found[:5]) or "none"
            raise UserError(
                f"{bundle.title} needs one {FILE}, or one JSON file of another name; it has "
                f"{listed}."
            )
        yield bundle, (named or found)[0]


def _parsed(bundle: Bundle, name: str) -> dict[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON")

    try:
        root = json.loads(bundle.read(name), parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # the former also for text that is not UTF-8
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deep"
        raise UserError(f"{name} cannot be read as JSON: {reason}; save it again.") from None
    if not isinstance(root, dict):
        raise UserError(f"{name} is JSON, but no COCO file: it is no object with 'annotations'.")
    return root


class _Reader:
    """Reads one file's annotations; every mistake is named with its place."""

    def __init__(self, schema: KeypointSchema, bundle: Bundle, name: str) -> None:
        self._schema, self._bundle, self._name = schema, bundle, name
        self._folder = PurePosixPath(name).parent

    def read(self, root: dict[str, Any]) -> Intake:
        orders = self._orders(self._list(root, "categories"))
        images = self._images(self._list(root, "images"))
        intake, seen = Intake(self._schema), set()
        for i, annotation in enumerate(self._list(root, "annotations")):
            where = f"{self._name}, annotation {i + 1}"
            image_id = _key(annotation, "image_id")
            if image_id not in images:
                raise UserError(f"{where}: there is no image with the id {image_id}.")
            file_name = images[image_id]
            where += f" (image {file_name})"
            if image_id in seen:
                raise UserError(f"{where}: the image has a face already; keep one for an image.")
            seen.add(image_id)
            order = orders.get(_key(annotation, "category_id"))
            if order is None:
                raise UserError(
                    f"{where}: its category is no face with the {len(self._schema)} keypoints of "
                    f"{self._schema.name}; give the category their names as 'keypoints'."
                )
            points, states = self._points(annotation, order, where)
            intake.add(file_name, points, states, where, self._picture(file_name))
        intake.left_out = len(images) - len(seen)
        return intake

    def _list(self, root: dict[str, Any], key: str) -> list[dict[str, Any]]:
        value = root.get(key)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise UserError(f"{self._name} is no COCO file: it has no list of objects '{key}'.")
        return value

    def _orders(self, categories: list[dict[str, Any]]) -> dict[Any, NDArray[np.intp]]:
        """For each category that has the schema's points: where each of these stands."""
        orders = {}
        for category in categories:
            names = category.get("keypoints")
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                continue
            if sorted(names) == sorted(self._schema.names):
                order = np.array([names.index(name) for name in self._schema.names])
                orders[_key(category, "id")] = order
        return orders

    def _images(self, entries: list[dict[str, Any]]) -> dict[Any, str]:
        """The file name of each image by its id."""
        images: dict[Any, str] = {}
        for i, entry in enumerate(entries):
            where = f"{self._name}, image {i + 1}"
            image_id, file_name = _key(entry, "id"), entry.get("file_name")
            if image_id is None or image_id in images:
                what = "repeats" if image_id in images else "is missing or no integer"
                raise UserError(f"{where}: its id {what}; give every image one of its own.")
            file_name = str(image_id) if file_name is None else file_name
            if not isinstance(file_name, str) or not file_name or "\0" in file_name:
                raise UserError(f"{where}: its file_name is no text.")
            if leads_out(file_name):
                raise UserError(f"{where}: its file_name {file_name!r} leads out of the folder.")
            for key, expected in (("width", self._schema.width), ("height", self._schema.height)):
                if entry.get(key, expected) != expected:
                    raise UserError(
                        f"{where} ({file_name}): its {key} is {entry[key]!r}, where "
                        f"{self._schema.name} has {expected} px; crop and scale the faces, and "
                        "their labels with them, to that size."
                    )
            images[image_id] = file_name
        return images

    def _picture(self, file_name: str) -> str | None:
        """The image file that is meant: named from the JSON file, or from ``images`` beside it."""
        for place in (self._folder / file_name, self._folder / IMAGES / file_name):
            if place.as_posix() in self._bundle:
                return place.as_posix()
        return None

    def _points(
        self, annotation: dict[str, Any], order: NDArray[np.intp], where: str
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        count = 3 * len(self._schema)
        flat = annotation.get("keypoints")
        if not isinstance(flat, list) or len(flat) != count:
            found = len(flat) if isinstance(flat, list) else "no list"
            raise UserError(f"{where}: 'keypoints' needs {count} numbers, x, y, v each; {found}.")
        try:
            values = np.array([_float(value) for value in flat]).reshape(-1, 3)[order]
        except (TypeError, OverflowError):
            raise UserError(f"{where}: 'keypoints' holds what is no number.") from None
        if not np.isin(values[:, 2], (0, 1, 2)).all():
            raise UserError(f"{where}: a visibility v in 'keypoints' is none of 0, 1 and 2.")
        states = np.array(_STATES, np.uint8)[values[:, 2].astype(int)]
        absent = self._absent(annotation.get("states"), where)[order]
        # Where the two contradict each other, v counts: other tools change it, and not ours.
        states[absent & (states == State.MISSING)] = State.ABSENT
        return values[:, :2], states

    def _absent(self, words: Any, where: str) -> NDArray[np.bool_]:
        """Which points, in the file's order, somebody found absent."""
        if words is None:
            return np.zeros(len(self._schema), np.bool_)
        known = {state.word for state in State}
        if (
            not isinstance(words, list)
            or len(words) != len(self._schema)
            or not all(isinstance(word, str) and word in known for word in words)
        ):
            raise UserError(
                f"{where}: 'states' needs {len(self._schema)} of the words "
                f"{', '.join(sorted(known))}; correct them, or take 'states' out."
            )
        return np.array([word == State.ABSENT.word for word in words])


def _key(entry: dict[str, Any], key: str) -> int | None:
    value = entry.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def held(labels: Labels) -> Labels:
    """What comes back of ``labels``: everything."""
    return labels
