from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaggle_helper import random_images, random_keypoints

from fkd.errors import UserError
from fkd.formats import Lookup, full_lookup
from fkd.keypoints import KAGGLE_15
from fkd.storage import (
    DatasetWriter,
    GrowingArray,
    open_dataset,
    read_fields,
    read_manifest,
)
from fkd.stored import load_array

ROWS, TEST_ROWS = 6, 4


def content(seed: int = 0, rows: int = ROWS, test_rows: int = TEST_ROWS) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    ids = np.arange(1, test_rows + 1)
    lookup = full_lookup(ids, KAGGLE_15)
    return {
        "images": random_images(rng, rows),
        "keypoints": random_keypoints(rng, rows),
        "rows": np.arange(rows),
        "test_images": random_images(rng, test_rows),
        "test_image_ids": ids,
        "row_ids": lookup.row_ids,
        "image_ids": lookup.image_ids,
        "coordinates": lookup.coordinates,
    }


def write(folder: Path, data: dict[str, np.ndarray], block: int = 100, **about: object) -> Path:
    folder.mkdir(parents=True)
    with DatasetWriter(folder, folder.name, KAGGLE_15) as writer:
        for start in range(0, len(data["rows"]), block):
            part = slice(start, start + block)
            writer.add_training(data["images"][part], data["keypoints"][part], data["rows"][part])
        for start in range(0, len(data["test_image_ids"]), block):
            part = slice(start, start + block)
            writer.add_test(data["test_images"][part], data["test_image_ids"][part])
        if "row_ids" in data:
            writer.set_lookup(Lookup(data["row_ids"], data["image_ids"], data["coordinates"]))
        writer.finish(**about)
    return folder


def damage(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        open_dataset(folder)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "faces", content())


def test_what_is_written_is_read_back_mapped_and_read_only(folder: Path) -> None:
    data, dataset = content(), open_dataset(folder)
    for key in ("images", "keypoints", "rows", "test_images", "test_image_ids"):
        array = getattr(dataset, key)
        np.testing.assert_array_equal(array, data[key])
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
    assert dataset.lookup is not None
    for key in ("row_ids", "image_ids", "coordinates"):
        np.testing.assert_array_equal(getattr(dataset.lookup, key), data[key])
    assert (dataset.name, dataset.folder, dataset.schema) == ("faces", folder, KAGGLE_15)


def test_the_manifest_counts_what_is_there(folder: Path) -> None:
    here = ~np.isnan(content()["keypoints"][:, :, 0])
    manifest = read_manifest(folder)
    assert (manifest["rows"], manifest["test_rows"]) == (ROWS, TEST_ROWS)
    assert manifest["complete_rows"] == here.all(axis=1).sum()
    assert manifest["present"] == dict(zip(KAGGLE_15.names, here.sum(axis=0), strict=True))
    assert manifest["lookup_rows"] == TEST_ROWS * len(KAGGLE_15.coordinate_names)
    assert manifest["content_hash"] == open_dataset(folder).content_hash


def test_what_is_said_about_a_dataset_stands_in_its_manifest(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", content(), origin="here", sources={"training": "x.csv"})
    assert open_dataset(folder).manifest["sources"] == {"training": "x.csv"}


@pytest.mark.parametrize("block", [1, 2, 4, 5])
def test_the_hash_does_not_depend_on_blocks_name_or_notes(
    folder: Path, tmp_path: Path, block: int
) -> None:
    other = write(tmp_path / "other", content(), block, origin="elsewhere")
    assert open_dataset(other).content_hash == open_dataset(folder).content_hash
    for file in folder.glob("*.npy"):
        assert (other / file.name).read_bytes() == file.read_bytes()


def _change(key: str, index: tuple[int, ...], by: float) -> Callable[[dict[str, np.ndarray]], None]:
    def change(data: dict[str, np.ndarray]) -> None:
        data[key] = data[key].copy()
        data[key][index] += np.array(by, data[key].dtype)

    return change


def _lose_points(data: dict[str, np.ndarray]) -> None:
    data["keypoints"] = np.full_like(data["keypoints"], np.nan)


def _lose_lookup(data: dict[str, np.ndarray]) -> None:
    del data["row_ids"]


@pytest.mark.parametrize(
    "change",
    [
        _change("images", (0, 0, 0), 1),
        _change("images", (ROWS - 1, 95, 95), 1),
        _change("rows", (ROWS - 1,), 1),
        _change("test_images", (2, 40, 3), 1),
        _change("test_image_ids", (0,), 100),
        _change("row_ids", (5,), 1000),
        _change("image_ids", (5,), 1),
        _change("coordinates", (0,), 1),
        _lose_points,
        _lose_lookup,
    ],
)
def test_the_hash_tells_every_change(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, np.ndarray]], None]
) -> None:
    data = content()
    change(data)
    other = write(tmp_path / "other", data)
    assert open_dataset(other).content_hash != open_dataset(folder).content_hash


