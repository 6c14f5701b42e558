"""Tables of comma-separated text: the checks of their head, and their rows in blocks.

A row is a line: no field of these tables can hold a line end, so a quoted one counts as damage of
two rows instead of hiding everything up to the next quote. The exception is an array of numbers as
NumPy prints it, which runs over many lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.csv as pacsv  # type: ignore[import-untyped]
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.formats._lines import fields_of, split_fields
from fkd.formats.point_names import plain_name
from fkd.formats.report import Problem, Report, ValidationError
from fkd.formats.source import TableSource
from fkd.words import listed

BLOCK_BYTES = 4 << 20
"""Text read and parsed at a time."""

MAX_ROW_BYTES = 16 << 20
"""Longest line read: the text of an image of about four million pixels."""

HEAD_BYTES = 1 << 16
"""Text looked at before anything is parsed."""

MAX_HEADER_BYTES = 1 << 20
"""Longest header read; a file without a line end up to here is no table."""

MAX_OTHERS = 100
"""Most columns kept beside those that are known; a table with more is of another kind."""

SHOWN = 5
"""Names of columns that a message lists."""

MAX_BLOCK_ROWS = 50_000
"""Rows in a block at most, so that a file of very short lines does not make huge blocks."""

_ENCODINGS = (  # UTF-32 first: its little-endian mark begins with UTF-16's.
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r+\n|\r")
_MOST_HELD = 16
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEPARATOR_LINE = re.compile(rb'"?sep=(?:.|\t)?"?[,;\t| ]*', re.IGNORECASE)
"""The first line by which Excel knows the separator."""
_MARKUP = (
    ((b"[", b"{"), "this is JSON, not a CSV table; save the table as CSV or Parquet"),
    ((b"<",), "this is a web page (HTML or XML), not a CSV table: is it the right file?"),
)
"""How text begins that is no table, and what to say of it."""
_INDEX_NAMES = ("", "index", "level_0", "unnamed: 0")
_UNNAMED = re.compile(r"(Unnamed: [0-9]+)?")
_WORD = re.compile(r"[A-Za-z0-9_]{1,60}")
_ARRAY_BYTES = b" \n\t0123456789.,+-eE[]"
_CALL = rb"[A-Za-z_.]{1,20}\("
_BEGUN_ARRAY = re.compile(rb'"(?:' + _CALL + rb")?\[")
_BRACKETS = rb"\[[ \n\t0-9.,+eE\[\]-]*\]"
_REST = rb"(?:,[ \n]*[a-z]+=[ \w.,()'<>|]{1,80})?\)"
_PRINTED_ARRAY = re.compile(rb'"(?:' + _BRACKETS + rb"|" + _CALL + _BRACKETS + _REST + rb')"')
"""An array of numbers as it is printed: ``[...]`` or ``array([...], dtype=uint8)``."""
_MOST_OPEN = 4 << 20
"""Most text looked through for the end of an array: sixteen times what one of Kaggle's images takes
with exponents. After that its quotation mark is taken for one that never closes."""
_AGAIN = "the header line again"
"""What is wrong with a row that is one, as where two files were put together."""

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

    ``columns`` are the names it must have and ``optional`` those it may have, in any order and
    whatever their case, spaces and punctuation; ``others`` are the further ones that it has, in
    order, and ``absent`` the optional ones that it has not. With ``keep_others`` somebody takes
    them. Fields are separated by commas, semicolons, tabs or vertical bars, whichever the header
    has. ``text_rows`` may be called from several threads; ``blocks`` may not.

    Raises:
        ValidationError: if it is empty, no UTF-8 CSV, or lacks columns; the report then has a
            fatal problem.
    """

    def __init__(
        self,
        source: TableSource,
        columns: Sequence[str],
        report: Report,
        optional: Sequence[str] = (),
        *,
        keep_others: bool = False,
    ) -> None:
        self.name = source.name
        self._stream, self._position = source.stream, source.position
        self._held = b""
        self._raw_bytes = 0
        self._report = report
        report.file = source.name
        head = self._read_head()
        line, _, self._rest = head.partition(b"\n")
        self._known = (*columns, *optional)
        header = self._check_header(line, self._known)
        self._width = len(header)
        self.others, skipped = self._others(header, set(columns) | set(optional))
        self._at = {name: i for i, name in enumerate(header) if name not in skipped}
        if missing := [name for name in columns if name not in self._at]:
            raise self.refuse(lacking(missing, self.others))
        self.absent = tuple(name for name in optional if name not in self._at)
        # Kaggle's lookup table has four names and, in one of its forms, three fields a row.
        needed = [i for name, i in self._at.items() if name not in optional]
        self._fewest = max(needed, default=-1) + 1
        if self.others and not keep_others:
            report.note(f"Not read: the {columns_named(self.others)}.")

    def problem(self, row: int, column: str | None, reason: str) -> Problem:
        return Problem(self.name, int(row), column, reason)

    def refuse(self, reason: str) -> ValidationError:
        """An error of the file as a whole, for the reader to raise."""
        self._report.add(Problem(self.name, None, None, reason))
        return ValidationError(self._report)

    def _read(self, size: int) -> bytes:
        """The next bytes, some ``size`` of them; every line end (CR, CRLF, CR-CR-LF) as LF."""
        while data := self._stream.read(size):
            self._raw_bytes += len(data)
            data = self._held + data
            # Carriage returns at the end wait for what follows them; a long run of them does not.
            body = data.rstrip(b"\r")
            if len(data) - len(body) > _MOST_HELD:
                body = data[:-2]
            self._held = data[len(body) :]
            if body:
                return _with_line_feeds(body)
        held, self._held = self._held, b""
        return _with_line_feeds(held)

    @property
    def _bytes_read(self) -> int:
        return self._raw_bytes if self._position is None else self._position()

    def _read_head(self) -> bytes:
        head: bytes = self._read(HEAD_BYTES)
        if not head:
            raise self.refuse("the file is empty")
        for mark, encoding in _ENCODINGS:
            if head.startswith(mark):
                raise self.refuse(f"the text is {encoding}; save the file as UTF-8 and try again")
        head = head.removeprefix(_BOM)
        if b"\0" in head:
            raise self.refuse("this is not a CSV file but binary data (it has NUL bytes)")
        head = self._with_a_line(head)
        line, end, rest = head.partition(b"\n")
        if end and _SEPARATOR_LINE.fullmatch(line):
            self._report.note("The first line, sep=, which is meant for Excel, was skipped.")
            head = self._with_a_line(rest)
        return head

    def _with_a_line(self, head: bytes) -> bytes:
        """``head`` and what follows, up to a line end."""
        while b"\n" not in head and len(head) < MAX_HEADER_BYTES:
            more = self._read(HEAD_BYTES)
            if not more:
                break
            head += more
        return head

    def _check_header(self, line: bytes, known: tuple[str, ...]) -> list[str]:
        """The names of the columns, those that are ``known`` as they are spelt there."""
        if not line.strip():
            raise self.refuse("the first line is blank; it must name the columns")
        markup = next((said for marks, said in _MARKUP if line.lstrip().startswith(marks)), None)
        if len(line) >= MAX_HEADER_BYTES:
            raise self.refuse(markup or "this is not a CSV file: its first line has no end")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise self.refuse("the header is not UTF-8 text; save the file as UTF-8") from None
        spellings = {plain_name(name): name for name in known}
        split = {separator: split_fields(text, separator) for separator in _SEPARATORS}
        fitting = [
            s for s, names in split.items() if spellings.keys() & map(plain_name, names or ())
        ]
        if not fitting and markup:
            raise self.refuse(markup)
        if not fitting and len(spellings.keys() & map(plain_name, text.split())) > 1:
            raise self.refuse(
                "its columns are separated by spaces, which separate the pixels of an image as "
                "well; save the table with commas"
            )
        if not fitting and split[","] is None:
            raise self.refuse("the header has a quotation mark out of place")
        if not fitting:
            # What its first line says instead is nobody's business: it may be any file.
            raise self.refuse(
                f"its first line has none of the {len(known)} columns expected, such as "
                f"{listed(map(quoted, known[:2]))}; is it the right file?"
            )
        self._separator = fitting[0]
        names = split[self._separator] or []
        if self._separator != ",":
            self._report.note(f"The fields are separated by {_SEPARATORS[self._separator]}.")
        found = [spellings.get(plain_name(name), name.strip()) for name in names]
        if any(name in known and name != raw.strip() for name, raw in zip(found, names)):  # noqa: B905
            self._report.note("Column names were matched ignoring case, spaces and punctuation.")
        counts = Counter(found)
        repeated = [name for name in counts if counts[name] > 1 and name]
        if repeated:
            raise self.refuse(f"duplicate {columns_named(repeated)}")
        return found

    def _others(self, header: list[str], known: set[str]) -> tuple[tuple[str, ...], set[str]]:
        """The further columns, and those that are skipped: without a name, and an index that pandas
        wrote."""
        index = header[0] if header[0].lower() in _INDEX_NAMES and header[0] not in known else None
        skipped = {name for name in header if _UNNAMED.fullmatch(name)}
        if index is not None:
            skipped.add(index)
            called = f"'{index}'" if index else "without a name"
            self._report.note(
                f"The first column, {called}, was skipped: it looks like an index from pandas."
            )
        others = tuple(n for n in header if n not in known and n not in skipped)
        if len(others) > MAX_OTHERS:
            raise self.refuse(
                f"it has {len(others):,} columns that are not known here, such as "
                f"{listed(map(quoted, others[:3]))}: is it the right file?"
            )
        return others, skipped

    def blocks(self) -> Iterator[Block]:
        """All rows in order, in blocks of about ``BLOCK_BYTES``; blank lines at the end are left
        out. Sets ``report.rows``.

        Raises:
            ValidationError: if there is no row at all.
            UserError: if a line is longer than ``MAX_ROW_BYTES``, or the file is damaged.
        """
        row = blanks = 0
        for chunk in self._chunks():
            body = chunk.rstrip(b"\n")
            ends = chunk.count(b"\n", len(body))
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
            raise self.refuse("the file has a header but no rows")

    def _counted(self, block: Block) -> Block:
        self._report.rows = block.first_row + block.rows
        return block

    def _chunks(self) -> Iterator[bytes]:
        """The text after the header, cut at line ends."""
        rest, self._rest = self._rest, b""
        rows = 0
        while data := self._read(BLOCK_BYTES):
            rest += data
            if b"\n" in data and (cut := _last_line_end(rest)):
                chunk, rest = _on_one_line(rest[:cut]), rest[cut:]
                yield chunk
                rows += chunk.count(b"\n")
            if len(rest) > MAX_ROW_BYTES:
                raise UserError(
                    f"{self.name}, row {rows} (line {rows + 2}): the line is longer than "
                    f"{MAX_ROW_BYTES >> 20} MB; the file does not hold one row a line"
                )
        if rest:
            yield _on_one_line(rest)

    def text_rows(self, block: Block) -> TextRows:
        """The fields of the rows of ``block`` that have the right number of them."""
        if _is_plain(block.text):
            with suppress(pa.ArrowInvalid):
                return self._without_headers(self._plain_rows(block))
        return self._without_headers(self._odd_rows(block))

    def _without_headers(self, text: TextRows) -> TextRows:
        """``text`` without rows that name the columns once more."""
        named = [(plain_name(name), text.columns[name]) for name in self._at if name in self._known]
        # Names begin with letters, which no good field here does: few rows are left to look at.
        first = text.columns[self._known[0]]
        may = pc.match_substring_regex(first, r"^[\s\x{feff}]*[A-Za-z]")
        again = [
            i
            for i in np.flatnonzero(may.to_numpy(zero_copy_only=False))
            if all(plain_name(column[i].as_py()) in (name, "") for name, column in named)
        ]
        if not again:
            return text
        keep = np.ones(len(text.rows), np.bool_)
        keep[again] = False
        mask = pa.array(keep)
        return TextRows(
            text.rows[keep],
            {name: column.filter(mask) for name, column in text.columns.items()},
            [*text.problems, *((self.problem(text.rows[i], None, _AGAIN), _AGAIN) for i in again)],
        )

    def _plain_rows(self, block: Block) -> TextRows:
        names = [str(i) for i in range(self._width)]  # any file's own might repeat
        wanted = [str(i) for i in self._at.values()]
        table = pacsv.read_csv(
            pa.BufferReader(block.text),
            read_options=pacsv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(block.text) + 1
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self._separator, quote_char=False, ignore_empty_lines=False
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
                include_columns=wanted,
            ),
        )
        if table.num_rows != block.rows:
            raise pa.ArrowInvalid("rows and lines differ")
        rows = np.arange(block.first_row, block.first_row + block.rows)
        columns = {name: table[str(i)].combine_chunks() for name, i in self._at.items()}
        return TextRows(rows, self._with_absent(columns, block.rows))

    def _odd_rows(self, block: Block) -> TextRows:
        """The same line by line: for quoted fields, and to say what is wrong where."""
        rows: list[int] = []
        fields: list[list[str]] = []
        problems: list[Found] = []
        for row, line in enumerate(block.text.split(b"\n"), block.first_row):
            found = fields_of(line, self._width, self._separator, self._fewest)
            if isinstance(found, list):
                rows.append(row)
                fields.append(found)
            else:
                reason, category = found
                problems.append((self.problem(row, None, reason), category))
        columns = {
            name: pa.array([row[i] for row in fields], pa.string()) for name, i in self._at.items()
        }
        return TextRows(np.array(rows, np.int64), self._with_absent(columns, len(rows)), problems)

    def _with_absent(
        self, columns: dict[str, pa.StringArray], count: int
    ) -> dict[str, pa.StringArray]:
        """With a blank field for each column that the table does not have."""
        blank = pa.array([""] * count, pa.string()) if self.absent else None
        return {**columns, **dict.fromkeys(self.absent, blank)}


