from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fkd import groups
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.groups import read_group_table, read_groups
from fkd.keypoints import Keypoint, KeypointSchema

SCHEMA = KeypointSchema(
    "one",
    (Keypoint("p", "face", "middle", "#000000"),),
    mirror_pairs=(),
    edges=(),
    image_size=(1, 1),
)


def dataset(*rows: int) -> Dataset:
    n = len(rows)
    images = np.zeros((n, 1, 1), np.uint8)
    keypoints = np.zeros((n, 1, 2), np.float32)
    numbers = np.array(rows, np.int64)
    return Dataset("d", SCHEMA, images, keypoints, numbers, images[:0], numbers[:0])


@pytest.fixture
def table(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_groups_by_source_row(table):
    path = table("row,person\n7,ann\n2,bob\n3,ann\n99,eve\n98,ann\n")
    found = read_group_table(path, dataset(2, 3, 5, 7))
    assert found.numbers.tolist() == [0, 1, -1, 1]
    assert found.numbers.dtype == np.int64
    assert found.ignored == 2
    np.testing.assert_array_equal(read_groups(str(path), dataset(2, 3, 5, 7)), found.numbers)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfrow,who\r\n0,a\r\n1,b\r\n",
        ' Row , "any, name"\n 0 ,"a"\n\n1,b',
        "row,x\n0,a\n0,a\n0, a \n1,b\n,\n",
        "row,x\n1,b\n0,a\n",
    ],
)
def test_the_ways_to_write_it(table, text):
    assert read_groups(table(text), dataset(0, 1)).tolist() == [0, 1]


def test_rows_without_a_name_stand_alone(table):
    path = table("row,x\n0,\n1,  \n2,a\n3,a\n")
    assert read_groups(path, dataset(0, 1, 2, 3)).tolist() == [-1, -1, 0, 0]


names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)


@given(st.dictionaries(st.integers(0, 30), names, min_size=1))
def test_any_text_is_a_name(tmp_path_factory, given_names):
    path = tmp_path_factory.getbasetemp() / "names.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("row", "name"), *given_names.items()])
    numbers = read_groups(path, dataset(*range(31)))
    for a in range(31):
        name = given_names.get(a, "").strip()
        assert (numbers[a] == -1) == (not name)
        for b, other in given_names.items():
            if name and other.strip():
                assert (numbers[a] == numbers[b]) == (name == other.strip())
    named = numbers[numbers >= 0]
    first = (
        [named[0], *named[1:][named[1:] > np.maximum.accumulate(named)[:-1]]] if len(named) else []
    )
    assert first == list(range(len(first)))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "first line must name two columns"),
        ("0,ann\n1,bob\n", "first line must name two columns"),
        ("row,person,age\n0,a,3\n", "first line must name two columns"),
        ("row\n0\n", "first line must name two columns"),
        ("row;person\n0;a\n", "first line must name two columns"),
        ("person,row\na,0\n", "first line must name two columns"),
        ("row,person\n", "no rows below"),
        ("row,person\n0,a\nx,b\n", "line 3: the row must be a whole number"),
        ("row,person\n-1,a\n", "line 2: the row must be a whole number"),
        ("row,person\n1.0,a\n", "line 2: the row must be a whole number"),
        ("row,person\n,a\n", "line 2: the row must be a whole number"),
        ("row,person\n٣,a\n", "line 2: the row must be a whole number"),
        ("row,person\n1234567890123456789,a\n", "line 2: the row must be a whole number"),
        ("row,person\n0,a,b\n", "line 2: 3 fields found, 2 expected"),
        ("row,person\n0\n", "line 2: 1 fields found, 2 expected"),
        ("row,person\n0,a\n1,b\n0,b\n", "line 4: row 0 is in another group"),
        ("row,person\n0,a\n0,\n", "line 3: row 0 is in another group"),
        ('row,person\n0,"a\n', "no CSV"),
        ("row,person\n0," + "a" * 200_000, "no CSV"),
        (b"row,person\n0,\xff\n", "not UTF-8"),
        ("row,person\n0,a".encode("utf-16"), "not UTF-8"),
        ("row,person\n5,a\n6,a\n", "none of its 2 rows is in dataset 'd'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(table, text, match):
    with pytest.raises(UserError, match=match) as raised:
        read_groups(table(text), dataset(0, 1))
    assert "\n" not in str(raised.value)
    assert "people.csv" in str(raised.value)


def test_messages_do_not_repeat_what_the_table_says(table):
    hostile = "<img src=x>"
    for text in (f"row,x\n{hostile},a\n", f"row,x\n0,{hostile}\n0,b\n", f"{hostile},y\n0,a\n"):
        with pytest.raises(UserError) as raised:
            read_groups(table(text), dataset(0))
        assert hostile not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.csv", "does not exist"),
        (".", "is a folder"),
        ("nul\0byte", "cannot be read"),
        ("two\nlines", r"two\\nlines does not exist"),
        ("lone\udc80", "does not exist"),
    ],
)
def test_no_such_file(tmp_path, name, words):
    with pytest.raises(UserError, match=words):
        read_groups(tmp_path / name, dataset(0))


def test_a_table_too_large_is_not_read(table, monkeypatch):
    monkeypatch.setattr(groups, "MAX_GROUPS_BYTES", 20)
    assert read_groups(table("row,person\n0,seven\n" + " "), dataset(0)).tolist() == [0]
    with pytest.raises(UserError, match="larger than 20 bytes"):
        read_groups(table("row,person\n0,seventy7"), dataset(0))


def test_an_empty_dataset_has_no_groups(table):
    with pytest.raises(UserError, match="none of its 1 rows"):
        read_groups(table("row,person\n0,a\n"), dataset())
