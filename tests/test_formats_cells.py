import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fkd.formats import cells


def text(*values: str) -> pa.StringArray:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    ("written", "value"),
    [("7", 7), (" 7 ", 7), ("-3", -3), ("007", 7), ("9" * 18, int("9" * 18))],
)
def test_integers(written: str, value: int) -> None:
    values, good, notes = cells.integers(text("1", written))
    assert values.tolist() == [1, value]
    assert good.tolist() == [True, True]
    assert not notes


@pytest.mark.parametrize("written", ["7.0", " 7. ", "7.000"])
def test_integers_that_pandas_made_floats(written: str) -> None:
    values, good, notes = cells.integers(text("1", written, "7.5", ""))
    assert values.tolist() == [1, 7, 0, 0]
    assert good.tolist() == [True, True, False, False]
    assert notes == {"Whole numbers written with decimals, such as 1.0, were read."}


@pytest.mark.parametrize(
    "written", ["", " ", "x", "1.5", "1.0.0", "0x1f", "1e3", "+-1", "9" * 19, "१", "1 2"]
)
def test_not_integers(written: str) -> None:
    values, good, _ = cells.integers(text("1", written, "2"))
    assert values.tolist() == [1, 0, 2]
    assert good.tolist() == [True, False, True]
    assert cells.integer_reason(written)


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "nan", "NaN", "NA", "null", "NULL", " nan ", "N/A", "<NA>", "None"),
        *("-NaN", "#N/A", "#NV", "#n/d", "#NULL!"),
    ],
)
def test_missing_numbers(written: str) -> None:
    values, good, _ = cells.numbers(text(written, "1.5"), pa.float32())
    np.testing.assert_array_equal(values, np.array([np.nan, 1.5], np.float32))
    assert good.all()


@pytest.mark.parametrize(
    "written", ["abc", "?", "#REF!", "1,5,2", "1,000.5", "1.5px", "0x10", "1_0", "--1", ".", "e5"]
)
def test_not_numbers(written: str) -> None:
    _, good, notes = cells.numbers(text("1.5", written), pa.float32())
    assert good.tolist() == [True, False]
    assert not notes
    assert cells.number_reason(written) == f"'{written}' is not a number"


@pytest.mark.parametrize("written", ["inf", "-inf", "+Infinity"])
def test_infinite_numbers(written: str) -> None:
    assert not cells.numbers(text(written), pa.float64())[1].any()
    assert "infinite" in cells.number_reason(written)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_rounded_once(values: list[float]) -> None:
    expected = np.array(values, np.float32)
    written = text(*(str(v) for v in expected))
    read, good, _ = cells.numbers(written, pa.float32())
    np.testing.assert_array_equal(read, expected)
    assert good.all()


@given(st.lists(st.lists(st.integers(0, 255), min_size=6, max_size=6), max_size=5))
def test_pixels(images: list[list[int]]) -> None:
    read, good, _ = cells.pixels(text(*(" ".join(map(str, image)) for image in images)), 6)
    assert read.dtype == np.uint8
    assert read.tolist() == images
    assert good.all()
    assert good.shape == (len(images),)


@pytest.mark.parametrize("written", ["1  2 3", " 1 2 3", "1 2 3 ", "001 02 3", "1 2  3 "])
def test_pixels_spaced_or_padded_oddly(written: str) -> None:
    read, good, _ = cells.pixels(text("4 5 6", written, "7 8 9"), 3)
    assert read.tolist() == [[4, 5, 6], [1, 2, 3], [7, 8, 9]]
    assert good.all()


@pytest.mark.parametrize(
    ("written", "levels", "note"),
    [
        ("1.0 2. 255.0", [1, 2, 255], "with decimals"),
        ("1,2,3", [1, 2, 3], "arrays or lists"),
        ("[1, 2, 3]", [1, 2, 3], "arrays or lists"),
        ("[1. 2. 3.]", [1, 2, 3], "arrays or lists"),
        ("[ 1  2\n 3]", [1, 2, 3], "arrays or lists"),
        ("1;2;3", [1, 2, 3], "arrays or lists"),
        ("0.003921569 1.0 0.0", [1, 255, 0], "read as fractions of 255."),
        ("0.0039 0.5020 1", [1, 128, 255], "read as fractions of 255."),
        ("0.1234 0.5 1", [31, 128, 255], "read as fractions of 255 and rounded"),
        ("12.4 12.6 1", [12, 13, 1], "rounded"),
    ],
)
def test_pixels_written_in_other_ways(written: str, levels: list[int], note: str) -> None:
    read, good, notes = cells.pixels(text("4 5 6", written, "7 8 9"), 3)
    assert good.all()
    assert read.tolist() == [[4, 5, 6], levels, [7, 8, 9]]
    assert any(note in sentence for sentence in notes)
    assert not cells.pixels(text("4 5 6", "7 8 9"), 3)[2]