def lacking(missing: Sequence[str], others: Sequence[str] = ()) -> str:
    """That columns are missing, in words, with those that may be meant by them."""
    text = f"missing {columns_named(missing)}"
    if others:
        text += f"; it has {listed(map(quoted, others), SHOWN)} instead"
    return text


def columns_named(names: Sequence[str]) -> str:
    """``column a``, ``columns a, b and 28 more``, each ``quoted``."""
    return f"column{'' if len(names) == 1 else 's'} {listed(map(quoted, names), SHOWN)}"


def quoted(name: str) -> str:
    """The ``name`` of a column, as it stands in messages: in quotes and short where it is odd."""
    return name if _WORD.fullmatch(name) else repr(name[:40])


def _with_line_feeds(text: bytes) -> bytes:
    if b"\r" not in text:
        return text
    text = text.replace(b"\r\n", b"\n")
    return _LINE_END.sub(b"\n", text) if b"\r" in text else text


def _last_line_end(text: bytes) -> int:
    """Where the last row that is whole in ``text`` ends; 0 if none is. Rows end with lines, except
    within a printed array."""
    cut = text.rfind(b"\n") + 1
    # No quotation mark is within an array: if one is open here, it begins with the last of them.
    last = text.rfind(b'"', max(cut - _MOST_OPEN, 0), cut)
    if last < 0 or (begun := _BEGUN_ARRAY.match(text, last, cut)) is None:
        return cut
    if text[begun.end() : cut].translate(None, _ARRAY_BYTES):
        return cut
    return text.rfind(b"\n", 0, last) + 1


def _on_one_line(text: bytes) -> bytes:
    """``text`` with the arrays that NumPy has printed over several lines on one line each."""
    # One byte is found ten times as fast as two.
    if b'"' not in text or not (b'"[' in text or b"([" in text):
        return text
    return _PRINTED_ARRAY.sub(lambda match: match[0].replace(b"\n", b" "), text)


def _is_plain(text: bytes) -> bool:
    """Whether commas and line ends alone give the fields, one line to a row."""
    return not (b'"' in text or b"\n\n" in text or text.startswith((b"\n", _BOM)))


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
