from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_helper import (
    SMALL,
    check_back,
    dataset_of,
    every_state,
    files_of,
    labelled,
    some,
    with_states,
    write_zip,
)
from formats_helper import mutated
from hypothesis import HealthCheck, given, settings

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.yolo_pose import held, read_yolo_pose, write_yolo_pose
from fkd.keypoints import KAGGLE_15
from fkd.labels.states import Labels, State

DATASET = dataset_of([0, 2, 12])
LABELS = every_state(DATASET)
LABEL = "labels/train/2.txt"

again = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_yolo_pose(tmp_path / "out", DATASET, LABELS)
    return tmp_path / "out"


@again
@given(labelled())
def test_all_that_it_holds_comes_back(tmp_path_factory: Any, made: tuple[Dataset, Labels]) -> None:
    dataset, labels = made
    some(held(labels))
    place = tmp_path_factory.mktemp("yolo")
    for name in ("out", "out.zip"):
        write_yolo_pose(place / name, dataset, labels)
        imported = read_yolo_pose(place / name, SMALL)
        assert imported.numbered
        check_back(imported, held(labels), dataset, tiny=1e-13)


def ultralytics_reads(text: str, points: int) -> np.ndarray:
    """The lines as Ultralytics' own reader takes them, with the checks it makes."""
    lines = np.array([line.split() for line in text.strip().splitlines()], np.float32)
    assert lines.shape[1] == 5 + 3 * points
    assert lines[:, 5:].reshape(-1, 3)[:, :2].max() <= 1
    assert lines.min() >= 0
    assert lines[:, 0].max() < 1
    return lines


@again
@given(labelled())
def test_ultralytics_would_take_it(tmp_path_factory: Any, made: tuple[Dataset, Labels]) -> None:
    dataset, labels = made
    place = tmp_path_factory.mktemp("yolo") / "out"
    write_yolo_pose(place, dataset, labels)
    for name, data in files_of(place).items():
        if name.endswith(".txt"):
            assert name.replace("labels", "images").replace(".txt", ".png") in files_of(place)
            ultralytics_reads(data.decode(), len(SMALL))


def test_what_is_written(written: Path) -> None:
    names = {f"{kind}/train/{row}.{end}" for row in (0, 2, 12) for kind, end in KINDS}
    assert set(files_of(written)) == names | {"data.yaml"}
    config = (written / "data.yaml").read_text()
    for line in ("train: images/train", "kpt_shape: [3, 3]", "flip_idx: [1, 0, 2]", "  0: face"):
        assert f"\n{line}\n" in config
    assert "path:" not in config  # then the folder of the file is taken


KINDS = (("images", "png"), ("labels", "txt"))


def test_the_order_of_a_mirrored_face_is_the_schema_s(tmp_path: Path) -> None:
    dataset = dataset_of([0], KAGGLE_15)
    write_yolo_pose(tmp_path / "out", dataset, Labels.original(dataset))
    config = (tmp_path / "out" / "data.yaml").read_text()
    (found,) = re.findall(r"^flip_idx: \[(.*)\]$", config, re.MULTILINE)
    assert [int(i) for i in found.split(",")] == KAGGLE_15.mirror_order.tolist()


def test_an_image_begins_at_the_edge_of_its_first_pixel(tmp_path: Path) -> None:
    dataset = dataset_of([7])
    states = np.array([[State.VISIBLE, State.OCCLUDED, State.ABSENT]])
    points = np.array([[[-0.5, 23.5], [15.5, 5.5], [0, 0]]], np.float32)
    write_yolo_pose(
        tmp_path / "out", dataset, with_states(Labels.original(dataset), states, points)
    )
    text = (tmp_path / "out" / "labels" / "train" / "7.txt").read_text()
    assert text == "0 0.5 0.5 1 1 0 1 2 0.5 0.25 1 0 0 0\n"


