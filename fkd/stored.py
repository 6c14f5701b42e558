"""Reading what is stored, as if anybody could have written it: disks break, copies end half way,
people edit files by hand.

Everything that is kept as JSON or as an array is read through here. What is not as it should be is
an ``UserError`` that names the item and says what is wrong; never anything else, and never a wait
or a process that runs out of memory.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.files import open_plain

MAX_JSON_BYTES = 256 << 20
"""Largest JSON file read: the rows of a split of ten million images."""

MAX_TEXT_BYTES = 256 << 20
"""Largest text file read."""

MAX_COUNT = 1 << 40
"""No number of rows, steps or bytes that is stored is larger."""

_MAX_UNPACKED = 1 << 30
"""Bytes of an array that is kept packed, at most."""

_MAX_HEADER = 4096
"""Bytes of the header of an array, at most; those written here have 128."""

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""

Check = Callable[[Any, str], None]
"""Raises ``ValueError`` unless its first argument, which the second names, is as it should be."""


def read_json(path: Path, check: Check | None = None, *, limit: int = MAX_JSON_BYTES) -> Any:
    """The JSON value in the file at ``path``, once ``check`` has passed it. Numbers that are not
    finite are none.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or is not as it should be; one line that says why and
            does not name the file.
    """
    return parse_json(_read(path, limit), check)


def parse_json(data: bytes | str, check: Check | None = None) -> Any:
    """As ``read_json``, for a text that was read already; ``ValueError`` if it is wrong."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    if not text.strip("\x00 \t\r\n"):
        raise ValueError("it is empty")
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON from line {error.lineno} on: {error.msg}") from None
    if check is not None:
        check(value, "it")
    return value


def read_text(path: Path, *, limit: int = MAX_TEXT_BYTES, longest: int | None = None) -> str:
    """The text in the file at ``path``, up to ``longest`` bytes of it; what is no UTF-8 becomes
    question marks. ``FileNotFoundError`` and ``ValueError`` as ``read_json``."""
    return _read(path, limit, longest).decode("utf-8", "replace")


def read_end(path: Path, longest: int) -> str:
    """The last ``longest`` bytes of the text in the file at ``path``; the rest as ``read_text``."""
    with opened(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - longest))
        return file.read(longest).decode("utf-8", "replace")


def load_array(
    path: Path,
    dtype: Any = None,
    shape: tuple[int | None, ...] | None = None,
    *,
    check: Callable[[NDArray[Any]], None] | None = None,
) -> NDArray[Any]:
    """The array in the ``.npy`` file at ``path``, memory-mapped and read-only.

    Args:
        dtype: what its numbers must be; anything plain by default.
        shape: what its shape must be, None for any length.
        check: looks at the values; raises ``ValueError``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, its header, ``dtype``, ``shape`` or values are wrong, or
            its length is not what the header says; one line.
    """
    with opened(path) as file:
        found, order, kind = _header(file)
        if dtype is not None and kind != np.dtype(dtype):
            raise ValueError(f"its numbers are {kind}, not {np.dtype(dtype)}")
        if shape is not None and not _fits(found, shape):
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise ValueError(f"its shape is {found}, not ({wanted})")
        start, size = file.tell(), os.fstat(file.fileno()).st_size
        data = math.prod(found) * kind.itemsize
        if size != start + data:
            raise ValueError(f"it has {size:,} bytes, not {start + data:,}")
        if data:
            array: NDArray[Any] = np.memmap(file, kind, "r", start, found, order)
        else:
            array = np.empty(found, kind)  # an array without rows cannot be mapped
    if check is not None:
        check(array)
    return array


