"""The annotations of a COCO file, as this project and other tools write them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.formats.bundle import Bundle
from fkd.formats.faces import Imported, Intake
from fkd.formats.finding import Pictures, path_of
from fkd.formats.layouts import other_labels
from fkd.formats.point_names import Order, order_of
from fkd.formats.visibility import check_visibility, read_states
from fkd.keypoints import KeypointSchema
from fkd.labels.formats import Visibility
from fkd.labels.states import State
from fkd.progress import Progress
from fkd.words import counted, listed

IMAGES = "images"
"""The folder of the pictures, beside the file."""

_CVAT = ("person_keypoints_", "instances_")
"""What stands before the name of a subset in the file's; its images lie in ``images/SUBSET``."""

_SHOWN = 5

Json = dict[str, Any]


def parsed(bundle: Bundle, name: str) -> Json:
    """The object in the JSON file called ``name``. NaN, which JSON has not, is read: Python's
    writers write it.

    Raises:
        UserError: if it cannot be read, or is something else.
    """
    try:
        root = json.loads(bundle.read(name))
    except (ValueError, RecursionError) as error:  # the former also for text that is not UTF-8
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deep"
        raise UserError(f"{name} cannot be read as JSON: {reason}; save it again.") from None
    if not isinstance(root, dict):
        raise UserError(
            f"{name} is JSON, but not a COCO file: it is not an object with 'annotations'."
        )
    return root


class _Face(NamedTuple):
    """An annotation, in the schema's order: ``values`` ``(K, 3)`` float64, x, y and visibility;
    ``said`` ``(K,)`` uint8, the state that ``states`` gives each point, if it is there."""

    file_name: str
    where: str
    picture: str | None
    values: NDArray[np.float64]
    said: NDArray[np.uint8] | None


