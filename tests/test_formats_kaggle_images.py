import re
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from formats_helper import TINY, mutated, source, told
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fkd.errors import UserError
from fkd.formats import tables
from fkd.formats.kaggle_images import (
    ImageBatch,
    is_outside,
    read_test,
    read_training,
    write_test,
    write_training,
)
from fkd.formats.report import Report, ValidationError
from fkd.formats.source import open_table
from fkd.keypoints import KAGGLE_15

HEADER = "eye_x,eye_y,nose_x,nose_y,Image"
GOOD = "1.5,0.5,,,0 1 2 3 4 255"


def training(*rows: str, header: str = HEADER) -> tuple[list[ImageBatch], Report]:
    report = Report()
    text = "\n".join([header, *rows]) + "\n"
    return list(read_training(source(text), TINY, report)), report


def rows_of(batches: list[ImageBatch]) -> list[int]:
    return [row for batch in batches for row in batch.rows.tolist()]


def read_back(path: Path) -> tuple[np.ndarray, np.ndarray]:
    report = Report()
    with open_table(path, "training") as opened:
        batches = list(read_training(opened, TINY, report))
    assert not report
    keypoints = [batch.keypoints for batch in batches if batch.keypoints is not None]
    return np.concatenate([batch.images for batch in batches]), np.concatenate(keypoints)


def test_a_row_becomes_an_image_and_its_points() -> None:
    (batch,), report = training(GOOD, ",,-1,2e0,9 9 9 9 9 9")
    assert not report
    assert report.summary() == "no bad rows of 2 in training.csv"
    assert batch.rows.tolist() == [0, 1]
    assert batch.images.dtype == np.uint8
    assert batch.images.tolist() == [[[0, 1, 2], [3, 4, 255]], [[9, 9, 9], [9, 9, 9]]]
    assert batch.keypoints is not None
    assert batch.keypoints.dtype == np.float32
    nan = np.nan
    expected = [[[1.5, 0.5], [nan, nan]], [[nan, nan], [-1, 2]]]
    np.testing.assert_array_equal(batch.keypoints, np.array(expected, np.float32))
    assert batch.image_ids is None


def test_columns_may_come_in_any_order_and_quoted() -> None:
    header = 'Image,"nose_y",nose_x,eye_y,eye_x'
    (batch,), report = training('0 1 2 3 4 5,2,1,"0.5",NaN', "0 1 2 3 4 5,,NA,0,1", header=header)
    assert report.bad_rows == {0}
    assert str(report.problems[0]).endswith(
        "row 0 (line 2), column eye_x: the coordinate is missing, but eye_y is given"
    )
    assert batch.keypoints is not None
    np.testing.assert_array_equal(batch.keypoints[0], [[1, 0], [np.nan, np.nan]])


def points() -> st.SearchStrategy[np.ndarray]:
    """Float32 points that the format can hold: at most half an image away, or missing whole."""
    values = hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.just(2), st.just(2)),
        elements=st.floats(-1.5, 2.5, width=32),
    )
    missing = st.lists(st.booleans(), min_size=10, max_size=10)

    def join(values: np.ndarray, missing: list[bool]) -> np.ndarray:
        values[np.reshape(missing, (5, 2))[: len(values)]] = np.nan
        return values

    return st.builds(join, values, missing)


@given(points(), st.sampled_from(["training.csv", "training.zip"]))
@settings(max_examples=50, deadline=None)
def test_what_is_written_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, keypoints: np.ndarray, name: str
) -> None:
    path = tmp_path_factory.mktemp("round") / name
    images = np.random.default_rng(len(keypoints)).integers(
        0, 256, (len(keypoints), 2, 3), np.uint8
    )
    write_training(path, images, keypoints, TINY)
    images_back, keypoints_back = read_back(path)
    np.testing.assert_array_equal(images_back, images)
    np.testing.assert_array_equal(keypoints_back, keypoints)


def test_a_zip_holds_the_table_under_its_own_name(tmp_path: Path) -> None:
    images = np.zeros((3, 2, 3), np.uint8)
    write_training(tmp_path / "training.zip", images, np.full((3, 2, 2), np.nan), TINY)
    with zipfile.ZipFile(tmp_path / "training.zip") as archive:
        assert archive.namelist() == ["training.csv"]
    assert [p.name for p in tmp_path.iterdir()] == ["training.zip"]