def test_mirroring_as_ultralytics_does_is_mirroring(tmp_path: Path) -> None:
    dataset = dataset_of([7])
    labels = with_states(Labels.original(dataset), np.full((1, 3), State.VISIBLE))
    write_yolo_pose(tmp_path / "out", dataset, labels)
    text = (tmp_path / "out" / "labels" / "train" / "7.txt").read_text()
    points = ultralytics_reads(text, 3)[0, 5:].reshape(3, 3)[:, :2] * [32, 24]
    flipped = points[SMALL.mirror_order]
    flipped[:, 0] = 32 - flipped[:, 0]
    np.testing.assert_allclose(flipped - 0.5, SMALL.mirror(labels.points[0]), atol=1e-5)


def test_other_layouts_are_found(tmp_path: Path) -> None:
    write_yolo_pose(tmp_path / "out", DATASET, LABELS)
    files = files_of(tmp_path / "out")
    moved = {f"set/{name.replace('s/train', 's')}": data for name, data in files.items()}
    moved = {re.sub(r"(images|labels)/12", r"valid/\1/12", name): d for name, d in moved.items()}
    imported = read_yolo_pose(write_zip(tmp_path / "set.zip", moved), SMALL)
    check_back(imported, held(LABELS), DATASET, tiny=1e-13)


def test_an_empty_label_file_is_an_image_without_a_face(written: Path) -> None:
    (written / LABEL).write_text("\n")
    imported = read_yolo_pose(written, SMALL)
    assert (imported.rows.tolist(), imported.left_out) == ([0, 12], 1)


GOOD = "0 .5 .5 1 1 " + "0.5 0.5 2 " * 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 1 2", "line 1: 3 fields found, 14 expected"),
        (GOOD + "1", "15 fields found"),
        (GOOD.replace("0.5", "x"), "line 1: a field is no number"),
        (GOOD.replace("0.5", "nan", 1), "infinite or NaN"),
        (GOOD.replace("0.5", "1e999", 1), "infinite or NaN"),
        (GOOD.replace("2", "3"), "none of 0, 1 and 2"),
        (GOOD.replace("0.5", "1.6", 1), "left eye at 50.7, 11.5 px is far outside the image of"),
        ("\n" + GOOD + "\n" + GOOD, "line 3: the image has a face already"),
        ("\udcff", "is not UTF-8 text"),
    ],
)
def test_a_mistake_is_named(written: Path, text: str, reason: str) -> None:
    (written / LABEL).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=reason) as caught:
        read_yolo_pose(written, SMALL)
    assert str(caught.value).startswith(LABEL)
    assert "\n" not in str(caught.value)


def test_files_that_do_not_go_together(written: Path) -> None:
    (written / "labels" / "val").mkdir()
    (written / "labels" / "val" / "2.txt").write_text(GOOD)
    with pytest.raises(UserError, match="'2' has labels already"):
        read_yolo_pose(written, SMALL)
    (written / "labels" / "val" / "2.txt").rename(written / "labels" / "val" / "02.txt")
    (written / "images" / "val").mkdir()
    (written / "images" / "val" / "02.png").write_bytes(b"")
    with pytest.raises(UserError, match="both are row 2"):
        read_yolo_pose(written, SMALL)
    (written / "labels" / "val" / "02.txt").rename(written / "labels" / "val" / "3.txt")
    with pytest.raises(UserError, match="the picture of '3' is missing"):
        read_yolo_pose(written, SMALL)
    (written / "images" / "train" / "2.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"could be images/train/2\.jpg or images/train/2\.png"):
        read_yolo_pose(written, SMALL)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "2.txt").write_text(GOOD)
    with pytest.raises(UserError, match="is it YOLO-pose"):
        read_yolo_pose(tmp_path, SMALL)


@again
@given(mutated(GOOD.encode()))
def test_damaged_files_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "labels" / "2.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    try:
        imported = read_yolo_pose(tmp_path, SMALL)
    except UserError:
        return
    assert imported.rows.tolist() == [2]
