import io
from collections.abc import Iterator

import pytest
from formats_helper import source, told
from hypothesis import given
from hypothesis import strategies as st

from fkd.errors import UserError
from fkd.formats import tables
from fkd.formats._lines import split_fields
from fkd.formats.report import Report, ValidationError
from fkd.formats.source import TableSource
from fkd.formats.tables import Table

COLUMNS = ("a", "b", "c")


def read(data: bytes) -> tuple[list[tuple[int, str, str, str]], Report]:
    report = Report()
    table = Table(source(data, "t.csv"), COLUMNS, report)
    rows = []
    for block in table.blocks():
        text = table.text_rows(block)
        for problem, category in text.problems:
            report.add(problem, category)
        fields = (text.columns[c].to_pylist() for c in COLUMNS)
        rows += list(zip(text.rows.tolist(), *fields, strict=True))
    return rows, report


def refusal(data: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        read(data)
    assert caught.value.report.fatal
    text = str(caught.value)
    assert text.startswith("t.csv: ")
    assert "\n" not in text
    return text


@pytest.fixture
def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 16)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b,c\n1,2,3\n4,,6\n",
        b"a,b,c\n1,2,3\n4,,6",
        b"a,b,c\r\n1,2,3\r\n4,,6\r\n",
        b"\xef\xbb\xbfa,b,c\n1,2,3\n4,,6\n",
        b"c,a,b\n3,1,2\n6,4,\n",
        b'"a","b","c"\n"1","2","3"\n4,"",6\n',
        b'a,b,c\r\n"1",2,3\r\n4,,"6"\r\n',
        b" a, b ,c \n1,2,3\n4,,6\n\n\n\r\n\n",
        b"a,b,c\r1,2,3\r4,,6\r",
        b"a,b,c\r\r\n1,2,3\r\r\n4,,6\r\r\n",
        b"a;b;c\n1;2;3\n4;;6\n",
        b"a\tb\tc\n1\t2\t3\n4\t\t6\n",
        b'"a";b;c\n"1";2;3\n4;"";6\n',
        b"A,B,c\n1,2,3\n4,,6\n",
        b"a,b,c,\n1,2,3,\n4,,6,\n",
        b"a|b|c\n1|2|3\n4||6\n",
        b"sep=;\r\na;b;c\r\n1;2;3\r\n4;;6\r\n",
        b"\xef\xbb\xbfSEP=,\na,b,c\n1,2,3\n4,,6\n",
        b'"sep=|"\na|b|c\n1|2|3\n4||6\n',
        b"sep=\t\na\tb\tc\n1\t2\t3\n4\t\t6\n",
        b"a,b,c\n1,2,3,\n4,,6,,\n",
        b",a,b,c\n0,1,2,3\n1,4,,6\n",
        b"a,d,b,c\n1,x,2,3\n4,y,,6\n",
    ],
)
def test_spellings_of_the_same_table(data: bytes) -> None:
    rows, report = read(data)
    assert rows == [(0, "1", "2", "3"), (1, "4", "", "6")]
    assert report.rows == 2
    assert not report
    assert report.file == "t.csv"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a,b,c", "no rows"),
        (b"a,b,c\n", "no rows"),
        (b"a,b,c\n\n\n", "no rows"),
        (b"\n1,2,3\n", "first line is blank"),
        ("a,b,c\n1,2,3\n".encode("utf-16"), "UTF-16; save the file as UTF-8"),
        (b"\xfe\xff" + "a,b,c\n".encode("utf-16-be"), "UTF-16"),
        ("a,b,c\n1,2,3\n".encode("utf-32"), "UTF-32"),
        ("a,b,c\n1,2,3\n".encode("utf-16-le"), "not a CSV"),
        (b"\x1f\x8b\x08\x00\x00\x00", "not a CSV"),
        (b"a,b,\xe9\n1,2,3\n", "UTF-8"),
        (b'a,"b,c\n1,2,3\n', "quotation mark"),
        (b"a,b,c,d,a\n", "duplicate column a"),
        (b"a,x y\n", "missing columns b and c; it has 'x y' instead"),
        (b"1,2,3\n4,5,6\n", "has none of the 3 columns expected, such as a and b"),
        (b"<html>\n", "this is a web page (HTML or XML), not a CSV table: is it the right"),
        (b'<!DOCTYPE html><a href="a,b,c">\n', "web page"),
        (b'[{"a":1,"b":2,"c":3}]', "this is JSON, not a CSV table; save the table as CSV"),
        (b'  {\n  "a": [1]\n}\n', "JSON"),
        (b"a b c\n1 2 3\n", "its columns are separated by spaces"),
        (b'a b "c"\n1 2 "3"\n', "separated by spaces"),
        (b"sep=;\n", "first line is blank"),
    ],
)
def test_what_is_no_such_table_is_refused_in_words(data: bytes, words: str) -> None:
    assert words in refusal(data)


@pytest.mark.usefixtures("tiny_blocks")
def test_the_line_for_excel_is_passed_over_and_said() -> None:
    rows, report = read(b"sep=;\r\na;b;c\r\n1;2;3\r\n")
    assert rows == [(0, "1", "2", "3")]
    assert report.notes == [
        "The first line, sep=, which is meant for Excel, was skipped.",
        "The fields are separated by semicolons.",
    ]


def test_rows_that_look_like_a_header_in_part_are_rows() -> None:
    rows, report = read(b"a,b,c\na,b,x\nA,,\n1,b,c\n")
    assert [row[0] for row in rows] == [0, 2]
    assert told(report) == [(1, None, "the header line again")]


