"""Which images belong together, such as the frames of one person, as a small table says."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.user_files import read_user_file

MAX_GROUPS_BYTES = 64 << 20
"""Largest table of groups read: some four million rows."""

_ROW = re.compile(r"\s*[0-9]{1,18}\s*", re.ASCII)  # 18 digits always fit int64


@dataclass(frozen=True)
class Groups:
    """What a table of groups says of a dataset of N images.

    Attributes:
        numbers: ``(N,)`` int64, number of each image's group, from 0 in the order of their first
            images; -1 for images that the table does not name, each of which stands alone.
        ignored: rows of the table that are not in the dataset.
    """

    numbers: NDArray[np.int64]
    ignored: int


def read_groups(path: str | Path, dataset: Dataset) -> NDArray[np.int64]:
    """The ``numbers`` of ``read_group_table``: all that a split needs."""
    return read_group_table(path, dataset).numbers


def read_group_table(path: str | Path, dataset: Dataset) -> Groups:
    """Read a CSV table of two columns: ``row``, a value of ``dataset.rows``, and the name of its
    group, under any heading.

    A name is any text and only compared, blanks around it aside. A row without a name stands
    alone, as one that is not listed does.

    Raises:
        UserError: if there is no such file, it is larger than ``MAX_GROUPS_BYTES``, no UTF-8 CSV
            table or of other columns, a row is not a number or in two groups, or none of its rows
            is in the dataset.
    """
    path = Path(path)
    names = _read(path)
    rows = np.fromiter(names, np.int64, len(names))
    known = np.isin(rows, dataset.rows)
    if not known.any():
        raise UserError(
            f"{path.name}: none of its {len(rows):,} rows is in dataset '{dataset.name}'; "
            "is it the table of another dataset?"
        )
    numbers = np.full(len(dataset), -1, np.int64)
    seen: dict[str, int] = {}
    for i, row in enumerate(dataset.rows.tolist()):
        if name := names.get(row):
            numbers[i] = seen.setdefault(name, len(seen))
    return Groups(numbers, int((~known).sum()))


def _read(path: Path) -> dict[int, str]:
    """The name that the table at ``path`` gives each of its rows."""
    table = csv.reader(io.StringIO(_text(path), newline=""), strict=True, skipinitialspace=True)
    names: dict[int, str] = {}
    try:
        header = [name.strip() for name in next(table, [])]
        if len(header) != 2 or header[0].lower() != "row":
            raise UserError(
                f"{path.name}: the first line must name two columns, 'row' and that of the group, "
                "as in 'row,person'."
            )
        for fields in table:
            if not any(field.strip() for field in fields):
                continue
            place = f"{path.name}, line {table.line_num}"
            if len(fields) != 2:
                raise UserError(f"{place}: {len(fields)} fields found, 2 expected.")
            if not _ROW.fullmatch(fields[0]):
                raise UserError(f"{place}: the row must be a whole number from 0 on.")
            row, name = int(fields[0]), fields[1].strip()
            if names.setdefault(row, name) != name:
                raise UserError(f"{place}: row {row} is in another group already; keep only one.")
    except csv.Error as error:
        raise UserError(f"{path.name}, line {table.line_num}: no CSV ({error}).") from None
    if not names:
        raise UserError(f"{path.name}: there are no rows below the first line.")
    return names


def _text(path: Path) -> str:
    data = read_user_file(path, MAX_GROUPS_BYTES)
    if data is None:
        raise UserError(f"{path.name} is refused: it is larger than {MAX_GROUPS_BYTES:,} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path.name} is not UTF-8 text; save the table as UTF-8 CSV.") from None
