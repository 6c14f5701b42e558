"""From the text of fields to numbers: whole columns at a time, and what is wrong where."""

from __future__ import annotations

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

_MISSING = pa.array(["", "nan", "na", "null"])
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_INTEGER = r"^-?[0-9]{1,18}$"  # 18 digits always fit int64
_LEVELS = pa.array([str(level) for level in range(256)])
_LEVEL_OF = {str(level): level for level in range(256)}
_LONGEST_QUOTE = 24


def quote(text: str) -> str:
    """``text`` in quotes, fit for a one-line message."""
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 3]}...")


def integers(column: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The values of ``column``, int64 ``(n,)``, and which of them are good; the others are 0."""
    text = pc.utf8_trim_whitespace(column)
    good = pc.match_substring_regex(text, _INTEGER)
    values = pc.if_else(good, text, "0").cast(pa.int64())
    return values.to_numpy(), good.to_numpy(zero_copy_only=False)


def integer_reason(text: str) -> str:
    """What is wrong with a field that ``integers`` finds bad."""
    return f"{quote(text)} is not an integer" if text.strip() else "the field is empty"


def numbers(
    column: pa.StringArray, dtype: pa.DataType
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """The values of ``column``, ``(n,)`` of the float type ``dtype``, and which of them are good.

    Blanks, ``nan``, ``NA`` and ``null`` are missing: NaN, and good. The text of a number is
    rounded once, straight to ``dtype``. Infinity and text of any other kind is not good; numbers
    too large for ``dtype`` are good, but infinite.
    """
    text = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(pc.utf8_lower(text), value_set=_MISSING)
    number = pc.match_substring_regex(text, _NUMBER)
    values = pc.if_else(number, text, "nan").cast(dtype)
    return values.to_numpy(), pc.or_(missing, number).to_numpy(zero_copy_only=False)


def number_reason(text: str) -> str:
    """What is wrong with a field that ``numbers`` finds bad."""
    if text.strip().lstrip("+-").lower() in ("inf", "infinity"):
        return f"{quote(text)} is infinite"
    return f"{quote(text)} is not a number"


def pixels(column: pa.StringArray, count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Images of ``count`` pixels each, uint8 ``(n, count)``, and which of them are good.

    Spaces too many and leading zeros do no harm.
    """
    images = np.zeros((len(column), count), np.uint8)
    good = np.zeros(len(column), np.bool_)
    words = pc.split_pattern(column, " ")
    # The count of each image, not of all: or one pixel more here and one less there would shift
    # the images between.
    whole = np.flatnonzero(pc.list_value_length(words).to_numpy() == count)
    if len(whole) < len(column):
        words = words.take(pa.array(whole))
    # A level's place in the list of levels is the level. (A cast would take hexadecimal as well.)
    levels = pc.index_in(pc.list_flatten(words), value_set=_LEVELS)
    clean = np.ones(len(whole), np.bool_)
    if levels.null_count:
        clean = levels.is_valid().to_numpy(zero_copy_only=False).reshape(-1, count).all(axis=1)
        levels = levels.fill_null(0)
    images[whole] = levels.to_numpy().reshape(-1, count)
    good[whole] = clean
    for i in np.flatnonzero(~good):
        found = column[i].as_py().split()
        if len(found) == count and _first_bad(found) is None:
            images[i], good[i] = np.array([_level(word) for word in found], np.uint8), True
    return images, good


def pixel_reasons(text: str, count: int) -> list[tuple[str, str]]:
    """What is wrong with an image that ``pixels`` finds bad, each with its category; positions
    count from 1."""
    words = text.split()
    reasons = []
    if len(words) != count:
        plural = "" if len(words) == 1 else "s"
        reason = f"{len(words)} pixel{plural} found, {count} expected"
        reasons.append((reason, "wrong pixel count"))
    bad = _first_bad(words)
    if bad is not None:
        reason = f"pixel {bad + 1} is {quote(words[bad])}, not an integer in 0..255"
        reasons.append((reason, "bad pixel value"))
    return reasons


def _first_bad(words: list[str]) -> int | None:
    """Index of the first word that is no level."""
    return next((i for i, w in enumerate(words) if w not in _LEVEL_OF and _level(w) is None), None)


def _level(word: str) -> int | None:
    level = _LEVEL_OF.get(word)
    if level is None and word.isascii() and word.isdigit():
        level = _LEVEL_OF.get(word.lstrip("0") or "0")
    return level
