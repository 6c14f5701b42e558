import csv

import pytest

from fkd.errors import UserError
from fkd.formats import report as report_module
from fkd.formats.report import Problem, Report, ValidationError, write_problems


def test_a_problem_says_file_row_line_and_column() -> None:
    problem = Problem("training.csv", 17, "nose_tip_x", "'abc' is not a number")
    assert str(problem) == (
        "training.csv, row 17 (line 19), column nose_tip_x: 'abc' is not a number"
    )
    assert str(Problem("a.csv", None, None, "the file is empty")) == "a.csv: the file is empty"
    assert str(Problem("a.csv", 0, None, "blank")) == "a.csv, row 0 (line 2): blank"


def test_a_report_sorts_rows_from_what_is_fatal() -> None:
    report = Report()
    assert not report
    report.add(Problem("a.csv", 3, "x", "one"))
    report.add(Problem("a.csv", 3, "y", "two"))
    report.add(Problem("a.csv", None, None, "three"))
    assert len(report) == 3
    assert report.bad_rows == {3}
    assert [p.reason for p in report.fatal] == ["three"]


def test_the_summary_counts_by_category_most_frequent_first() -> None:
    report = Report("training.csv")
    report.rows = 7
    assert report.summary() == "no bad rows of 7 in training.csv"
    report.add(Problem("training.csv", 1, "x", "'a' is not a number"), "bad coordinate")
    report.add(Problem("training.csv", 2, "Image", "3 pixels found"), "wrong pixel count")
    report.add(Problem("training.csv", 4, "Image", "4 pixels found"), "wrong pixel count")
    assert report.summary() == (
        "3 bad rows of 7 in training.csv: 2x wrong pixel count, 1x bad coordinate"
    )


def test_kept_problems_are_bounded_but_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "MAX_KEPT", 5)
    report = Report()
    for row in range(12):
        report.add(Problem("a.csv", row, None, "bad"))
    assert len(report.problems) == 5
    assert len(report) == 12
    assert report.bad_rows == set(range(12))


def test_reading_stops_when_hopelessly_many_rows_are_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "MAX_BAD_ROWS", 3)
    report = Report()
    for row in range(3):
        report.add(Problem("a.csv", row, None, "bad"))
    with pytest.raises(ValidationError, match="more than 3 bad rows"):
        report.add(Problem("a.csv", 3, None, "bad"))
    assert report.fatal


def test_the_error_shows_the_first_problems_and_counts_the_rest() -> None:
    report = Report()
    for row in range(5):
        report.add(Problem("a.csv", row, None, f"bad {row}"))
    report.add(Problem("a.csv", None, None, "fatal"))
    error = ValidationError(report)
    assert isinstance(error, UserError)
    assert error.report is report
    assert str(error) == (
        "a.csv: fatal; a.csv, row 0 (line 2): bad 0; a.csv, row 1 (line 3): bad 1; "
        "and 3 more problems"
    )


def test_the_csv_holds_every_kept_problem(tmp_path) -> None:
    report = Report()
    report.add(Problem("a.csv", 3, "x", 'a "quoted", reason'))
    report.add(Problem("a.csv", None, None, "fatal"))
    report.write_csv(tmp_path / "problems.csv")
    with (tmp_path / "problems.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["file", "row", "line", "column", "reason"],
        ["a.csv", "3", "5", "x", 'a "quoted", reason'],
        ["a.csv", "", "", "", "fatal"],
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["problems.csv"]


def test_several_reports_go_into_one_table(tmp_path) -> None:
    reports = [Report(), Report(), Report()]
    reports[0].add(Problem("a.csv", 1, None, "one"))
    reports[2].add(Problem("b.csv", 2, "x", "two"))
    write_problems(tmp_path / "problems.csv", reports)
    lines = (tmp_path / "problems.csv").read_text().splitlines()
    assert lines[1:] == ["a.csv,1,3,,one", "b.csv,2,4,x,two"]


def test_problems_beyond_those_kept_are_written_too(tmp_path, monkeypatch):
    monkeypatch.setattr("fkd.formats.report.MAX_KEPT", 3)
    report = Report("t.csv")
    for row in range(8):
        report.add(Problem("t.csv", row, "x", f"bad {row}"))
    write_problems(tmp_path / "out.csv", [report])
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [r["reason"] for r in rows] == [f"bad {row}" for row in range(8)]
    assert len(report.problems) == 3
