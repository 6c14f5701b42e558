"""How far the labels of a dataset lie to one side of what they mark: measured once, kept beside
it. See ``statistics.mirror`` for what it is and why it matters."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np

from fkd import stored
from fkd.dataset import Dataset
from fkd.files import replace_text
from fkd.progress import Progress, silent
from fkd.statistics.mirror import LabelOffset, label_offset

VERSION = 1
"""Raised when it is measured in another way."""


_OFFSET = stored.record(
    {
        "version": stored.whole(),
        "content_hash": stored.text(200),
        "px": stored.number(-50, 50),
        "error": stored.number(0),
        "n": stored.whole(),
    }
)


def known_offset(dataset: Dataset) -> LabelOffset | None:
    """What was measured of ``dataset`` before; None if nothing was, or not of these files."""
    if (path := _path(dataset)) is None:
        return None
    try:
        found = stored.read_json(path, _OFFSET, limit=1 << 16)
    except (OSError, ValueError):  # none, or damaged
        return None
    if found["version"] != VERSION or found["content_hash"] != dataset.content_hash:
        return None
    return LabelOffset(float(found["px"]), float(found["error"]), found["n"])


def measured_offset(dataset: Dataset, progress: Progress = silent) -> LabelOffset:
    """The offset of the labels of ``dataset`` as ingested, measured now if it never was."""
    if (known := known_offset(dataset)) is not None:
        return known
    keypoints = np.asarray(dataset.keypoints)
    found = label_offset(dataset.images, keypoints, dataset.schema, progress)
    if (path := _path(dataset)) is not None and np.isfinite(found.error):
        about = {"version": VERSION, "content_hash": dataset.content_hash}
        numbers = {"px": float(found.px), "error": float(found.error), "n": found.n}
        with suppress(OSError):  # kept to save time; it is measured again otherwise
            replace_text(path, json.dumps({**about, **numbers}))
    return found


def _path(dataset: Dataset) -> Path | None:
    return None if dataset.folder is None else dataset.folder / "label_offset.json"
