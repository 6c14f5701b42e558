"""What a file is by its first bytes, and names as they can be shown."""

from __future__ import annotations

import re

from fkd.errors import printable as shown

__all__ = ["START", "kind_of", "shown"]

START = 512
"""Bytes at the start of a file that tell what it is."""

_KINDS = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF.{4}WEBP",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    # Two letters alone would make images of much text.
    "BMP": rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    "PPM": rb"P[1-6]\s+(?:#[^\n]*(?:\n|$)\s*)*(?:\d+\s+\d+\s|$)",
    # The last two brands stand for any kind in this container; then the list of brands tells.
    "AVIF": rb".{4}ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4}){0,8}?avi[fs])",
    "HEIF": rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|m[is]f1)",
    "JPEG2000": rb"\0{3}\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
}
_PATTERNS = {kind: re.compile(pattern, re.DOTALL) for kind, pattern in _KINDS.items()}


def kind_of(start: bytes) -> str:
    """Pillow's name for the kind of image that begins with ``start`` (``START`` bytes are enough);
    empty if it begins as none that is known."""
    return next((kind for kind, known in _PATTERNS.items() if known.match(start)), "")
