"""Numbers and names in words."""

from __future__ import annotations


def compact(number: int) -> str:
    """``7049`` as ``7,049``."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """``part`` of ``whole`` as a percentage in two significant digits."""
    if whole == 0:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def count_share(part: int, whole: int) -> str:
    """A count with its percentage beside it."""
    return f"{compact(part)} ({share(part, whole)})"


def short_label(label: str) -> str:
    """A point's name short enough to stand on a face: ``left eye center`` -> ``L eye``."""
    words = {"left": "L", "right": "R", "center": "", "eyebrow": "brow", "corner": ""}
    return " ".join(w for word in label.split() if (w := words.get(word, word)))


def duration(seconds: float) -> str:
    """``75`` as ``1 min 15 s``."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def megabytes(size: int) -> str:
    """A size in bytes as ``26.3 MB``."""
    return f"{size / 1e6:,.1f} MB"
