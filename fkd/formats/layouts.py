"""Which files are labels of which format, by their names."""

from __future__ import annotations

from pathlib import PurePosixPath

from fkd.formats.bundle import Bundle
from fkd.labels.formats import FORMATS


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
        "yolo-pose": yolo_labels(bundle),
        "pts": [name for name in bundle.names if name.lower().endswith(".pts")],
        "kaggle": [name for name in bundle.names if PurePosixPath(name).name == "training.csv"],
    }
    found.pop(format)
    words = [
        f"{names[0]} ({FORMATS[other].title})"
        if len(names) == 1
        else f"{len(names):,} files such as {names[0]} ({FORMATS[other].title})"
        for other, names in found.items()
        if names
    ]
    if not words:
        return ()
    return (
        f"{bundle.title} also holds labels in other formats, which were not read: "
        f"{', '.join(words)}.",
    )


def _coco(name: str) -> bool:
    # Other JSON files lie beside labels of any format.
    return name.lower().endswith(".json") and "annotations" in name.lower()