def test_the_hash_tells_a_coordinate_of_the_last_bit(folder: Path, tmp_path: Path) -> None:
    data = content()
    row, point = np.argwhere(~np.isnan(data["keypoints"][:, :, 0]))[-1]
    data["keypoints"][row, point, 1] = np.nextafter(
        data["keypoints"][row, point, 1], np.float32(1e9)
    )
    other = write(tmp_path / "other", data)
    assert open_dataset(other).content_hash != open_dataset(folder).content_hash


def test_an_image_that_moves_to_the_test_part_changes_the_hash(tmp_path: Path) -> None:
    data = content(rows=1, test_rows=0)
    moved = {**data, "images": data["images"][:0], "keypoints": data["keypoints"][:0]}
    moved |= {"rows": data["rows"][:0], "test_images": data["images"]}
    moved["test_image_ids"] = data["rows"]
    one, two = write(tmp_path / "a", data), write(tmp_path / "b", moved)
    assert open_dataset(one).content_hash != open_dataset(two).content_hash


@pytest.mark.parametrize(("rows", "test_rows"), [(0, 0), (0, 3), (3, 0)])
def test_either_part_may_be_empty(tmp_path: Path, rows: int, test_rows: int) -> None:
    data = content(rows=rows, test_rows=test_rows)
    dataset = open_dataset(write(tmp_path / "a", data))
    assert (len(dataset), len(dataset.test_images)) == (rows, test_rows)
    np.testing.assert_array_equal(dataset.images, data["images"])
    np.testing.assert_array_equal(dataset.test_images, data["test_images"])
    # One that was given and has no rows is not the same as none.
    assert dataset.lookup is not None
    assert (len(dataset.lookup) == 0) == (test_rows == 0)
    assert dataset.position(0) == (0 if rows else None)


