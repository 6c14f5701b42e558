"""What is wrong with a table, row by row, in words the user can act on."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fkd.errors import UserError
from fkd.files import replacing
from fkd.formats.safe_csv import write_row
from fkd.words import counted

MAX_KEPT = 10_000
"""Problems kept as objects; further ones wait in a temporary file to be written."""

MAX_BAD_ROWS = 1_000_000
"""Bad rows after which reading stops: the file is then of another kind altogether."""

SHOWN = 3
"""Problems that the text of a ``ValidationError`` spells out."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: display name of the file.
        row: 0-based data row, the header not counted; None for the file as a whole.
        column: name of the column, None where it concerns the whole row or file.
        reason: what is wrong, in words.
    """

    file: str
    row: int | None
    column: str | None
    reason: str

    @property
    def line(self) -> int | None:
        """1-based line of the file, the header being line 1."""
        # A row never spans lines: an image table has no text that could hold a line end, and so
        # a stray quote spoils one row, not the rest of the file.
        return None if self.row is None else self.row + 2

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row} (line {self.line})"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.reason}"


class Report:
    """The problems of one table, in the order they were found.

    At most ``MAX_KEPT`` problems are kept in ``problems``; all are counted (``len(report)``), and
    ``bad_rows`` is complete. An empty report is falsy.

    Attributes:
        file: display name of the table; set by the reader.
        rows: data rows seen so far, good and bad; set by the reader.
        problems: the first ``MAX_KEPT`` problems.
        bad_rows: every row with a problem.
        fatal: problems of the file as a whole, which skipping rows cannot cure.
        notes: how the file was read where that is not the only way, a sentence each; they are no
            problems.
    """

    def __init__(self, file: str = "") -> None:
        self.file = file
        self.rows = 0
        self.problems: list[Problem] = []
        self.bad_rows: set[int] = set()
        self.fatal: list[Problem] = []
        self.notes: list[str] = []
        self._rows_by_category: Counter[str] = Counter()
        self._examples: dict[str, list[Problem]] = {}
        self._count = 0
        self._overflow: IO[str] | None = None

    def note(self, sentence: str) -> None:
        """Take note of how the file is read, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def add(self, problem: Problem, category: str | None = None) -> None:
        """Take note of ``problem``; ``category`` ("wrong pixel count") is what ``summary`` counts
        it under, by default its reason.

        Raises:
            ValidationError: if there are now more than ``MAX_BAD_ROWS`` bad rows.
        """
        self._note(problem, category)
        if len(self.bad_rows) > MAX_BAD_ROWS:
            reason = (
                f"more than {MAX_BAD_ROWS:,} bad rows, so reading stopped: is it the right file?"
            )
            self._note(Problem(problem.file, None, None, reason), None)
            raise ValidationError(self)

    def _note(self, problem: Problem, category: str | None) -> None:
        self._count += 1
        self._rows_by_category[category or problem.reason] += 1
        examples = self._examples.setdefault(category or problem.reason, [])
        if len(examples) < SHOWN:
            examples.append(problem)
        if problem.row is None:
            self.fatal.append(problem)
        else:
            self.bad_rows.add(problem.row)
        if len(self.problems) < MAX_KEPT:
            self.problems.append(problem)
            return
        if self._overflow is None:
            # Open as long as the report lives; the system removes it with the last reference.
            self._overflow = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115
        write_row(csv.writer(self._overflow), _cells(problem))

    def copy_overflow(self, stream: IO[str]) -> None:
        """Append the problems beyond ``MAX_KEPT`` to ``stream`` as lines of CSV."""
        if self._overflow is not None:
            self._overflow.seek(0)
            shutil.copyfileobj(self._overflow, stream)

    def __len__(self) -> int:
        return self._count

    def lines(self) -> list[str]:
        """The problems of rows for people: the first ``SHOWN`` of each category, and the number
        of the others. A category whose problems are all the same in words stands in ``summary``
        and is not repeated."""
        found = []
        for category, examples in self._examples.items():
            of_rows = [problem for problem in examples if problem.row is not None]
            if not of_rows or category == of_rows[0].reason:
                continue
            found += [str(problem) for problem in of_rows]
            if rest := self._rows_by_category[category] - len(of_rows):
                found.append(f"{self.file}: {rest:,} more: {category}")
        return found

    def summary(self) -> str:
        """One line: "12 bad rows of 7049 in training.csv: 7x wrong pixel count, ..."."""
        if self.fatal and not self.bad_rows:
            return f"{self.file}: {'; '.join(p.reason for p in self.fatal)}"
        bad = counted(len(self.bad_rows), "bad row") if self.bad_rows else "no bad rows"
        text = f"{bad} of {self.rows:,}"
        if self.file:
            text += f" in {self.file}"
        counts = [f"{n:,}x {what}" for what, n in self._rows_by_category.most_common()]
        return f"{text}: {', '.join(counts)}" if counts else text

    def write_csv(self, path: Path) -> None:
        """Write the problems as ``file,row,line,column,reason``; whole or not at all."""
        write_problems(path, [self])


class ValidationError(UserError):
    """A table cannot be used as it is; ``report`` says why.

    Its text is the first ``SHOWN`` problems, those of the file as a whole before those of rows,
    and the number of the others.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        first = [*report.fatal, *(p for p in report.problems if p.row is not None)][:SHOWN]
        text = "; ".join(map(str, first))
        if rest := len(report) - len(first):
            text += f"; and {counted(rest, 'more problem')}"
        super().__init__(text)


def _cells(problem: Problem) -> tuple[str, int | None, int | None, str | None, str]:
    return problem.file, problem.row, problem.line, problem.column, problem.reason


def write_problems(path: Path, reports: Iterable[Report]) -> None:
    """Write the problems of several tables as one ``file,row,line,column,reason`` table. Names and
    reasons quote the files; no cell is one that a spreadsheet would run."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "row", "line", "column", "reason"))
        for report in reports:
            for problem in report.problems:
                write_row(writer, _cells(problem))
            report.copy_overflow(stream)
