from __future__ import annotations

import subprocess
import threading
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from kaggle_helper import random_images, random_keypoints, start_python

from fkd import measures
from fkd.dataset import Dataset
from fkd.errors import Cancelled
from fkd.keypoints import KAGGLE_15
from fkd.measures import ORDERED, TEST_ORDERED, Measures, compute, load, measure, with_labels
from fkd.registry import locked, open_named, staged
from fkd.storage import DatasetWriter

NAMES = [field.name for field in fields(Measures)]


def make(name: str = "faces", rows: int = 12, test_rows: int = 4, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    images, test_images = random_images(rng, rows), random_images(rng, test_rows)
    if rows > 3 and test_rows > 1:
        images[3] = test_images[1] = images[1]
    return register(name, images, random_keypoints(rng, rows), test_images)


def register(
    name: str, images: np.ndarray, keypoints: np.ndarray, test_images: np.ndarray
) -> Dataset:
    with (
        locked(name) as target,
        staged(target) as stage,
        DatasetWriter(stage, name, KAGGLE_15) as writer,
    ):
        writer.add_training(images, keypoints, np.arange(len(images)))
        writer.add_test(test_images, np.arange(1, len(test_images) + 1))
        writer.finish()
    return open_named(name)


def same(a: Measures, b: Measures) -> None:
    for name in NAMES:
        one, two = getattr(a, name), getattr(b, name)
        assert one.dtype == two.dtype, name
        np.testing.assert_array_equal(one, two, err_msg=name)


def stored(dataset: Dataset) -> Path:
    assert dataset.folder is not None
    return dataset.folder / "measures"


def times(dataset: Dataset) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in stored(dataset).iterdir()}


def check_shapes(found: Measures, rows: int, test_rows: int) -> None:
    k, pairs = len(KAGGLE_15), len(found.pair_a)
    shapes = {"present": (k, rows), "point_outlier": (rows, k)}
    shapes |= {"order": (2 * len(ORDERED), rows)}
    shapes |= {"test_order": (2 * len(TEST_ORDERED), test_rows)}
    for name in NAMES:
        length = test_rows if name.startswith("test_") else rows
        expected = (pairs,) if name.startswith("pair_") else shapes.get(name, (length,))
        assert getattr(found, name).shape == expected, name


