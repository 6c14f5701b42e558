"""Grey and colour levels of every depth as 8 bits, by the range that occurs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

_DEEP = 65535
_DEPTHS = (1, 2, 4, 8, 10, 12, 14, 16)
_STRIP = 64
BITS_NOTE = "it has only the levels 0 and 1, read as black and white"
_EXIF_TURN = 0x0112
_TIFF_BITS = 258
_TIFF_WHITE = 262

# Deep grey levels whose 0 is white: Pillow unpacks them, but opens them only with their bytes in
# one order.
TiffImagePlugin.OPEN_INFO.setdefault((b"MM", 0, (1,), 1, (16,), ()), ("I;16B", "I;16B"))
TiffImagePlugin.OPEN_INFO.setdefault((b"II", 0, (1,), 1, (12,), ()), ("I;16", "I;12"))


def stated_white(image: Image.Image) -> int | None:
    """The level that is white in a just opened ``image`` of deep grey levels; None where its file
    leaves open how many of the 16 bits are used."""
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, (16,))[0]
        return int((1 << bits) - 1) if 8 < bits < 16 else None
    return None


def zero_is_white(image: Image.Image) -> bool:
    """Whether the deep grey levels of a just opened ``image`` fall from white to black. Pillow
    turns round those of 8 bits and fewer, and leaves the others as they are."""
    return image.format == "TIFF" and getattr(image, "tag_v2", {}).get(_TIFF_WHITE) == 0


def is_deep_color(image: Image.Image) -> bool:
    """Whether Pillow will drop half of 16 bits of the colours of a just opened ``image``."""
    tile = getattr(image, "tile", None)
    if not tile or image.mode not in {"RGB", "RGBA", "LA"}:
        return False
    arguments = tile[0][3]
    return ";16" in str(arguments[0] if isinstance(arguments, tuple) else arguments)


class Levels(Protocol):
    """What ``to_8_bit`` asks of an array, and what is read a few rows at a time has as well."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, rows: slice) -> NDArray[Any]: ...


class LoadedLevels:
    """The deep grey levels ``(H, W)`` of a loaded image, copied a few rows at a time: Pillow keeps
    four bytes of each pixel, which a copy of all would double."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image
        self.shape = (image.height, image.width)
        self.dtype = self[:1].dtype

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        top, end, _ = rows.indices(self.shape[0])
        return np.asarray(self._image.crop((0, top, self.shape[1], end)))


def to_8_bit(
    values: Levels, white: int | None, falling: bool = False
) -> tuple[NDArray[np.uint8], str]:
    """Deep levels as 0 to 255, and a note on their range where that was an assumption.

    Args:
        values: ``(H, W)`` or ``(H, W, 3)``, integers or floating point numbers, read a few rows at
            a time.
        white: which level is white; None if what occurs decides.
        falling: whether 0 is white, and that level black.
    """
    if values.dtype.kind == "f":
        return _spread(values, falling)
    ends = [(int(rows.min()), int(rows.max())) for rows in _strips(values)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if low < 0 or high > _DEEP:
        return _spread(values, falling)
    note, black = "", 0
    if white is None:
        white, note = _assumed(high)
        if falling and white == _DEEP:
            # The levels were taken from the end of all 16 bits: how far they reach down from there
            # says how many bits there are.
            black = _DEEP
            white, note = _assumed(_DEEP - low)
    if falling:
        return _scaled(values, white, black or white), note
    return _scaled(values, white), note


def _strips(values: Levels) -> Iterator[NDArray[Any]]:
    return (values[top : top + _STRIP] for top in range(0, values.shape[0], _STRIP))


def _spread(values: Levels, falling: bool) -> tuple[NDArray[np.uint8], str]:
    low, high = np.inf, -np.inf
    for rows in _strips(values):
        some = rows[np.isfinite(rows)]
        if some.size:
            low, high = min(low, float(some.min())), max(high, float(some.max()))
    if low > high:
        return np.zeros(values.shape, np.uint8), "none of its levels is a number"
    black, white = (high, low) if falling else (low, high)

    def scaled(rows: NDArray[Any]) -> NDArray[Any]:
        levels = np.nan_to_num(rows.astype(np.float64), nan=black, posinf=high, neginf=low)
        return ((levels - black) * (255 / ((white - black) or 1.0))).round()  # of one level: black

    ends = "white to black" if falling else "black to white"
    note = f"its levels, {low:g} to {high:g}, were stretched from {ends}"
    return _by_rows(values, scaled), note


def _assumed(high: int) -> tuple[int, str]:
    bits = next(bits for bits in _DEPTHS if high < 1 << bits)
    note = ""
    if bits < _DEPTHS[-1]:
        note = f"its highest level is {high:,}, so it was read as {bits}-bit"
    return (1 << bits) - 1, note


def _scaled(values: Levels, white: int, falling_to: int = 0) -> NDArray[np.uint8]:
    """``values`` with ``white`` as 255. Where they fall, ``falling_to`` is the level of black, and
    ``white`` how far above it white lies."""
    levels = np.arange(_DEEP + 1)
    if falling_to:
        levels = falling_to - levels
    table = (levels * (255 / white)).round().clip(0, 255).astype(np.uint8)
    return _by_rows(values, lambda rows: table[rows])


def _by_rows(values: Levels, change: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[np.uint8]:
    """``change`` of ``values`` a few rows at a time: on the way there it needs eight times the
    memory."""
    found = np.empty(values.shape, np.uint8)
    for number, rows in enumerate(_strips(values)):
        found[number * _STRIP :][: len(rows)] = change(rows)
    return found


def is_dark(image: Image.Image) -> bool:
    """Whether the colours of a loaded ``image`` of 16 bits are black without those that Pillow
    dropped: no more than 14 occur."""
    extrema: Any = image.getextrema()
    return bool(max(high for _, high in extrema[: 1 if image.mode == "LA" else 3]) < 1 << 6)


def deep_color(data: bytes, image: Image.Image, turn: int) -> tuple[Image.Image, str]:
    """The loaded ``image`` of ``data`` with the bits that Pillow dropped; ``turn`` is what
    its EXIF data said before."""
    values = None
    with suppress(cv2.error):
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return image, ""
    if values.shape[:2] not in {image.size, image.size[::-1]}:
        return image, ""
    colors, alpha = values[..., 2::-1], values[..., 3:]
    white, note = _assumed(int(colors.max()))
    full = alpha.size and alpha.max() > white
    image.close()  # its memory is needed for what follows
    levels = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _STRIP):
        rows = slice(top, top + _STRIP)
        levels[rows, :, :3] = _scaled(colors[rows], white)
        levels[rows, :, 3:] = _scaled(alpha[rows], _DEEP if full else white)
    del values, colors, alpha
    found = Image.fromarray(levels)
    exif = Image.Exif()
    exif[_EXIF_TURN] = turn
    found.info["exif"] = exif.tobytes()
    return found, note


def black_and_white(levels: NDArray[np.uint8]) -> str:
    """Turn the 1 of ``levels`` of any shape into 255 where they are of a file that holds one bit
    in the place of eight, and give a note then."""
    if levels.max() != 1 or levels.min() != 0:
        return ""
    levels *= np.uint8(255)
    return BITS_NOTE
