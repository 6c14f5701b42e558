"""What a training does: everything needed to repeat it, as one frozen value and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from fkd import stored
from fkd.errors import UserError
from fkd.splits import Split

FORMAT = 1
"""Version of ``config.json``."""

Missing = Literal["mask", "complete", "mean"]
MISSING: dict[str, str] = {
    "mask": "all images; missing points are masked",
    "complete": "complete images only",
    "mean": "all images; missing points are filled with their mean",
}
"""What to do with missing labels: the word in configurations, and what it means."""

Precision = Literal["auto", "float32", "bfloat16", "float16"]
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
SCHEDULES = {"cosine": "decays to zero along a cosine", "constant": "stays the same"}


SETTINGS = {
    "model": "Model",
    "dataset": "Dataset",
    "data_hash": "Dataset content",
    "split": "Split",
    "labels": "Labels",
    "label_offset": "Label offset (px)",
    "grouped": "Keep groups together",
    "missing": "Missing labels",
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "schedule": "Learning rate schedule",
    "warmup_epochs": "Warm-up (epochs)",
    "weight_decay": "Weight decay",
    "patience": "Early stopping patience (epochs)",
    "average": "Weight averaging (EMA momentum)",
    "demo_share": "Drawn faces (share of images)",
    "seed": "Seed",
    "precision": "Precision",
    "augmentation.flip": "Horizontal flip",
    "augmentation.rotation": "Rotation (degrees)",
    "augmentation.scale": "Scale",
    "augmentation.shift": "Shift (px)",
    "augmentation.shear": "Shear and stretch",
    "augmentation.brightness": "Brightness (grey levels)",
    "augmentation.contrast": "Contrast",
    "augmentation.gamma": "Gamma",
    "augmentation.noise": "Noise (grey levels)",
    "augmentation.cutout": "Random erasing (share of images)",
}
"""What each setting of ``RunConfig.flat`` is called wherever people see it; ``labels`` stands for
``label_version`` and ``accepted``."""


def _within(what: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise UserError(f"{what} must be between {low:g} and {high:g}, not {value:g}.")


@dataclass(frozen=True)
class Augmentation:
    """How training images are varied, anew each time they are shown.

    Attributes:
        flip: mirror half of the images, left and right points changing places.
        rotation: largest angle either way, in degrees.
        scale: largest change of size either way, as a share (0.1: 0.9 to 1.1).
        shift: largest move either way along x and along y, in px.
        shear: largest shear and stretch either way, as a share.
        brightness: largest change either way, in grey levels.
        contrast: largest change either way, as a share.
        gamma: largest change of the grey curve either way, as a share.
        noise: largest standard deviation of added noise, in grey levels.
        cutout: share of the images in which a rectangle is erased at random.
    """

    flip: bool = True
    rotation: float = 15.0
    scale: float = 0.12
    shift: float = 4.0
    shear: float = 0.05
    brightness: float = 40.0
    contrast: float = 0.4
    gamma: float = 0.5
    noise: float = 8.0
    cutout: float = 0.5

    def __post_init__(self) -> None:
        for name, high in AUGMENTATION_LIMITS.items():
            _within(SETTINGS[f"augmentation.{name}"], getattr(self, name), 0, high)

    @classmethod
    def off(cls) -> Self:
        """No change at all."""
        return cls(False, *([0.0] * (len(fields(cls)) - 1)))

    @property
    def active(self) -> bool:
        return self != type(self).off()


AUGMENTATION_LIMITS = {
    "rotation": 90,
    "scale": 0.5,
    "shift": 30,
    "shear": 0.3,
    "brightness": 128,
    "contrast": 0.9,
    "gamma": 1,
    "noise": 50,
    "cutout": 1,
}
"""The largest value of each amount; the smallest is 0."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides how a training goes.

    Attributes:
        dataset, data_hash: name and content hash of the dataset.
        label_version: number of the state of the labels; 0 = as ingested.
        accepted: whether predictions that a person accepted as they were count as labels.
        label_offset: px that labels lie to the right of what they mark, see
            ``statistics.mirror``; those of mirrored images are made to lie there as well.
        split: source rows to train and to validate on.
        grouped: a group file kept people (or whatever it names) on one side of the split.
        model: name in the registry of models.
        missing: see ``MISSING``.
        augmentation: how images are varied.
        epochs, batch_size, seed: as usual.
        learning_rate: the highest, reached after ``warmup_epochs``.
        schedule: what it does afterwards, see ``SCHEDULES``.
        weight_decay: of AdamW; 0 is plain Adam.
        patience: epochs without a better validation error until training stops; 0 = never.
        average: momentum of the moving average of the weights that is validated and kept; 0 = off.
        demo_share: drawn faces mixed in, as a share of the training images.
        precision: numbers that layers compute with; ``auto`` takes what is fastest here.
        packages: versions that it was made with, for the record.
    """

    dataset: str
    data_hash: str
    split: Split
    model: str = "compact"
    label_version: int = 0
    accepted: bool = True
    label_offset: float = 0.0
    grouped: bool = False
    missing: Missing = "mask"
    augmentation: Augmentation = field(default_factory=Augmentation)
    epochs: int = 40
    batch_size: int = 32
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_epochs: float = 0.05
    weight_decay: float = 0.02
    patience: int = 0
    average: float = 0.99
    demo_share: float = 0.0
    seed: int = 0
    precision: Precision = "auto"
    packages: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _within("The version of the labels", self.label_version, 0, 2**31 - 1)
        _within("The offset of the labels", self.label_offset, -50, 50)
        _within("The number of epochs", self.epochs, 1, 100_000)
        _within("The batch size", self.batch_size, 1, 4096)
        _within("The learning rate", self.learning_rate, 1e-8, 10)
        _within("The warm-up", self.warmup_epochs, 0, self.epochs)
        _within("The weight decay", self.weight_decay, 0, 1)
        _within("The early stopping patience", self.patience, 0, 100_000)
        _within("The EMA momentum of weight averaging", self.average, 0, 0.99999)
        _within("The share of drawn faces", self.demo_share, 0, 10)
        _within("The seed", self.seed, 0, 2**31 - 1)
        for what, value, known in (
            ("way with missing labels", self.missing, MISSING),
            ("schedule", self.schedule, SCHEDULES),
            ("precision", self.precision, PRECISIONS),
        ):
            if value not in known:
                raise UserError(f"There is no {what} {value!r}; there are: {', '.join(known)}.")

    @property
    def learns_from(self) -> tuple[int, bool]:
        """Version of the labels, and whether accepted predictions count; of labels as ingested
        there are none."""
        return self.label_version, self.accepted or not self.label_version

    @property
    def labels_in_words(self) -> str:
        """Which labels it learns from: "as ingested", "version 3"."""
        version, accepted = self.learns_from
        words = f"version {version}" if version else "as ingested"
        return words if accepted else f"{words}, without accepted predictions"

    def to_json(self) -> dict[str, Any]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["augmentation"] = asdict(self.augmentation)
        values["split"] = self.split.to_json()
        values["packages"] = dict(self.packages)
        return {"format": FORMAT, **values}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            UserError: if something is missing, unknown or out of bounds.
        """
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise UserError("The configuration was written by another version of fkd.")
        values = {k: v for k, v in value.items() if k != "format"}
        try:
            _CONFIG(values, "it")
            values["split"] = Split.from_json(values["split"])
            values["augmentation"] = Augmentation(**values["augmentation"])
            return cls(**values)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UserError(f"The configuration cannot be read ({error}).") from None

    def differences(self, other: RunConfig) -> dict[str, tuple[Any, Any]]:
        """What differs: name to this value and the other's; nested names with a dot."""
        mine, theirs = self.flat(), other.flat()
        return {k: (mine[k], theirs[k]) for k in mine if mine[k] != theirs[k]}

    def flat(self) -> dict[str, Any]:
        """Settings by name, augmentation unfolded (``augmentation.flip``), the split as its
        digest."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["split"] = self.split.digest
        values.pop("packages")
        values |= {f"augmentation.{k}": v for k, v in asdict(values.pop("augmentation")).items()}
        return values


_AMOUNT = stored.number()
_ROWS = stored.list_of(stored.whole(), stored.MAX_COUNT)

_CONFIG = stored.record(
    {
        "dataset": stored.text(64, r"[A-Za-z0-9][A-Za-z0-9._-]*"),
        "data_hash": stored.text(200),
        "split": stored.record({"training": _ROWS, "validation": _ROWS}),
        "augmentation": stored.record(
            {}, {**dict.fromkeys(AUGMENTATION_LIMITS, _AMOUNT), "flip": stored.flag}
        ),
    },
    {
        "model": stored.text(64),
        "label_version": stored.whole(),
        "accepted": stored.flag,
        "label_offset": _AMOUNT,
        "grouped": stored.flag,
        "missing": stored.text(20),
        "epochs": stored.whole(),
        "batch_size": stored.whole(),
        "learning_rate": _AMOUNT,
        "schedule": stored.text(20),
        "warmup_epochs": _AMOUNT,
        "weight_decay": _AMOUNT,
        "patience": stored.whole(),
        "average": _AMOUNT,
        "demo_share": _AMOUNT,
        "seed": stored.whole(),
        "precision": stored.text(20),
        "packages": stored.table_of(stored.text(200)),
    },
)
"""Of what kind each setting is; what it may be, ``RunConfig`` says."""


RECIPES: dict[str, dict[str, Any]] = {
    "baseline": {
        "missing": "complete",
        "augmentation": Augmentation.off(),
        "epochs": 100,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "warmup_epochs": 0.0,
        "weight_decay": 0.0,
        "average": 0.0,
    },
    # On the real faces drawn ones take 3 % off the error on unseen people: they look like nobody,
    # and their points are exact.
    "compact": {"demo_share": 0.5},
}
"""What each model is trained with unless told otherwise: the baseline as in the notebook that the
project began with, other models with the defaults of ``RunConfig``."""
