"""Small datasets with labels in every state, for the tests of the formats labels go out in."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from fkd.dataset import Dataset
from fkd.formats.faces import Imported
from fkd.keypoints import Keypoint, KeypointSchema
from fkd.labels.states import Labels, State

SMALL = KeypointSchema(
    name="small",
    keypoints=(
        Keypoint("left_eye", "eyes", "left", "#000001"),
        Keypoint("right_eye", "eyes", "right", "#000002"),
        Keypoint("nose", "nose", "middle", "#000003"),
    ),
    mirror_pairs=((0, 1),),
    edges=((0, 2), (2, 1)),
    image_size=(24, 32),
)


def dataset_of(rows: list[int], schema: KeypointSchema = SMALL, seed: int = 0) -> Dataset:
    """Random images and points, a few of them missing."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (len(rows), *schema.image_size), np.uint8)
    points = rng.uniform(0, schema.height - 1, (len(rows), len(schema), 2)).astype(np.float32)
    points[rng.random(points.shape[:2]) < 0.2] = np.nan
    none = np.empty((0, *schema.image_size), np.uint8)
    source = np.array(rows, np.int64)
    return Dataset("faces", schema, images, points, source, none, np.empty(0, np.int64))


def with_states(labels: Labels, states: np.ndarray, points: np.ndarray | None = None) -> Labels:
    """``labels`` with other states, and positions just where these have one."""
    placed = (states >= State.OCCLUDED)[..., None]
    wanted = np.nan_to_num(labels.points if points is None else points, nan=3)
    places = np.where(placed, wanted, np.nan).astype(np.float32)
    return replace(labels, states=states.astype(np.uint8), points=places)


def every_state(dataset: Dataset, seed: int = 1) -> Labels:
    """Labels of ``dataset`` in random states."""
    labels = Labels.original(dataset)
    states = np.random.default_rng(seed).integers(0, 4, labels.states.shape)
    return with_states(labels, states)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Dataset, Labels]:
    """A dataset with rows that need not follow each other, and labels of some of them, in any
    state, at any place that a label may have."""
    rows = sorted(draw(st.sets(st.integers(0, 10**6), min_size=1, max_size=4)))
    dataset = dataset_of(rows, seed=draw(st.integers(0, 9)))
    chosen = sorted(draw(st.sets(st.sampled_from(range(len(rows))), min_size=1)))
    shape = (len(chosen), len(SMALL))
    count = shape[0] * shape[1]
    states = draw(st.lists(st.sampled_from(list(State)), min_size=count, max_size=count))
    x = st.floats(-16.5, 47.5, width=32)
    y = st.floats(-12.5, 35.5, width=32)
    # Where other tools put points that are missing, in one format or another, some do lie.
    special = st.sampled_from([(0.0, 0.0), (-0.5, -0.5), (-1.0, -1.0), (-2.0, -2.0)])
    points = draw(st.lists(st.tuples(x, y) | special, min_size=count, max_size=count))
    labels = Labels.original(dataset).take(np.array(chosen))
    return dataset, with_states(
        labels, np.array(states).reshape(shape), np.array(points, np.float32).reshape(*shape, 2)
    )


def some(held: Labels) -> Labels:
    """``held``, where there is anything in it: a file without is refused."""
    assume((held.states != State.MISSING).any())
    return held


def check_back(imported: Imported, held: Labels, dataset: Dataset, tiny: float = 0.0) -> None:
    """Whether what was read is ``held``: positions equal as float32, but for those closer to 0
    than 1e-6 px, which may be ``tiny`` px off."""
    np.testing.assert_array_equal(imported.rows, held.rows)
    np.testing.assert_array_equal(imported.states, held.states)
    near = np.abs(held.points) < 1e-6
    np.testing.assert_array_equal(imported.points[~near], held.points[~near])
    np.testing.assert_allclose(imported.points[near], held.points[near], rtol=0, atol=tiny)
    at = np.searchsorted(dataset.rows, held.rows)
    assert imported.images is not None
    np.testing.assert_array_equal(imported.images, dataset.images[at])


def files_of(place: Path) -> dict[str, bytes]:
    """The files in a folder or zip, by name."""
    if place.is_dir():
        files = (path for path in place.rglob("*") if path.is_file())
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}
    with zipfile.ZipFile(place) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def changed_json(path: Path, change: object) -> Path:
    """The JSON file at ``path`` after ``change(root)``."""
    root = json.loads(path.read_text())
    change(root)  # type: ignore[operator]
    path.write_text(json.dumps(root))
    return path
