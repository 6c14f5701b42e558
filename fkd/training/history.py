"""The course of a run: ``metrics.csv``, one appended row per epoch and some between."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from fkd import stored
from fkd.files import replace_text

FILE = "metrics.csv"


@dataclass(frozen=True)
class Row:
    """One row: a finished epoch, or a look between (then ``epoch`` has a fraction and, but for the
    first look of all, there is nothing of the validation).

    Attributes:
        epoch: epochs done, from 1 for the first finished one.
        step: batches done since the beginning.
        loss, val_loss: what is minimised, on training and validation images.
        rmse_px, val_rmse_px, val_mae_px: errors in px, see ``evaluation.metrics``. The training
            error is measured while the weights change, on varied images.
        val_nme: normalised mean error.
        learning_rate: of the last batch.
        images_per_second: training pace since the row before.
        seconds: of training so far, over all parts of the run.
    """

    epoch: float
    step: int
    loss: float
    rmse_px: float
    val_loss: float = math.nan
    val_rmse_px: float = math.nan
    val_mae_px: float = math.nan
    val_nme: float = math.nan
    learning_rate: float = math.nan
    images_per_second: float = math.nan
    seconds: float = math.nan

    @property
    def validated(self) -> bool:
        return not math.isnan(self.val_rmse_px)

    @property
    def whole(self) -> bool:
        """Whether it ends an epoch."""
        return self.validated and self.epoch == int(self.epoch)


COLUMNS = tuple(f.name for f in fields(Row))


def append(folder: Path, row: Row) -> None:
    """Add ``row`` to the history in ``folder``."""
    path = folder / FILE
    with path.open("a", newline="") as file:
        if not file.tell():
            file.write(_line(COLUMNS))
        file.write(_line(_cells(row)))
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> list[Row]:
    """The history in ``folder``; empty if there is none. A last line that is being written, or
    was when its process died, is left out, and so is what is no row.

    Raises:
        UserError: if the file cannot be read at all.
    """
    try:
        text = stored.read_text(folder / FILE)
    except FileNotFoundError:
        return []
    except ValueError as error:
        what = f"The history of run '{folder.name}'"
        raise stored.unreadable(what, error, "its curves are lost, its weights are not") from None
    names, *lines = text[: text.rfind("\n") + 1].splitlines() or [""]
    rows = []
    for line in lines:
        cells = dict(zip(names.split(","), line.split(","), strict=False))
        try:
            values = {name: float(cells[name] or "nan") for name in COLUMNS}
            if not (_possible(values["epoch"]) and _possible(values["step"])):
                continue
            # What is drawn has an end; what is not known is a gap.
            values = {k: v if abs(v) < _MOST else math.nan for k, v in values.items()}
            rows.append(Row(**{**values, "step": int(values["step"])}))  # type: ignore[arg-type]
        except (KeyError, ValueError, OverflowError):
            continue
    return rows


_MOST = 1e9
"""No number of a history is larger."""


def _possible(number: float) -> bool:
    return 0 <= number < _MOST


def keep_until(folder: Path, step: int) -> list[Row]:
    """Forget what came after ``step``, where a resumed run takes up again; return what is left."""
    rows = [row for row in read(folder) if row.step <= step]
    replace_text(folder / FILE, _line(COLUMNS) + "".join(_line(_cells(row)) for row in rows))
    return rows


def _cells(row: Row) -> list[str]:
    values = (getattr(row, name) for name in COLUMNS)
    return ["" if isinstance(v, float) and math.isnan(v) else f"{v:.8g}" for v in values]


def _line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\n"
