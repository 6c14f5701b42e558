"""What is measured on: drawn faces, the tables and the datasets made of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import in_child
from fkd.dataset import Dataset
from fkd.keypoints import KAGGLE_15 as SCHEMA

_BLOCK = 1_000
"""Rows made at a time."""

_TEST_ROWS = 1_783
"""Kaggle's number of test images; more would only fill the disk."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: of a dataset of the usual size: Kaggle's.
        many_rows: of a large one.
        faces: that datasets are tiled from.
        demo_rows: of the demo dataset.
        repeats: of everything that starts a process.
        openings: of a dataset.
        views: pages of Browse per process.
        rounds: in which things are measured in turns within a process.
        epochs, baseline_epochs: of trainings whose accuracy is measured.
        seeds: how many of them.
        scenes: photos with a face, at each angle, and without one.
        photos: images in a folder of photos.
    """

    rows: int = 7_049
    many_rows: int = 500_000
    faces: int = 500
    demo_rows: int = 1_000
    repeats: int = 3
    openings: int = 50
    views: int = 60
    rounds: int = 5
    epochs: int = 40
    baseline_epochs: int = 100
    seeds: int = 3
    scenes: int = 143
    photos: int = 500


QUICK = Sizes(
    rows=120,
    many_rows=600,
    faces=40,
    demo_rows=8,
    repeats=1,
    openings=5,
    views=4,
    rounds=1,
    epochs=1,
    baseline_epochs=1,
    seeds=1,
    scenes=4,
    photos=12,
)


@dataclass(frozen=True)
class Inputs:
    """The inputs in ``folder``, each made when it is first asked for. ``faces`` is a folder with
    real faces in Kaggle's files, where there is one."""

    folder: Path
    sizes: Sizes
    faces: Path | None = None

    @cached_property
    def table(self) -> Path:
        """A training table of ``rows`` rows."""
        return self._table("training.csv", turns=1)

    @cached_property
    def long_table(self) -> Path:
        """A training table of four times the rows, no image twice."""
        return self._table("long.csv", turns=4)

    def _table(self, name: str, turns: int) -> Path:
        path = self.folder / name
        in_child(
            "benchmarks.data:write_table",
            home=self.folder,
            path=str(path),
            faces=str(self._faces),
            turns=turns,
        )
        return path

    @cached_property
    def _faces(self) -> Path:
        path = self.folder / "faces.npz"
        in_child("benchmarks.data:draw", home=self.folder, path=str(path), rows=self.sizes.rows)
        return path

    @cached_property
    def usual_home(self) -> Path:
        """A home with one dataset of ``rows`` rows, measured."""
        return self._home("usual", self.sizes.rows)

    @cached_property
    def large_home(self) -> Path:
        """A home with one dataset of ``many_rows`` rows, measured."""
        return self._home("large", self.sizes.many_rows)

    def _home(self, name: str, rows: int) -> Path:
        home = self.folder / name
        in_child(
            "benchmarks.data:register", home=home, name=name, rows=rows, faces=self.sizes.faces
        )
        return home

    @cached_property
    def demo_home(self) -> Path:
        """A home with the demo dataset, measured."""
        home = self.folder / "demo"
        in_child("benchmarks.data:register_demo", home=home, rows=self.sizes.demo_rows)
        return home

    def room_for_large(self) -> bool:
        """Whether the disk has room for ``large_home``."""
        needed = self.sizes.many_rows * SCHEMA.pixels * 1.5
        return shutil.disk_usage(self.folder).free > needed