def test_the_measures_say_what_is_in_the_dataset() -> None:
    dataset = make()
    found = compute(dataset)
    check_shapes(found, 12, 4)
    here = ~np.isnan(np.array(dataset.keypoints)).any(axis=2)
    np.testing.assert_array_equal(found.present, here.T)
    np.testing.assert_array_equal(found.n_present, here.sum(axis=1))
    np.testing.assert_array_equal(np.isnan(found.point_outlier), ~here)
    np.testing.assert_allclose(found.brightness, dataset.images.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.contrast, dataset.images.std(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(
        found.test_brightness, dataset.test_images.mean(axis=(1, 2)), rtol=1e-5
    )
    assert not found.outside.any()
    assert list(np.flatnonzero(found.duplicate >= 0)) == [1, 3]
    assert list(np.flatnonzero(found.test_duplicate >= 0)) == [1]
    assert {*zip(found.pair_a, found.pair_b, strict=True)} == {(1, 3), (1, 12 + 1)}
    assert found.pair_exact.all()


def test_measures_are_stored_once_and_mapped_from_then_on() -> None:
    dataset = make()
    assert load(dataset) is None
    first = measure(dataset)
    before = times(dataset)
    again = measure(dataset, lambda *_: pytest.fail("measured again"))
    assert times(dataset) == before
    same(first, again)
    same(first, compute(dataset))
    found = load(dataset)
    assert found is not None
    for name in NAMES:
        array = getattr(found, name)
        assert isinstance(array, np.memmap) or not array.size, name


def test_a_dataset_in_memory_is_measured_without_storing() -> None:
    dataset = make()
    loose = replace(dataset, folder=None)
    same(measure(loose), compute(dataset))
    assert load(loose) is None
    assert not stored(dataset).exists()


def test_another_version_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make()
    measure(dataset)
    before = times(dataset)
    monkeypatch.setattr(measures, "VERSION", measures.VERSION + 1)
    assert load(dataset) is None
    measure(dataset)
    assert times(dataset) != before
    assert load(dataset) is not None


def test_other_content_is_measured_anew() -> None:
    old = make(seed=0)
    first = measure(old)
    new = make(seed=1)
    assert load(new) is None
    assert not np.array_equal(measure(new).brightness, first.brightness)
    other = replace(new, content_hash="another")
    assert load(other) is None


@pytest.mark.parametrize("name", ["outlier.npy", "present.npy", "pair_a.npy", "measures.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "gone"])
def test_damaged_measures_are_made_anew(name: str, damage: str) -> None:
    dataset = make(rows=5, test_rows=2)
    first = measure(dataset)
    expected = {n: np.array(getattr(first, n)) for n in NAMES}
    path = stored(dataset) / name
    data = path.read_bytes()
    path.unlink()  # a new file: cutting the mapped one would take the ground from under `first`
    if damage != "gone":
        path.write_bytes({"cut": data[:-1], "empty": b"", "garbage": b"\x80[{,"}[damage])
    assert load(dataset) is None
    same(measure(dataset), Measures(**expected))
    assert load(dataset) is not None


def test_measures_of_another_length_are_made_anew() -> None:
    dataset = make(rows=5, test_rows=2)
    measure(dataset)
    path = stored(dataset) / "brightness.npy"
    path.unlink()
    np.save(path, np.zeros(3, np.float32))
    assert load(dataset) is None


@pytest.mark.parametrize("missing", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("rows", "test_rows"), [(0, 0), (0, 2), (1, 0), (1, 1), (2, 0), (2, 2), (3, 0), (3, 3)]
)
def test_the_smallest_datasets_are_measured(rows: int, test_rows: int, missing: float) -> None:
    rng = np.random.default_rng(rows)
    points = random_keypoints(rng, rows, missing)
    dataset = register("small", random_images(rng, rows), points, random_images(rng, test_rows))
    found = measure(dataset)
    check_shapes(found, rows, test_rows)
    same(found, compute(dataset))
    assert not (found.duplicate >= 0).any()
    labelled = found.n_present > 0
    assert np.isfinite(found.outlier[labelled]).all()
    assert np.isnan(found.outlier[~labelled]).all()


def test_images_without_any_detail_are_measured() -> None:
    flat = np.zeros((3, *KAGGLE_15.image_size), np.uint8)
    flat[1], flat[2] = 255, 7
    rng = np.random.default_rng(0)
    points = random_keypoints(rng, 3)
    empty = flat[:0], np.arange(0)
    found = compute(Dataset("flat", KAGGLE_15, flat, points, np.arange(3), *empty))
    np.testing.assert_array_equal(found.brightness, [0, 255, 7])
    np.testing.assert_array_equal(found.contrast, [0, 0, 0])
    assert np.isfinite(found.sharpness).all()


def test_a_cancelled_measuring_leaves_nothing_behind() -> None:
    dataset = make()

    def cancel(stage: str, done: int, total: int) -> None:
        if "shape" in stage:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        measure(dataset, cancel)
    assert load(dataset) is None
    assert dataset.folder is not None
    assert not [p for p in dataset.folder.iterdir() if "measures" in p.name and p.is_dir()]


def test_threads_that_ask_at_once_measure_once() -> None:
    dataset = make()
    stages: list[str] = []
    found: list[Measures] = []

    def ask() -> None:
        found.append(measure(dataset, lambda stage, done, total: stages.append(stage)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stages.count("fitting the shape model") == 1
    assert len(found) == 4
    for other in found[1:]:
        same(found[0], other)


def test_who_waits_for_another_process_is_told_and_can_stop() -> None:
    dataset = make()
    assert dataset.folder is not None
    said: list[str] = []

    def stop(stage: str, done: int, total: int) -> None:
        said.append(stage)
        raise Cancelled("Stopped.")

    with FileLock(dataset.folder / ".measures.lock"), pytest.raises(Cancelled):
        measure(dataset, stop)
    assert said == ["waiting for another process that measures it"]
    measure(dataset)
    assert load(dataset) is not None


def test_processes_that_ask_at_once_both_get_them() -> None:
    dataset = make(rows=30)
    code = "from fkd.measures import measure; from fkd.registry import open_named\n"
    code += "print(measure(open_named('faces')).outlier.sum())"
    children: list[subprocess.Popen[str]] = [start_python("-c", code) for _ in range(2)]
    said = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert load(dataset) is not None


def test_of_other_labels_what_is_cheap_is_told_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("FKD_HOME", str(tmp_path))
    dataset = make()
    before = compute(dataset)
    same = with_labels(before, dataset)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(same, name), getattr(before, name))
    points = np.array(dataset.keypoints)
    points[3] = np.nan
    points[4] = 50
    points[5, 0] = -5, 3
    after = compute(replace(dataset, keypoints=points))
    told = with_labels(before, replace(dataset, keypoints=points))
    for name in ("present", "n_present", "source", "outside", "duplicate", "brightness"):
        np.testing.assert_array_equal(getattr(told, name), getattr(after, name))
