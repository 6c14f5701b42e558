"""Lengths of time that are known as a range, in words."""

from __future__ import annotations

import math

from fkd.training.estimate import Span

_MINUTE, _HOUR = 60, 3600


def in_words(span: Span) -> str:
    """``20–35 s``, ``8–11 min``, ``50 s – 2 min``, ``1 h 10 min – 1 h 30 min``; one length where
    both ends are the same in words."""
    low = max(5, math.floor(span.low / _step(span.low)) * _step(span.low))
    high = max(5, math.ceil(span.high / _step(span.high)) * _step(span.high))
    if low == high:
        return _one(high)
    if high < _MINUTE:
        return f"{low}–{high} s"
    if low >= _MINUTE and high < _HOUR:
        return f"{low // _MINUTE}–{high // _MINUTE} min"
    return f"{_one(low)} – {_one(high)}"


def _step(seconds: float) -> int:
    """What a reader expects such a length to be rounded to: 5 s, 1 min, 5 min."""
    return 5 if seconds < 55 else _MINUTE if seconds < _HOUR else 5 * _MINUTE


def _one(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE:02} min"
