"""``data.yaml`` of a YOLO-pose dataset: which points its labels have, and in which order."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]

from fkd.errors import UserError
from fkd.formats.bundle import Bundle
from fkd.formats.point_names import Order, in_order, order_of
from fkd.keypoints import KeypointSchema

OWN = "of the labels, by fkd"
"""How the first line of the file ends that an export here writes: visibility in it is COCO's."""

_OWN = re.compile(rf"^# .*, version [0-9]+ {OWN}\s*$", re.MULTILINE)
_KEYS = (b"kpt_shape", b"kpt_names", b"flip_idx")
_MAX_BYTES = 1 << 20
"""Largest file looked into: the list of all the classes there are takes less."""


@dataclass(frozen=True)
class Config:
    """What ``data.yaml`` says, checked against a schema.

    Attributes:
        files: names of the files; none if there is none.
        dims: 2 for x and y of each point, 3 with visibility; None if nobody says.
        names: keypoint names by class, as they stand in the file: class ids or names. One list
            for all classes is under None.
        classes: class names by id; empty if nobody says.
        own: whether an export here wrote it.
    """

    schema: KeypointSchema
    files: tuple[str, ...] = ()
    dims: int | None = None
    names: Mapping[Any, list[str]] | None = None
    classes: Mapping[int, str] | None = None
    own: bool = False

    def order(self, kind: int, where: str) -> Order:
        """Where each point of the schema stands in the labels of class ``kind``; ``where`` one of
        them stands is for people.

        Raises:
            UserError: if there is no such class, or its points are not the schema's.
        """
        if self.classes and kind not in self.classes:
            raise UserError(
                f"{where}: there is no class {kind} in {self.files[0]}; add it there, or correct "
                "the label."
            )
        if self.names is None:
            return in_order(self.schema)
        for key in (None, kind, str(kind), (self.classes or {}).get(kind)):
            if key in self.names:
                return order_of(
                    self.names[key], self.schema, f"{self.files[0]}, kpt_names of class {kind},"
                )
        raise UserError(
            f"{where}: {self.files[0]} has no kpt_names for class {kind}; add them there."
        )


def read_config(bundle: Bundle, schema: KeypointSchema) -> Config:
    """What the YAML file in ``bundle`` says that tells about keypoints.

    Raises:
        UserError: if it cannot be read, tells of other points than ``schema`` has, or there are
            several that differ.
    """
    found = []
    for name in bundle.names:
        if name.lower().endswith((".yaml", ".yml")):
            data = bundle.read(name)
            if len(data) <= _MAX_BYTES and any(key in data for key in _KEYS):
                found.append(_config(data.decode("utf-8-sig", errors="replace"), schema, name))
    if not found:
        return Config(schema)
    first, files = found[0], tuple(name for config in found for name in config.files)
    for other in found[1:]:
        if replace(other, files=first.files) != first:
            raise UserError(
                f"{first.files[0]} and {other.files[0]} describe different keypoints; keep the one "
                "that matches the labels."
            )
    return replace(first, files=files)


def _config(text: str, schema: KeypointSchema, name: str) -> Config:
    root = _parsed(text, name)
    dims = _dims(root.get("kpt_shape"), schema, name)
    names = _names(root.get("kpt_names"), name)
    if names is None:
        _check_flip(root.get("flip_idx"), schema, name)
    own = _OWN.search(text) is not None
    return Config(schema, (name,), dims, names, _classes(root.get("names")), own)


def _parsed(text: str, name: str) -> dict[Any, Any]:
    try:
        root = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark is not None else ""
        raise UserError(f"{name}{at} cannot be read as YAML; correct it.") from None
    if not isinstance(root, dict):
        raise UserError(f"{name} is YAML, but not a mapping of settings; correct it.")
    return root


def _dims(shape: Any, schema: KeypointSchema, name: str) -> int | None:
    if shape is None:
        return None
    if (
        not isinstance(shape, list)
        or len(shape) != 2
        or not all(isinstance(value, int) for value in shape)
        or shape[1] not in (2, 3)
    ):
        raise UserError(
            f"{name}: kpt_shape is {reprlib.repr(shape)}, where [{len(schema)}, 2] or "
            f"[{len(schema)}, 3] is needed."
        )
    if shape[0] != len(schema):
        raise UserError(
            f"{name}: kpt_shape says {shape[0]} points, but {schema.name} has {len(schema)}."
        )
    return int(shape[1])


def _names(names: Any, name: str) -> dict[Any, list[str]] | None:
    """The keypoint names by class; ``None`` stands for all classes."""
    if not names:
        return None
    by_class = names if isinstance(names, dict) else {None: names}
    for words in by_class.values():
        if not isinstance(words, list) or not all(isinstance(n, str | int) for n in words):
            raise UserError(f"{name}: kpt_names needs a list of names for each class.")
    return {kind: [str(n) for n in words] for kind, words in by_class.items()}


def _classes(names: Any) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    return {
        kind: str(word)
        for kind, word in names.items()
        if isinstance(kind, int) and isinstance(word, str | int)
    }


def _check_flip(flip: Any, schema: KeypointSchema, name: str) -> None:
    if not flip:
        return
    order = schema.mirror_order.tolist()
    # Those whose points have no sides, or who do not mirror, write the identity.
    if flip not in (order, np.arange(len(schema)).tolist()):
        raise UserError(
            f"{name}: flip_idx exchanges other points than the left and right ones of "
            f"{schema.name}, so the points seem to be in another order; add kpt_names, which say "
            "in which."
        )
