"""The demo dataset: drawn faces with exact keypoints, for a first look without any download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.kaggle_images import ImageBatch, write_test, write_training
from fkd.formats.kaggle_tables import Submission, full_lookup, write_lookup, write_submission
from fkd.keypoints import KAGGLE_15
from fkd.progress import Progress, silent
from fkd.registry import check_name, locked, staged
from fkd.storage import DatasetWriter, open_dataset, open_if_sound
from fkd.synthetic import RENDERER_VERSION, kaggle_missingness
from fkd.synthetic.parallel import render_blocks

DEFAULT_ROWS = 1000

# Test faces continue the numbering far behind any training face, so that the two never meet.
_TEST_START = 1 << 40


@dataclass(frozen=True)
class DemoSpec:
    """What a demo dataset consists of; equal specs give equal data.

    ``rows`` training images, a quarter as many test images (Kaggle's ratio), from ``seed``.
    """

    rows: int = DEFAULT_ROWS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise UserError(f"A demo dataset needs at least 1 row, not {self.rows}.")
        if self.seed < 0:
            raise UserError(f"The seed must be 0 or more, not {self.seed}.")

    @property
    def test_rows(self) -> int:
        return max(1, self.rows // 4)

    @property
    def fingerprint(self) -> str:
        return f"demo v{RENDERER_VERSION} rows={self.rows} seed={self.seed}"

    def training(self, progress: Progress) -> Iterator[ImageBatch]:
        """The training rows in blocks, labels missing as often as in Kaggle's file."""
        blocks = _reported(self.seed, 0, self.rows, "drawing training faces", progress)
        for start, images, exact in blocks:
            keypoints = kaggle_missingness(exact, self.seed, start)
            yield ImageBatch(np.arange(start, start + len(images)), images, keypoints, None, 0)

    def test(self, progress: Progress) -> Iterator[ImageBatch]:
        """The test images in blocks, with ids from 1 as in Kaggle's file."""
        blocks = _reported(self.seed, _TEST_START, self.test_rows, "drawing test faces", progress)
        for start, images, _ in blocks:
            rows = np.arange(start, start + len(images))
            yield ImageBatch(rows, images, None, rows + 1, 0)


def _reported(
    seed: int, first: int, total: int, stage: str, progress: Progress
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.float32]]]:
    """The faces from ``first`` on in blocks, each with the number of its first row."""
    done = 0
    progress(stage, done, total)
    for images, keypoints in render_blocks(seed, first, total):
        yield done, images, keypoints
        done += len(images)
        progress(stage, done, total)


def make_demo(
    name: str,
    spec: DemoSpec | None = None,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> tuple[Dataset, bool]:
    """Draw the demo faces and register them as dataset ``name``.

    Returns the dataset and whether it was drawn now: an equal one is left as it is.

    Raises:
        UserError: if ``name`` is taken by other content and ``overwrite`` is off.
    """
    spec = spec or DemoSpec()
    check_name(name)
    with locked(name) as target:
        there = open_if_sound(target)
        if there is not None and there.manifest.get("fingerprint") == spec.fingerprint:
            return there, False
        if target.exists() and not overwrite:
            raise UserError(
                f"Dataset '{name}' exists with other content. Choose another name, "
                "or remove that one first."
            )
        with staged(target) as stage, DatasetWriter(stage, name, KAGGLE_15) as writer:
            for batch in spec.training(progress):
                assert batch.keypoints is not None
                writer.add_training(batch.images, batch.keypoints, batch.rows)
            for batch in spec.test(progress):
                assert batch.image_ids is not None
                writer.add_test(batch.images, batch.image_ids)
            writer.set_lookup(full_lookup(np.arange(1, spec.test_rows + 1), KAGGLE_15))
            writer.finish(
                fingerprint=spec.fingerprint,
                origin="demo",
                sources={"rows": spec.rows, "seed": spec.seed, "renderer": RENDERER_VERSION},
                rejected_rows=0,
            )
        return open_dataset(target), True


def write_demo_files(folder: Path, spec: DemoSpec, progress: Progress = silent) -> list[Path]:
    """Write the demo faces as Kaggle's four files into ``folder``; return their paths.

    The files are replaced if they exist. Memory holds all images at once (9 kB each).
    """
    folder.mkdir(parents=True, exist_ok=True)
    schema = KAGGLE_15
    training = list(spec.training(progress))
    test = list(spec.test(progress))
    paths = [
        folder / n
        for n in ("training.csv", "test.csv", "IdLookupTable.csv", "SampleSubmission.csv")
    ]
    write_training(
        paths[0],
        np.concatenate([b.images for b in training]),
        np.concatenate([b.keypoints for b in training if b.keypoints is not None]),
        schema,
    )
    image_ids = np.concatenate([b.image_ids for b in test if b.image_ids is not None])
    write_test(paths[1], image_ids, np.concatenate([b.images for b in test]))
    lookup = full_lookup(image_ids, schema)
    write_lookup(paths[2], lookup, schema)
    write_submission(paths[3], Submission(lookup.row_ids, np.zeros(len(lookup.row_ids))))
    return paths
