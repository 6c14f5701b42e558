"""What the form asks for: a model's recipe and what was changed of it. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.splits import MAX_FRACTION, MIN_FRACTION, Split
from fkd.training.config import Augmentation, RunConfig
from fkd.training.create import all_settings

FRACTION = "fraction"
"""Share held back for validation: part of the split, not of ``RunConfig``."""
AUGMENTATION = tuple(f"augmentation.{f.name}" for f in fields(Augmentation))

NEWEST = -1
"""Stands for the latest version of the labels, whichever that is when the training starts."""

_NOT_ASKED = {
    *("dataset", "data_hash", "split", "grouped"),
    *("label_version", "label_offset", "warmup_epochs"),
}
"""What a run is told besides: its data, and what follows from the number of epochs."""

_NO_SPLIT = Split(np.empty(0, np.int64), np.empty(0, np.int64))


@cache
def recipe(model: str) -> dict[str, Any]:
    """Every setting of ``model`` unless told otherwise, under the names of ``RunConfig.flat``."""
    return {**_config(model, {}).flat(), FRACTION: 0.1, "label_version": NEWEST}


def _config(model: str, settings: dict[str, Any]) -> RunConfig:
    return RunConfig("", "", _NO_SPLIT, model=model, **all_settings(model, settings))


@dataclass(frozen=True)
class Groups:
    """Groups kept for the form: ``numbers`` as ``read_groups`` gives them, of the dataset with
    the content ``data_hash``."""

    file: str
    data_hash: str
    numbers: NDArray[np.int64]
    ignored: int

    @property
    def count(self) -> int:
        return int(self.numbers.max()) + 1

    @property
    def images(self) -> int:
        return int((self.numbers >= 0).sum())


@dataclass
class Wish:
    """What the user has put into the form, kept for each model apart.

    Attributes:
        model: of the training.
        changes: by model, the settings that differ from its recipe.
        name: of the run; empty: chosen by itself.
        note: about the run.
        groups: what must not be torn apart by the split.
    """

    model: str = RunConfig.model
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    name: str = ""
    note: str = ""
    groups: Groups | None = None

    @classmethod
    def like(cls, config: RunConfig) -> Wish:
        """To train as ``config`` did, on whatever dataset; its name, note and groups aside."""
        wish, flat = cls(config.model), config.flat()
        for setting in recipe(config.model).keys() & flat.keys() - _NOT_ASKED:
            wish.change(setting, flat[setting])
        # The share is told by the split alone: asking for it again gives the same split again.
        held, trained = len(config.split.validation), len(config.split.training)
        share = round(held / max(1, held + trained), 2)
        wish.change(FRACTION, min(max(share, MIN_FRACTION), MAX_FRACTION))
        return wish

    @property
    def changed(self) -> dict[str, Any]:
        """The changes to the recipe of the current model."""
        return self.changes.setdefault(self.model, {})

    def value(self, setting: str) -> Any:
        return self.changed.get(setting, recipe(self.model)[setting])

    def change(self, setting: str, value: Any) -> None:
        """Set one setting; an emptied field goes back to the recipe."""
        if value is None or value == recipe(self.model)[setting]:
            self.changed.pop(setting, None)
        else:
            self.changed[setting] = value

    def reset(self) -> None:
        """Back to the recipe."""
        self.changes.pop(self.model, None)

    @property
    def settings(self) -> dict[str, Any]:
        """The changes as ``make_config`` takes them, seed and share apart."""
        apart = {FRACTION, "seed", *AUGMENTATION}
        settings = {name: value for name, value in self.changed.items() if name not in apart}
        if self.changed.keys() & set(AUGMENTATION):
            settings["augmentation"] = self.augmentation
        return settings

    @property
    def augmentation(self) -> Augmentation:
        """How images are to be varied. ``UserError`` if that makes no sense."""
        base = all_settings(self.model, {}).get("augmentation", Augmentation())
        values = {n: self.value(n) for n in AUGMENTATION}
        return replace(base, **{n.removeprefix("augmentation."): v for n, v in values.items()})

    def check(self) -> None:
        """``UserError`` if a setting makes no sense."""
        settings = self.settings
        if "seed" in self.changed:
            settings["seed"] = self.changed["seed"]
        settings.pop("label_version", None)
        _config(self.model, settings)
