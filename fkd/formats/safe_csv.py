"""Tables of text for people, who open them in spreadsheets: no cell of them is run.

Texts come from outside: names of photos and columns, of people, cells that an ingest refused. A
spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and formulas
can start programs and send what is beside them away.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

_FORMULA = frozenset("=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What formulas begin with, in wide letters too, which spreadsheets for East Asia read alike."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def inert(cell: Any) -> Any:
    """``cell`` as it may stand in a table: a text that a spreadsheet would take for a formula gets
    an apostrophe in front. Numbers stay numbers, also those in texts (``-1.5``); what is no text
    is returned as it is."""
    if not isinstance(cell, str) or not cell:
        return cell
    # Spreadsheets pass over spaces and other marks that cannot be seen before they look.
    bare = cell.lstrip(" \u00a0\ufeff\u200b\x00")
    risky = bare[:1] in _FORMULA or cell[0] in "\t\r\n"
    return f"'{cell}" if risky and bare and not _NUMBER.fullmatch(bare) else cell


def write_row(writer: Any, cells: Iterable[Any]) -> None:
    """Write ``cells`` with ``writer``, one of the module ``csv``, each of them ``inert``."""
    writer.writerow([inert(cell) for cell in cells])


def table(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """``rows`` under ``columns`` as CSV, UTF-8; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    write_row(writer, columns)
    for row in rows:
        write_row(writer, row)
    return text.getvalue().encode("utf-8", "replace")


def frame_table(frame: pd.DataFrame, *, index: bool = False) -> bytes:
    """``frame`` as CSV, UTF-8: its cells, the names of its columns and, with ``index``, those of
    its rows."""
    safe = frame.copy(deep=False)
    for at, kind in enumerate(frame.dtypes):
        if kind.kind not in "biufcmM":  # whatever else may hold text
            safe.isetitem(at, frame.iloc[:, at].astype(object).map(inert))
    safe = safe.set_axis(frame.columns.map(_inert_label), axis=1)
    if index:
        safe = safe.set_axis(frame.index.map(_inert_label), axis=0)
        safe.index.names = [inert(name) for name in frame.index.names]
    # With this end of lines a lone carriage return is quoted as well: it would begin a new row, and
    # with it a cell that nobody has looked at.
    text: str = safe.to_csv(index=index, lineterminator="\r\n")
    return text.encode("utf-8", "replace")


def _inert_label(label: Any) -> Any:
    """A label has several parts where rows or columns are grouped."""
    return tuple(map(inert, label)) if isinstance(label, tuple) else inert(label)


def file_table(path: Path) -> bytes:
    """The CSV file at ``path``, which an earlier version may have written, its cells ``inert``."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        # A lone quotation mark makes one cell of the rest of a damaged file.
        csv.field_size_limit(max(csv.field_size_limit(), path.stat().st_size + 1))
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for row in csv.reader(file):
            write_row(writer, row)
    return text.getvalue().encode("utf-8", "replace")