def draw(path: str, rows: int) -> None:
    """Draw ``rows`` faces into an ``.npz`` at ``path``, labels missing as often as in Kaggle's
    file. Every other one is the mirror image of the one before: no less a face, and for a search
    of duplicates another picture, but drawn in no time."""
    from fkd.synthetic import kaggle_missingness, render_faces

    images, exact = render_faces(0, 0, -(-rows // 2))
    keypoints = np.stack([exact, SCHEMA.mirror(exact)], axis=1).reshape(-1, len(SCHEMA), 2)[:rows]
    np.savez(
        path,
        images=np.stack([images, images[..., ::-1]], axis=1).reshape(-1, *SCHEMA.image_size)[:rows],
        keypoints=kaggle_missingness(keypoints.astype(np.float32), 0, 0),
    )


def write_table(path: str, faces: str, turns: int) -> None:
    """Write the faces of ``draw`` as a training table at ``path``; with ``turns`` more than 1
    all of them once more, turned by a quarter, and so on: other pictures of the same kind."""
    from fkd.formats.kaggle_images import write_training

    drawn = np.load(faces)
    images, keypoints = [drawn["images"]], [drawn["keypoints"]]
    for _ in range(1, turns):
        x, y = np.moveaxis(keypoints[-1], -1, 0)
        images.append(np.rot90(images[-1], axes=(1, 2)))
        keypoints.append(np.stack([y, SCHEMA.width - 1 - x], axis=-1))
    write_training(Path(path), np.concatenate(images), np.concatenate(keypoints), SCHEMA)


def register(name: str, rows: int, faces: int) -> None:
    """Register a dataset of ``rows`` images and some test images, tiled from ``faces`` drawn ones
    with noise on pixels and points, with the measures of those faces stored for them."""
    from fkd.formats.kaggle_tables import full_lookup
    from fkd.registry import locked, open_named, remove, staged
    from fkd.storage import DatasetWriter

    demo = _demo(faces)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 8, (2 * _BLOCK, *SCHEMA.image_size), np.uint8)

    def tiled(images: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.uint8]:
        chosen = images[np.arange(start, stop) % len(images)]
        # Drawing new noise for each block is what would take longest.
        at = int(rng.integers(_BLOCK))
        np.bitwise_xor(chosen, noise[at : at + stop - start], out=chosen)
        return chosen

    test_rows = min(rows // 4, _TEST_ROWS)
    with (
        locked(name) as target,
        staged(target) as stage,
        DatasetWriter(stage, name, SCHEMA) as writer,
    ):
        for start in range(0, rows, _BLOCK):
            stop = min(start + _BLOCK, rows)
            points = demo.keypoints[np.arange(start, stop) % faces]
            points = points + rng.normal(0, 0.5, points.shape).astype(np.float32)
            numbers = np.arange(start, stop)
            writer.add_training(tiled(demo.images, start, stop), points, numbers)
        for start in range(0, test_rows, _BLOCK):
            stop = min(start + _BLOCK, test_rows)
            writer.add_test(tiled(demo.test_images, start, stop), np.arange(start, stop) + 1)
        writer.set_lookup(full_lookup(np.arange(1, test_rows + 1), SCHEMA))
        writer.finish(origin="demo", rejected_rows=0)
    _store_tiled_measures(demo, open_named(name), rng)
    remove(demo.name)


def register_demo(rows: int) -> None:
    """Register the demo dataset of ``rows`` rows, measured."""
    _demo(rows, "demo")


def _demo(rows: int, name: str = "drawn") -> Dataset:
    from fkd.demo import DemoSpec, make_demo
    from fkd.measures import measure

    dataset, _ = make_demo(name, DemoSpec(rows))
    measure(dataset)
    return dataset


def _store_tiled_measures(small: Dataset, large: Dataset, rng: np.random.Generator) -> None:
    """Store the measures of ``small`` as those of ``large``, with noise: measuring 500,000 images
    would take an hour and prove nothing here."""
    from fkd.measures import Measures, _store, measure

    def tiled(name: str, values: NDArray[Any]) -> NDArray[Any]:
        if name.startswith("pair_"):
            return values
        part = "test_images" if name.startswith("test_") else "images"
        old, new = (len(getattr(of, part)) for of in (small, large))
        longer = np.take(values, np.arange(new) % old, axis=values.shape.index(old))
        if longer.dtype.kind == "f":  # or the same values over and over would sort too easily
            longer *= rng.normal(1, 0.01, longer.shape).astype(longer.dtype)
        return longer

    those = measure(small)
    columns = [f.name for f in fields(those) if not f.name.endswith("order")]
    found = Measures.of(**{name: tiled(name, getattr(those, name)) for name in columns})
    assert large.folder is not None
    _store(found, large, large.folder)
