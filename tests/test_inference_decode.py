"""Photos of every kind, and files that are none."""

from __future__ import annotations

import io

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
    ],
)
def test_each_kind_is_read_as_it_looks(kind, mode, options, off):
    photo = decode(file(ramp(mode), kind, **options), "photo")
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
    frames = [Image.new("L", (30, 30), level) for level in (10, 120, 240)]
    for kind in ("GIF", "TIFF", "WEBP"):
        data = file(frames[0], kind, save_all=True, append_images=frames[1:])
        photo = decode(data, "film")
        assert photo.note == "the first of 3 frames"
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
        (b"hello, this is text", "not an image of a kind"),
        (b"%PDF-1.4 ...", "not an image of a kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a kind"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(100), "not an image of a kind that is read: "),
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
    said = "IMG_1.HEIC is a HEIC image; save it as JPEG, or " if not extra else "is not an image"
    assert said in str(error.value)


def test_too_many_bytes_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    path = tmp_path / "large.bmp"
    ramp("RGB").save(path)
    for read in (lambda: read_photo(path), lambda: decode(path.read_bytes(), path.name)):
        with pytest.raises(UserError, match=r"large.bmp has .* MB"):
            read()


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"gone.png cannot be read: No such file"):
        read_photo(tmp_path / "gone.png")
    with pytest.raises(UserError, match="cannot be read"):
        read_photo(tmp_path)


@given(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]), st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_photos_or_one_sentence(kind, data):
    """Bytes changed and cut anywhere: nothing else than a photo or a user's error comes out."""
    whole = bytearray(file(ramp("RGB"), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    said = ""
    try:
        assert isinstance(decode(bytes(whole[:cut]), "x"), Photo)
    except UserError as error:
        said = str(error)
    assert "\n" not in said