@pytest.mark.parametrize(
    "written",
    [
        "array([1, 2,\n       3])",
        "array([1, 2, 3], dtype=uint8)",
        "array([1., 2., 3.], dtype=float32)",
        "np.array([[1], [2], [3]])",
        "array([[1],\n       [2],\n       [3]], dtype='>u2')",
        "[[1.]\n [2.]\n [3.]]",
        "[[1, 2], [3]]",
    ],
)
def test_arrays_as_numpy_prints_them(written: str) -> None:
    read, good, notes = cells.pixels(text("4 5 6", written), 3)
    assert good.all()
    assert read.tolist() == [[4, 5, 6], [1, 2, 3]]
    assert "Images printed as arrays or lists were read." in notes
    assert cells.pixel_reasons(written.replace("3", "3, 4", 1), 3)[0][1] == "wrong pixel count"


@pytest.mark.parametrize("written", ["system([1, 2, 3])[0]", "f(1 2 3)", "array(1, 2, 3)", "(1)"])
def test_other_calls_are_no_images(written: str) -> None:
    assert not cells.pixels(text(written), 3)[1].any()


@pytest.mark.parametrize("bits", ["0 1", "0.0 1.0", "0. 1.", "1, 0", "0 1e0", "00 01"])
def test_images_of_0_and_1_alone_are_black_and_white(bits: str) -> None:
    many = " ".join([bits.replace(",", "")] * 32)
    levels = [255 * (float(word) > 0) for word in many.split()]
    written = f"[{', '.join(many.split())}]" if "," in bits else many
    dark = " ".join(["0"] * 64)
    read, good, notes = cells.pixels(text(dark, written, many.replace("1", "2", 1)), 64)
    assert good.all()
    assert read[:2].tolist() == [[0] * 64, levels]
    assert read[2].max() == 2
    assert any("black and white" in note for note in notes)
    assert cells.pixels(text("0 1 1"), 3)[0].tolist() == [[0, 1, 1]]  # too small to tell
    shares = " ".join(["0.0", "0.0039"] * 32)
    assert cells.pixels(text(dark, shares), 64)[0].max() == 1


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4), st.integers(4, 9))
def test_shares_of_255_come_back_as_the_levels_they_were(levels: list[int], digits: int) -> None:
    written = " ".join(f"{level / 255:.{digits}f}" for level in (*levels, 128))
    read, good, _ = cells.pixels(text(written), 5)
    assert good.all()
    assert read.tolist() == [[*levels, 128]]


def test_an_image_cut_by_a_spreadsheet_is_known_by_its_length() -> None:
    cut = ("123 " * 9216)[: cells.CELL_LIMIT]
    assert cells.pixel_reasons(cut, 9216) == [(cells.CUT, cells.CUT)]
    assert cells.pixel_reasons(cut[:-5], 9216)[0][1] == "wrong pixel count"


@pytest.mark.parametrize("written", ["1,5", " 1,5 ", "+1,5e0"])
def test_a_decimal_comma(written: str) -> None:
    values, good, notes = cells.numbers(text(written, "1.5"), pa.float32())
    assert values.tolist() == [1.5, 1.5]
    assert good.all()
    assert notes == {"Decimal commas were read as points."}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1 2", "2 pixels found, 3 expected"),
        ("1", "1 pixel found, 3 expected"),
        ("", "0 pixels found, 3 expected"),
        ("1 2 3 4", "4 pixels found, 3 expected"),
        ("1 x 3", "pixel 2 is 'x', not a grey level from 0 to 255"),
        ("1 2 256", "pixel 3 is '256', not a grey level from 0 to 255"),
        ("-1 2 300", "pixel 1 is '-1', not a grey level from 0 to 255"),
        ("1.0 2", "2 pixels found, 3 expected"),
        ("[1, 2]", "2 pixels found, 3 expected"),
        ("1.2.3 2 3", "pixel 1 is '1.2.3', not a grey level from 0 to 255"),
        ("0.5 256.0 3", "pixel 2 is '256.0', not a grey level from 0 to 255"),
        ("-0.5 0.2 0.3", "pixel 1 is '-0.5', not a grey level from 0 to 255"),
        ("[1. 2. ... 3. 4.]", cells.SHORTENED),
        ("images/7.png", cells.PATH),
        ("0x1 2 3", "pixel 1 is '0x1', not a grey level from 0 to 255"),
        ("१ 2 3", "pixel 1 is '१', not a grey level from 0 to 255"),
        ("1\x002 3 4", "pixel 1 is '1\\x002', not a grey level from 0 to 255"),
        ("9" * 5000, f"'{'9' * 21}...' is not a list of 3 grey levels"),
        ("1x 2", "2 pixels found, 3 expected"),
    ],
)
def test_bad_pixels_leave_their_neighbours_alone(written: str, reason: str) -> None:
    read, good, _ = cells.pixels(text("4 5 6", written, "7 8 9"), 3)
    assert good.tolist() == [True, False, True]
    assert read[[0, 2]].tolist() == [[4, 5, 6], [7, 8, 9]]
    assert cells.pixel_reasons(written, 3)[0][0] == reason


def test_pixels_do_not_shift_between_images() -> None:
    _, good, _ = cells.pixels(text("1 2", "3 4 5 6"), 3)
    assert not good.any()
