"""Photos from image files: bounded before anything is decoded, upright, in colour and in grey."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, features

from fkd.errors import UserError
from fkd.inference.costs import MAX_MEMORY, deep_needs, endless, needs, netpbm_needs
from fkd.inference.cut_jpeg import load_cut
from fkd.inference.frames import MOST as MOST_FRAMES
from fkd.inference.frames import frames
from fkd.inference.kinds import START, kind_of, shown
from fkd.inference.levels import (
    BITS_NOTE,
    LoadedLevels,
    black_and_white,
    deep_color,
    is_dark,
    is_deep_color,
    stated_white,
    to_8_bit,
    zero_is_white,
)
from fkd.inference.memory import PHOTOS
from fkd.inference.netpbm import Header, is_netpbm, read_header, read_levels
from fkd.user_files import read_user_file

MAX_BYTES = 100 << 20
"""Largest file read."""
MAX_PIXELS = 64_000_000
"""Most pixels of a photo: what the largest phones take, with 260 MB in memory. Of kinds whose
decoders take much more, fewer: see ``costs``."""
MIN_SIDE = 24
"""Smallest width and height in px: a face of fewer shows no keypoints."""

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000"]
"""Kinds of files that are known by their first bytes, under Pillow's names. HEIC comes with the
extra ``heic``; TGA, which has no such bytes, is tried only for names that end in ``.tga``."""
_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
SUFFIXES = (
    *_JPEG_SUFFIXES,
    *(".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".heic", ".heif", ".avif", ".avifs"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf", ".mpo", ".apng"),
)
"""What such files are called."""

WORDS = "JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF, JPEG 2000, PGM, PPM and TGA"
"""The kinds, for people."""

_LIBRARIES = {"WEBP": ("webp", "a WebP"), "AVIF": ("avif", "an AVIF")}
_LIBRARIES["JPEG2000"] = ("jpg_2000", "a JPEG 2000")
"""What Pillow may have been built without."""
_EXIF_TURN = 0x0112
_STRIP_PIXELS = 1 << 20
_BLACK_WHITE = [0] + [255] * 255
_SAME = list(range(256))


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        name: of the file, on one line; for people, never for paths.
        color: ``(H, W, 3)`` uint8, red, green, blue.
        gray: ``(H, W)`` uint8.
        note: what was left out, such as further frames, filled in or assumed; empty if nothing.
    """

    name: str
    color: NDArray[np.uint8]
    gray: NDArray[np.uint8]
    note: str = ""

    def __post_init__(self) -> None:
        if self.color.shape != (*self.gray.shape, 3):
            raise ValueError(f"colour {self.color.shape} and grey {self.gray.shape} do not fit")

    @property
    def width(self) -> int:
        return int(self.gray.shape[1])

    @property
    def height(self) -> int:
        return int(self.gray.shape[0])


def read_photo(path: str | Path) -> Photo:
    """The photo in the file at ``path``.

    Raises:
        UserError: if it cannot be read, is none, or is too large; see ``decode``.
    """
    path = Path(path)
    name = shown(path.name)
    data = read_user_file(path, MAX_BYTES, name)
    if data is None:
        raise _too_many_bytes(name)
    return decode(data, path.name)


def decode(data: bytes, name: str) -> Photo:
    """The photo in ``data``, an image file: the first frame, turned as its EXIF data says,
    transparent parts white, deep levels as 8 bits. A JPEG file that lacks no more than its last
    bytes is read, with a note.

    Raises:
        UserError: if it is no image, damaged, too large (``MAX_BYTES``, ``MAX_PIXELS``) or too
            small (``MIN_SIDE``).
    """
    title = shown(name)
    if not data:
        raise UserError(f"{title} is empty (0 bytes).")
    if len(data) > MAX_BYTES:
        raise _too_many_bytes(title)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images; the bound is ours
        if is_netpbm(data):
            header = _netpbm_header(data, title)
            _check_size((header.width, header.height), title)
            with PHOTOS.share(_room(netpbm_needs(header, data), title), title) as share:
                color, gray, note = _of_netpbm(data, header, title)
                share.keep(color)
            return Photo(title, color, gray, note)
        with _open(data, title) as image:
            _check_size(image.size, title)
            if reason := endless(image, data):
                raise _costly(title, reason)
            with PHOTOS.share(_room(needs(image, data), title), title) as share:
                try:
                    color, gray, notes = _read(image, data, title)
                except UserError:
                    raise
                except MemoryError:
                    raise UserError(f"{title} needs more memory than there is.") from None
                except Exception as error:  # Pillow's plugins raise whatever they like
                    raise _damaged(title, error) from None
                share.keep(color)
    return Photo(title, color, gray, "; ".join(notes))


