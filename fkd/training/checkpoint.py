"""What a run keeps: where it last stood, and of its best epoch what goes with the model."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from fkd import stored
from fkd.errors import UserError
from fkd.files import replace_text, replacing
from fkd.training.runs import Run


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
            value = stored.read_json(run.folder / "best.json", _BEST, limit=1 << 16)
        except (OSError, ValueError):
            return None
        return cls(value["epoch"], float(value["rmse_px"]))


_BEST = stored.record({"epoch": stored.whole(1), "rmse_px": stored.number(0)})

_PLACE = "place.json"
"""Within ``last.keras``, so that weights and place are never of different moments."""
_MAX_PLACE = 1 << 16
_WHERE = stored.record(
    {
        "epoch": stored.whole(),
        "step": stored.whole(),
        "loss": stored.number(),
        "rmse_px": stored.number(),
    }
)


@dataclass(frozen=True)
class Place:
    """Where in its course a training stands.

    Attributes:
        epoch: epochs done.
        step: batches of the next one done.
        loss, rmse_px: training loss and error over those batches.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    rmse_px: float = 0.0

    def batches(self, steps: int) -> int:
        """Batches done since the beginning; an epoch has ``steps``."""
        return self.epoch * steps + self.step

    @property
    def logs(self) -> dict[str, float]:
        return {"loss": self.loss, "rmse_px": self.rmse_px}

    def joined(self, logs: Mapping[str, float], step: int) -> dict[str, float]:
        """Loss and error over the first ``step`` batches of the epoch, where ``logs`` are those
        since this place."""
        before, after = self.step / step, 1 - self.step / step
        return {
            "loss": before * self.loss + after * logs["loss"],
            "rmse_px": math.sqrt(before * self.rmse_px**2 + after * logs["rmse_px"] ** 2),
        }

    def save(self, model: Any, run: Run) -> None:
        """Replace ``last.keras`` of ``run`` by ``model``, a Keras model, at this place."""
        from fkd.models.saving import save_model

        save_model(model, run.last, optimizer=True, notes={_PLACE: json.dumps(asdict(self))})

    @classmethod
    def read(cls, run: Run) -> Self:
        """Where ``last.keras`` of ``run`` stands; at the beginning where there is none.

        Raises:
            UserError: if it cannot be read.
        """
        try:
            with stored.opened(run.last) as stream, zipfile.ZipFile(stream) as file:
                if file.getinfo(_PLACE).file_size > _MAX_PLACE:
                    raise ValueError(f"its {_PLACE} is too large")
                value = stored.parse_json(file.read(_PLACE), _WHERE)
        except FileNotFoundError:
            return cls()
        except Exception as error:  # zipfile and zlib each raise their own on a damaged file
            reason = stored.reason(error)[:200]
            raise UserError(
                f"The checkpoint {run.last} cannot be read ({reason}); start a new run."
            ) from None
        return cls(**{name: value[name] for name in ("epoch", "step", "loss", "rmse_px")})


def save_predictions(run: Run, **arrays: Any) -> None:
    """Replace ``validation.npz``."""
    with replacing(run.validation) as beside:
        np.savez_compressed(beside, **arrays)
