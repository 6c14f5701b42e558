"""How many frames a file has, in bounded time. Pillow reads all of them to know, in time that
grows with the square of their number, and fails where the second one is damaged."""

from __future__ import annotations

import struct

from PIL import Image

MOST = 1000
"""Frames that are counted."""
_MOST_BLOCKS = 200_000


def frames(image: Image.Image, data: bytes) -> int:
    """How many frames ``data`` has, of which ``image`` is the first; at most ``MOST``. What is
    damaged behind the first ends the counting."""
    if image.format == "TIFF":
        return _of_tiff(data)
    if image.format == "GIF":
        return _of_gif(data)
    try:
        return min(int(getattr(image, "n_frames", 1)), MOST)
    except Exception:  # Pillow's plugins raise whatever they like
        return 1


def _of_tiff(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    count_kind, next_kind, entry = ("Q", "Q", 20) if big else ("H", "I", 12)
    ahead = struct.calcsize(order + count_kind)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + next_kind, data, 8 if big else 4)
        while at and at not in seen and len(seen) < MOST:
            (tags,) = struct.unpack_from(order + count_kind, data, at)
            (behind,) = struct.unpack_from(order + next_kind, data, at + ahead + tags * entry)
            if not tags:
                break
            seen.add(at)
            at = behind
    except (struct.error, OverflowError):  # leads out of the file
        pass
    return max(len(seen), 1)


def _of_gif(data: bytes) -> int:
    found = 0
    try:
        at = 13 + _colors(data[10])
        for _ in range(_MOST_BLOCKS):
            kind = data[at]
            if kind == 0x2C:
                found += 1
                at += 11 + _colors(data[at + 9])
            elif kind == 0x21:
                at += 2
            elif kind in {0x3B, 0} or found == MOST:
                break
            else:
                at += 1
                continue
            while length := data[at]:
                at += length + 1
            at += 1
    except IndexError:
        pass
    return max(min(found, MOST), 1)


def _colors(flags: int) -> int:
    """Bytes of the table of colours that ``flags`` announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
