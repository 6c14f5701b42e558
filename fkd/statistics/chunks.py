"""Walking through long, perhaps memory-mapped, arrays piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from fkd.progress import Progress, silent

ROWS = 65_536
"""Rows of keypoints per chunk: a few MB at a time."""

IMAGES = 1_024
"""Images per chunk: about 10 MB of the usual size."""


def chunks(total: int, size: int, stage: str = "", progress: Progress = silent) -> Iterator[slice]:
    """Slices of at most ``size`` that cover ``range(total)`` in order.

    ``progress(stage, done, total)`` is called before each slice and once at the end.
    """
    for start in range(0, total, size):
        progress(stage, start, total)
        yield slice(start, min(start + size, total))
    progress(stage, total, total)