def test_without_finish_there_is_no_dataset(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    data = content()
    with DatasetWriter(folder, "half", KAGGLE_15) as writer:
        writer.add_training(data["images"], data["keypoints"], data["rows"])
        assert writer.training_rows == ROWS
    assert "(it is not there)" in damage(folder)
    assert "no dataset" in damage(tmp_path / "nothing")


@pytest.mark.parametrize(
    "block",
    [
        np.zeros((2, 3), np.uint16),
        np.zeros((2, 4), np.uint8),
        np.zeros(3, np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_rows_of_another_kind_are_refused(tmp_path: Path, block: np.ndarray) -> None:
    array = GrowingArray(tmp_path / "a.npy", (3,), np.uint8)
    with pytest.raises(ValueError, match="expected rows"):
        array.append(block)
    array.close()


@given(st.lists(st.integers(0, 5), max_size=6))
def test_an_array_grows_by_any_blocks(
    tmp_path_factory: pytest.TempPathFactory, sizes: list
) -> None:
    path = tmp_path_factory.mktemp("grow") / "a.npy"
    whole = np.arange(3 * sum(sizes), dtype=np.int16).reshape(-1, 3)
    array, start = GrowingArray(path, (3,), np.int16), 0
    for size in sizes:
        # A transposed copy is not contiguous in memory, and must come out alike.
        array.append(np.asfortranarray(whole[start : start + size]))
        start += size
    array.finish()
    np.testing.assert_array_equal(np.load(path), whole)
    np.testing.assert_array_equal(load_array(path), whole)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("null", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"format": 1}', "cannot be read"),
        ('{"format": 1, "schema": []}', "cannot be read"),
        ('{"format": 1, "schema": "kaggle-15"}', "damaged"),
        ('{"format": 1, "schema": "kaggle-16"}', "another version"),
        ('{"format": 2, "schema": "kaggle-15"}', "another version"),
    ],
)
def test_a_damaged_manifest_is_told_in_words(folder: Path, text: str, words: str) -> None:
    (folder / "manifest.json").write_text(text)
    told = damage(folder)
    assert words in told
    assert "'faces'" in told
    assert "\n" not in told


def test_a_manifest_that_is_no_text_or_cut_off_is_told_in_words(folder: Path) -> None:
    path = folder / "manifest.json"
    whole = path.read_bytes()
    for data in (b"\xff\xfe\x00", whole[: len(whole) // 2]):
        path.write_bytes(data)
        assert "cannot be read" in damage(folder)


ARRAYS = ("images", "keypoints", "rows", "test_images", "test_image_ids", "lookup")


@pytest.mark.parametrize("name", ARRAYS)
def test_a_truncated_or_missing_array_is_told_in_words(folder: Path, name: str) -> None:
    path = folder / f"{name}.npy"
    whole = path.read_bytes()
    for length in (0, 3, 9, 60, 127, 128, len(whole) - 1):
        path.write_bytes(whole[:length])
        told = damage(folder)
        assert "'faces' is damaged" in told
        assert "\n" not in told
    path.unlink()
    assert f"{name}.npy" in damage(folder)


def test_arrays_that_do_not_belong_together_are_told_in_words(folder: Path) -> None:
    np.save(folder / "keypoints.npy", np.zeros((ROWS - 1, len(KAGGLE_15), 2), np.float32))
    assert "keypoints" in damage(folder)


def test_a_wrong_number_of_rows_is_told_in_words(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": ROWS + 1}))
    assert "images.npy: its shape is (6, 96, 96), not (7, 96, 96)" in damage(folder)


def test_pickled_objects_are_never_loaded(folder: Path) -> None:
    np.save(folder / "rows.npy", np.array([{}] * ROWS, object), allow_pickle=True)
    assert "damaged" in damage(folder)


def test_a_garbled_header_is_told_in_words(folder: Path) -> None:
    path = folder / "images.npy"
    path.write_bytes(path.read_bytes().replace(b"(6, 96, 96)", b"H6, 96, 96)", 1))
    assert "damaged" in damage(folder)


def test_a_header_that_announces_too_much_is_told_in_words(folder: Path) -> None:
    path = folder / "images.npy"
    raw = path.read_bytes()
    path.write_bytes(
        raw.replace(b"(6, 96, 96), }       ", b"(999999999, 96, 96), }", 1)[: len(raw)]
    )
    assert "damaged" in damage(folder)


def test_damage_is_told_in_one_line(folder: Path) -> None:
    path = folder / "images.npy"
    raw = bytearray(path.read_bytes())
    raw[8:10] = (20_000).to_bytes(2, "little")  # the length of the header
    path.write_bytes(raw)
    assert "\n" not in damage(folder)


def test_fields_are_kept_beside_the_arrays_and_count_as_content(tmp_path: Path) -> None:
    data = content()
    hashes = set()
    for n, who in enumerate(("ann", "ann", "bob")):
        folder = tmp_path / str(n)
        folder.mkdir()
        with DatasetWriter(folder, "f", KAGGLE_15) as writer:
            for part in (slice(0, 2), slice(2, ROWS)):
                names = [f"{who} {i}" for i in range(ROWS)][part]
                writer.add_training(
                    data["images"][part],
                    data["keypoints"][part],
                    data["rows"][part],
                    {"who": pa.array(names), 'note, "x"': pa.array([""] * len(names))},
                )
            assert writer.finish()["fields"] == ["who", 'note, "x"']
        dataset = open_dataset(folder)
        assert read_fields(dataset)["who"] == [f"{who} {i}" for i in range(ROWS)]
        hashes.add(dataset.content_hash)
    assert len(hashes) == 2
    (folder / "fields.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(UserError, match="fields of dataset"):
        read_fields(dataset)


def test_a_dataset_without_fields_has_none(tmp_path: Path) -> None:
    assert read_fields(open_dataset(write(tmp_path / "a", content()))) == {}
