"""Predictions of a model for the labelled images of a dataset: made once, then read from disk."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.learned import taught, withheld
from fkd.evaluation.parts import held_back
from fkd.files import replacing
from fkd.keypoints import KeypointSchema
from fkd.locks import alone
from fkd.models.sources import TrainedModel
from fkd.private import make_folder
from fkd.progress import Progress, silent
from fkd.scratch import instead_of
from fkd.stored import load_array, load_packed, read_json


@dataclass(frozen=True)
class Predictions:
    """What a model says of some images.

    Attributes:
        model: name of the model.
        rows: ``(N,)`` int64 source rows of the images.
        points: ``(N, K, 2)`` float32, px; NaN for keypoints that the model never learned.
        expected: ``(N, K)`` float32, px: the distance from the truth that the model itself
            expects; NaN as ``points``; None for a model that does not say.
        learned: ``(K,)`` int64, from how many labels the model learned each keypoint; None where
            that is not known, which counts as having learned all.

    Raises:
        ValueError: if the shapes do not go together.
    """

    model: str
    rows: NDArray[np.int64]
    points: NDArray[np.float32]
    expected: NDArray[np.float32] | None = None
    learned: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        count, shape = len(self.rows), self.points.shape
        if shape[:1] + shape[2:] != (count, 2):
            raise ValueError(f"{count} rows, but points of shape {shape}")
        if self.expected is not None and self.expected.shape != shape[:2]:
            raise ValueError(f"points of shape {shape}, expected errors {self.expected.shape}")
        if self.learned is not None and self.learned.shape != shape[1:2]:
            raise ValueError(f"points of shape {shape}, learned from {self.learned.shape} labels")

    @property
    def taught(self) -> NDArray[np.bool_]:
        """``(K,)`` which keypoints the model has learned."""
        return taught(self.learned, self.points.shape[1])

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of_output(
        cls,
        model: str,
        rows: NDArray[np.int64],
        output: NDArray[np.float32],
        learned: NDArray[np.int64] | None = None,
    ) -> Self:
        """From a model's output ``(N, K, 2)`` or ``(N, K, 3)``; what it says of points that it
        never ``learned`` ``(K,)`` is withheld."""
        output = withheld(output, taught(learned, output.shape[1]))
        expected = output[..., 2] if output.shape[-1] == 3 else None
        return cls(model, rows, np.ascontiguousarray(output[..., :2]), expected, learned)

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
        return Predictions(self.model, rows, self.points[chosen], expected, self.learned)


def learned_labels(model: TrainedModel, schema: KeypointSchema) -> NDArray[np.int64] | None:
    """``(K,)`` from how many labels ``model`` learned each keypoint, as its file says; None where
    it does not."""
    from fkd.inference.reference import Reference

    found = Reference.read(model.path, schema)
    return None if found is None else found.learned


def stored(model: TrainedModel, dataset: Dataset) -> Predictions | None:
    """Predictions of ``model`` for all labelled images of ``dataset``, if they were made and the
    model has not changed since."""
    found = _stored(model, dataset, folder := _folder(model, dataset))
    if found is None and (instead := instead_of(folder)) != folder:
        found = _stored(model, dataset, instead)
    return found


def _stored(model: TrainedModel, dataset: Dataset, folder: Path) -> Predictions | None:
    try:
        if read_json(folder / "about.json", limit=1 << 16) != _about(model, dataset):
            return None
        output = np.asarray(load_array(folder / "output.npy", np.float32, (None, None, None)))
    except (OSError, ValueError):
        return None
    return _sound(output, model, dataset, dataset.rows)


def stored_validation(model: TrainedModel, dataset: Dataset) -> Predictions | None:
    """Predictions for the validation part, as its training left them; None without them."""
    rows = held_back(model, dataset)
    if model.run is None or rows is None:
        return None
    try:
        predicted, known = load_packed(model.run.validation, "predicted", "rows")
        if known.dtype != np.int64 or known.ndim != 1:
            return None
        found = _sound(predicted, model, dataset, known)
        return None if found is None else found.of_rows(rows)
    except (OSError, ValueError, UserError):
        return None


def _sound(
    output: NDArray[Any], model: TrainedModel, dataset: Dataset, rows: NDArray[np.int64]
) -> Predictions | None:
    """What was read, if it is an output for each of ``rows``, finite where the model has learned
    the point."""
    shapes = [(len(rows), len(dataset.schema), numbers) for numbers in (2, 3)]
    if output.shape not in shapes or output.dtype != np.float32:
        return None
    learned = learned_labels(model, dataset.schema)
    if not np.isfinite(output[:, taught(learned, len(dataset.schema))]).all():
        return None
    return Predictions.of_output(model.name, rows, output, learned)


def version(model: TrainedModel, dataset: Dataset) -> tuple[int, ...]:
    """Another value whenever ``stored``, ``stored_validation`` or the split may give something
    else."""
    folder = _folder(model, dataset)
    paths = [model.path, folder / "about.json"]
    if (instead := instead_of(folder)) != folder:
        paths.append(instead / "about.json")
    if model.run is not None:
        paths += [model.run.validation, model.run.folder / "config.json"]
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)


def predict(model: TrainedModel, dataset: Dataset, progress: Progress = silent) -> Predictions:
    """Predictions of ``model`` for all labelled images of ``dataset``: stored ones, or made now
    (with TensorFlow) and stored.

    Safe when several processes ask at once: the others wait. ``progress`` is called while it
    waits too.

    Raises:
        UserError: if the model cannot be read, is for images or keypoints of another kind, or
            predicts numbers that are not finite.
    """
    if (found := stored(model, dataset)) is not None:
        return found
    # Noted before the model is read: a training may put a better one in its place meanwhile.
    about = _about(model, dataset)
    folder = make_folder(instead_of(_folder(model, dataset)))
    with alone(folder / ".lock", progress, "waiting for another process that predicts"):
        if (found := stored(model, dataset)) is not None:
            return found
        # As the weights, before they may be replaced.
        learned = learned_labels(model, dataset.schema)
        output = _output(model, dataset, progress, taught(learned, len(dataset.schema)))
        _store(output, folder, about)
    return Predictions.of_output(model.name, dataset.rows, output, learned)


def _output(
    model: TrainedModel, dataset: Dataset, progress: Progress, learned: NDArray[np.bool_]
) -> NDArray[np.float32]:
    progress("loading the model", 0, 0)
    from fkd.models.predictor import Predictor
    from fkd.models.saving import load_model

    network = load_model(model.path)
    _check(network.input_shape, network.output_shape, model, dataset)
    blocks = [np.zeros((0, *network.output_shape[1:]), np.float32)]
    done = 0
    for block in Predictor(network, frozen=True).batches(dataset.images):
        blocks.append(block)
        done += len(block)
        progress("predicting", done, len(dataset))
    output = np.concatenate(blocks)
    if (odd := np.flatnonzero(~np.isfinite(output[:, learned]).all(axis=(1, 2)))).size:
        raise UserError(
            f"Model '{model.name}' predicts numbers that are not finite (row "
            f"{dataset.rows[odd[0]]}): its training went astray; train another."
        )
    return output


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


def _store(output: NDArray[np.float32], folder: Path, about: dict[str, str]) -> None:
    """``about.json`` comes last: what it does not vouch for is made again."""
    for name in ("about.json", "output.npy"):  # a folder of that name would stay for ever
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            shutil.rmtree(folder / name)
    (folder / "about.json").unlink(missing_ok=True)
    for name, write in (
        ("output.npy", lambda path: np.save(path, output)),
        ("about.json", lambda path: path.write_text(json.dumps(about))),
    ):
        with replacing(folder / name) as beside:
            write(beside)