def test_real_sized_images_round_trip_over_several_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BLOCK_BYTES", 100_000)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, *KAGGLE_15.image_size), np.uint8)
    keypoints = rng.uniform(0, 90, (20, len(KAGGLE_15), 2)).astype(np.float32)
    write_training(tmp_path / "training.csv", images, keypoints, KAGGLE_15)
    with open_table(tmp_path, "training") as opened:
        batches = list(read_training(opened, KAGGLE_15, Report()))
        assert batches[-1].bytes_read == opened.size
    assert len(batches) > 5
    assert rows_of(batches) == list(range(20))
    np.testing.assert_array_equal(np.concatenate([b.images for b in batches]), images)
    np.testing.assert_array_equal(np.concatenate([b.keypoints for b in batches]), keypoints)


BAD_ROWS = [
    ("1,2,3,4", None, "4 fields found, 5 expected"),
    ("1,2,3,4,5,6", None, "6 fields found, 5 expected"),
    ("", None, "blank"),
    ('1,2,"3,4,0 0 0 0 0 0', None, "quotation mark"),
    (",,,,", "Image", "0 pixels found, 6 expected"),
    (",,,,1 2 3 4 5", "Image", "5 pixels found, 6 expected"),
    (",,,,1 2 3 4 5 6 7", "Image", "7 pixels found, 6 expected"),
    (",,,,1 2 x 4 5 6", "Image", "pixel 3 is 'x'"),
    (",,,,1 2 3 4 5 256", "Image", "pixel 6 is '256'"),
    (",,,,1 -2 3 4 5 6", "Image", "pixel 2 is '-2'"),
    (",,,,1 2 3 4.x 5 6", "Image", "pixel 4 is '4.x'"),
    (",,,,[1 2 ... 5 6]", "Image", "shortened to '...' when NumPy printed it"),
    ("abc,1,,,1 2 3 4 5 6", "eye_x", "'abc' is not a number"),
    (",,1,?,1 2 3 4 5 6", "nose_y", "'?' is not a number"),
    ("inf,1,,,1 2 3 4 5 6", "eye_x", "infinite"),
    ("1,-Infinity,,,1 2 3 4 5 6", "eye_y", "infinite"),
    ("1e300,1,,,1 2 3 4 5 6", "eye_x", "far outside the image of 3x2 px"),
    ("4.1,1,,,1 2 3 4 5 6", "eye_x", "'4.1' is far outside"),
    (",,1,-1.6,1 2 3 4 5 6", "nose_y", "far outside"),
    ("1,,,,1 2 3 4 5 6", "eye_y", "missing, but eye_x is given"),
    (",,nan,1,1 2 3 4 5 6", "nose_x", "missing, but nose_y is given"),
]


@pytest.mark.parametrize(("bad", "column", "words"), BAD_ROWS)
@pytest.mark.parametrize("block_bytes", [8, 1000])
def test_a_bad_row_is_left_out_and_explained(
    bad: str, column: str | None, words: str, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "BLOCK_BYTES", block_bytes)
    batches, report = training(GOOD, GOOD, bad, GOOD, bad, bad, GOOD)
    assert rows_of(batches) == [0, 1, 3, 6]
    assert all((batch.images == [[0, 1, 2], [3, 4, 255]]).all() for batch in batches)
    assert report.bad_rows == {2, 4, 5}
    assert report.rows == 7
    assert len(report) == 3
    for problem, row in zip(report.problems, (2, 4, 5), strict=True):
        assert (problem.file, problem.row, problem.column) == ("training.csv", row, column)
        assert words in problem.reason
    assert report.summary().startswith("3 bad rows of 7 in training.csv: 3x ")


def test_every_problem_of_a_row_is_told_in_order() -> None:
    batches, report = training("abc,,9,1,1 2", GOOD, "1,2")
    assert rows_of(batches) == [1]
    assert [(p.row, p.column) for p in report.problems] == [
        (0, "eye_x"),
        (0, "eye_y"),
        (0, "nose_x"),
        (0, "Image"),
        (2, None),
    ]


def test_a_table_of_bad_rows_only_gives_no_batch() -> None:
    batches, report = training("1,2", "1,2,3")
    assert batches == []
    assert report.bad_rows == {0, 1}
    assert not report.fatal


def test_latin_1_spoils_only_its_row() -> None:
    text = HEADER.encode() + b"\n" + GOOD.encode() + b"\n\xe9" + GOOD.encode() + b"\n"
    report = Report()
    batches = list(read_training(source(text), TINY, report))
    assert rows_of(batches) == [0]
    assert "0xe9" in report.problems[0].reason


