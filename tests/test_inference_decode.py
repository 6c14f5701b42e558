"""Photos of every kind, and files that are none."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from predict_helper import huge_png

from fkd.errors import UserError
from fkd.inference import decode as module
from fkd.inference.decode import MAX_PIXELS, Photo, decode, read_photo

# A ramp to the right, darker below: turned or mirrored it is another picture.
RAMP = (np.linspace(0, 200, 60)[None] + np.linspace(40, 0, 40)[:, None]).astype(np.uint8)


def file(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def ramp(mode: str = "L") -> Image.Image:
    return Image.fromarray(RAMP).convert(mode)


@pytest.mark.parametrize(
    ("kind", "mode", "options", "off"),
    [
        ("PNG", "L", {}, 0),
        ("PNG", "RGB", {}, 0),
        ("PNG", "1", {}, 255),
        ("PNG", "P", {}, 8),
        ("PNG", "RGBA", {}, 0),
        ("PNG", "LA", {}, 0),
        ("JPEG", "L", {"quality": 95}, 3),
        ("JPEG", "RGB", {"quality": 95}, 3),
        ("JPEG", "CMYK", {"quality": 95}, 4),
        ("WEBP", "RGB", {"lossless": True}, 0),
        ("BMP", "RGB", {}, 0),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}, 0),
        ("TIFF", "CMYK", {}, 1),
        ("GIF", "L", {}, 0),
        ("PPM", "L", {}, 0),
        ("PPM", "RGB", {}, 0),
        ("AVIF", "RGB", {"quality": 95, "subsampling": "4:4:4"}, 4),
        ("JPEG2000", "L", {}, 0),
        ("JPEG2000", "RGB", {}, 2),
        ("TGA", "L", {}, 0),
        ("TGA", "RGB", {"compression": "tga_rle"}, 0),
        ("TGA", "RGBA", {}, 0),
    ],
)
def test_each_kind_is_read_as_it_looks(kind, mode, options, off):
    name = "photo.TGA" if kind == "TGA" else "photo"
    photo = decode(file(ramp(mode), kind, **options), name)
    assert (photo.width, photo.height) == (60, 40)
    assert np.abs(photo.gray.astype(int) - RAMP).max() <= off
    assert np.abs(photo.color.astype(int) - RAMP[..., None]).max() <= off


def test_a_grey_picture_keeps_its_very_levels():
    for mode in ("L", "RGB"):
        photo = decode(file(ramp(mode), "PNG"), "photo.png")
        assert np.array_equal(photo.gray, RAMP)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(kind):
    deep = Image.fromarray(RAMP.astype(np.uint16) * 257)
    assert np.array_equal(decode(file(deep, kind), "deep").gray, RAMP)


def pgm(values: np.ndarray, maximum: int, magic: str = "P5") -> bytes:
    """A portable grey or colour map, by hand."""
    size = f"{values.shape[1]} {values.shape[0]}"
    head = f"{magic}\n# by hand\n{size}\n{maximum}\n".encode()
    if magic in {"P2", "P3"}:
        return head + " ".join(map(str, values.ravel())).encode() + b"\n"
    return head + values.astype(">u2" if maximum > 255 else np.uint8).tobytes()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PGM", "TIFF, big-endian"])
def test_fewer_bits_in_sixteen_are_scaled_by_what_occurs(bits, kind):
    values = (RAMP.astype(np.uint32) * ((1 << bits) - 1) // 240).astype(np.uint16)
    if kind == "PGM":
        data = pgm(values, 65535)
    elif kind == "PNG":
        data = file(Image.fromarray(values), kind)
    else:
        deep = Image.fromarray(values)
        if "big" in kind:
            deep = Image.frombytes("I;16B", (60, 40), values.astype(">u2").tobytes())
        data = file(deep, "TIFF")
    photo = decode(data, "deep")
    wanted = values.astype(float) * 255 / ((1 << bits) - 1)
    assert np.abs(photo.gray - wanted).max() <= 0.5
    assert photo.gray.max() == 255
    if bits == 16:
        assert not photo.note
    else:
        assert photo.note.endswith(f"so it was read as {bits}-bit")


def tiff(
    values: np.ndarray, bits: int, order: str = "<", sample: int = 1, data: bytes = b""
) -> bytes:
    """A grey TIFF whose 0 is white, by hand: Pillow writes none that is deep."""
    data = data or values.tobytes()
    tags = ((256, 60), (257, 40), (258, bits), (259, 1), (262, 0), (273, 8), (277, 1), (278, 40),
            (279, len(data)), (339, sample))  # fmt: skip
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8 + len(data))
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags)
    return head + data + struct.pack(order + "H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("top", ["of its bits", "of all 16"])
def test_deep_levels_whose_0_is_white_are_no_negative(order, bits, top):
    white = (1 << bits) - 1
    levels = RAMP.astype(np.uint32) * white // 240
    stored = (white if top == "of its bits" else 65535) - levels
    photo = decode(tiff(stored.astype(f"{order}u2"), 16, order), "scan.tif")
    assert np.abs(photo.gray - levels * (255 / white)).max() <= 1
    assert ("-bit" in photo.note) == (bits < 16)


@pytest.mark.parametrize("order", ["<", ">"])
def test_so_are_floating_levels(order):
    photo = decode(tiff((1 - RAMP / 240).astype(f"{order}f4"), 32, order, 3), "scan.tif")
    assert np.abs(photo.gray - RAMP * (255 / 240)).max() <= 1
    assert "stretched from white to black" in photo.note


def test_so_are_12_bits_that_the_file_states():
    stored = 4095 - RAMP.ravel().astype(np.uint16) * 8
    pairs = (stored[::2].astype(np.uint32) << 12) | stored[1::2]
    packed = pairs.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    photo = decode(tiff(stored, 12, data=packed), "scan.tif")
    assert np.abs(photo.gray - RAMP * (8 * 255 / 4095)).max() <= 1
    assert not photo.note


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_so_are_colours(mode, bits):
    """Pillow drops half of their bits."""
    white = (1 << bits) - 1
    values = (RAMP.astype(np.uint32) * white // 240).astype(np.uint16)
    planes = [values, values // 2, values // 4]  # as OpenCV has them: blue, green, red
    if mode == "RGBA":
        planes.append(np.where(np.arange(60) < 30, 65535, 0)[None].repeat(40, 0).astype(np.uint16))
    for suffix in (".png", ".tiff"):
        data = cv2.imencode(suffix, np.dstack(planes))[1].tobytes()
        photo = decode(data, f"deep{suffix}")
        seen = slice(0, 30)
        for channel, plane in enumerate(planes[2::-1]):
            wanted = plane[:, seen] * (255 / white)
            assert np.abs(photo.color[:, seen, channel] - wanted).max() <= 1
        if mode == "RGBA":
            assert (photo.color[:, 30:] == 255).all()
        assert ("-bit" in photo.note) == (bits < 16)
    if mode == "RGB":
        data = pgm(np.dstack(planes[2::-1]), 65535, "P6")
        assert np.abs(decode(data, "deep.ppm").color[..., 2] - values * (255 / white)).max() <= 1


def test_a_turned_deep_colour_image_is_turned_once():
    values = np.rot90(RAMP, 1).astype(np.uint16) * 4
    data = cv2.imencode(".png", np.dstack([values] * 3))[1].tobytes()
    image = Image.open(io.BytesIO(data))
    exif = Image.Exif()
    exif[0x0112] = 6
    chunk = b"eXIf" + exif.tobytes()[6:]  # by hand, as Pillow would write 8 bits
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    photo = decode(data[:33] + chunk + data[33:], "deep.png")
    assert image.size == (40, 60)
    assert photo.gray.shape == RAMP.shape
    assert np.abs(photo.gray.astype(int) - RAMP * (255 / 1023) * 4).max() <= 1


@pytest.mark.parametrize("magic", ["P2", "P5"])
@pytest.mark.parametrize("maximum", [1, 7, 100, 255, 1000, 4095, 65535])
def test_grey_maps_are_scaled_by_the_white_that_they_state(magic, maximum):
    values = (RAMP.astype(np.uint32) * maximum // 240).astype(np.uint16)
    photo = decode(pgm(values, maximum, magic), "map.pgm")
    assert np.abs(photo.gray - values * (255 / maximum)).max() <= 1
    dark = decode(pgm(values // 8, maximum, magic), "dark.pgm")  # stays so where white is stated
    assert dark.gray.max() <= 32 or maximum == 65535


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"P1 # bits\n30#wide\n 30\n" + b"0 1 1\n01" * 200, ""),
        (b"P3\n30 30\n255\n" + b"# grey\n1 2 3 " * 900, ""),
        (b"P5 30 30 255\n" + bytes(range(225)) * 4 + b"junk", ""),
        (b"P4 30 30\n" + b"\xf0" * 120, ""),
        (b"P5\t30 30 255\n" + bytes(899), "levels are missing"),
        (b"P2 30 30 255\n" + b"1 " * 899, "levels are missing"),
        (b"P2 30 30 255\n" + b"1 " * 400 + b"x " * 500, ""),
        (b"P2 30 30 255\n" + b"256 " * 900, "a level is out of range"),
        (b"P2 30 30 255\n" + b"-1 " * 900, "a level is out of range"),
        (b"P1 30 30\n" + b"2" * 900, "a level is out of range"),
        (b"P5 30 30 0\n" + bytes(900), "white is said to be 0"),
        (b"P5 30 30 65536\n" + bytes(1800), "white is said to be 65536"),
        (b"P5 30 30 ", "its size is missing"),
        (b"P1 30 30\n" + b"#\n" * 100_000, "full of comments"),
        (b"P5 #" + b"x" * 1_000_000, "its size is missing"),
    ],
)
def test_portable_maps_whole_and_damaged(data, said):
    if said:
        with pytest.raises(UserError, match=rf"map.pnm is damaged or cut off \(.*{said}"):
            decode(data, "map.pnm")
    elif b"x " in data:
        with pytest.raises(UserError, match="damaged"):
            decode(data, "map.pnm")
    else:
        assert decode(data, "map.pnm").gray.shape == (30, 30)


@pytest.mark.parametrize("maximum", [255, 1023])
@pytest.mark.parametrize("end", ["\r\n", " # by hand\n", "#\n", "\t#\r\n"])
def test_header_ends_of_more_than_one_byte_do_not_shift_the_levels(maximum, end):
    levels = (RAMP.astype(np.uint32) * maximum // 240).astype(">u2" if maximum > 255 else np.uint8)
    data = f"P5\r\n60 40\r\n{maximum}{end}".encode() + levels.tobytes()
    photo = decode(data, "map.pgm")
    assert np.abs(photo.gray - levels * (255 / maximum)).max() <= 1
    assert not photo.note


def test_bits_with_a_header_that_ends_in_two_bytes():
    bits = np.arange(40)[:, None] < np.arange(60)
    data = b"P4\r\n60 40\r\n" + np.packbits(bits, axis=1).tobytes()
    assert np.array_equal(decode(data, "map.pbm").gray, np.where(bits, 0, 255))


@pytest.mark.parametrize(("junk", "said"), [(b"\n", "1 extra byte"), (b"junk", "4 extra bytes")])
def test_bytes_too_many_are_counted_and_shift_nothing(junk, said):
    levels = RAMP.copy()
    levels[0, 0] = ord("\n")  # a level may look like a line end
    photo = decode(b"P5 60 40 255\n" + levels.tobytes() + junk, "map.pgm")
    assert np.array_equal(photo.gray, levels)
    assert said in photo.note


def test_text_is_no_portable_map():
    for text in (b"P1 of the plan", b"P5", b"P2 30 pages", b"P7\nWIDTH 30\n"):
        with pytest.raises(UserError, match="not an image in a supported format"):
            decode(text, "notes.txt")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_one_bit_in_eight_is_black_and_white(mode):
    bits = (RAMP > 120).astype(np.uint8)
    image = Image.fromarray(bits).convert(mode)
    if mode == "RGBA":
        image.putalpha(255)
    for kind in ("PNG", "BMP", "TIFF"):
        photo = decode(file(image, kind), "mask")
        assert np.array_equal(photo.gray, bits * 255)
        assert np.array_equal(photo.color, np.dstack([bits * 255] * 3))
        assert "0 and 1" in photo.note
    assert np.array_equal(decode(pgm(bits, 255), "mask.pgm").gray, bits * 255)
    bitmap = decode(file(Image.fromarray(bits * 255).convert("1"), "PPM"), "mask.pbm")
    assert np.array_equal(bitmap.gray, bits * 255)
    assert not bitmap.note


@pytest.mark.parametrize("level", [0, 1, 300, 65535])
def test_deep_pictures_of_one_level(level):
    for kind in (np.uint16, np.int32, np.float32):
        photo = decode(file(Image.fromarray(np.full((30, 30), level, kind)), "TIFF"), "flat.tif")
        assert photo.gray.min() == photo.gray.max()


def test_levels_that_are_no_numbers_or_negative():
    values = RAMP.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    photo = decode(file(Image.fromarray(values), "TIFF"), "odd.tif")
    assert photo.gray[0, :3].tolist() == [0, 255, 0]
    assert np.abs(photo.gray[1:] - RAMP[1:] * (255 / 240)).max() < 3
    nothing = Image.fromarray(np.full((30, 30), np.nan, np.float32))
    assert "a number" in decode(file(nothing, "TIFF"), "nan.tif").note
    photo = decode(file(Image.fromarray(RAMP.astype(np.int32) - 100), "TIFF"), "negative.tif")
    assert (photo.gray.min(), photo.gray.max()) == (0, 255)
    assert "stretched from black to white" in photo.note


def test_floating_grey_levels_are_spread():
    photo = decode(file(Image.fromarray(RAMP.astype(np.float32) / 7 - 3), "TIFF"), "float.tif")
    assert (photo.gray.min(), photo.gray.max()) == (0, 255)


def test_transparency_is_white():
    image = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    image.paste((10, 20, 30, 255), (0, 0, 20, 40))
    photo = decode(file(image, "PNG"), "logo.png")
    assert photo.color[0, 0].tolist() == [10, 20, 30]
    assert photo.color[0, 39].tolist() == [255, 255, 255]
    see_through = Image.new("P", (40, 40), 0)
    photo = decode(file(see_through, "PNG", transparency=0), "palette.png")
    assert (photo.gray == 255).all()


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_exif_turn_is_undone(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    back = {
        **{1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180},
        **{4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE},
        **{6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
        8: Image.Transpose.ROTATE_270,
    }[turn]
    stored = ramp() if back is None else ramp().transpose(back)
    photo = decode(file(stored, "JPEG", exif=exif, quality=95), "turned.jpg")
    assert photo.gray.shape == RAMP.shape
    assert np.abs(photo.gray.astype(int) - RAMP).mean() < 2


def test_of_several_frames_the_first_is_taken_and_said_so():
    frames = [Image.new("L", (60, 40), level) for level in (10, 120, 240)]
    for kind in ("GIF", "TIFF", "WEBP", "AVIF", "PNG"):
        data = file(ramp(), kind, save_all=True, append_images=frames[1:])
        photo = decode(data, "film")
        assert photo.note == "only the first of 3 frames is used"
        assert np.abs(photo.gray.astype(int) - RAMP).mean() < 6
        data = file(frames[0], kind, save_all=True, append_images=frames[1:])
        photo = decode(data, "film")
        assert photo.note == "only the first of 3 frames is used, and it is blank"
        assert abs(int(photo.gray.mean()) - 10) < 6


@pytest.mark.parametrize("side", [9_000, 14_000, 60_000])
def test_too_many_pixels_are_refused_before_decoding(side, monkeypatch):
    assert side**2 > MAX_PIXELS
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(UserError, match="million pixels"):
        decode(huge_png(side), "huge.png")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"hello, this is text", "not an image in a supported format"),
        (b"%PDF-1.4 ...", "not an image in a supported format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image in a supported format"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(100), "not an image in a supported format: "),
        (file(ramp(), "PNG")[:200], "damaged"),
        (file(ramp("RGB"), "JPEG")[:300], "damaged"),
        (file(Image.new("L", (1, 500)), "PNG"), "1 x 500 px"),
        (file(Image.new("L", (23, 24)), "PNG"), "at least 24 px"),
    ],
)
def test_what_is_no_photo_is_one_sentence(data, reason):
    with pytest.raises(UserError, match=reason) as error:
        decode(data, "evil <b>.png")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("turn", [1, 6])
def test_with_the_extra_heic_is_read(turn):
    """As telephones write it. HEIC keeps the turn itself, so it must not be made twice."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = turn
    data = file(ramp("RGB"), "HEIF", quality=95, exif=exif.tobytes())
    photo = decode(data, "IMG_1.HEIC")
    wanted = RAMP if turn == 1 else np.rot90(RAMP, -1)
    assert photo.gray.shape == wanted.shape
    assert np.abs(photo.gray.astype(int) - wanted).max() <= 6
    with pytest.raises(UserError, match=r"IMG_2.HEIC is (damaged|not an image)"):
        decode(data[: len(data) // 2], "IMG_2.HEIC")


@pytest.mark.parametrize("extra", [[], ["HEIF"]])
def test_without_the_extra_a_heic_image_is_called_so(monkeypatch, extra):
    monkeypatch.setattr(module, "FORMATS", ["PNG"])
    monkeypatch.setattr(module, "_optional", lambda: extra)
    Image.init()
    monkeypatch.setitem(Image.OPEN, "HEIF", (None, lambda prefix: False))
    with pytest.raises(UserError) as error:
        decode(b"\x00\x00\x00\x18ftypheic" + bytes(100), "IMG_1.HEIC")
    said = (
        "IMG_1.HEIC is a HEIC image; save it as JPEG, or " if not extra else "is damaged or cut off"
    )
    assert said in str(error.value)


NOISE = np.random.default_rng(0).integers(0, 256, (300, 100, 3), np.uint8)


def jpeg(**options) -> bytes:
    return file(Image.fromarray(NOISE), "JPEG", quality=90, **options)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("cut", [1, 2, 3, 20, 200])
def test_a_jpeg_without_its_last_bytes_is_read_and_said_so(options, cut):
    whole = jpeg(**options)
    photo, complete = decode(whole[:-cut], "cut.jpg"), decode(whole, "whole.jpg")
    assert not complete.note
    assert photo.note.startswith("the last bytes of the file are missing")
    same = (photo.color == complete.color).all(axis=(1, 2))
    assert same[:270].all()
    filled = 300 - int(same.argmin()) if not same.all() else 0
    if filled:
        assert photo.note.endswith(f": the last {filled} of its 300 rows were filled in")
    elif cut <= 2:  # nothing but the end itself
        assert photo.note.endswith("are missing")
    assert filled or cut <= 3


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("kept", [0.1, 0.3, 0.6, 0.8])
def test_a_jpeg_that_lacks_more_is_refused(options, kept):
    whole = jpeg(**options)
    with pytest.raises(UserError, match=r"cut.jpg is damaged or cut off \(.* missing\); save"):
        decode(whole[: int(len(whole) * kept)], "cut.jpg")


def test_a_jpeg_that_is_cut_off_is_turned_and_in_grey_or_cmyk_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode in ("L", "RGB", "CMYK"):
        data = file(Image.fromarray(NOISE).convert(mode), "JPEG", exif=exif)
        photo = decode(data[:-2], "cut.jpg")
        assert (photo.width, photo.height) == (300, 100)
        assert photo.note == "the last bytes of the file are missing"


def test_junk_before_and_after_a_jpeg():
    whole = jpeg()
    assert decode(whole + b"junk" * 99, "a.jpg").note == ""
    with pytest.raises(UserError, match=r"a.JPG has 2 bytes in front of its JPEG data that"):
        decode(b"\0\0" + whole, "a.JPG")
    with pytest.raises(UserError, match="not an image in a supported format"):
        decode(b"\0\0" + whole, "a.dat")


def test_scans_without_number_do_not_take_for_ever(monkeypatch):
    whole = jpeg(progressive=True)
    at = whole.index(b"\xff\xda")
    scan = whole[at : at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big")]
    with pytest.raises(UserError, match="consists of 1,000 scans, far more"):
        decode(whole[:at] + scan * 1100 + whole[at:-3000], "slow.jpg")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000", "TGA"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.97])
def test_other_kinds_that_are_cut_off_are_refused(kind, kept):
    data = file(Image.fromarray(NOISE), kind)
    with pytest.raises(UserError, match=r"is damaged or cut off \(.+\); save it again"):
        decode(data[: int(len(data) * kept)], f"cut.{kind.lower()}")


def test_tga_is_only_tried_for_files_called_so():
    data = file(ramp(), "TGA")
    with pytest.raises(UserError, match="not an image in a supported format"):
        decode(data, "photo.dat")
    for text in (b"hello, this is text", b"\x00" * 500, b"\x00\x00\x02" + b"x" * 40):
        with pytest.raises(UserError, match="not an image in a supported format"):
            decode(text, "photo.tga")
    with pytest.raises(UserError, match="million pixels"):
        decode(data[:12] + b"\xff\xff\xff\xff" + data[16:], "huge.tga")


def test_unused_transparency_of_a_tga_is_not():
    data = file(Image.merge("RGBA", [*ramp("RGB").split(), Image.new("L", (60, 40), 0)]), "TGA")
    assert np.array_equal(decode(data, "photo.tga").gray, RAMP)


def test_large_sizes_are_refused_before_decoding_in_the_new_kinds(monkeypatch):
    side = struct.pack(">I", 9_000)
    jp2 = file(ramp(), "JPEG2000")
    at = jp2.index(b"ihdr") + 4
    stream = jp2.index(b"\xff\x4f\xff\x51") + 8
    both = jp2[:stream] + side * 2 + jp2[stream + 8 :]
    avif = file(ramp(), "AVIF")
    ispe = avif.index(b"ispe") + 8
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    for name, data in {
        "a.jp2": both[:at] + side * 2 + both[at + 8 :],
        "a.j2k": both[stream - 8 :],
        "a.avif": avif[:ispe] + side * 2 + avif[ispe + 8 :],
        "a.pgm": b"P5 9000 9000 255\n",
        "b.pgm": b"P2 9000 9000 65535\n1 2",
        "a.pbm": b"P4 9000 9000\n",
    }.items():
        with pytest.raises(UserError, match=rf"{name} has 9,000 x 9,000 px, more than the limit"):
            decode(data, name)


def test_a_jpeg_2000_that_contradicts_itself_is_refused():
    jp2 = file(ramp(), "JPEG2000")
    stream = jp2.index(b"\xff\x4f\xff\x51") + 8
    with pytest.raises(UserError, match="damaged"):
        decode(jp2[:stream] + struct.pack(">II", 60_000, 60_000) + jp2[stream + 8 :], "a.jp2")


@pytest.mark.parametrize(
    ("kind", "words"), [("AVIF", "an AVIF"), ("JPEG2000", "a JPEG 2000"), ("WEBP", "a WebP")]
)
def test_what_pillow_was_built_without_is_said(kind, words, monkeypatch):
    data = file(ramp(), kind)
    monkeypatch.setattr(module.features, "check", lambda name: False)
    with pytest.raises(UserError, match=f"photo is {words} image, for which Pillow was built"):
        decode(data, "photo")


def test_odd_names_stay_on_one_line():
    for name, wanted in {
        "a\nb.png": "a\\nb.png is empty",
        "a\udcff.png": "a\\udcff.png is empty",
        "a\u202eb.png": "a\\u202eb.png is empty",
        "Gr\u00fc\u00dfe \u4f60.png": "Gr\u00fc\u00dfe \u4f60.png is empty",
    }.items():
        with pytest.raises(UserError) as error:
            decode(b"", name)
        assert str(error.value).startswith(wanted)


def test_too_many_bytes_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    path = tmp_path / "large.bmp"
    ramp("RGB").save(path)
    for read in (lambda: read_photo(path), lambda: decode(path.read_bytes(), path.name)):
        with pytest.raises(UserError, match=r"large.bmp is larger than .* MB"):
            read()


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"gone.png does not exist"):
        read_photo(tmp_path / "gone.png")
    with pytest.raises(UserError, match="is a folder"):
        read_photo(tmp_path)


@given(
    st.sampled_from(
        ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "AVIF", "JPEG2000", "TGA"]
    ),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_damaged_files_are_photos_or_one_sentence(kind, data):
    """Bytes changed and cut anywhere: nothing else than a photo or a user's error comes out."""
    whole = bytearray(file(ramp("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    said = ""
    try:
        assert isinstance(decode(bytes(whole[:cut]), f"x.{kind.lower()}"), Photo)
    except UserError as error:
        said = str(error)
    assert "\n" not in said
