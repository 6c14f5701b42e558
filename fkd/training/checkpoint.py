"""What a run keeps of its best epoch, besides the model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fkd.training.runs import Run
from fkd.training.status import read_json, replace_text


@dataclass(frozen=True)
class Best:
    """Which epoch was best, and its validation error in px."""

    epoch: int
    rmse_px: float

    def write(self, run: Run) -> None:
        replace_text(run.folder / "best.json", json.dumps(asdict(self)))

    @classmethod
    def read(cls, run: Run) -> Best | None:
        try:
            value = read_json(run.folder / "best.json")
            return cls(int(value["epoch"]), float(value["rmse_px"])) if value else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def save_predictions(run: Run, **arrays: Any) -> None:
    """Replace ``validation.npz``."""
    path = run.validation
    beside = path.with_name(f".incoming-{path.name}")
    try:
        with beside.open("wb") as file:
            np.savez_compressed(file, **arrays)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
