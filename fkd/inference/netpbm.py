"""PBM, PGM and PPM files. Pillow reads them one value at a time where white is not 255: seconds
for a photo, minutes for a file made to be slow; and it drops half of 16 bits of colours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES = 1 << 16
_MOST_COMMENTS = 10_000
_GAP = rb"(?:\s++|#[^\r\n]*+[\r\n])++"
_NUMBER = _GAP + rb"(\d{1,10})"
_END = rb"(\s|#[^\r\n]*+[\r\n])"
_HEADERS = {
    True: re.compile(rb"P([14])" + _NUMBER + _NUMBER + rb"()" + _END),
    False: re.compile(rb"P([2356])" + _NUMBER * 3 + _END),
}
_LATE_END = re.compile(rb"\r\n|[ \t]*#[^\r\n]*+(?:\r\n|\r|\n)")
"""How headers end in files of writers who did not know that they end with one byte."""
_COMMENT = re.compile(rb"#[^\r\n]*")


@dataclass(frozen=True)
class Header:
    """What such a file says of itself.

    Attributes:
        kind: the digit after P.
        width, height: px.
        white: the level that is white.
        end: where the levels begin.
        last: where the last number ends.
    """

    kind: int
    width: int
    height: int
    white: int
    end: int
    last: int


def is_netpbm(data: bytes) -> bool:
    """Whether ``data`` may be such a file."""
    return re.match(rb"P[1-6](?:[\s#]|$)", data[:3]) is not None


def read_header(data: bytes) -> Header:
    """How large the picture in ``data`` is.

    Raises:
        ValueError: if that is not said.
    """
    found = _HEADERS[data[1:2] in b"14"].match(data[:_HEADER_BYTES])
    if found is None:
        raise ValueError("its size is missing")
    kind, width, height = (int(word) for word in found.groups()[:3])
    white = int(found[4] or 1)
    if not 0 < white < 1 << 16:
        raise ValueError(f"white is said to be {white}")
    return Header(kind, width, height, white, found.end(), found.start(5))


def read_levels(data: bytes, header: Header) -> tuple[NDArray[Any], str]:
    """The levels of a file, and a note where it has more bytes than they take: ``(H, W)``, or
    ``(H, W, 3)`` of one in colour; integers from 0 to ``white``. One bit is 0 for black here, other
    than in the file.

    Raises:
        ValueError: if there are too few, or they are none.
    """
    shape = (header.height, header.width, 3)[: 3 if header.kind in {3, 6} else 2]
    count = int(np.prod(shape))
    if header.kind == 4:
        stride = (header.width + 7) // 8
        rows, note = _raw(data, header, stride * header.height, np.dtype(np.uint8))
        return 1 - np.unpackbits(rows.reshape(-1, stride), axis=1, count=header.width), note
    if header.kind > 4:
        depth = np.dtype(">u2" if header.white > 255 else "u1")
        values, note = _raw(data, header, count, depth)
        return values.reshape(shape), note
    text = data[header.end :]
    if text.count(b"#") > _MOST_COMMENTS:
        raise ValueError("it is full of comments")
    text = _COMMENT.sub(b" ", text)
    if header.kind == 1:
        bits = np.frombuffer(text.translate(None, b" \t\n\v\f\r"), np.uint8)[:count]
        values = ord("1") - bits.astype(np.int16)
        white = 1
    else:
        # All of them: of a count that is too high NumPy returns what happens to be in memory.
        values = np.fromstring(text, np.int32, sep=" ")[:count]
        white = header.white
    if len(values) < count:
        raise ValueError(_FEW)
    if values.min() < 0 or values.max() > white:
        raise ValueError("a level is out of range")
    return values.reshape(shape), ""


_FEW = "levels are missing"


def _raw(data: bytes, header: Header, count: int, kind: np.dtype[Any]) -> tuple[NDArray[Any], str]:
    """``count`` levels that stand as bytes behind ``header``, and a note on those too many."""
    start = header.end
    surplus = len(data) - start - count * kind.itemsize
    if surplus < 0:
        raise ValueError(_FEW)
    # A level may look like a line end as well: only a file of just that size has one too many.
    if surplus and _LATE_END.fullmatch(data, header.last, start + surplus):
        start, surplus = start + surplus, 0
    note = ""
    if surplus:
        note = f"{surplus:,} extra byte{'s' * (surplus > 1)} after its levels ignored"
    return np.frombuffer(data, kind, count, start), note
