"""Runs made by hand, whose predictions are the truth and a known error."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from statistics_helper import faces, four_points

from fkd.dataset import Dataset
from fkd.inference.reference import NOTE, Reference
from fkd.keypoints import KAGGLE_15
from fkd.models import sources
from fkd.models.sources import TrainedModel, trained_model
from fkd.splits import Split, positions
from fkd.training.config import RunConfig
from fkd.training.runs import create_run
from fkd.training.status import FINISHED, Status


def no_bundled_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an installation without the bundled model: there are only runs."""
    monkeypatch.setattr(sources, "_BUNDLED_FILE", sources.PACKAGE / "no.keras")


def split_of(dataset: Dataset, every: int = 4, start: int = 0) -> Split:
    """Every ``every``-th image from ``start`` on is held back."""
    held = np.arange(len(dataset)) % every == start
    return Split(dataset.rows[~held], dataset.rows[held])


FOUR = np.isfinite(four_points(faces(1))[0]).all(axis=1)
"""``(K,)`` the points of few-point rows: eye centres, nose tip, bottom lip."""
OTHERS = [k.label for k, known in zip(KAGGLE_15.keypoints, FOUR, strict=True) if not known]
"""What the eleven others are called."""


def learned_from(points: NDArray[np.bool_] = FOUR, labels: int = 7) -> NDArray[np.int64]:
    """``(K,)`` as of a model that learned each of ``points`` from ``labels`` labels, and no
    other."""
    return np.where(points, labels, 0).astype(np.int64)


def note_learned(path: Path, learned: NDArray[np.int64]) -> None:
    """Put into the model file at ``path``, in the place of what it was, what a model says of itself
    that ``learned`` ``(K,)``."""
    images = np.random.default_rng(0).integers(0, 256, (8, 96, 96), dtype=np.uint8)
    reference = replace(Reference.of(images, faces(8), KAGGLE_15), learned=learned)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(NOTE, reference.to_json())


def make_run(
    dataset: Dataset,
    name: str,
    split: Split | None = None,
    *,
    learned: NDArray[np.int64] | None = None,
    **settings: Any,
) -> TrainedModel:
    """A finished run of ``dataset`` with weights that nothing can read; its file says what it
    ``learned``, if that is given."""
    run = create_run(
        RunConfig(dataset.name, dataset.content_hash, split or split_of(dataset), **settings), name
    )
    run.best.write_bytes(b"no weights")
    if learned is not None:
        note_learned(run.best, learned)
    done = {"epoch": 1, "epochs": 1, "best_epoch": 1, "best_rmse_px": 2.0}
    Status(FINISHED, heartbeat=time.time(), **done).write(run.folder)
    return trained_model(name)


def output_of(
    dataset: Dataset, error: float, *, seed: int = 0, sure: bool = True
) -> NDArray[np.float32]:
    """``(N, K, 3)``, or ``(N, K, 2)`` unless ``sure``: the labels, or the middle of the image where
    there is none, moved by ``error`` px times the image's position over N; with exactly that as the
    expected error."""
    truth = np.array(dataset.keypoints, np.float64)
    truth = np.where(np.isfinite(truth), truth, 47.5)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, truth.shape[:2])
    far = np.broadcast_to((error * np.arange(len(dataset)) / len(dataset))[:, None], angle.shape)
    moved = truth + far[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=2)
    parts = [moved, far[..., None]] if sure else [moved]
    return np.concatenate(parts, axis=2).astype(np.float32)


def store_all(model: TrainedModel, dataset: Dataset, output: NDArray[np.float32]) -> None:
    """As 'fkd evaluate' leaves them."""
    folder = model.storage / dataset.content_hash[:16]
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "output.npy", output)
    about = {"model": model.stamp, "dataset": dataset.content_hash}
    (folder / "about.json").write_text(json.dumps(about))


def store_validation(model: TrainedModel, dataset: Dataset, output: NDArray[np.float32]) -> None:
    """As a training leaves them."""
    assert model.run is not None
    rows = model.run.config.split.validation
    predicted = output[positions(dataset, rows)]
    np.savez_compressed(model.run.validation, rows=rows, predicted=predicted)


def labelled(rows: int = 24, name: str = "faces") -> Dataset:
    """Black images in memory with made-up labels; every third row has four points only, and the
    source rows have gaps."""
    points = faces(rows)
    points[::3] = four_points(points[::3])
    return Dataset(
        name=name,
        schema=KAGGLE_15,
        images=np.zeros((rows, 96, 96), np.uint8),
        keypoints=points.astype(np.float32),
        rows=np.arange(rows, dtype=np.int64) * 2 + 5,
        test_images=np.zeros((0, 96, 96), np.uint8),
        test_image_ids=np.zeros(0, np.int64),
        content_hash=hashlib.sha256(points.tobytes()).hexdigest(),
    )
