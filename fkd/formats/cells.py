"""From the text of fields to numbers: whole columns at a time, and what is wrong where."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.words import counted

_MISSING = pa.array(
    # The latter half is what spreadsheets show in English, German, Spanish and Dutch.
    [
        *("", "nan", "-nan", "na", "null", "n/a", "<na>", "none", "missing"),
        *("#n/a", "#na", "#nv", "#n/d", "#n/b", "#null!"),
    ]
)
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_INTEGER = r"^-?[0-9]{1,18}(\.0*)?$"  # 18 digits always fit int64
_LEVELS = pa.array([str(level) for level in range(256)])
_LEVEL_OF = {str(level): level for level in range(256)}
_LONGEST_QUOTE = 24


def quote(text: str) -> str:
    """``text`` in quotes, fit for a one-line message."""
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 3]}...")


def integers(
    column: pa.StringArray,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], set[str]]:
    """The values of ``column``, int64 ``(n,)``, which of them are good, the others being 0, and
    in what other way than Kaggle's some were written, in words: pandas makes ``1.0`` of 1 where
    another number lacks."""
    text = pc.utf8_trim_whitespace(column)
    good = pc.match_substring_regex(text, _INTEGER)
    whole, notes = text, set()
    if _any(good, pc.match_substring(text, ".")):
        whole = pc.replace_substring_regex(text, r"\.0*$", "")
        notes.add("Whole numbers written with decimals, such as 1.0, were read.")
    values = pc.if_else(good, whole, "0").cast(pa.int64())
    return values.to_numpy(), good.to_numpy(zero_copy_only=False), notes


def _any(first: pa.BooleanArray, second: pa.BooleanArray) -> bool:
    return bool(pc.any(pc.and_(first, second)).as_py())


def integer_reason(text: str) -> str:
    """What is wrong with a field that ``integers`` finds bad."""
    return f"{quote(text)} is not an integer" if text.strip() else "the field is empty"


def numbers(
    column: pa.StringArray, dtype: pa.DataType
) -> tuple[NDArray[np.floating], NDArray[np.bool_], set[str]]:
    """The values of ``column``, ``(n,)`` of the float type ``dtype``, which of them are good, and
    in what other way than Kaggle's some were written, in words.

    Blanks and the words that stand for nothing (``nan``, ``NA``, ``null``, ``#N/A``) are missing:
    NaN, and good. The text of a number is rounded once, straight to ``dtype``; a comma in it is a
    decimal comma. Infinity and text of any other kind is not good; numbers too large for ``dtype``
    are good, but infinite.
    """
    text = pc.utf8_trim_whitespace(column)
    commas = pc.match_substring(text, ",")
    with_commas = bool(pc.any(commas).as_py())
    if with_commas:
        text = pc.replace_substring(text, ",", ".")
    missing = pc.is_in(pc.utf8_lower(text), value_set=_MISSING)
    number = pc.match_substring_regex(text, _NUMBER)
    notes = set()
    if with_commas and _any(number, commas):
        notes.add("Decimal commas were read as points.")
    values = pc.if_else(number, text, "nan").cast(dtype)
    return values.to_numpy(), pc.or_(missing, number).to_numpy(zero_copy_only=False), notes


def number_reason(text: str) -> str:
    """What is wrong with a field that ``numbers`` finds bad."""
    if text.strip().lstrip("+-").lower() in ("inf", "infinity"):
        return f"{quote(text)} is infinite"
    return f"{quote(text)} is not a number"


def pixels(
    column: pa.StringArray, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], set[str]]:
    """Images of ``count`` pixels each, uint8 ``(n, count)``, which of them are good, and in what
    other ways than Kaggle's some were written, in words.

    Kaggle separates levels by single spaces. Spaces too many and leading zeros do no harm; so do
    commas, brackets and decimals of arrays that were printed, and shares from 0 to 1 of 255. An
    image of 0 and 1 alone is black and white, unless it is too small to tell.
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
    notes: set[str] = set()
    if count >= _TELLING and (bits := good & (images.max(axis=1) == 1)).any():
        images[bits] *= 255
        notes.add(_BLACK_AND_WHITE)
    for i in np.flatnonzero(~good):
        image, how = _image(column[i].as_py(), count)
        if image is not None:
            images[i], good[i] = image, True
            notes |= how
    return images, good, notes


_TELLING = 64
"""Pixels from which on an image of the levels 0 and 1 alone is no chance."""
_BLACK_AND_WHITE = "Images that hold only 0 and 1 were read as black and white (0 and 255)."

_CALL = re.compile(r"\s*[A-Za-z_.]{1,20}\((\[.*\])[^\[\]\"]{0,80}\)\s*", re.ASCII | re.DOTALL)
"""What ``repr`` writes around the numbers of an array: ``array([...], dtype=uint8)``."""
_PRINTED = re.compile(r"[0-9.,;\s\[\]eE+-]*", re.ASCII)
_BETWEEN = str.maketrans(dict.fromkeys("[],;\n\t\r", " "))
_EXACT = 0.02
"""How far from a whole level a share of 255 may be, in levels: shares of a few digits."""


def _image(text: str, count: int) -> tuple[NDArray[np.uint8] | None, set[str]]:
    """The image that ``text`` holds in another way than Kaggle's, and which; None if there is
    none."""
    values = _values(text)
    if values is None or len(values) != count or not ((values >= 0) & (values <= 255)).all():
        return None, set()
    how = set()
    if any(mark in text for mark in "[,;\n"):
        how.add("Images printed as arrays or lists were read.")
    levels = np.rint(values)
    if np.array_equal(values, levels):
        if count >= _TELLING and values.max() == 1:
            how.add(_BLACK_AND_WHITE)
            levels *= 255
        elif "." in text:
            how.add("Pixels written with decimals were read; all of them are whole levels.")
    elif values.max() > 1:
        how.add("Pixels that lie between two grey levels were rounded.")
    else:
        levels = np.rint(values * 255)
        off = np.abs(values * 255 - levels).max()
        rounded = "" if off <= _EXACT else " and rounded"
        how.add(f"Pixels from 0 to 1 were read as fractions of 255{rounded}.")
    return levels.astype(np.uint8), how


def _values(text: str) -> NDArray[np.float64] | None:
    """The numbers that a printed array or list holds in full; None if ``text`` is none."""
    text = _uncalled(text)
    if not _PRINTED.fullmatch(text) or "..." in text:
        return None
    try:
        return np.array(text.translate(_BETWEEN).split(), np.float64)
    except ValueError:
        return None


def _uncalled(text: str) -> str:
    """``text`` without what ``repr`` writes around an array."""
    call = _CALL.fullmatch(text) if "(" in text else None
    return call[1] if call else text


CELL_LIMIT = 32_767
"""Characters that a cell of Excel holds: the rest of a longer image is lost."""

SHORTENED = "the image was shortened to '...' when NumPy printed it: its pixels are not in the file"
CUT = (
    f"the image is cut at {CELL_LIMIT:,} characters, the most a cell of a spreadsheet holds: use "
    "the file as it was before it was opened there"
)
PATH = "there is a file name instead of pixels; import the image files as a folder instead"


def pixel_reasons(text: str, count: int) -> list[tuple[str, str]]:
    """What is wrong with an image that ``pixels`` finds bad, each with its category; positions
    count from 1."""
    inner = _uncalled(text)
    words = (inner.translate(_BETWEEN) if _PRINTED.fullmatch(inner) else text).split()
    if "..." in text or "\u2026" in text:
        return [(SHORTENED, SHORTENED)]
    if len(text) in (CELL_LIMIT - 1, CELL_LIMIT) and len(words) < count:
        return [(CUT, CUT)]
    if text.lower().strip().endswith(_PICTURES):
        return [(PATH, PATH)]
    reasons = []
    if len(words) != count:
        reason = f"{counted(len(words), 'pixel')} found, {count:,} expected"
        reasons.append((reason, "wrong pixel count"))
    bad = _first_bad(words)
    if bad is not None:
        reason = f"pixel {bad + 1} is {quote(words[bad])}, not a grey level from 0 to 255"
        reasons.append((reason, "bad pixel value"))
    if len(reasons) > len(words) == 1:  # one word is one cause: no list of levels at all
        return [(f"{quote(words[0])} is not a list of {count} grey levels", "not a list of pixels")]
    if not reasons:  # such as shares that exceed 1 in the sum of their kind
        reasons.append(("the pixels are not grey levels from 0 to 255", "bad pixel value"))
    return reasons


_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def _first_bad(words: list[str]) -> int | None:
    """Index of the first word that is no grey level."""
    return next((i for i, w in enumerate(words) if w not in _LEVEL_OF and not _is_level(w)), None)


_UNSIGNED = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def _is_level(word: str) -> bool:
    return bool(_UNSIGNED.fullmatch(word)) and float(word) <= 255
