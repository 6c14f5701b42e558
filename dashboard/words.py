"""Numbers and names in words."""

from __future__ import annotations

import re


def compact(number: int) -> str:
    """``7049`` as ``7,049``."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """``part`` of ``whole`` as a percentage in about two significant digits."""
    if whole == 0:
        return "–"
    percent = 100 * part / whole
    if percent in (0, 100):
        return f"{percent:.0f} %"
    # Never "0 %" of something or "100 %" of not everything.
    digits = 0 if 10 <= percent < 99 else 1 if 1 <= percent < 99.9 else 2
    return f"{min(max(percent, 0.01), 99.99):.{digits}f} %"


def count_share(part: int, whole: int) -> str:
    """A count with its percentage beside it."""
    return f"{compact(part)} ({share(part, whole)})"


def short_label(label: str) -> str:
    """A point's name short enough to stand on a face: ``left eye center`` -> ``L eye``."""
    words = {"left": "L", "right": "R", "center": "", "eyebrow": "brow", "corner": "", "end": ""}
    return " ".join(w for word in label.split() if (w := words.get(word, word)))


def duration(seconds: float) -> str:
    """``75`` as ``1 min 15 s``, ``3900`` as ``1 h 05 min``."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def about(seconds: float) -> str:
    """A length of time that is only roughly known: ``50 s``, ``4 min``, ``1 h 20 min``."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    minutes = 5 * round(minutes / 5)
    return f"{minutes // 60} h {minutes % 60:02} min"


_SPECIAL = re.compile(r"([\\`*_\[\]<>$~:#|!])")
_LINE_START = re.compile(r"(?m)^([ \t]*)([-+=]|\d+(?=[.)](?:\s|$)))")
_ADDRESS = re.compile(r"(?i)(https?|www|@)")
_JOINER = "\u2060"
"""Cannot be seen, and ends what would be taken for an address."""


def plain(text: str) -> str:
    """``text`` so that Streamlit's Markdown shows it as it is: what comes from files and links
    must not become pictures, links, formulas, headings or lists."""
    text = _LINE_START.sub(lambda m: f"{m[1]}{_JOINER}{m[2]}", _SPECIAL.sub(r"\\\1", text))
    # Addresses are made links after everything else, escaped or not.
    return _ADDRESS.sub(lambda m: m[1] + _JOINER, text)