def _room(size: int, title: str) -> int:
    """``size``, the bytes that decoding takes, unless they are too many."""
    if size > MAX_MEMORY:
        raise _costly(
            title,
            f"decoding it would take {size >> 20:,} MB of memory, more than the limit of "
            f"{MAX_MEMORY >> 20} MB per photo",
        )
    return size


def _open(data: bytes, title: str) -> Image.Image:
    kind = kind_of(data[:START])
    optional = _optional()
    if kind == "HEIF" and "HEIF" not in optional:
        raise UserError(
            f"{title} is a HEIC image; save it as JPEG, or have whoever runs this server add "
            "HEIC with 'pip install pillow-heif'."
        )
    library, kind_in_words = _LIBRARIES.get(kind, ("", ""))
    if library and not features.check(library):
        raise UserError(
            f"{title} is {kind_in_words} image, for which Pillow was built without its library on "
            "this computer; save it as JPEG or PNG."
        )
    formats = [*FORMATS, *optional]
    if title.lower().endswith(".tga"):  # the plugin takes much for TGA that is none
        formats.append("TGA")
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError:
        raise _too_many_pixels(title) from None
    except UnidentifiedImageError:
        if kind:
            raise _damaged(title, f"it begins as {kind}, but goes on otherwise") from None
        raise _unknown(data, title) from None
    except Exception as error:  # as above
        raise _damaged(title, error) from None


def _read(
    image: Image.Image, data: bytes, title: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[str]]:
    """Colour and grey of an opened image, upright, and what there is to say."""
    notes: list[str] = []
    white, falling = stated_white(image), zero_is_white(image)
    deep, kind = is_deep_color(image), image.format
    turn = image.getexif().get(_EXIF_TURN, 1) if deep else 1
    count = frames(image, data)
    try:
        image.load()
    except OSError as error:
        if kind not in {"JPEG", "MPO"} or "truncated" not in str(error):
            raise
        image.close()  # its memory is needed for what follows
        image, note = load_cut(data, title)
        notes.append(note)
    if deep and is_dark(image):
        _room(deep_needs(image), title)
        image, note = deep_color(data, image, turn)
        notes.append(note)
    turn = image.getexif().get(_EXIF_TURN, 1)
    color, gray, note = _pixels(image, white, falling, kind, turn)
    notes.append(note)
    if count > 1:
        blank = ", and it is blank" if gray.min() == gray.max() else ""
        many = f"more than {count - 1:,}" if count == MOST_FRAMES else f"{count}"
        notes.insert(0, f"only the first of {many} frames is used{blank}")
    return color, gray, [note for note in notes if note]


def _optional() -> list[str]:
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
        return ["HEIF"]
    return []