def test_a_first_line_without_end_is_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "MAX_HEADER_BYTES", 64)
    assert "no end" in refusal(b"a,b,c" * 100)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1,2", "2 fields found, 3 expected"),
        (b"1,2,3,4", "4 fields found, 3 expected"),
        (b"1;2;3", "1 field found"),
        (b"", "blank"),
        (b"1,\xe9,3", "byte 0xe9 is not UTF-8"),
        (b'1,"2,3', "quotation mark"),
        (b'1,2"2,3', "quotation mark"),
        (b'1,"2"2,3', "quotation mark"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bad", [{0}, {1}, {3, 4}, {0, 1, 2, 5}, {2, 3, 4, 5}])
@pytest.mark.usefixtures("tiny_blocks")
def test_a_bad_line_is_one_bad_row(line: bytes, reason: str, end: bytes, bad: set[int]) -> None:
    lines = [line if row in bad else b"%d,b,c" % row for row in range(7)]
    rows, report = read(end.join([b"a,b,c", *lines]) + end)
    assert rows == [(row, str(row), "b", "c") for row in range(7) if row not in bad]
    assert report.bad_rows == bad
    assert report.rows == 7
    assert all(reason in p.reason and p.column is None for p in report.problems)


@pytest.mark.usefixtures("tiny_blocks")
def test_the_last_row_may_be_the_bad_one() -> None:
    rows, report = read(b"a,b,c\n" + b"1,2,3\n" * 5 + b"1,2")
    assert [row[0] for row in rows] == [0, 1, 2, 3, 4]
    assert report.bad_rows == {5}


def lines() -> st.SearchStrategy[list[tuple[bool, bytes]]]:
    good = st.sampled_from([b"1,2,3", b",,", b'"1",2,3', b'"a,b",2,"x""y"', b" 1, 2, 3"])
    long = st.integers(1, 60).map(lambda n: b"1,2," + b"x" * n)
    bad = st.sampled_from([b"1", b"1,2", b"1,2,3,4", b"", b'1,"2,3', b"1,\xff,3", b"x" * 40])
    line = st.one_of(
        st.tuples(st.just(True), good),
        st.tuples(st.just(True), long),
        st.tuples(st.just(False), bad),
    )
    return st.lists(line, min_size=1, max_size=30)


@given(
    lines(),
    st.sampled_from([b"\n", b"\r\n", b"\r\r\n", b"\r"]),
    st.integers(1, 60),
    st.integers(1, 4),
)
def test_row_numbers_hold_wherever_blocks_end(
    written: list[tuple[bool, bytes]], end: bytes, block_bytes: int, block_rows: int
) -> None:
    written.append((True, b"1,2,3"))
    data = end.join([b"a,b,c", *(line for _, line in written)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "HEAD_BYTES", 8)
        patch.setattr(tables, "BLOCK_BYTES", block_bytes)
        patch.setattr(tables, "MAX_BLOCK_ROWS", block_rows)
        rows, report = read(data)
    assert [row[0] for row in rows] == [i for i, (good, _) in enumerate(written) if good]
    assert report.bad_rows == {i for i, (good, _) in enumerate(written) if not good}
    for number, *fields in rows:
        assert fields == split_fields(written[number][1].decode())


def test_a_line_longer_than_any_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 16)
    monkeypatch.setattr(tables, "MAX_ROW_BYTES", 64)
    with pytest.raises(UserError, match=r"t\.csv, row 2 \(line 4\): the line is longer"):
        read(b"a,b,c\n1,2,3\n4,5,6\n" + b"7" * 200)


class Counting(io.BytesIO):
    asked = 0

    def read(self, size: int | None = -1) -> bytes:
        self.asked += 1
        return super().read(size)


def test_blocks_are_read_as_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "HEAD_BYTES", 8)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 16)
    data = b"a,b,c\n" + b"1,2,3\n" * 1000
    stream = Counting(data)
    blocks: Iterator[tables.Block] = Table(
        TableSource(stream, len(data), "t.csv"), COLUMNS, Report()
    ).blocks()
    first, second = next(blocks), next(blocks)
    assert stream.asked < 6
    assert first.bytes_read < second.bytes_read < 64
    assert max(block.bytes_read for block in blocks) == len(data)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("", [""]),
        (",", ["", ""]),
        ("a,b,", ["a", "b", ""]),
        ('"a",b', ["a", "b"]),
        ('"a,b","c""d",""', ["a,b", 'c"d', ""]),
        ('a"b', None),
        ('"a"b,c', None),
        ('"a', None),
    ],
)
def test_fields_of_a_line(line: str, fields: list[str] | None) -> None:
    assert split_fields(line) == fields


def test_a_file_of_other_content_is_not_quoted() -> None:
    text = refusal(b"root:x:0:0:root:/root:/bin/bash\nsecret:y\n")
    assert "root" not in text
    assert "secret" not in text


def test_many_columns_are_told_in_one_short_sentence() -> None:
    names = ",".join(f"feature{i}" for i in range(20_000))
    text = refusal(f"a,b,c,{names}\n".encode())
    assert "20,000 columns that are not known" in text
    assert len(text) < 300


def test_a_run_of_carriage_returns_is_not_held_back(tiny_blocks: None) -> None:
    rows, report = read(b"a,b,c\n1,2,3\n" + b"\r" * 500 + b"\n4,5,6\n")
    assert rows[0] == (0, "1", "2", "3")
    assert rows[-1][1:] == ("4", "5", "6")
    assert report.bad_rows
