"""Parquet, and images in an array beside the table: read as the CSV table they stand for."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fkd.errors import UserError
from fkd.formats.source import open_table


def read(path: Path) -> list[str]:
    with open_table(path, "training") as source:
        return source.stream.read().decode().splitlines()


FRAME = pd.DataFrame(
    {"x": [1.5, np.nan, 66.03356391], "n": [1, 2, 3], "Image": ["1 2", "3 4", "5 6"]}
)


@pytest.mark.parametrize("image", [["1 2", "3 4", "5 6"], [[1, 2], [3, 4], [5, 6]]])
def test_parquet_comes_as_the_text_of_its_table(tmp_path: Path, image: list) -> None:
    path = tmp_path / "training.parquet"
    FRAME.assign(Image=image).to_parquet(path)
    head, *rows = read(path)
    assert head == "x,n,Image"
    fields = [[f.strip('"') for f in row.split(",")] for row in rows]
    assert [f[2] for f in fields] == ["1 2", "3 4", "5 6"]
    assert [f[1] for f in fields] == ["1", "2", "3"]
    assert float(fields[2][0]) == 66.03356391
    assert fields[1][0] in ("", "nan")
    assert read(tmp_path) == [head, *rows]


NESTED = [[[1, 2], [3, 4]], [[5, 6], [7, 8]], None, [[9, 0], [1, 2]]]
FIXED = pa.list_(pa.list_(pa.int16(), 2), 2)


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.list_(pa.uint8())),
        pa.large_list(pa.list_(pa.int64())),
        pa.list_(pa.large_list(pa.int32()), 2),
        pa.list_(pa.list_(pa.string())),
        FIXED,
    ],
)
def test_images_that_are_lists_of_lists_are_flattened(tmp_path: Path, kind: pa.DataType) -> None:
    images = pa.array(NESTED, pa.list_(pa.list_(pa.int64()))).cast(kind)
    table = pa.table({"x": [1.5, 2.5, 3.5, 4.5], "Image": images})
    pq.write_table(table, tmp_path / "training.parquet")
    fields = [[f.strip('"') for f in row.split(",")] for row in read(tmp_path)[1:]]
    assert [f[0] for f in fields] == ["1.5", "2.5", "3.5", "4.5"]
    assert [f[1] for f in fields] == ["1 2 3 4", "5 6 7 8", "", "9 0 1 2"]


def test_lists_may_be_nested_deeper_and_be_empty(tmp_path: Path) -> None:
    images = [[[[1], [2]], [[3]]], [], [[], [[]]], [[[4, 5, 6]]]]
    pq.write_table(pa.table({"Image": images}), tmp_path / "training.parquet")
    assert [row.strip('"') for row in read(tmp_path)[1:]] == ["1 2 3", "", "", "4 5 6"]


def test_lists_of_something_else_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"Image": [[[{"a": 1}]], [[]]]}), tmp_path / "training.parquet")
    with pytest.raises(UserError, match="column Image: it holds struct"):
        read(tmp_path)


def test_progress_of_parquet_goes_by_rows(tmp_path: Path) -> None:
    pd.DataFrame({"a": range(1000)}).to_parquet(tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet", "training") as source:
        assert source.size == 1000
        source.stream.read()
        assert source.position is not None
        assert source.position() == 1000


def test_damaged_parquet_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "training.parquet"
    FRAME.to_parquet(path)
    data = path.read_bytes()
    for cut in (data[:-9], data[:10], b"PAR1" + bytes(100)):
        path.write_bytes(cut)
        with pytest.raises(UserError, match="not a readable Parquet file"):
            read(path)
    FRAME.assign(Image=[b"1", b"2", b"3"]).to_parquet(path)
    with pytest.raises(UserError, match="column Image: it holds binary"):
        read(path)


TABLE = "a_x,a_y\n1,2\n,\n3,4\n"
IMAGES = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2)


def saved(array: np.ndarray, **more: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, face_images=array, **more)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.moveaxis(IMAGES, 0, -1),
        IMAGES,
        IMAGES[..., None],
        np.moveaxis(IMAGES, 0, -1).astype(np.float64),
    ],
)
@pytest.mark.parametrize("place", ["folder", "file", "zip"])
def test_images_in_an_array_beside_the_table(tmp_path: Path, array: np.ndarray, place: str) -> None:
    files = {"facial_keypoints.csv": TABLE.encode(), "face_images.npz": saved(array)}
    if place == "zip":
        with zipfile.ZipFile(tmp_path / "mirror.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(f"mirror/{name}", data)
        path = tmp_path / "mirror.zip"
    else:
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        path = tmp_path / "facial_keypoints.csv" if place == "file" else tmp_path
    assert read(path) == ["a_x,a_y,Image", "1,2,0 1 2 3", ",,4 5 6 7", "3,4,8 9 10 11"]


def test_a_table_with_images_of_its_own_takes_no_others(tmp_path: Path) -> None:
    (tmp_path / "training.csv").write_text("a_x,Image\n1,5\n")
    (tmp_path / "face_images.npz").write_bytes(b"whatever")
    assert read(tmp_path) == ["a_x,Image", "1,5"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(IMAGES[:2]), "2 images, facial_keypoints.csv 3 or more rows"),
        (saved(np.concatenate([IMAGES, IMAGES])), "6 images, facial_keypoints.csv 3 rows"),
        (saved(IMAGES + 0.5), "not whole grey levels"),
        (saved(IMAGES.astype(np.int16) - 1), "not whole grey levels"),
        (saved(IMAGES[0]), "grey images"),
        (saved(IMAGES, more=IMAGES), "2 arrays"),
        (saved(np.array([{}], object)), "damaged"),
        (b"no zip", "damaged"),
        (saved(np.zeros((200, 96, 96), np.uint8)), r"face_images\.npy would unpack to more than"),
    ],
)
def test_an_array_that_does_not_belong_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "facial_keypoints.csv").write_text(TABLE)
    (tmp_path / "face_images.npz").write_bytes(data)
    with pytest.raises(UserError, match=words):
        read(tmp_path)


def test_an_array_in_an_archive_is_judged_by_what_it_takes_there(tmp_path: Path) -> None:
    """Not by what it would take before it was packed once more."""
    array = np.random.default_rng(0).integers(0, 255, (1, 96, 96), np.uint8).repeat(900, axis=0)
    inner = saved(array)
    assert array.nbytes < 200 * len(inner)
    with zipfile.ZipFile(tmp_path / "mirror.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("facial_keypoints.csv", TABLE)
        archive.writestr("face_images.npz", inner)
    with pytest.raises(UserError, match=r"face_images\.np[yz] would unpack to more than 200 times"):
        read(tmp_path / "mirror.zip")
