"""Photos from image files: bounded before anything is decoded, upright, in colour and in grey."""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fkd.errors import UserError

MAX_BYTES = 100 << 20
"""Largest file read."""
MAX_PIXELS = 64_000_000
"""Most pixels of a photo: what the largest phones take, with 260 MB in memory."""
MIN_SIDE = 24
"""Smallest width and height in px: a face of fewer shows no keypoints."""

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000"]
"""Kinds of files that are known by their first bytes, under Pillow's names. HEIC comes with the
extra ``heic``; TGA, which has no such bytes, is tried only for names that end in ``.tga``."""
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".heic", ".heif", ".avif", ".avifs"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf", ".mpo", ".apng"),
)
"""What such files are called."""

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""How such files call themselves, after ``ftyp``."""
_WORDS = "JPEG, PNG, WebP, BMP, TIFF and GIF"


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        name: of the file, as given; for people, never for paths.
        color: ``(H, W, 3)`` uint8, red, green, blue.
        gray: ``(H, W)`` uint8.
        note: what was left out, such as further frames; empty if nothing.
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
    try:
        size = path.stat().st_size
        if size <= MAX_BYTES:
            return decode(path.read_bytes(), path.name)
    except OSError as error:
        raise UserError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    raise _too_many_bytes(path.name, size)


def decode(data: bytes, name: str) -> Photo:
    """The photo in ``data``, an image file: the first frame, turned as its EXIF data says,
    transparent parts white.

    Raises:
        UserError: if it is no image, damaged, too large (``MAX_BYTES``, ``MAX_PIXELS``) or too
            small (``MIN_SIDE``).
    """
    if not data:
        raise UserError(f"{name} is empty (0 bytes).")
    if len(data) > MAX_BYTES:
        raise _too_many_bytes(name, len(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images; the bound is ours
        with _open(data, name) as image:
            frames = getattr(image, "n_frames", 1)
            _check_size(image, name)
            try:
                image.load()
                upright = ImageOps.exif_transpose(image)
                color, gray = _pixels(upright)
            except MemoryError:
                raise UserError(f"{name} needs more memory than there is.") from None
            except Exception as error:  # Pillow's plugins raise whatever they like
                reason = next(iter(str(error).splitlines()), "") or type(error).__name__
                raise UserError(
                    f"{name} is damaged or cut off ({reason[:120]}); save it again from its source."
                ) from None
    return Photo(name, color, gray, f"the first of {frames} frames" if frames > 1 else "")


def _open(data: bytes, name: str) -> Image.Image:
    try:
        formats = [*FORMATS, *_optional()]
        if name.lower().endswith(".tga"):
            formats.append("TGA")
        return Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError:
        raise _too_many_pixels(name) from None
    except UnidentifiedImageError:
        if data[4:8] == b"ftyp" and data[8:12] in _HEIC and not _optional():
            raise UserError(
                f"{name} is a HEIC image; save it as JPEG, or have whoever runs this server add "
                "HEIC with 'pip install pillow-heif'."
            ) from None
        raise UserError(f"{name} is not an image of a kind that is read: {_WORDS}.") from None
    except Exception as error:  # as above
        raise UserError(f"{name} is damaged ({type(error).__name__}).") from None


def _optional() -> list[str]:
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
        return ["HEIF"]
    return []


def _check_size(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(name, f" of {width:,} x {height:,}")
    if min(width, height) < MIN_SIDE:
        raise UserError(
            f"{name} is {width} x {height} px; a photo needs at least {MIN_SIDE} px each way."
        )


def _pixels(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colour and grey of a loaded image of whatever mode."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        gray = _to_8_bit(np.asarray(image))
        return np.repeat(gray[..., None], 3, axis=2), gray
    if image.mode in {"L", "1"} and "transparency" not in image.info:
        gray = np.array(image.convert("L"))
        return np.repeat(gray[..., None], 3, axis=2), gray
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        image = Image.alpha_composite(white, over)
    color = np.array(image.convert("RGB"))
    return color, np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), np.uint8)


def _to_8_bit(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Deep grey levels as 0 to 255: 16 bits by their range, others by what occurs."""
    finite = np.nan_to_num(values.astype(np.float32))
    low, high = 0.0, 65535.0
    if finite.min() < 0 or finite.max() > high or values.dtype.kind == "f":
        low, high = float(finite.min()), float(finite.max())
    scaled = (finite - low) * (255 / max(high - low, 1e-6))
    return np.asarray(scaled.round().clip(0, 255), np.uint8)


def _too_many_bytes(name: str, size: int) -> UserError:
    return UserError(f"{name} has {size >> 20:,} MB; at most {MAX_BYTES >> 20} MB are read.")


def _too_many_pixels(name: str, size: str = "") -> UserError:
    return UserError(
        f"{name} is a picture{size} px; at most {MAX_PIXELS // 1_000_000} million pixels are "
        "decoded. Scale it down first."
        if size
        else f"{name} has far more than {MAX_PIXELS // 1_000_000} million pixels; scale it down "
        "first."
    )