def load_packed(path: Path, *names: str) -> list[NDArray[Any]]:
    """The arrays ``names`` in the ``.npz`` file at ``path``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if they cannot be read, or would be very large.
    """
    with opened(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if any(entry.file_size > _MAX_UNPACKED for entry in archive.infolist()):
                    raise ValueError("what it holds is too large")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return [arrays[name] for name in names]
        except Exception as error:  # zipfile, zlib and NumPy each raise their own
            raise ValueError(reason(error)) from None


def within(low: float, high: float) -> Callable[[NDArray[Any]], None]:
    """Checks that the values of an array lie from ``low`` to ``high``."""

    def check(array: NDArray[Any]) -> None:
        if array.dtype == np.bool_:  # a damaged one is neither true nor false
            array = array.view(np.uint8)
        if not array.size:
            return
        least, most = array.min(), array.max()
        if not low <= least <= most <= high:
            raise ValueError(f"its values go from {least} to {most}, not {low:g} to {high:g}")

    return check


def plain_numbers(array: NDArray[Any]) -> None:
    """Checks that none of the numbers of an array is infinite; NaN may be."""
    rows = max(1, (1 << 20) // max(1, array[:1].size))
    for start in range(0, len(array), rows):
        if np.isinf(array[start : start + rows]).any():
            raise ValueError("it has infinite numbers")


def reason(error: Exception) -> str:
    """Why something stored could not be read, as part of a sentence."""
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def unreadable(what: str, error: Exception, advice: str) -> UserError:
    """ "``what`` cannot be read (it is empty); ``advice``." """
    return UserError(f"{what} cannot be read ({reason(error)[:200]}); {advice}.")


# What values may be ----------------------------------------------------------------------------


def whole(low: int = 0, high: int = MAX_COUNT) -> Check:
    """A whole number from ``low`` to ``high``."""

    def check(value: Any, name: str) -> None:
        if type(value) is not int:  # True is an int to Python
            _wrong(name, value, "a whole number")
        if not low <= value <= high:
            raise ValueError(f"{name} is {_short(value)}, not within {low} to {high}")

    return check


def number(low: float = -1e12, high: float = 1e12) -> Check:
    """A finite number from ``low`` to ``high``."""

    def check(value: Any, name: str) -> None:
        if type(value) not in (int, float):
            _wrong(name, value, "a number")
        if not low <= value <= high:
            raise ValueError(f"{name} is {_short(value)}, not within {low:g} to {high:g}")

    return check


def text(longest: int = 10_000, pattern: str = "") -> Check:
    """A text of at most ``longest`` characters that fits ``pattern`` as a whole."""
    like = re.compile(pattern) if pattern else None

    def check(value: Any, name: str) -> None:
        if not isinstance(value, str):
            _wrong(name, value, "a text")
        if len(value) > longest:
            raise ValueError(f"{name} has {len(value):,} characters, more than {longest:,}")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"{name} has halves of characters")
        if like is not None and not like.fullmatch(value):
            raise ValueError(f"{name} is {_short(value)}")

    return check


def anything(value: Any, name: str) -> None:
    """Whatever JSON can say: it is kept, and nothing depends on it."""


def flag(value: Any, name: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        _wrong(name, value, "true or false")


def one_of(*known: Any) -> Check:
    """One of ``known``."""

    def check(value: Any, name: str) -> None:
        if not any(type(value) is type(one) and value == one for one in known):
            raise ValueError(f"{name} is {_short(value)}")

    return check


def maybe(inner: Check) -> Check:
    """What ``inner`` passes, or null."""

    def check(value: Any, name: str) -> None:
        if value is not None:
            inner(value, name)

    return check


def list_of(inner: Check, longest: int = 100_000, *, shortest: int = 0) -> Check:
    """A list of what ``inner`` passes."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, list):
            _wrong(name, value, "a list")
        if len(value) > longest:
            raise ValueError(f"{name} has {len(value):,} entries, more than {longest:,}")
        if len(value) < shortest:
            raise ValueError(f"{name} has {len(value)} entries, not {shortest}")
        for at, one in enumerate(value):
            inner(one, f"{name}[{at}]")

    return check


def table_of(inner: Check, longest: int = 10_000) -> Check:
    """What ``inner`` passes, by names."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            _wrong(name, value, "a table")
        if len(value) > longest:
            raise ValueError(f"{name} has {len(value):,} entries, more than {longest:,}")
        for key, one in value.items():
            inner(one, f"{name}.{_short(key)}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A table with all names of ``required``, and perhaps those of ``optional``; others are for
    later versions and are let pass."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            _wrong(name, value, "a table")
        for key, inner in required.items():
            if key not in value:
                raise ValueError(f"{key} is missing")
            inner(value[key], key)
        for key, inner in (optional or {}).items():
            if key in value:
                inner(value[key], key)

    return check


# -----------------------------------------------------------------------------------------------


def opened(path: Path) -> IO[bytes]:
    """The file at ``path``, to be read; it must be a plain one: a pipe would be waited for.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be opened.
    """
    try:
        return open_plain(path)
    except FileNotFoundError:
        if path.is_symlink():
            raise ValueError("it is a link to nothing") from None
        raise
    except OSError as error:
        raise ValueError(reason(error)) from None


def _read(path: Path, limit: int, longest: int | None = None) -> bytes:
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if longest is None and size > limit:
            raise ValueError(f"it has {size:,} bytes, more than {limit:,}")
        try:
            return file.read(limit if longest is None else longest)
        except OSError as error:
            raise ValueError(reason(error)) from None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], Any, np.dtype[Any]]:
    """Shape, order and type that the file says of its array."""
    try:
        major, _ = np.lib.format.read_magic(file)
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read[major](file, max_header_size=_MAX_HEADER)
    except Exception:  # NumPy's header parser raises whatever Python's tokenizer does
        raise ValueError("it does not begin as an array does") from None
    if dtype.hasobject or dtype.names is not None or dtype.subdtype is not None:
        raise ValueError(f"its numbers are {str(dtype)[:_SHOWN]}")
    if not dtype.itemsize or len(shape) > 8 or not all(0 <= n <= MAX_COUNT for n in shape):
        raise ValueError(f"its shape is {_short(shape)}")
    return shape, "F" if fortran else "C", dtype


def _fits(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(found) == len(wanted) and all(
        w is None or f == w for f, w in zip(found, wanted, strict=True)
    )


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{_short(digits)} is no finite number")
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _wrong(name: str, value: Any, wanted: str) -> NoReturn:
    raise ValueError(f"{name} is {_short(value)}, not {wanted}")


def _short(value: Any) -> str:
    """``value`` as far as a message repeats it."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return "a number of many digits"
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
