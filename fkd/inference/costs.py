"""What decoding an image takes, in memory and in time, as its first bytes tell. A file of a few
hundred bytes may say any size, and how much each of its pixels takes depends on the decoder."""

from __future__ import annotations

import struct

from PIL import Image

from fkd.inference.cut_jpeg import scans_of
from fkd.inference.levels import is_deep_color
from fkd.inference.netpbm import Header

MAX_MEMORY = 480 << 20
"""Most bytes that the pixels of one photo may take while it is decoded: 64 million of colours, and
all that is made of them. With what decoders take whatever the size of a photo it stays below
500 MB."""

_COLOR, _GRAY = 3, 1
_DECODERS = {"WEBP": 16.5, "AVIF": 16.5, "HEIF": 10.0}
"""Bytes for each pixel that decoders take beside Pillow's own image, as measured: two canvases of
a film, planes of up to 16 bits and what is handed over to Pillow."""
_JPEG_2000 = 5.0
"""The same of JPEG 2000, for each of the bands: whole numbers of 32 bits and what is made of
them."""
_MOST_SCANNED = 1_500_000_000
"""Most pixels that the scans of a JPEG file may go over: those of 23 scans of the largest photo.
Files of photos have up to ten or so; a scan that changes nothing has ten bytes."""
_MOST_SCANS = 100
_RUNS = 16_000_000
"""Most pixels, and bytes, of a BMP in runs, which Pillow decodes in Python."""
_JPEG = {"JPEG", "MPO"}
_TIFF_ROWS = 278
_TIFF_TILE = (322, 323)
_TIFF_BITS, _TIFF_SAMPLES, _TIFF_PACKING, _TIFF_TURN = 258, 277, 259, 274
_TIFF_COLORS, _LUMINANCE = 262, 6
_BIT_MODES = {"1": 1, "L": 1, "P": 1}


def needs(image: Image.Image, data: bytes) -> int:
    """Bytes that decoding ``data`` takes, just opened as ``image``."""
    pixels = image.width * image.height
    own = _BIT_MODES.get(image.mode, 2 if image.mode.startswith("I;") else 4)
    deep = image.mode in {"I", "F"} or image.mode.startswith("I;")
    light = image.mode in {"L", "1"} and "transparency" not in image.info
    copied = _GRAY if deep or light else _COLOR
    then = own + copied
    load = float(own)
    kind = image.format or ""
    if kind in _DECODERS:
        load = _DECODERS[kind]
        then = max(then, int(load))  # they keep their own until the image is gone
    elif kind == "JPEG2000":
        load = own + _JPEG_2000 * len(image.getbands())
    elif kind in _JPEG:
        load = own + _coefficients(image, data)
    elif kind == "TIFF":
        load = own + _tiff(image, own)
    # Turned by EXIF, colours are copied once more.
    size = int(pixels * max(load, then, 2 * _COLOR, _COLOR + _GRAY))
    # Whether all 16 bits are needed turns out when it is decoded.
    return max(size, min(deep_needs(image), MAX_MEMORY)) if is_deep_color(image) else size


def deep_needs(image: Image.Image) -> int:
    """Bytes that it takes to bring back the bits of deep colours that Pillow drops."""
    return image.width * image.height * (4 + (6 if image.mode == "RGB" else 8))


def netpbm_needs(header: Header, data: bytes) -> int:
    """The same of a PBM, PGM or PPM file."""
    pixels = header.width * header.height
    values = pixels * (3 if header.kind in {3, 6} else 1)
    if header.kind in {1, 2, 3}:  # text, which is copied, and its values as numbers of 32 bits
        # Each value takes two bytes at least, but for single bits.
        values = min(values, len(data))
        return 2 * len(data) + values * (4 if header.kind == 1 else 5) + pixels
    return values + pixels * (1 if header.kind == 6 else 6)


def endless(image: Image.Image, data: bytes) -> str:
    """Why ``data``, just opened as ``image``, would take minutes to decode; empty if it would
    not."""
    pixels = image.width * image.height
    if image.format in _JPEG:
        scans = scans_of(data)
        if scans > _MOST_SCANS or (scans > 1 and scans * pixels > _MOST_SCANNED):
            return f"it consists of {scans:,} scans, far more than photos have"
    tile = getattr(image, "tile", None) or [("",)]
    if tile[0][0] == "bmp_rle" and max(pixels, len(data)) > _RUNS:
        return f"a run-length encoded BMP may have at most {_RUNS // 1_000_000} million pixels"
    return ""


def _coefficients(image: Image.Image, data: bytes) -> float:
    """Bytes for each pixel that the decoder keeps of a JPEG file that comes in several scans."""
    layers = getattr(image, "layer", [])
    progressive = bool(image.info.get("progressive"))
    if not layers or not (progressive or _in_parts(data, len(layers))):
        return 0.0
    across = max(layer[1] for layer in layers) or 1
    down = max(layer[2] for layer in layers) or 1
    return float(2 * sum(layer[1] * layer[2] / (across * down) for layer in layers))


def _in_parts(data: bytes, components: int) -> bool:
    """Whether the first scan does not have all ``components``."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1
            continue
        marker = data[at + 1]
        if marker == 0xDA:
            return at + 4 < len(data) and data[at + 4] < components
        if marker in {0xFF, 0x00}:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + max(length, 2)
    return False


def _tiff(image: Image.Image, own: int) -> float:
    """Bytes for each pixel that a TIFF file takes beside Pillow's image: a strip or tile unpacked,
    and the picture once more where it is turned."""
    tags = getattr(image, "tag_v2", {})
    turned = own if tags.get(_TIFF_TURN, 1) != 1 else 0
    if tags.get(_TIFF_PACKING, 1) == 1:
        return float(turned)
    bits = tags.get(_TIFF_BITS, (8,))
    samples = max(len(bits), int(tags.get(_TIFF_SAMPLES, 1)))
    if _TIFF_TILE[0] in tags:
        area = int(tags[_TIFF_TILE[0]]) * int(tags.get(_TIFF_TILE[1], 1))
        share = min(area / (image.width * image.height), 1.0)
    else:
        share = min(int(tags.get(_TIFF_ROWS, image.height)) / image.height, 1.0)
    # Colours as luminance and chrominance are unpacked as four bytes.
    least = 4 if tags.get(_TIFF_COLORS) == _LUMINANCE else 0
    return float(turned + share * max(samples * max(bits) / 8, least))
