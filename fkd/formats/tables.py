"""Tables of comma-separated text: the checks of their head, and their rows in blocks.

A row is a line: no field of these tables can hold a line end, so a quoted one counts as damage of
two rows instead of hiding everything up to the next quote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pacsv  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.formats._lines import fields_of, split_fields
from fkd.formats.report import Problem, Report, ValidationError
from fkd.formats.source import TableSource

BLOCK_BYTES = 4 << 20
"""Text read and parsed at a time."""

MAX_ROW_BYTES = 16 << 20
"""Longest line read: the text of an image of about four million pixels."""

HEAD_BYTES = 1 << 16
"""Text looked at before anything is parsed."""

MAX_HEADER_BYTES = 1 << 20
"""Longest header read; a file without a line end up to here is no table."""

MAX_BLOCK_ROWS = 50_000
"""Rows in a block at most, so that a file of very short lines does not make huge blocks."""

_ENCODINGS = (  # UTF-32 first: its little-endian mark begins with UTF-16's.
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BOM = b"\xef\xbb\xbf"

Found = tuple[Problem, str]
"""A problem and the category it is counted under."""


@dataclass(frozen=True)
class Block:
    """Consecutive lines: ``text`` without the last line end, ``rows`` of them from row
    ``first_row`` on; ``bytes_read`` of the table were read by their end."""

    first_row: int
    rows: int
    text: bytes
    bytes_read: int


@dataclass(frozen=True)
class TextRows:
    """The well-formed rows of a block: their numbers, int64 ``(n,)``, and their fields by column,
    and what is wrong with the others."""

    rows: NDArray[np.int64]
    columns: dict[str, pa.StringArray]
    problems: list[Found] = field(default_factory=list)


class Table:
    """A table being read: its head is checked at once, then ``blocks`` gives its rows in order.

    ``columns`` are the names it must have, in any order. ``text_rows`` may be called from several
    threads; ``blocks`` may not.

    Raises:
        ValidationError: if it is empty, no UTF-8 CSV, separated by something else than commas, or
            has other columns; the report then has a fatal problem.
    """

    def __init__(self, source: TableSource, columns: Sequence[str], report: Report) -> None:
        self.name = source.name
        self._stream = source.stream
        self._report = report
        report.file = source.name
        head = self._read_head()
        line, _, self._rest = head.partition(b"\n")
        self._bytes_read = len(line) + 1
        self.header = self._check_header(line, tuple(columns))

    def problem(self, row: int, column: str | None, reason: str) -> Problem:
        return Problem(self.name, int(row), column, reason)

    def _refuse(self, *reasons: str) -> ValidationError:
        for reason in reasons:
            self._report.add(Problem(self.name, None, None, reason))
        return ValidationError(self._report)

    def _read_head(self) -> bytes:
        head: bytes = self._stream.read(HEAD_BYTES)
        if not head:
            raise self._refuse("the file is empty")
        for mark, encoding in _ENCODINGS:
            if head.startswith(mark):
                raise self._refuse(f"the text is {encoding}; save the file as UTF-8 and try again")
        head = head.removeprefix(_BOM)
        if b"\0" in head:
            raise self._refuse("this is not a CSV file but binary data (it has NUL bytes)")
        while b"\n" not in head and len(head) < MAX_HEADER_BYTES:
            more: bytes = self._stream.read(HEAD_BYTES)
            if not more:
                break
            head += more
        return head

    def _check_header(self, line: bytes, columns: tuple[str, ...]) -> tuple[str, ...]:
        text = line.removesuffix(b"\r")
        if not text.strip():
            raise self._refuse("the first line is blank; it must name the columns")
        if b"\r" in text:
            raise self._refuse("the lines end in CR alone; save the file with LF or CRLF line ends")
        if len(text) >= MAX_HEADER_BYTES:
            raise self._refuse("this is not a CSV file: its first line has no end")
        try:
            names = split_fields(text.decode("utf-8"))
        except UnicodeDecodeError:
            raise self._refuse("the header is not UTF-8 text; save the file as UTF-8") from None
        if names is None:
            raise self._refuse("the header has a quotation mark out of place")
        if len(names) == 1:
            for separator, word in ((";", "semicolons"), ("\t", "tabs")):
                if separator in names[0]:
                    reason = f"the fields are separated by {word}; save the file with commas"
                    raise self._refuse(reason)
        names = [name.strip() for name in names]
        if problems := _column_problems(names, columns):
            raise self._refuse(*problems)
        return tuple(names)

    def blocks(self) -> Iterator[Block]:
        """All rows in order, in blocks of about ``BLOCK_BYTES``; blank lines at the end are left
        out. Sets ``report.rows``.

        Raises:
            ValidationError: if there is no row at all.
            UserError: if a line is longer than ``MAX_ROW_BYTES``, or the file is damaged.
        """
        row = blanks = 0
        for chunk in self._chunks():
            body = chunk.rstrip(b"\r\n")
            ends = chunk.count(b"\n", len(body))
            self._bytes_read += len(chunk)
            if not body:
                blanks += ends
                continue
            # Blank lines wait until something follows them: at the end of a file they are fine.
            while blanks:
                n = min(blanks, MAX_BLOCK_ROWS)
                yield self._counted(Block(row, n, b"\n" * (n - 1), self._bytes_read))
                row += n
                blanks -= n
            for text, n in _pieces(body):
                yield self._counted(Block(row, n, text, self._bytes_read))
                row += n
            blanks = max(ends - 1, 0)
        if not row:
            raise self._refuse("the file has a header but no rows")

    def _counted(self, block: Block) -> Block:
        self._report.rows = block.first_row + block.rows
        return block

    def _chunks(self) -> Iterator[bytes]:
        """The bytes after the header, cut at line ends."""
        rest, self._rest = self._rest, b""
        rows = 0
        while data := self._stream.read(BLOCK_BYTES):
            cut = data.rfind(b"\n") + 1
            if not cut:
                rest += data
            else:
                chunk = rest + data[:cut]
                yield chunk
                rows += chunk.count(b"\n")
                rest = data[cut:]
            if len(rest) > MAX_ROW_BYTES:
                raise UserError(
                    f"{self.name}, row {rows} (line {rows + 2}): the line is longer than "
                    f"{MAX_ROW_BYTES >> 20} MB; the file does not hold one row a line"
                )
        if rest:
            yield rest

    def text_rows(self, block: Block) -> TextRows:
        """The fields of the rows of ``block`` that have the right number of them."""
        if _is_plain(block.text):
            try:
                return self._plain_rows(block)
            except pa.ArrowInvalid:
                pass
        return self._odd_rows(block)

    def _plain_rows(self, block: Block) -> TextRows:
        table = pacsv.read_csv(
            pa.BufferReader(block.text),
            read_options=pacsv.ReadOptions(
                column_names=self.header, use_threads=False, block_size=len(block.text) + 1
            ),
            parse_options=pacsv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.header, pa.string()), strings_can_be_null=False
            ),
        )
        if table.num_rows != block.rows:
            raise pa.ArrowInvalid("rows and lines differ")
        rows = np.arange(block.first_row, block.first_row + block.rows)
        return TextRows(rows, {name: table[name].combine_chunks() for name in self.header})

    def _odd_rows(self, block: Block) -> TextRows:
        """The same line by line: for quoted fields, and to say what is wrong where."""
        rows: list[int] = []
        fields: list[list[str]] = []
        problems: list[Found] = []
        for row, line in enumerate(block.text.split(b"\n"), block.first_row):
            found = fields_of(line.rstrip(b"\r"), len(self.header))
            if isinstance(found, list):
                rows.append(row)
                fields.append(found)
            else:
                reason, category = found
                problems.append((self.problem(row, None, reason), category))
        columns = zip(*fields, strict=True) if fields else [()] * len(self.header)
        arrays = (pa.array(column, pa.string()) for column in columns)
        by_name = dict(zip(self.header, arrays, strict=True))
        return TextRows(np.array(rows, np.int64), by_name, problems)


def _column_problems(names: list[str], columns: tuple[str, ...]) -> list[str]:
    lists: tuple[tuple[str, Callable[[], list[str]]], ...] = (
        ("missing", lambda: [c for c in columns if c not in names]),
        ("unknown", lambda: [n for n in dict.fromkeys(names) if n not in columns]),
        ("duplicate", lambda: [n for n in dict.fromkeys(names) if names.count(n) > 1]),
    )
    problems = []
    for word, find in lists:
        if found := find():
            shown = ", ".join(n if n in columns else repr(n[:40]) for n in found[:40])
            more = f" and {len(found) - 40} more" if len(found) > 40 else ""
            plural = "s" if len(found) > 1 else ""
            problems.append(f"{word} column{plural} {shown}{more}")
    return problems


def _is_plain(text: bytes) -> bool:
    """Whether commas and line ends alone give the fields, one line to a row."""
    if b'"' in text or b"\n\n" in text or text.startswith((b"\n", b"\r", _BOM)):
        return False
    # Most files have no CR; the searches for pairs are the slow ones.
    return b"\r" not in text or (b"\n\r" not in text and text.count(b"\r") == text.count(b"\r\n"))


def _pieces(body: bytes) -> Iterator[tuple[bytes, int]]:
    """``body`` cut into pieces of at most ``MAX_BLOCK_ROWS`` lines, with their numbers of lines."""
    rows = body.count(b"\n") + 1
    if rows <= MAX_BLOCK_ROWS:
        yield body, rows
        return
    lines = body.split(b"\n")
    for start in range(0, rows, MAX_BLOCK_ROWS):
        piece = lines[start : start + MAX_BLOCK_ROWS]
        yield b"\n".join(piece), len(piece)
