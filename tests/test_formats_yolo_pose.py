from __future__ import annotations

import itertools
import re
from contextlib import suppress
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
        (GOOD.replace("0.5", "x"), "line 1: a field is not a number"),
        (GOOD.replace("0.5", "nan", 1), "infinite or NaN"),
        (GOOD.replace("0.5", "1e999", 1), "infinite or NaN"),
        (GOOD.replace("2", "3"), "not 0, 1 or 2"),
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
    with pytest.raises(UserError, match="the image of '3' is missing"):
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


def labels(tmp_path: Path, lines: list[str], config: str | None = None) -> Path:
    """Label files of other tools without pictures, one for each of ``lines``."""
    place = tmp_path / "set"
    (place / "labels").mkdir(parents=True)
    for row, line in enumerate(lines):
        (place / "labels" / f"{row}.txt").write_text(f"{line}\n")
    if config is not None:
        (place / "data.yaml").write_text(config)
    return place


def line(points: str, kind: str = "0") -> str:
    return f"{kind} .5 .5 1 1 {points}"


NAMELESS = "The files do not name the keypoints: they were taken to be in the order of small."
THREE = line(".25 .25 2 .5 .5 2 .75 .75 2")
"""Points at 7.5, 5.5, at 15.5, 11.5 and at 23.5, 17.5 px."""
FIRST, SECOND, THIRD = [7.5, 5.5], [15.5, 11.5], [23.5, 17.5]

NAMES = [
    "kpt_names:\n  0: [nose, left_eye, right_eye]\n",
    "kpt_names: {0: [Nose, Left Eye, right-eye]}\n",
    "kpt_names: [nose, left_eye, right_eye]\n",
    "kpt_names: {'0': [nose, left_eye, right_eye]}\n",
    "names: [face]\nkpt_names: {face: [nose, left_eye, right_eye]}\n",
    "names: {0: face}\nkpt_names: {0: [nose, left_eye, right_eye], 1: [a, b, c]}\n",
    "kpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\nkpt_names: [nose, left_eye, right_eye]\n",
]


@pytest.mark.parametrize("config", NAMES)
def test_names_in_another_order_are_honoured(tmp_path: Path, config: str) -> None:
    imported = read_yolo_pose(labels(tmp_path, [THREE], config), SMALL)
    assert imported.points[0].tolist() == [SECOND, THIRD, FIRST]
    assert imported.assumptions == ()
    assert imported.unread == ()


def test_names_that_are_numbers_are_an_assumption(tmp_path: Path) -> None:
    imported = read_yolo_pose(labels(tmp_path, [THREE], "kpt_names: [3, 1, 2]\n"), SMALL)
    assert imported.points[0].tolist() == [SECOND, THIRD, FIRST]
    assert len(imported.assumptions) == 1