class CocoReader:
    """Reads one file's annotations; every mistake is named with its place."""

    def __init__(
        self,
        schema: KeypointSchema,
        bundle: Bundle,
        name: str,
        visibility: Visibility,
        alone: bool,
    ) -> None:
        """``name`` is the file's in ``bundle``, ``alone`` whether nothing but it was given."""
        self._schema, self._bundle, self._name = schema, bundle, name
        self._visibility, self._alone = visibility, alone
        place = PurePosixPath(name)
        subset = next((place.stem.removeprefix(p) for p in _CVAT if place.stem.startswith(p)), "")
        labels_alone = "remove all images"
        if alone:
            labels_alone = f"put {place.name} into a folder without images"
        self._pictures = Pictures(bundle, labels_alone, subset)
        self._folders = [str(place.parent), str(place.parent / IMAGES)]
        if subset:
            self._folders.append(str(place.parent.parent / IMAGES / subset))
        self._intake = Intake(schema)
        self._orders: dict[str, Order] = {}

    def read(self, root: Json, title: str, progress: Progress) -> Imported:
        """All faces of the file, whose content is ``root``; ``title`` is what they came from.

        Raises:
            UserError: if anything is not as it should be, with what and where.
        """
        categories = self._categories(self._list(root, "categories"))
        images = self._images(self._list(root, "images"))
        faces: dict[str, _Face] = {}
        passed: dict[str, int] = {}
        deleted = 0
        for i, annotation in enumerate(self._list(root, "annotations")):
            where = f"{self._name}, annotation {i + 1}"
            image_id = _key(annotation, "image_id")
            if image_id not in images:
                raise UserError(
                    f"{where}: there is no image with the id {_short(annotation, 'image_id')}."
                )
            where += f" (image {self._file_name(images[image_id])})"
            category = categories.get(_key(annotation, "category_id") or "")
            if category is None:
                raise UserError(
                    f"{where}: there is no category with the id "
                    f"{_short(annotation, 'category_id')}."
                )
            if annotation.get("deleted") is True:  # COCO Annotator keeps what was thrown away
                deleted += 1
                continue
            if not annotation.get("keypoints"):
                kind = str(category.get("name", category["id"]))[:60]
                passed[kind] = passed.get(kind, 0) + 1
                continue
            if image_id in faces:
                raise UserError(f"{where}: the image has a face already; keep one for an image.")
            faces[image_id] = self._face(annotation, category, images[image_id], where)
        self._left_out(images, faces)
        if deleted:
            were = counted(deleted, "annotation was", "annotations were")
            are = "it is" if deleted == 1 else "they are"
            self._intake.notes.append(f"{were} skipped because {are} marked as deleted.")
        if faces:
            self._take(list(faces.values()))
        if passed:
            n = sum(passed.values())
            were = counted(n, "annotation was", "annotations were")
            have = "it has" if n == 1 else "they have"
            kinds = "category" if len(passed) == 1 else "categories"
            self._intake.notes.append(
                f"{were} skipped because {have} no keypoints: {kinds} {listed(passed, _SHOWN)}."
            )
        self._intake.notes += self._pictures.notes
        read_from = None
        if not self._alone:
            self._intake.notes += other_labels(self._bundle, "coco")
            read_from = (self._name, *self._pictures.used)
        return self._intake.finish(self._bundle, title, progress, read_from)

    def _list(self, root: Json, key: str) -> list[Json]:
        value = root.get(key)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise UserError(f"{self._name} is not a COCO file: it has no list of objects '{key}'.")
        return value

    def _categories(self, entries: list[Json]) -> dict[str, Json]:
        """The categories by their ids."""
        return {key: entry for entry in entries if (key := _key(entry, "id")) is not None}

    def _images(self, entries: list[Json]) -> dict[str, tuple[int, Json]]:
        """The images by their ids, each with its place in the list."""
        images: dict[str, tuple[int, Json]] = {}
        for i, entry in enumerate(entries):
            image_id = _key(entry, "id")
            if image_id is None or image_id in images:
                what = (
                    "repeats"
                    if image_id in images
                    else "is missing, or neither an integer nor text"
                )
                raise UserError(
                    f"{self._name}, image {i + 1}: its id {what}; give every image its own id."
                )
            images[image_id] = i, entry
        return images

    def _file_name(self, image: tuple[int, Json]) -> str:
        """The path that the image's ``file_name`` means, or its id without one."""
        i, entry = image
        name = entry.get("file_name")
        name = str(entry["id"]) if name is None else name
        if not isinstance(name, str) or "\0" in name or not path_of(name).strip("./"):
            raise UserError(
                f"{self._name}, image {i + 1}: its file_name is not the name of a file."
            )
        return path_of(name)

    def _face(self, annotation: Json, category: Json, image: tuple[int, Json], where: str) -> _Face:
        order = self._order(category, where)
        self._check_size(image)
        file_name = self._file_name(image)
        values = self._values(annotation, where)[order.places]
        check_visibility(values[:, 2], self._schema, where)
        said = self._said(annotation.get("states"), where)
        said = None if said is None else said[order.places]
        picture = self._pictures.find(file_name, self._folders, where)
        self._intake.tag(file_name, image[1].get("tags"))
        return _Face(file_name, where, picture, values, said)

    def _order(self, category: Json, where: str) -> Order:
        key = str(category["id"])
        if key not in self._orders:
            names = category.get("keypoints")
            name = _short(category, "name") if "name" in category else repr(key)
            if not names or not isinstance(names, list):
                raise UserError(
                    f"{where}: its category {name} does not name its keypoints; give it the "
                    f"names of the {len(self._schema)} of {self._schema.name} as 'keypoints'."
                )
            words = [str(word) for word in names]
            order = order_of(words, self._schema, f"{self._name}, category {name},")
            self._orders[key] = order
            self._intake.notes += order.notes
            self._intake.assumptions += order.assumptions
        return self._orders[key]

    def _check_size(self, image: tuple[int, Json]) -> None:
        i, entry = image
        for key, expected in (("width", self._schema.width), ("height", self._schema.height)):
            if (said := _size(entry.get(key))) is not None and said != expected:
                raise UserError(
                    f"{self._name}, image {i + 1} ({self._file_name(image)}): its {key} is "
                    f"{_short(entry, key)}, but {self._schema.name} has {expected} px; crop and "
                    "scale the faces, and their labels with them, to that size."
                )

    def _values(self, annotation: Json, where: str) -> NDArray[np.float64]:
        """``(K, 3)`` in the file's order."""
        count = 3 * len(self._schema)
        flat = annotation.get("keypoints")
        if not isinstance(flat, list) or len(flat) != count:
            found = f"it has {len(flat)}" if isinstance(flat, list) else "it is not a list"
            raise UserError(f"{where}: 'keypoints' needs {count} numbers, x, y, v each; {found}.")
        try:
            return np.array([_float(value) for value in flat]).reshape(-1, 3)
        except (TypeError, OverflowError):
            raise UserError(f"{where}: 'keypoints' holds something that is not a number.") from None

    def _said(self, words: Any, where: str) -> NDArray[np.uint8] | None:
        """``(K,)`` the states that stand in words, in the file's order."""
        if words is None:
            return None
        known = {state.word: state for state in State}
        if (
            not isinstance(words, list)
            or len(words) != len(self._schema)
            or not all(isinstance(word, str) and word in known for word in words)
        ):
            raise UserError(
                f"{where}: 'states' needs {len(self._schema)} of the words "
                f"{', '.join(sorted(known))}; correct them, or remove 'states'."
            )
        return np.array([known[word] for word in words], np.uint8)

    def _left_out(self, images: dict[str, tuple[int, Json]], faces: dict[str, _Face]) -> None:
        without = [image for image_id, image in images.items() if image_id not in faces]
        self._intake.left_out = len(without)
        for image in without:
            name = image[1].get("file_name")
            # Their pictures count as read where they lie in their places: they are accounted for.
            if isinstance(name, str) and "\0" not in name and not self._alone:
                self._pictures.mark(path_of(name), self._folders)

    def _take(self, faces: list[_Face]) -> None:
        values = np.stack([face.values for face in faces])
        nothing = np.zeros(len(self._schema), np.uint8)
        said = np.stack([nothing if face.said is None else face.said for face in faces])
        says = any(face.said is not None for face in faces)
        self._check_positions(faces, values)
        read = read_states(
            values[..., :2],
            values[..., 2],
            self._visibility,
            lambda i: faces[i].where,
            says=says,
            certain=said >= State.OCCLUDED,
        )
        # Where the two contradict each other, v counts: other tools change it, and not ours.
        read.states[(said == State.ABSENT) & (read.states == State.MISSING)] = State.ABSENT
        self._intake.notes += read.notes
        self._intake.in_file = read.held | ({State.ABSENT} if says else set())
        for face, states in zip(faces, read.states, strict=True):
            self._intake.add(face.file_name, face.values[:, :2], states, face.where, face.picture)

    def _check_positions(self, faces: list[_Face], values: NDArray[np.float64]) -> None:
        bad = (values[..., 2] > 0) & ~np.isfinite(values[..., :2]).all(axis=2)
        if bad.any():
            i, k = np.argwhere(bad)[0]
            x, y, v = values[i, k]
            raise UserError(
                f"{faces[i].where}: {self._schema.keypoints[k].label} has v = {v:g}, but its "
                f"position is {x:g}, {y:g}; give it one, or v = 0."
            )


def _key(entry: Json, key: str) -> str | None:
    """An id as text: some tools write an integer in one place and its digits in another."""
    value = entry.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        return None
    return str(value)


def _size(value: Any) -> Any:
    """A width or height as a number, which some tools write as text; None where it is unknown, and
    the picture decides: not given, or 0."""
    if isinstance(value, str) and not value.strip():
        return None
    with suppress(ValueError):
        value = float(value) if isinstance(value, str) else value
    return None if value == 0 and not isinstance(value, bool) else value


def _short(entry: Json, key: str) -> str:
    """What stands there, for people."""
    return repr(entry.get(key))[:60]


def _float(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)
