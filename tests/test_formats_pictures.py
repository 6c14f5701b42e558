from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
import pytest
from exchange_helper import SMALL
from formats_helper import mutated
from hypothesis import given, settings
from PIL import Image

from fkd.errors import UserError
from fkd.formats.pictures import Spool, png, read_face

FACE = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)


def test_a_face_comes_back_equal() -> None:
    np.testing.assert_array_equal(read_face(png(FACE), "1.png", SMALL), FACE)


def test_a_colour_file_of_grey_levels_comes_back_equal() -> None:
    file = io.BytesIO()
    Image.fromarray(np.repeat(FACE[..., None], 3, axis=2)).save(file, "PNG")
    np.testing.assert_array_equal(read_face(file.getvalue(), "1.png", SMALL), FACE)


@pytest.mark.parametrize("shape", [(32, 24), (48, 64), (24, 33)])
def test_another_size_is_refused(shape: tuple[int, int]) -> None:
    height, width = shape
    with pytest.raises(UserError) as caught:
        read_face(png(np.zeros(shape, np.uint8)), "a/1.png", SMALL)
    assert str(caught.value) == (
        f"a/1.png is {width} x {height} px, but small has 32 x 24 px: crop and scale the faces, "
        "and their labels with them, to that size."
    )


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    file = io.BytesIO()
    Image.new("1", (5_000, 5_000)).save(file, "PNG")
    with pytest.raises(UserError, match="5000 x 5000 px"):
        read_face(file.getvalue(), "1.png", SMALL)


@pytest.mark.parametrize("data", [b"", b"hello", png(FACE)[:-200]])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match=r"1\.png"):
        read_face(data, "1.png", SMALL)


@settings(max_examples=200, deadline=None)
@given(mutated(png(FACE)))
def test_damaged_pictures_are_read_or_refused(data: bytes) -> None:
    with suppress(UserError):
        assert read_face(data, "1.png", SMALL).shape == SMALL.image_size


def test_a_spool_gives_back_what_it_got() -> None:
    spool = Spool(SMALL)
    assert spool.finish().shape == (0, 24, 32)
    spool.append(FACE[None])
    spool.append(np.stack([FACE, FACE + 1]))
    images = spool.finish()
    del spool
    np.testing.assert_array_equal(images, np.stack([FACE, FACE, FACE + 1]))