@pytest.mark.parametrize("config", [None, "nc: 1\n", "kpt_shape: [3, 3]\nflip_idx: [1, 0, 2]\n"])
def test_without_names_the_order_is_the_schema_s_and_that_is_said(
    tmp_path: Path, config: str | None
) -> None:
    imported = read_yolo_pose(labels(tmp_path, [THREE], config), SMALL)
    assert imported.points[0].tolist() == [FIRST, SECOND, THIRD]
    assert imported.notes == (NAMELESS,)
    assert imported.unread == (("data.yaml",) if config == "nc: 1\n" else ())


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("kpt_names: [nose, left_eye, chin]\n", "does not have: 'chin'; rename"),
        ("kpt_names: [nose, left_eye]\n", "names 2 keypoints, but small has 3"),
        ("kpt_names: 3\n", "kpt_names needs a list of names"),
        ("kpt_names: {0: nose}\n", "kpt_names needs a list of names"),
        ("kpt_names: {1: [nose, left_eye, right_eye]}\n", "has no kpt_names for class 0"),
        ("names: {1: face}\nkpt_shape: [3, 3]\n", "there is no class 0 in data.yaml"),
        ("kpt_shape: [17, 3]\n", "kpt_shape says 17 points, but small has 3"),
        ("kpt_shape: [3, 4]\n", r"kpt_shape is \[3, 4\], where \[3, 2\] or \[3, 3\] is needed"),
        ("kpt_shape: many\n", "kpt_shape is 'many'"),
        ("kpt_shape: [3, 2]\n", "14 fields found, 11 expected: .* small .kpt_shape in data.yaml"),
        ("kpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n", "flip_idx .* another order; add kpt_names"),
        ("kpt_shape: [3, 3]\nflip_idx: [1, 0]\n", "flip_idx .* another order; add kpt_names"),
        ("kpt_shape: [3, 3\n", "data.yaml, line 2 cannot be read as YAML"),
        ("- kpt_shape\n", "is YAML, but not a mapping of settings"),
        ("kpt_shape: " + "[" * 5000, "cannot be read as YAML"),
    ],
)
def test_a_config_that_says_something_else_is_refused(
    tmp_path: Path, config: str, reason: str
) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        read_yolo_pose(labels(tmp_path, [THREE], config), SMALL)
    assert "\n" not in str(caught.value)


def test_two_configs_must_agree(tmp_path: Path) -> None:
    place = labels(tmp_path, [THREE], NAMES[0])
    (place / "copy.yml").write_text(NAMES[0] + "train: elsewhere\n")
    assert read_yolo_pose(place, SMALL).points[0].tolist() == [SECOND, THIRD, FIRST]
    (place / "copy.yml").write_text("kpt_shape: [3, 3]\n")
    with pytest.raises(UserError, match=r"copy\.yml and data\.yaml describe different keypoints"):
        read_yolo_pose(place, SMALL)


@pytest.mark.parametrize("config", [None, "kpt_shape: [3, 2]\n"])
def test_points_without_visibility(tmp_path: Path, config: str | None) -> None:
    place = labels(tmp_path, [line(".25 .25 0.000 0 .75 .75"), line("-1 -1 .5 .5 0 .5")], config)
    imported = read_yolo_pose(place, SMALL)
    visible, missing = State.VISIBLE, State.MISSING
    assert imported.states.tolist() == [[visible, missing, visible], [missing, visible, visible]]
    assert imported.notes == (
        "1 point at 0, 0 was read as missing.",
        "1 point at -1, -1 was read as missing.",
        NAMELESS,
    )
    assert imported.in_file == {visible, missing}


def test_files_with_and_without_visibility_do_not_go_together(tmp_path: Path) -> None:
    place = labels(tmp_path, [THREE, line(".25 .25 .5 .5 .75 .75")])
    with pytest.raises(UserError, match=r"^labels/1\.txt, line 1: 11 fields found, 14 expected"):
        read_yolo_pose(place, SMALL)
    with pytest.raises(UserError, match="3 fields found, 11 or 14 expected"):
        read_yolo_pose(labels(tmp_path / "other", ["0 1 2"]), SMALL)


def test_conventions_of_missing_points_are_said(tmp_path: Path) -> None:
    place = labels(tmp_path, [line(".25 .25 0 0 0 2 .5 .5 2"), line("nan nan 0 .5 .5 2 -1 -1 1")])
    imported = read_yolo_pose(place, SMALL)
    visible, missing = State.VISIBLE, State.MISSING
    assert imported.states.tolist() == [[missing, missing, visible], [missing, visible, missing]]
    assert imported.notes[:-1] == (
        "1 point at 0, 0 was read as missing.",
        "1 point at -1, -1 was read as missing.",
        "1 point with visibility 0 has a position: it was read as missing.",
    )