def _check_size(size: tuple[int, int], title: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(title, f"{width:,} x {height:,}")
    if min(width, height) < MIN_SIDE:
        raise UserError(
            f"{title} is {width} x {height} px; a photo needs at least {MIN_SIDE} px each way."
        )


def _pixels(
    image: Image.Image, white: int | None, falling: bool, kind: str | None, turn: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], str]:
    """Colour and grey of a loaded image of whatever mode and kind, and what was assumed; ``white``
    is that of deep grey levels, if known; they may be ``falling``, 0 being white. ``turn`` is by
    EXIF. The image is closed as soon as its pixels are copied, a few rows at a time: what Pillow
    keeps of a large photo is as much as all that is left of it in the end."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        gray, note = to_8_bit(LoadedLevels(image), white, falling)
        image.close()
        gray = _turned(gray, turn)
        return np.repeat(gray[..., None], 3, axis=2), gray, note
    if image.mode in {"L", "1"} and "transparency" not in image.info:
        gray = _copied(image, lambda strip: np.asarray(strip.convert("L")))
        image.close()
        note = black_and_white(gray)
        gray = _turned(gray, turn)
        return np.repeat(gray[..., None], 3, axis=2), gray, note
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        color, note = _over_white(image, kind)
    else:
        color = _copied(image, lambda strip: np.asarray(strip.convert("RGB")))
        note = black_and_white(color)
    image.close()
    color = _turned(color, turn)
    return color, np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), np.uint8), note


def _over_white(image: Image.Image, kind: str | None) -> tuple[NDArray[np.uint8], str]:
    high, low, alpha = 0, 255, False
    for strip in _strips(image):
        levels = np.asarray(strip.convert("RGBA"))
        high = max(high, int(levels[..., :3].max()))
        low = min(low, int(levels[..., :3].min()))
        alpha = alpha or bool(levels[..., 3].any())
        if high > 1 and alpha:
            break
    if kind == "TGA" and not alpha:  # its fourth byte is often left unused
        color = _copied(image, lambda strip: np.asarray(strip.convert("RGB")))
        return color, black_and_white(color)
    bits = (low, high) == (0, 1)

    def over(strip: Image.Image) -> NDArray[np.uint8]:
        strip = strip.convert("RGBA")
        if bits:
            strip = strip.point(_BLACK_WHITE * 3 + _SAME)
        white = Image.new("RGBA", strip.size, "white")
        return np.asarray(Image.alpha_composite(white, strip).convert("RGB"))

    return _copied(image, over), BITS_NOTE if bits else ""


def _strips(image: Image.Image) -> Iterator[Image.Image]:
    """``image`` a few rows at a time."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _copied(image: Image.Image, change: Callable[[Image.Image], NDArray[Any]]) -> NDArray[Any]:
    """``change`` of all the strips of ``image``, one below the other."""
    found: NDArray[Any] | None = None
    top = 0
    for strip in _strips(image):
        rows = change(strip)
        if found is None:
            found = np.empty((image.height, *rows.shape[1:]), rows.dtype)
        found[top : top + len(rows)] = rows
        top += len(rows)
    assert found is not None  # no image is empty
    return found


def _turned(levels: NDArray[np.uint8], turn: object) -> NDArray[np.uint8]:
    """``levels`` upright, as ``turn`` of the EXIF data says how they lie."""
    if turn in (5, 6, 7, 8):
        levels = levels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        levels = levels[::-1]
    if turn in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    return np.ascontiguousarray(levels)


def _netpbm_header(data: bytes, title: str) -> Header:
    try:
        return read_header(data)
    except ValueError as error:
        if kind_of(data[:START]):
            raise _damaged(title, error) from None
        raise _unknown(data, title) from None


def _of_netpbm(
    data: bytes, header: Header, title: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], str]:
    try:
        # 65535 says no more than that there are 16 bits.
        white = header.white if header.white < 65535 else None
        values, surplus = read_levels(data, header)
        levels, note = to_8_bit(values, white)
    except MemoryError:
        raise UserError(f"{title} needs more memory than there is.") from None
    except ValueError as error:
        raise _damaged(title, error) from None
    if header.white == 255:
        note = black_and_white(levels)
    note = "; ".join(part for part in (surplus, note) if part)
    if levels.ndim == 2:
        return np.repeat(levels[..., None], 3, axis=2), levels, note
    return levels, np.asarray(cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY), np.uint8), note


def _unknown(data: bytes, title: str) -> UserError:
    late = data[:START].find(b"\xff\xd8\xff")
    if late > 0 and title.lower().endswith(_JPEG_SUFFIXES):
        return UserError(
            f"{title} has {late} byte{'s' * (late > 1)} in front of its JPEG data that do not "
            "belong there; save it again from its source."
        )
    return UserError(f"{title} is not an image in a supported format: {WORDS}.")


def _damaged(title: str, error: Exception | str) -> UserError:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return UserError(
        f"{title} is damaged or cut off ({reason[:120]}); save it again from its source."
    )


def _costly(title: str, reason: str) -> UserError:
    return UserError(
        f"{title} was not read: {reason}. Scale it down, or save it as plain JPEG or PNG."
    )


def _too_many_bytes(title: str) -> UserError:
    return UserError(f"{title} is larger than {MAX_BYTES >> 20} MB, the limit for one photo.")


def _too_many_pixels(title: str, size: str = "") -> UserError:
    limit = f"the limit of {MAX_PIXELS // 1_000_000} million pixels; scale it down first."
    if size:
        return UserError(f"{title} has {size} px, more than {limit}")
    return UserError(f"{title} has far more than {limit}")