def test_a_huge_field_is_a_wrong_pixel_count() -> None:
    batches, report = training(GOOD, ",,,," + "7 " * 300_000, ",,,," + "7" * 300_000, GOOD)
    assert rows_of(batches) == [0, 3]
    assert report.problems[0].reason == "300,000 pixels found, 6 expected"
    assert all(len(problem.reason) < 100 for problem in report.problems)


def test_the_wrong_table_is_refused_at_once() -> None:
    report = Report()
    with pytest.raises(ValidationError, match="no column of any keypoint, such as eye_x") as caught:
        next(read_training(source("ImageId,Image\n1,0 0 0 0 0 0\n"), TINY, report))
    assert caught.value.report is report
    assert [p.row for p in report.fatal] == [None]


def test_columns_that_lack_are_missing_points_and_further_ones_are_kept() -> None:
    report = Report()
    rows = ("7,2,1,ann,0 0 0 0 0 0", "8,,,bob,1 1 1 1 1", "9,,,eve,1 1 1 1 1 1")
    text = "\n".join(("id,nose_y,nose_x,who,Image", *rows))
    (batch,) = read_training(source(text), TINY, report)
    assert batch.rows.tolist() == [0, 2]
    np.testing.assert_array_equal(batch.keypoints[0], [[np.nan, np.nan], [1, 2]])
    assert {name: column.to_pylist() for name, column in batch.fields.items()} == {
        "id": ["7", "9"],
        "who": ["ann", "eve"],
    }
    assert report.notes == [
        "The table has no columns for 1 of 2 keypoints (eye); they are missing in every row.",
        "Kept beside the labels: the columns id and who.",
    ]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("eye_x,nose_x,nose_y", "missing column eye_y, though the other coordinate"),
        ("eyes_x,eyes_y,nose_x,nose_y", "is eyes_x meant to be eye_x?"),
        ("x1,y1", "no column of any keypoint"),
        ("eye_x,eye_y,eye_x,eye_y", "duplicate columns eye_x and eye_y"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(header: str, words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        next(read_training(source(f"{header},Image\n1,1,1,1,0 0 0 0 0 0\n"), TINY, Report()))


def test_names_of_columns_match_whatever_their_case() -> None:
    report = Report()
    text = "Eye X,eye-y,NOSE_X,nose_y,image\n1,2,,,0 0 0 0 0 0\n"
    (batch,) = read_training(source(text), TINY, report)
    np.testing.assert_array_equal(batch.keypoints[0], [[1, 2], [np.nan, np.nan]])
    assert report.notes == ["Column names were matched ignoring case, spaces and punctuation."]


@pytest.mark.parametrize("header", ["eyeX,eyeY,noseX,NoseY", "eye.x,eye.y,nose (x),nose (y)"])
def test_names_of_columns_match_whatever_their_spelling(header: str) -> None:
    report = Report()
    (batch,) = read_training(source(f"{header},Image\n1,2,,,0 0 0 0 0 0\n"), TINY, report)
    np.testing.assert_array_equal(batch.keypoints[0], [[1, 2], [np.nan, np.nan]])
    assert any("Column names were matched" in note for note in report.notes)


def test_a_header_in_the_middle_is_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    quoted = '\ufeff"eye_x",EYE_Y,"nose_x",nose_y,Image'
    for block_bytes in (8, 64, 1000):
        monkeypatch.setattr(tables, "BLOCK_BYTES", block_bytes)
        batches, report = training(GOOD, HEADER, GOOD, "x,1,,,1 2 3 4 5 6", HEADER.upper(), GOOD)
        assert rows_of(batches) == [0, 2, 5]
        assert report.summary().endswith("2x the header line again, 1x bad coordinate")
        assert [p.row for p in report.problems] == [1, 3, 4]
        batches, report = training(GOOD, quoted.removeprefix("\ufeff"), GOOD)
        assert rows_of(batches) == [0, 2]
        assert report.summary().endswith("1x the header line again")


def test_a_test_table_with_its_header_again() -> None:
    report = Report()
    text = "ImageId,Image\n1,0 1 2 3 4 5\nImageId,Image\n2,0 1 2 3 4 5\n"
    (batch,) = read_test(source(text, "test.csv"), TINY, report)
    assert batch.image_ids.tolist() == [1, 2]
    assert told(report) == [(1, None, "the header line again")]


def test_test_images_whose_ids_pandas_made_floats() -> None:
    report = Report()
    (batch,) = read_test(source("ImageId,Image\n1.0,0 1 2 3 4 5\n"), TINY, report)
    assert batch.image_ids.tolist() == [1]
    assert report.notes == ["Whole numbers written with decimals, such as 1.0, were read."]


@pytest.mark.parametrize("where", ["0,0", "-1,-1", "0.0,0.0", "-1.0,-1"])
def test_points_where_tools_put_missing_ones_are_missing_and_said(where: str) -> None:
    batches, report = training(f"1,1,{where},1 2 3 4 5 6", f"{where},{where},1 2 3 4 5 6", GOOD)
    (batch,) = batches
    assert np.isnan(batch.keypoints).all(axis=2)[:2].tolist() == [[False, True], [True, True]]
    assert not report
    assert report.notes == [
        "3 points at 0, 0 or -1, -1 were read as missing: that is where other tools put missing "
        "points."
    ]


@pytest.mark.parametrize("place", [(0, 0), (-1, -1), (0, 1), (-1, 0)])
def test_a_point_that_truly_lies_there_is_written_so_that_it_stays(
    tmp_path: Path, place: tuple[int, int]
) -> None:
    images = np.zeros((1, 2, 3), np.uint8)
    points = np.array([[place, (np.nan, np.nan)]], np.float32)
    write_training(tmp_path / "training.csv", images, points, TINY)
    np.testing.assert_array_equal(read_back(tmp_path / "training.csv")[1], points)


def test_an_array_printed_over_many_lines_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    printed = '1,1,,,"[1 2\n 3 4\n 5 6]"'
    for block_bytes in (3, 16, 1000):
        monkeypatch.setattr(tables, "BLOCK_BYTES", block_bytes)
        batches, report = training(GOOD, printed, GOOD, printed, ",,,,1 2 3", GOOD)
        assert rows_of(batches) == [0, 1, 2, 3, 5]
        assert report.bad_rows == {4}
        images = np.concatenate([b.images for b in batches]).reshape(-1, 6)
        assert images[1].tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "printed",
    [
        "[[1 2 3]\n [4 5 6]]",
        "[[1. 2.\n  3.]\n [4. 5.\n  6.]]",
        "array([1, 2, 3,\n       4, 5, 6])",
        "array([[1, 2, 3],\n       [4, 5, 6]], dtype=uint8)",
        "array([1, 2, 3, 4,\n       5, 6],\n      dtype=uint8)",
    ],
)
def test_printed_arrays_of_every_kind_are_one_row(
    printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    row = f'1,1,,,"{printed}"'
    for block_bytes in (1, 3, 16, 1000):
        monkeypatch.setattr(tables, "BLOCK_BYTES", block_bytes)
        batches, report = training(GOOD, row, row, GOOD, ",,,,1 2 3", row)
        assert rows_of(batches) == [0, 1, 2, 3, 5]
        assert report.bad_rows == {4}
        images = np.concatenate([b.images for b in batches]).reshape(-1, 6)
        assert images[[1, 2, 4]].tolist() == [[1, 2, 3, 4, 5, 6]] * 3


@pytest.mark.parametrize("begun", ['"[[1 2', '"array([1, 2,', '"array([[1, 2],', '"array([1, 2],'])
def test_arrays_whose_quote_never_closes_hide_no_rows(
    begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "_MOST_OPEN", 200)
    monkeypatch.setattr(tables, "MAX_ROW_BYTES", 2000)  # not what a row of its own would end
    printed = '1,1,,,"[[1 2 3]\n [4 5 6]]"'
    for block_bytes in (3, 50, 10_000):
        monkeypatch.setattr(tables, "BLOCK_BYTES", block_bytes)
        for after in ([GOOD] * 300, [printed] * 20, [GOOD] * 3):
            batches, report = training(GOOD, f"1,1,,,{begun}", *after)
            assert rows_of(batches) == [0, *range(2, len(after) + 2)]
            assert report.bad_rows == {1}


def test_an_array_without_end_spoils_no_more_than_its_line() -> None:
    batches, report = training(GOOD, '1,1,,,"[1 2', GOOD, "x,1,,,1 2 3 4 5 6", GOOD)
    assert rows_of(batches) == [0, 2, 4]
    assert report.bad_rows == {1, 3}


def test_semicolons_with_decimal_commas() -> None:
    report = Report()
    text = "eye_x;eye_y;nose_x;nose_y;Image\n1,5;0,25;;;1 2 3 4 5 6\n"
    (batch,) = read_training(source(text), TINY, report)
    np.testing.assert_array_equal(batch.keypoints[0], [[1.5, 0.25], [np.nan, np.nan]])
    assert report.notes == [
        "The fields are separated by semicolons.",
        "Decimal commas were read as points.",
    ]


def test_reading_may_stop_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 32)
    opened = source("\n".join([HEADER, *[GOOD] * 500]))
    batches = read_training(opened, TINY, Report())
    assert next(batches).rows[0] == 0
    batches.close()
    assert opened.stream.tell() < opened.size


@pytest.mark.parametrize(
    ("points", "shape"),
    [
        ([[np.nan, 1], [1, 1]], (1, 2, 3)),
        ([[np.inf, 1], [1, 1]], (1, 2, 3)),
        ([[40, 1], [1, 1]], (1, 2, 3)),
        ([[1, 1], [1, 1]], (1, 3, 2)),
        ([[1, 1], [1, 1]], (2, 2, 3)),
        ([[1, 1]], (1, 2, 3)),
    ],
)
def test_what_could_not_be_read_back_is_not_written(
    tmp_path: Path, points: list, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "training.csv"
    path.write_text("as it was")
    with pytest.raises(ValueError, match=r"row 0|do not fit"):
        write_training(path, np.zeros(shape, np.uint8), np.array([points], np.float32), TINY)
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["no/training.csv", "n" * 300 + ".csv", "taken"])
def test_where_nothing_can_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        write_test(tmp_path / name, np.array([1]), np.zeros((1, 2, 3), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_equal_tables_make_equal_zips(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_test(tmp_path / folder / "test.zip", np.array([1]), np.zeros((1, 2, 3), np.uint8))
    assert (tmp_path / "a/test.zip").read_bytes() == (tmp_path / "b/test.zip").read_bytes()


def test_outside_starts_half_an_image_beyond_the_border() -> None:
    # 3 px wide: the border is at -0.5 and 2.5, half an image is 1.5.
    inside = np.array([[[-2.0, -1.5], [4.0, 2.5]]])
    assert not is_outside(inside, TINY).any()
    assert is_outside(inside + np.array([[[-0.01], [0.01]]]), TINY).all()
    assert not is_outside(np.full((1, 2, 2), np.nan), TINY).any()


def test_test_tables_round_trip(tmp_path: Path) -> None:
    images = np.arange(18, dtype=np.uint8).reshape(3, 2, 3)
    ids = np.array([7, 1, 3])
    write_test(tmp_path / "test.csv", ids, images)
    with open_table(tmp_path, "test") as opened:
        (batch,) = read_test(opened, TINY, Report())
    assert batch.image_ids is not None
    assert batch.image_ids.tolist() == [7, 1, 3]
    assert batch.keypoints is None
    np.testing.assert_array_equal(batch.images, images)


@pytest.mark.parametrize("ids", [[1, 2], [1, 2, 2]])
def test_test_tables_need_one_id_an_image(tmp_path: Path, ids: list[int]) -> None:
    with pytest.raises(ValueError, match="id"):
        write_test(tmp_path / "test.csv", np.array(ids), np.zeros((3, 2, 3), np.uint8))


def test_image_ids_are_integers_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 32)
    pixels = "0 1 2 3 4 5"
    ids = ("1", "x", "2", "", "1", "3", "1", "2.5", "4")
    rows = [f"{image_id},{pixels}" for image_id in ids]
    rows[5] = "3,0 1"
    report = Report()
    text = "\n".join(["ImageId,Image", *rows, "3," + pixels])
    batches = list(read_test(source(text, "test.csv"), TINY, report))
    assert rows_of(batches) == [0, 2, 8]
    assert told(report) == [
        (1, "ImageId", "'x' is not an integer"),
        (3, "ImageId", "the field is empty"),
        (4, "ImageId", "1 is already the ImageId of row 0"),
        (5, "Image", "2 pixels found, 6 expected"),
        (6, "ImageId", "1 is already the ImageId of row 0"),
        (7, "ImageId", "'2.5' is not an integer"),
        (9, "ImageId", "3 is already the ImageId of row 5"),
    ]


VALID = "\n".join([HEADER, GOOD, "1,1,2,1,9 8 7 6 5 4", '"1",1,,,0 0 0 0 0 0', GOOD, ""]).encode()


@given(mutated(VALID), st.sampled_from([8, 32, 1 << 20]))
@settings(max_examples=300, deadline=None)
def test_a_mutated_table_raises_nothing_but_user_errors(data: bytes, block_bytes: int) -> None:
    report = Report()
    with pytest.MonkeyPatch.context() as patch, suppress(UserError):
        patch.setattr(tables, "BLOCK_BYTES", block_bytes)
        batches = list(read_training(source(data), TINY, report))
        good = rows_of(batches)
        assert len(good) + len(report.bad_rows) == report.rows
        assert not report.bad_rows.intersection(good)
        assert good == sorted(good)