def test_what_1_means_is_recognised_or_said(tmp_path: Path) -> None:
    place = labels(tmp_path, [line(".25 .25 1 0 0 0 .5 .5 1")])
    imported = read_yolo_pose(place, SMALL)
    assert imported.states.tolist() == [[State.VISIBLE, State.MISSING, State.VISIBLE]]
    assert "visibility 'coco'" in imported.notes[0]
    imported = read_yolo_pose(place, SMALL, visibility="coco")
    assert imported.states.tolist() == [[State.OCCLUDED, State.MISSING, State.OCCLUDED]]


def test_an_export_of_ours_says_what_1_means(tmp_path: Path) -> None:
    covered = with_states(LABELS, np.full((3, 3), State.OCCLUDED), np.full((3, 3, 2), 4))
    write_yolo_pose(tmp_path / "out", DATASET, covered)
    imported = read_yolo_pose(tmp_path / "out", SMALL)
    check_back(imported, covered, DATASET)
    assert imported.notes == imported.assumptions == imported.unread == ()
    assert imported.names == ("0", "2", "12")
    assert imported.in_file == set(State) - {State.ABSENT}


def test_a_point_in_the_corner_is_not_missing(tmp_path: Path) -> None:
    corner = with_states(LABELS, np.full((3, 3), State.VISIBLE), np.full((3, 3, 2), -0.5))
    write_yolo_pose(tmp_path / "out", DATASET, corner)
    check_back(read_yolo_pose(tmp_path / "out", SMALL), corner, DATASET)


@pytest.mark.parametrize(
    "predicted",
    [
        line(".25 .25 0.97 0 0 0.01 .5 .5 0.5"),
        line(".25 .25 0.97 0 0 0.01 .5 .5 0.5 0.91"),
        line(".25 .25 1 0 0 0 .5 .5 1 0.91"),
        line(".25 .25 .5 .5 .75 .75 0.91"),
    ],
)
def test_predictions_are_no_labels_unless_asked_for(tmp_path: Path, predicted: str) -> None:
    place = labels(tmp_path, [predicted])
    for visibility in ("auto", "coco"):
        with pytest.raises(
            UserError, match="these are a model's predictions, not labels"
        ) as caught:
            read_yolo_pose(place, SMALL, visibility=visibility)
        assert str(caught.value).startswith("labels/0.txt, line 1: ")
        assert "visibility 'binary'" in str(caught.value)
    imported = read_yolo_pose(place, SMALL, visibility="binary")
    placed = [State.VISIBLE, State.MISSING, State.VISIBLE]
    assert imported.states.tolist() == [placed if "0 0" in predicted else [State.VISIBLE] * 3]
    assert any(note.startswith("These are a model's predictions") for note in imported.notes)


@pytest.mark.parametrize("kind", ["x", "0.5", "-1", "nan", "inf"])
def test_a_class_is_a_number(tmp_path: Path, kind: str) -> None:
    place = labels(tmp_path, [line(".25 .25 2 .5 .5 2 .75 .75 2", kind)])
    with pytest.raises(
        UserError, match=r"labels/0\.txt, line 1: .*(not a number|infinite|its class is)"
    ):
        read_yolo_pose(place, SMALL)


def test_pictures_are_found_elsewhere_or_missed(written: Path) -> None:
    for picture in (written / "images" / "train").iterdir():
        picture.rename(written / "images" / picture.name)
    imported = read_yolo_pose(written, SMALL)
    check_back(imported, held(LABELS), DATASET, tiny=1e-13)
    assert imported.notes == (
        "3 images were found by name, in another folder than the labels say.",
    )
    (written / "images" / "12.png").rename(written / "images" / "12.exr")
    with pytest.raises(UserError, match=r"images/12\.exr is of a kind that is not read"):
        read_yolo_pose(written, SMALL)


def test_what_was_not_read_is_listed(written: Path) -> None:
    (written / "classes.txt").write_text("face\n")
    (written / "images" / "train" / "99.png").write_bytes(b"")
    (written / LABEL).write_text("")
    imported = read_yolo_pose(written, SMALL)
    assert imported.unread == ("classes.txt", "images/train/99.png")
    assert imported.left_out == 1


