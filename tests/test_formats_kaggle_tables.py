from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from formats_helper import TINY, mutated, source, told
from hypothesis import given, settings
from hypothesis import strategies as st

from fkd.errors import UserError
from fkd.formats import tables
from fkd.formats.kaggle_tables import (
    Lookup,
    Submission,
    full_lookup,
    read_lookup,
    read_submission,
    write_lookup,
    write_submission,
)
from fkd.formats.report import Report, ValidationError
from fkd.formats.source import open_table

HEADER = "RowId,ImageId,FeatureName,Location"


def lookup(*rows: str, known: list[int] | None = None) -> tuple[Lookup, Report]:
    report = Report()
    opened = source("\n".join([HEADER, *rows]), "IdLookupTable.csv")
    ids = None if known is None else np.array(known)
    return read_lookup(opened, TINY, report, ids), report


def submission(*rows: str) -> tuple[Submission, Report]:
    report = Report()
    text = "\n".join(["RowId,Location", *rows])
    return read_submission(source(text, "SampleSubmission.csv"), report), report


@pytest.mark.parametrize("location", ["", "?", "48.5"])
def test_a_lookup_is_read_whatever_its_locations_hold(location: str) -> None:
    read, report = lookup(f"1,5,eye_x,{location}", f"2,5,nose_y,{location}", known=[5])
    assert not report
    assert read.row_ids.tolist() == [1, 2]
    assert read.image_ids.tolist() == [5, 5]
    assert read.coordinates.tolist() == [0, 3]
    assert {a.dtype for a in (read.row_ids, read.image_ids, read.coordinates)} == {np.dtype("i8")}


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ("x,5,eye_x,", "RowId", "'x' is not an integer"),
        (",5,eye_x,", "RowId", "the field is empty"),
        ("1,5,eye_x,", "RowId", "1 is already the RowId of row 0"),
        ("9,5.5,eye_x,", "ImageId", "'5.5' is not an integer"),
        ("9,6,eye_x,", "ImageId", "image 6 is not in the test table"),
        ("9,5,ear_x,", "FeatureName", "'ear_x' is not a coordinate of a known keypoint"),
        ("9,5,,", "FeatureName", "'' is not a coordinate"),
        ("9,5", None, "2 fields found, 4 expected"),
        ("9,5,eye_x,,1", None, "5 fields found, 4 expected"),
        ("", None, "blank"),
    ],
)
def test_a_bad_lookup_row_is_left_out_and_explained(
    bad: str, column: str | None, reason: str
) -> None:
    read, report = lookup("1,5,eye_x,", bad, "2,5,eye_y,", known=[5])
    assert read.row_ids.tolist() == [1, 2]
    ((row, where, why),) = told(report)
    assert (row, where) == (1, column)
    assert reason in why


def test_ids_and_names_that_other_tools_have_written_again() -> None:
    read, report = lookup("1.0,5.0,EYE_X,", "2.0,5.,noseY,", "3, 5,eye.y,", known=[5])
    assert not report
    assert read.row_ids.tolist() == [1, 2, 3]
    assert read.image_ids.tolist() == [5, 5, 5]
    assert read.coordinates.tolist() == [0, 3, 1]
    assert report.notes == [
        "Whole numbers written with decimals, such as 1.0, were read.",
        "The names in FeatureName were matched ignoring case, spaces and punctuation.",
    ]
    assert not lookup("1,5,eye_x,", known=[5])[1].notes


def test_a_lookup_with_its_header_again_and_the_line_of_excel() -> None:
    report = Report()
    text = f"sep=,\n{HEADER}\n1,5,eye_x\n{HEADER}\n2,5,nose_y\nRowId,ImageId,FeatureName\n"
    read = read_lookup(source(text, "IdLookupTable.csv"), TINY, report, np.array([5]))
    assert read.row_ids.tolist() == [1, 2]
    again = "the header line again"
    assert told(report) == [(1, None, again), (3, None, again)]
    assert report.summary().endswith(f"2x {again}")
    assert report.notes == ["The first line, sep=, which is meant for Excel, was skipped."]


def test_every_problem_of_a_lookup_row_is_told() -> None:
    _, report = lookup("x,y,z,", "1,7,eye_x,", known=[5])
    assert [(p.row, p.column) for p in report.problems] == [
        (0, "RowId"),
        (0, "ImageId"),
        (0, "FeatureName"),
        (1, "ImageId"),
    ]


def test_any_image_will_do_where_none_are_known() -> None:
    assert len(lookup("1,5,eye_x,", "2,6,eye_x,")[0]) == 2


def test_a_full_lookup_asks_for_everything() -> None:
    asked = full_lookup(np.array([7, 3]), TINY)
    assert asked.row_ids.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert asked.image_ids.tolist() == [7, 7, 7, 7, 3, 3, 3, 3]
    assert asked.coordinates.tolist() == [0, 1, 2, 3] * 2


