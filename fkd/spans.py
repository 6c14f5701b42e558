"""Sets of row numbers in few words: ``3,5,7-9``. For links and for what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_SPAN = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?")
MAX_SPANS = 20_000
"""Spans read of one text, at most."""


def spans(rows: Iterable[int] | NDArray[np.integer]) -> str:
    """``rows``, none negative, in ascending order and each once."""
    numbers = np.unique(np.fromiter(rows, np.int64))
    if not len(numbers):
        return ""
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    firsts = numbers[np.concatenate([[0], breaks + 1])].tolist()
    lasts = numbers[np.concatenate([breaks, [len(numbers) - 1]])].tolist()
    return ",".join(
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(firsts, lasts, strict=True)
    )


def within(text: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """``(n,)`` which of ``rows``, ascending, are in the set that ``text`` names; what makes no
    sense in it is left out. However wide its spans are, nothing but ``rows`` is gone through."""
    found = np.zeros(len(rows), bool)
    for part in text.split(",", MAX_SPANS)[:MAX_SPANS]:
        if match := _SPAN.fullmatch(part):
            first, last = int(match[1]), int(match[2] or match[1])
            start, stop = np.searchsorted(rows, [first, last + 1])
            found[start:stop] = True
    return found


def tidy(text: str) -> str:
    """``text`` without what makes no sense in it; the same for the same spans in any order."""
    parts = text.split(",", MAX_SPANS)[:MAX_SPANS]
    kept = {(int(m[1]), int(m[2] or m[1])) for part in parts if (m := _SPAN.fullmatch(part))}
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in sorted(kept) if a <= b)