BESIDE = {
    "classes.txt": b"face\n",
    "Predefined_Classes.txt": b"0\n1\n",
    "train.txt": b"./images/train/0.png\n./images/train/2.png 1\n",
    "val.txt": b"",
    "readme.txt": b"Labelled on 3 May, 2 hours\n",
    "who labelled what.txt": "Ann, Bj\xf6rn\n".encode("latin-1"),
}


def test_what_tools_put_among_the_labels_is_passed_over_and_listed(written: Path) -> None:
    for name, data in BESIDE.items():
        (written / "labels" / "train" / name).write_bytes(data)
    imported = read_yolo_pose(written, SMALL)
    check_back(imported, held(LABELS), DATASET, tiny=1e-13)
    assert imported.unread == tuple(sorted(f"labels/train/{name}" for name in BESIDE))
    assert imported.left_out == 0


@pytest.mark.parametrize("text", ["face", "x y", GOOD.replace("0", "x"), "./images/train/2.png"])
def test_what_has_a_picture_is_a_label_even_without_a_number(written: Path, text: str) -> None:
    for stem in ("2", "classes"):
        (written / LABEL).with_name(f"{stem}.txt").write_text(text)
        (written / "images" / "train" / f"{stem}.png").touch()
        with pytest.raises(
            UserError, match=rf"labels/train/{stem}\.txt, line 1: a field is not a num"
        ):
            read_yolo_pose(written, SMALL)
        (written / LABEL).with_name(f"{stem}.txt").write_text(GOOD)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("7", "0 .5 .5 1 x", "a field is not a number"),
        ("7", "0 1", "2 fields found"),
        ("test", "0 .5 .5 1 1 2", "6 fields found"),
    ],
)
def test_a_file_with_numbers_is_a_label_if_a_bad_one(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    place = labels(tmp_path, [line("0.5 0.5 2 " * 3)])
    (place / "labels" / f"{name}.txt").write_text(text)
    with pytest.raises(UserError, match=rf"labels/{name}\.txt, line 1: {reason}"):
        read_yolo_pose(place, SMALL)


def test_nothing_but_names_of_classes_is_no_labels(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "classes.txt").write_text("face\n")
    with pytest.raises(UserError, match="holds no labels of faces"):
        read_yolo_pose(tmp_path, SMALL)


def test_labels_of_which_nothing_remains_are_refused(tmp_path: Path) -> None:
    place = labels(tmp_path, [line("0 0 2 0 0 0 .5 .5 0")])
    with pytest.raises(UserError, match="none of its 1 faces has a point with a position"):
        read_yolo_pose(place, SMALL)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{next_}: &{next_} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]\n"
    for last, next_ in itertools.pairwise("abcdefghijklmnop")
)
"""YAML of a few lines that is a text of many gigabytes."""


@pytest.mark.parametrize("key", ["kpt_shape", "kpt_names", "flip_idx", "names"])
def test_yaml_that_unfolds_without_end_does_no_harm(tmp_path: Path, key: str) -> None:
    place = labels(tmp_path, [THREE], f"{BOMB}kpt_shape: [3, 3]\n{key}: *p\n")
    (place / "copy.yaml").write_text((place / "data.yaml").read_text())
    with suppress(UserError):
        read_yolo_pose(place, SMALL)


CONFIG = (
    b"kpt_shape: [3, 3]\nflip_idx: [1, 0, 2]\nnames: {0: a}\n"
    b"kpt_names: {0: [nose, left_eye, right_eye]}\n"
)


@again
@given(mutated(CONFIG))
def test_damaged_configs_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    place = tmp_path / "set"
    (place / "labels").mkdir(parents=True, exist_ok=True)
    (place / "labels" / "0.txt").write_text(THREE)
    (place / "data.yaml").write_bytes(data)
    with suppress(UserError):
        assert len(read_yolo_pose(place, SMALL)) == 1
