"""Which files are labels of which format, by their names."""

from __future__ import annotations

from pathlib import PurePosixPath

from fkd.formats.bundle import Bundle
from fkd.labels.formats import FORMATS
from fkd.words import listed

_BESIDE_LABELS = frozenset(
    f"{stem}.txt"
    for stem in (
        *("classes", "predefined_classes", "names", "obj_names", "labels"),
        *("train", "val", "valid", "test", "trainval", "readme", "notes", "license"),
    )
)
"""What tools put among the labels of YOLO: names of classes, lists of pictures, words."""


def beside_labels(name: str) -> bool:
    """Whether the file called ``name`` may be one that tools put among the labels of YOLO, unless
    it holds a label."""
    return PurePosixPath(name).name.lower() in _BESIDE_LABELS


def yolo_labels(bundle: Bundle) -> list[str]:
    """The label files of YOLO: every ``.txt`` below a folder ``labels``."""
    return [
        name
        for name in bundle.names
        if name.lower().endswith(".txt") and "labels" in PurePosixPath(name).parts[:-1]
    ]


def other_labels(bundle: Bundle, format: str) -> tuple[str, ...]:
    """A sentence for people that says which files look like labels in other formats than that
    called ``format``; none if none do."""
    found: dict[str, list[str]] = {
        "coco": [name for name in bundle.names if _coco(name)],
        "yolo-pose": [name for name in yolo_labels(bundle) if not beside_labels(name)],
        "pts": [name for name in bundle.names if name.lower().endswith(".pts")],
        "kaggle": [name for name in bundle.names if PurePosixPath(name).name == "training.csv"],
    }
    found.pop(format)
    words = listed(
        f"{names[0]} ({FORMATS[other].title})"
        if len(names) == 1
        else f"{len(names):,} files such as {names[0]} ({FORMATS[other].title})"
        for other, names in found.items()
        if names
    )
    if not words:
        return ()
    return (f"{bundle.title} also holds labels in other formats, which were not read: {words}.",)


def _coco(name: str) -> bool:
    # Other JSON files lie beside labels of any format.
    return name.lower().endswith(".json") and "annotations" in name.lower()
