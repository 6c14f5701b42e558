"""JPEG files that lack their last bytes."""

from __future__ import annotations

import io
import random
import re
import zlib

from PIL import Image

from fkd.errors import UserError

_END = b"\xff\xd9"
_JUNK = random.Random(0).randbytes(4096).replace(b"\xff", b"\xfe")
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""What ends the data of a scan: anything but an escaped byte or a restart."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _LAST = 0xDA, 0xD9
_MOST_SCANS = 1000
_STRIP = 64


def load_cut(data: bytes, title: str) -> tuple[Image.Image, str]:
    """The picture in ``data``, a JPEG file without its end, and a note on what is missing.

    Pillow has a switch for this, which holds for the whole process and so for what others read
    at the same time; here the end is put in its place instead.

    Raises:
        UserError: if more than a tenth of the rows is missing, or a part that concerns all rows.
        OSError: if it cannot be decoded even so.
    """
    data = data.rstrip(b"\xff")  # half a marker
    if not _has_all_scans(data):
        raise _cut_off(title, "parts that concern the whole picture are missing")
    # The decoder does not say how far the data went. Other data in its place tells: what it
    # changes is not from the file.
    other = _rows(_load(data + _JUNK + _END))
    image = _load(data + _END)
    same = 0
    for one, two in zip(_rows(image), other, strict=True):
        if one != two:
            break
        same += 1
    filled = image.height - same
    if filled * 10 > image.height:
        raise _cut_off(title, f"{filled:,} of its {image.height:,} rows are missing")
    note = "the last bytes of the file are missing"
    if filled:
        note += f": the last {filled:,} of its {image.height:,} rows were filled in"
    return image, note


def _load(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    return image


def _rows(image: Image.Image) -> list[int]:
    """A checksum of every row."""
    sums: list[int] = []
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        data = strip.tobytes()
        size = len(data) // strip.height
        sums += [zlib.crc32(data[at : at + size]) for at in range(0, len(data), size)]
    return sums


def _has_all_scans(data: bytes) -> bool:
    """Whether the last scan that a JPEG file needs has begun: a progressive one comes in several
    for the whole picture, each of them finer."""
    components: list[int] = []
    open_bits: dict[tuple[int, int], int] = {}  # of each component and frequency
    at, scans = 2, 0
    while (marker := _MARKER.search(data, at)) is not None and scans < _MOST_SCANS:
        at = marker.end()
        length = int.from_bytes(data[at : at + 2], "big")
        segment = data[at + 2 : at + length]
        if marker[1][0] in _FRAMES and len(segment) > 5:
            components = list(segment[6 : 6 + 3 * segment[5] : 3])
        elif marker[1][0] == _SCAN and segment:
            count = segment[0]
            if len(segment) < 4 + 2 * count:
                return False
            first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
            for component in segment[1 : 1 + 2 * count : 2]:
                for frequency in range(first, min(last, 63) + 1):
                    open_bits[component, frequency] = bits & 15
            scans += 1
        at += length
    needed = ((component, frequency) for component in components for frequency in range(64))
    return bool(components) and all(open_bits.get(one) == 0 for one in needed)


def scans_of(data: bytes) -> int:
    """How many scans the picture of the JPEG file ``data`` comes in, as far as they are worth
    counting. What is embedded in its segments, such as a smaller picture, is not counted."""
    at, scans = 2, 0
    if data.count(b"\xff\xda") <= 1:
        return 1
    while (marker := _MARKER.search(data, at)) is not None and scans < _MOST_SCANS:
        at = marker.end()
        if marker[1][0] == _LAST:
            break
        scans += marker[1][0] == _SCAN
        at += int.from_bytes(data[at : at + 2], "big")
    return scans


def _cut_off(title: str, reason: str) -> UserError:
    return UserError(f"{title} is damaged or cut off ({reason}); save it again from its source.")
