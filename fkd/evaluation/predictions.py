"""Predictions of a model for the labelled images of a dataset: made once, then read from disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.models.sources import TrainedModel
from fkd.progress import Progress, silent
from fkd.splits import positions


@dataclass(frozen=True)
class Predictions:
    """What a model says of some images.

    Attributes:
        model: name of the model.
        rows: ``(N,)`` int64 source rows of the images.
        points: ``(N, K, 2)`` float32, px.
        expected: ``(N, K)`` float32, px: the distance from the truth that the model itself
            expects; None for a model that does not say.

    Raises:
        ValueError: if the shapes do not go together.
    """

    model: str
    rows: NDArray[np.int64]
    points: NDArray[np.float32]
    expected: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        count, shape = len(self.rows), self.points.shape
        if shape[:1] + shape[2:] != (count, 2):
            raise ValueError(f"{count} rows, but points of shape {shape}")
        if self.expected is not None and self.expected.shape != shape[:2]:
            raise ValueError(f"points of shape {shape}, expected errors {self.expected.shape}")

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of_output(cls, model: str, rows: NDArray[np.int64], output: NDArray[np.float32]) -> Self:
        """From a model's output ``(N, K, 2)`` or ``(N, K, 3)``."""
        expected = output[..., 2] if output.shape[-1] == 3 else None
        return cls(model, rows, np.ascontiguousarray(output[..., :2]), expected)

    def of_rows(self, rows: NDArray[np.int64]) -> Predictions:
        """Those of ``rows``, in that order. ``UserError`` if one is not among them."""
        order = np.argsort(self.rows)
        at = np.searchsorted(self.rows[order], rows)
        known = at < len(order)
        known[known] = self.rows[order[at[known]]] == rows[known]
        if not known.all():
            raise UserError(f"Model '{self.model}' was not asked about row {rows[~known][0]}.")
        chosen = order[at]
        expected = None if self.expected is None else self.expected[chosen]
        return Predictions(self.model, rows, self.points[chosen], expected)


def validation_rows(model: TrainedModel, dataset: Dataset) -> NDArray[np.int64]:
    """Rows of ``dataset`` that the run of ``model`` held back, ascending.

    Raises:
        UserError: if the model has no run, or one on other data: it held nothing of this back.
    """
    config = model.run.config if model.run is not None else None
    if config is None or config.data_hash != dataset.content_hash:
        where = f"was trained on '{config.dataset}'" if config else "comes without its split"
        raise UserError(
            f"Model '{model.name}' {where}, so there is no validation part of '{dataset.name}'; "
            "evaluate it on all rows."
        )
    return config.split.validation


def stored(model: TrainedModel, dataset: Dataset) -> Predictions | None:
    """Predictions of ``model`` for all labelled images of ``dataset``, if they were made and the
    model has not changed since."""
    folder = _folder(model, dataset)
    try:
        about = json.loads((folder / "about.json").read_text())
        if about != _about(model, dataset):
            return None
        output = np.load(folder / "output.npy", mmap_mode="r", allow_pickle=False)
        if output.shape[:2] != (len(dataset), len(dataset.schema)):
            return None
        return Predictions.of_output(model.name, dataset.rows, np.asarray(output))
    except (OSError, ValueError, EOFError):
        return None


def stored_validation(model: TrainedModel, dataset: Dataset) -> Predictions | None:
    """Predictions for the validation part, as its training left them; None without them."""
    if model.run is None:
        return None
    try:
        rows = validation_rows(model, dataset)
        with np.load(model.run.folder / "validation.npz", allow_pickle=False) as file:
            found = Predictions.of_output(model.name, file["rows"], file["predicted"])
        return Predictions.of_rows(found, rows)
    except (OSError, ValueError, KeyError, EOFError, UserError):
        return None


def predict(model: TrainedModel, dataset: Dataset, progress: Progress = silent) -> Predictions:
    """Predictions of ``model`` for all labelled images of ``dataset``: stored ones, or made now
    (with TensorFlow) and stored.

    Raises:
        UserError: if the model cannot be read, or is for images or keypoints of another kind.
    """
    if (found := stored(model, dataset)) is not None:
        return found
    progress("loading the model", 0, 0)
    from fkd.models.predictor import Predictor
    from fkd.models.saving import load_model

    network = load_model(model.path)
    _check(network.input_shape, network.output_shape, model, dataset)
    blocks, done = [], 0
    for block in Predictor(network).batches(dataset.images):
        blocks.append(block)
        done += len(block)
        progress("predicting", done, len(dataset))
    output = np.concatenate(blocks)
    _store(output, model, dataset)
    return Predictions.of_output(model.name, dataset.rows, output)


def _check(
    takes: tuple[Any, ...], gives: tuple[Any, ...], model: TrainedModel, dataset: Dataset
) -> None:
    schema = dataset.schema
    if tuple(takes[1:]) != (*schema.image_size, 1) or gives[1] != len(schema):
        raise UserError(
            f"Model '{model.name}' takes images of {takes[1:3]} and gives {gives[1]} keypoints; "
            f"dataset '{dataset.name}' has {schema.image_size} and {len(schema)}."
        )


def _folder(model: TrainedModel, dataset: Dataset) -> Path:
    return model.storage / dataset.content_hash[:16]


def _about(model: TrainedModel, dataset: Dataset) -> dict[str, str]:
    return {"model": model.stamp, "dataset": dataset.content_hash}


def _store(output: NDArray[np.float32], model: TrainedModel, dataset: Dataset) -> None:
    """``about.json`` comes last: what it does not vouch for is made again."""
    folder = _folder(model, dataset)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "about.json").unlink(missing_ok=True)
    for name, write in (
        ("output.npy", lambda path: np.save(path, output)),
        ("about.json", lambda path: path.write_text(json.dumps(_about(model, dataset)))),
    ):
        beside = folder / f".incoming-{name}"
        write(beside)
        beside.replace(folder / name)


def rows_of(
    model: TrainedModel, dataset: Dataset, split: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Source rows and true points ``(n, K, 2)`` of ``split``: ``validation`` or ``all``.

    Raises:
        UserError: if the model has no validation part of this dataset.
    """
    rows = validation_rows(model, dataset) if split == "validation" else dataset.rows
    return rows, np.asarray(dataset.keypoints[positions(dataset, rows)])