@pytest.mark.parametrize("name", ["IdLookupTable.csv", "IdLookupTable.zip"])
def test_lookups_round_trip(tmp_path: Path, name: str) -> None:
    asked = full_lookup(np.array([7, 3]), TINY)
    write_lookup(tmp_path / name, asked, TINY)
    report = Report()
    with open_table(tmp_path, "lookup") as opened:
        read = read_lookup(opened, TINY, report, np.array([3, 7]))
    assert not report
    for field in ("row_ids", "image_ids", "coordinates"):
        np.testing.assert_array_equal(getattr(read, field), getattr(asked, field))


def test_a_written_lookup_looks_like_kaggles(tmp_path: Path) -> None:
    write_lookup(tmp_path / "a.csv", full_lookup(np.array([7]), TINY), TINY)
    assert (tmp_path / "a.csv").read_text().splitlines()[:2] == [HEADER, "1,7,eye_x,"]


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_submissions_round_trip(
    tmp_path_factory: pytest.TempPathFactory, locations: list[float]
) -> None:
    path = tmp_path_factory.getbasetemp() / "submission.csv"
    given_ids = np.arange(len(locations))[::-1]
    write_submission(path, Submission(given_ids, np.array(locations)))
    report = Report()
    with open_table(path, "submission") as opened:
        read = read_submission(opened, report)
    assert not report
    assert read.row_ids.tolist() == given_ids.tolist()
    assert read.locations.tolist() == locations


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ("1,3", "RowId", "1 is already the RowId of row 0"),
        ("2.5,3", "RowId", "not an integer"),
        ("9,", "Location", "the field is empty"),
        ("9,nan", "Location", "'nan' is not a finite number"),
        ("9,inf", "Location", "infinite"),
        ("9,1e999", "Location", "'1e999' is not a finite number"),
        ("9,abc", "Location", "'abc' is not a number"),
        ("9,1,2", None, "3 fields found, 2 expected"),
    ],
)
def test_a_bad_answer_is_left_out_and_explained(bad: str, column: str | None, reason: str) -> None:
    read, report = submission("1,10", bad, "2,20")
    assert read.row_ids.tolist() == [1, 2]
    assert read.locations.tolist() == [10, 20]
    ((row, where, why),) = told(report)
    assert (row, where) == (1, column)
    assert reason in why


@pytest.mark.parametrize(("ids", "locations"), [([1, 1], [0, 0]), ([1, 2], [0, np.nan])])
def test_answers_that_would_be_refused_are_not_written(
    tmp_path: Path, ids: list[int], locations: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"repeats|finite"):
        write_submission(tmp_path / "s.csv", Submission(np.array(ids), np.array(locations)))
    assert list(tmp_path.iterdir()) == []


def test_columns_of_different_lengths_are_no_table() -> None:
    with pytest.raises(ValueError, match="do not match"):
        Submission(np.arange(2), np.zeros(3))
    with pytest.raises(ValueError, match="expected int64 of shape"):
        Lookup(np.arange(2), np.arange(2), np.arange(3))


def test_wrong_columns_are_fatal() -> None:
    with pytest.raises(ValidationError, match="missing column Location"):
        read_submission(source("RowId\n1\n", "a.csv"), Report())
    with pytest.raises(ValidationError, match="missing column ImageId; it has Image instead"):
        read_lookup(source("RowId,Image,FeatureName\n1,1,eye_x\n", "a.csv"), TINY, Report())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
@pytest.mark.parametrize("row", ["{},5,eye_{}", "{},5,eye_{},", "{},5,eye_{},?", "{},5,eye_{},,"])
@pytest.mark.parametrize("header", [HEADER, "RowId,ImageId,FeatureName"])
def test_the_answer_s_field_may_be_blank_or_missing(end: str, row: str, header: str) -> None:
    rows = [row.format(1, "x"), row.format(2, "y")]
    if header != HEADER and row.endswith("?"):
        return  # a field that has no name cannot be told from damage
    report = Report()
    read = read_lookup(source(end.join([header, *rows, ""])), TINY, report)
    assert not report
    assert read.row_ids.tolist() == [1, 2]
    assert read.image_ids.tolist() == [5, 5]
    assert read.coordinates.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["", "index", "Unnamed: 0"])
def test_an_index_that_pandas_wrote_is_passed_over(name: str) -> None:
    report = Report()
    read = read_lookup(source(f"{name},{HEADER}\n0,1,5,eye_x,\n1,2,5,eye_y,\n"), TINY, report)
    assert read.row_ids.tolist() == [1, 2]
    assert not report
    assert "index from pandas" in report.notes[0]


VALID = "\n".join([HEADER, "1,5,eye_x,", '"2",5,eye_y,?', "3,6,nose_x,1.0", ""]).encode()


@given(mutated(VALID), st.sampled_from([8, 1 << 20]))
@settings(max_examples=200, deadline=None)
def test_a_mutated_lookup_raises_nothing_but_user_errors(data: bytes, block_bytes: int) -> None:
    report = Report()
    with pytest.MonkeyPatch.context() as patch, suppress(UserError):
        patch.setattr(tables, "BLOCK_BYTES", block_bytes)
        read = read_lookup(source(data, "a.csv"), TINY, report, np.array([5, 6]))
        assert len(read) + len(report.bad_rows) == report.rows
