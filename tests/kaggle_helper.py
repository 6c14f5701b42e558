"""Tiny files in Kaggle's layout for the tests, and the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fkd
from fkd.formats import full_lookup, write_lookup, write_test, write_training
from fkd.keypoints import KAGGLE_15

ROOT = Path(fkd.__file__).resolve().parents[1]


@dataclass(frozen=True)
class Tables:
    """Kaggle's files in ``folder``, and what they hold."""

    folder: Path
    images: np.ndarray
    keypoints: np.ndarray
    test_images: np.ndarray
    image_ids: np.ndarray

    @property
    def training(self) -> Path:
        return self.folder / "training.csv"

    @property
    def test(self) -> Path:
        return self.folder / "test.csv"

    @property
    def lookup(self) -> Path:
        return self.folder / "IdLookupTable.csv"


def random_images(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(0, 256, (count, *KAGGLE_15.image_size), np.uint8)


def random_keypoints(rng: np.random.Generator, count: int, missing: float = 0.2) -> np.ndarray:
    points = rng.uniform(0, KAGGLE_15.width - 1, (count, len(KAGGLE_15), 2)).astype(np.float32)
    points[rng.random(points.shape[:2]) < missing] = np.nan
    return points


def write_tables(folder: Path, rows: int, test_rows: int, seed: int = 0) -> Tables:
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    tables = Tables(
        folder,
        random_images(rng, rows),
        random_keypoints(rng, rows),
        random_images(rng, test_rows),
        np.arange(1, test_rows + 1),
    )
    write_training(tables.training, tables.images, tables.keypoints, KAGGLE_15)
    write_test(tables.test, tables.image_ids, tables.test_images)
    write_lookup(tables.lookup, full_lookup(tables.image_ids, KAGGLE_15), KAGGLE_15)
    return tables


def zip_files(path: Path, *files: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def competition_zip(path: Path, tables: Tables) -> Path:
    """The one download of the competition: the image tables zipped once more inside."""
    inner = path.parent / "inner"
    inner.mkdir(exist_ok=True)
    training = zip_files(inner / "training.zip", tables.training)
    test = zip_files(inner / "test.zip", tables.test)
    sample = inner / "SampleSubmission.csv"
    sample.write_text("RowId,Location\n1,0\n")
    return zip_files(path, training, test, tables.lookup, sample)


def start_python(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Python with ``fkd`` at hand, its output to be read from pipes."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def run_python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """As ``start_python``, to its end."""
    with start_python(*arguments, **environment) as child:
        out, err = child.communicate(timeout=120)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def run_fkd(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_python("-m", "fkd", *arguments, **environment)
