from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exchange_helper import (
    SMALL,
    changed_json,
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
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.coco import FILE, read_coco, write_coco
from fkd.formats.pictures import png
from fkd.labels.states import Labels, State

DATASET = dataset_of([0, 2, 12])
LABELS = every_state(DATASET)
Root = dict[str, Any]

again = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_coco(tmp_path / "out", DATASET, LABELS)
    return tmp_path / "out"


@again
@given(labelled())
def test_everything_comes_back(tmp_path_factory: Any, made: tuple[Dataset, Labels]) -> None:
    dataset, labels = made
    some(labels)
    place = tmp_path_factory.mktemp("coco")
    for name in ("out", "out.zip"):
        write_coco(place / name, dataset, labels)
        imported = read_coco(place / name, SMALL)
        assert imported.numbered
        check_back(imported, labels, dataset)
    imported = read_coco(place / "out" / FILE, SMALL)
    check_back(imported, labels, dataset)


def test_what_is_written(written: Path) -> None:
    assert set(files_of(written)) == {FILE, "images/0.png", "images/2.png", "images/12.png"}
    root = json.loads((written / FILE).read_text())
    assert root["categories"] == [
        {
            "id": 1,
            "name": "face",
            "supercategory": "face",
            "keypoints": ["left_eye", "right_eye", "nose"],
            "skeleton": [[1, 3], [3, 2]],
        }
    ]
    assert root["images"][2] == {
        "id": 12,
        "file_name": "images/12.png",
        "width": 32,
        "height": 24,
    }


def test_states_and_the_numbers_that_stand_for_them(tmp_path: Path) -> None:
    dataset = dataset_of([7])
    states = np.array([[State.VISIBLE, State.OCCLUDED, State.ABSENT]])
    points = np.array([[[0, 0.1], [31.5, 2], [0, 0]]], np.float32)
    write_coco(tmp_path / "out", dataset, with_states(Labels.original(dataset), states, points))
    (annotation,) = json.loads((tmp_path / "out" / FILE).read_text())["annotations"]
    assert annotation == {
        "id": 8,
        "image_id": 7,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [0, 0, 32, 24],
        "area": 768,
        "num_keypoints": 2,
        "keypoints": [0, 0.1, 2, 31.5, 2, 1, 0, 0, 0],
        "states": ["visible", "occluded", "absent"],
    }


def evaluated(path: Path, results: list[Root]) -> COCOeval:
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(path / FILE))
        evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.full(len(SMALL), 0.05)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def test_the_reference_reader_reads_it(written: Path) -> None:
    with redirect_stdout(io.StringIO()):
        coco = COCO(str(written / FILE))
    assert coco.getImgIds() == [0, 2, 12]
    for i, row in enumerate(DATASET.rows.tolist()):
        (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=[row]))
        values = np.array(annotation["keypoints"], np.float32).reshape(-1, 3)
        placed = LABELS.states[i] >= State.OCCLUDED
        np.testing.assert_array_equal(values[placed, :2], LABELS.points[i, placed])
        np.testing.assert_array_equal(values[:, 2], np.array([0, 0, 1, 2])[LABELS.states[i]])
        (image,) = coco.loadImgs(row)
        assert (written / image["file_name"]).is_file()


def test_labels_as_results_are_perfect_and_moved_ones_are_not(tmp_path: Path) -> None:
    labels = with_states(LABELS, np.full(LABELS.states.shape, State.VISIBLE))
    write_coco(tmp_path / "out", DATASET, labels)
    annotations = json.loads((tmp_path / "out" / FILE).read_text())["annotations"]
    keys = ("image_id", "category_id", "keypoints")
    results = [{**{key: a[key] for key in keys}, "score": 1.0} for a in annotations]
    assert evaluated(tmp_path / "out", results).stats[0] == 1.0
    for result in results:
        result["keypoints"] = (np.array(result["keypoints"]) + [9, 9, 0] * len(SMALL)).tolist()
    assert evaluated(tmp_path / "out", results).stats[0] < 0.1


def test_other_tools_may_order_and_name_it_their_way(written: Path) -> None:
    def shuffled(root: Root) -> None:
        root["categories"][0]["keypoints"] = ["nose", "left_eye", "right_eye"]
        root["categories"].insert(0, {"id": 0, "name": "faces"})
        for annotation in root["annotations"]:
            values = annotation["keypoints"]
            annotation["keypoints"] = values[6:] + values[:6]
            annotation["states"] = annotation["states"][2:] + annotation["states"][:2]
        for number, image in enumerate(root["images"]):
            for annotation in root["annotations"]:
                if annotation["image_id"] == image["id"]:
                    annotation["image_id"] = 100 - number
            image["id"] = 100 - number
            image["file_name"] = image["file_name"].removeprefix("images/")

    changed_json(written / FILE, shuffled)
    (written / FILE).rename(written / "other.json")
    check_back(read_coco(written, SMALL), LABELS, DATASET)


def test_without_states_absent_is_missing(written: Path) -> None:
    def plain(root: Root) -> None:
        for annotation in root["annotations"]:
            del annotation["states"]

    changed_json(written / FILE, plain)
    states = read_coco(written, SMALL).states
    absent = LABELS.states == State.ABSENT
    assert absent.any()
    assert (states[absent] == State.MISSING).all()
    np.testing.assert_array_equal(states[~absent], LABELS.states[~absent])


def test_what_another_tool_says_of_visibility_counts(written: Path) -> None:
    def seen(root: Root) -> None:
        root["annotations"][0]["keypoints"] = [1, 2, 2] * 3

    changed_json(written / FILE, seen)
    imported = read_coco(written, SMALL)
    assert imported.states[0].tolist() == [State.VISIBLE] * 3
    assert imported.points[0].tolist() == [[1, 2]] * 3


def test_names_that_are_no_rows_are_counted(tmp_path: Path) -> None:
    write_coco(tmp_path / "out", DATASET, LABELS)

    def named(root: Root) -> None:
        for image, name in zip(root["images"], "cab", strict=True):
            image["file_name"] = f"{name}.png"

    files = files_of(tmp_path / "out")
    changed_json(tmp_path / "out" / FILE, named)
    pictures = zip("cab", (0, 2, 12), strict=True)
    place = write_zip(
        tmp_path / "named.zip",
        {f"faces/{name}.png": files[f"images/{row}.png"] for name, row in pictures}
        | {"faces/a.json": (tmp_path / "out" / FILE).read_bytes()},
    )
    imported = read_coco(place, SMALL)
    assert not imported.numbered
    assert imported.rows.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(imported.states, LABELS.states[[1, 2, 0]])
    assert imported.images is not None
    np.testing.assert_array_equal(imported.images, DATASET.images[[1, 2, 0]])


def test_labels_without_pictures_and_pictures_without_labels(written: Path) -> None:
    def one(root: Root) -> None:
        del root["annotations"][0]

    changed_json(written / FILE, one)
    imported = read_coco(written, SMALL)
    assert (imported.rows.tolist(), imported.left_out) == ([2, 12], 1)
    for picture in (written / "images").iterdir():
        picture.unlink()
    assert read_coco(written, SMALL).images is None


def set_keypoint(value: Any) -> Callable[[Root], None]:
    def change(root: Root) -> None:
        root["annotations"][1]["keypoints"][0:3] = value

    return change


def set_at(key: str, at: int, name: str, value: Any) -> Callable[[Root], None]:
    def change(root: Root) -> None:
        root[key][at][name] = value

    return change


BAD: list[tuple[Callable[[Root], None], str]] = [
    (lambda root: root.pop("images"), "no list of objects 'images'"),
    (lambda root: root.update(annotations={}), "no list of objects 'annotations'"),
    (lambda root: root["annotations"].append(3), "no list of objects 'annotations'"),
    (lambda root: root["annotations"].clear(), "no labels of faces"),
    (lambda root: root["categories"].clear(), "annotation 1 .*there is no category with the id 1"),
    (
        set_at("categories", 0, "keypoints", ["left_eye", "righteye ", "chin"]),
        "category 'face', names keypoints that small does not have: 'chin'; rename them to those "
        "that are missing: nose",
    ),
    (
        set_at("categories", 0, "keypoints", ["left_eyes", "Right_Eye", "nose"]),
        r"does not have: 'left_eyes' \(perhaps left_eye\)",
    ),
    (set_at("categories", 0, "keypoints", ["nose"] * 2), "names 2 keypoints, but small has 3"),
    (set_at("categories", 0, "keypoints", ["nose", "a", "Nose"]), "'Nose' twice"),
    (set_at("categories", 0, "keypoints", "abc"), "category 'face' does not name its keypoints"),
    (set_at("categories", 0, "keypoints", []), "category 'face' does not name its keypoints"),
    (set_at("annotations", 1, "image_id", 5), "annotation 2: there is no image with the id 5"),
    (set_at("annotations", 1, "image_id", [5]), "annotation 2: there is no image"),
    (set_at("annotations", 1, "image_id", 0), "annotation 2 .*images/0.png.* has a face already"),
    (set_at("annotations", 1, "keypoints", [1] * 8), "needs 9 numbers, x, y, v each; it has 8"),
    (set_at("annotations", 1, "keypoints", "123"), "it is not a list"),
    (set_at("annotations", 1, "states", ["gone"] * 3), "'states' needs 3 of the words absent"),
    (set_at("annotations", 1, "states", ["absent"] * 2), "'states' needs 3"),
    (set_keypoint([1, 2, 3]), "not 0, 1 or 2"),
    (set_keypoint([1, 2, 0.5]), "not 0, 1 or 2"),
    (set_keypoint([1, "2", 2]), "not a number"),
    (set_keypoint([1, True, 2]), "not a number"),
    (set_keypoint([1, 10**400, 2]), "not a number"),
    (set_keypoint([1e300, 2, 2]), "left eye at 1e.300, 2 px is far outside"),
    (
        set_keypoint([48, 2, 2]),
        "annotation 2 .*2.png.* far outside the image of 32 x 24",
    ),
    (set_keypoint([3, -12.6, 1]), "far outside"),
    (set_at("images", 1, "id", 0), "image 2: its id repeats"),
    (set_at("images", 1, "id", [2]), "image 2: its id is missing, or neither an integer nor text"),
    (set_at("images", 1, "id", "0"), "image 2: its id repeats"),
    (set_at("images", 1, "file_name", "../.."), "file_name is not the name"),
    (set_at("images", 1, "file_name", 3), "file_name is not the name"),
    (set_at("images", 1, "file_name", "images/2\0.png"), "file_name is not the name"),
    (set_at("images", 1, "file_name", "images/3.png"), "the image of '3' is missing"),
    (set_at("images", 1, "file_name", "images/0.png"), "'0' has labels already"),
    (set_at("images", 1, "width", "64"), "image 2 .images/2.png.: its width is '64', but small"),
    (set_at("images", 1, "height", "24 px"), "image 2 .*: its height is '24 px', but small has"),
    (set_at("images", 1, "height", False), "image 2 .*: its height is False, but small has"),
    (set_at("images", 1, "width", -32), "image 2 .*: its width is -32, but small has"),
    (set_at("images", 1, "width", 64), "image 2 .images/2.png.: its width is 64, but small has"),
]


@pytest.mark.parametrize(("change", "reason"), BAD)
def test_a_mistake_is_named(written: Path, change: Callable[[Root], None], reason: str) -> None:
    changed_json(written / FILE, change)
    with pytest.raises(UserError, match=reason) as caught:
        read_coco(written, SMALL)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "cannot be read as JSON"),
        (b"{", "cannot be read as JSON"),
        (b"\xff\xfe\xff", "cannot be read as JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "not a COCO file"),
        (b'{"images": NaN}', "no list of objects"),
        (b'{"images": ' + b"9" * 5000 + b"}", "cannot be read as JSON"),
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path: Path, text: bytes, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with pytest.raises(UserError, match=reason):
        read_coco(path, SMALL)


def test_there_must_be_one_json_file(tmp_path: Path) -> None:
    for files, reason in (
        ({"a.json": b"{}", "b.json": b"{}"}, r"holds several JSON files: a\.json and b\.json;"),
        ({"a.txt": b"", "1.pts": b"", "2.pts": b""}, r"no JSON file .* It has 2 \.pts and 1 \.txt"),
        ({}, "It has no files"),
    ):
        with pytest.raises(UserError, match=reason):
            read_coco(write_zip(tmp_path / "a.zip", files), SMALL)


def test_a_picture_of_another_size_is_refused(written: Path) -> None:
    (written / "images" / "2.png").write_bytes(png(np.zeros((48, 64), np.uint8)))
    with pytest.raises(UserError, match=r"images/2\.png is 64 x 48 px, but small has 32 x 24 px"):
        read_coco(written, SMALL)


@pytest.mark.parametrize("size", [("32", "24"), (32.0, "24.0"), (0, 0), (None, "0"), ("", " ")])
def test_sizes_may_be_text_or_unknown(written: Path, size: tuple[Any, Any]) -> None:
    def change(root: Root) -> None:
        for image in root["images"]:
            image["width"], image["height"] = size

    changed_json(written / FILE, change)
    check_back(read_coco(written, SMALL), LABELS, DATASET)
    (written / "images" / "2.png").write_bytes(png(np.zeros((48, 64), np.uint8)))
    with pytest.raises(UserError, match=r"images/2\.png is 64 x 48 px"):
        read_coco(written, SMALL)


VALID = json.dumps(
    {
        "images": [{"id": 3, "file_name": "3.png"}],
        "categories": [{"id": 1, "keypoints": list(SMALL.names)}],
        "annotations": [{"image_id": 3, "category_id": 1, "keypoints": [1.5, 2, 2] * 3}],
    }
).encode()


@again
@given(mutated(VALID))
def test_damaged_files_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    try:
        imported = read_coco(path, SMALL)
    except UserError:
        return
    assert len(imported) == 1


def named(root: Root, pattern: str) -> None:
    """Other names of the images: ``pattern`` with the row in it."""
    for image in root["images"]:
        image["file_name"] = pattern.format(image["id"])


def moved(written: Path, json_name: str, images: str, pattern: str) -> Path:
    """The export in another tool's layout: the file called ``json_name``, the pictures in the
    folder ``images``, named in the file by ``pattern``."""
    changed_json(written / FILE, lambda root: named(root, pattern))
    pictures = (written / "images").rename(written / "aside")
    for folder in ((written / json_name).parent, written / images):
        folder.mkdir(parents=True, exist_ok=True)
    (written / FILE).rename(written / json_name)
    for picture in pictures.iterdir():
        picture.rename(written / images / picture.name)
    pictures.rmdir()
    return written


LAYOUTS = [
    ("annotations/person_keypoints_default.json", "images/default", "{}.png"),  # CVAT
    ("annotations/instances_part.json", "images/part", "{}.png"),
    ("labels.json", "data", "{}.png"),  # FiftyOne
    ("train/_annotations.coco.json", "train", "{}.png"),  # Roboflow
    ("result.json", "images", "images\\{}.png"),  # Label Studio on Windows
    ("result.json", "images", "images\\1/{}.png"),
    ("result.json", "images", "..\\..\\label-studio\\media\\upload\\4\\{}.png"),
    ("result.json", "images", "/data/upload/1/{}.png"),
    ("annotations/train2017.json", "train2017", "{}.png"),  # COCO itself
    ("annotations.json", "images", "{}"),
]


@pytest.mark.parametrize(("json_name", "images", "pattern"), LAYOUTS)
def test_pictures_are_found_in_other_tools_layouts(
    written: Path, json_name: str, images: str, pattern: str
) -> None:
    moved(written, json_name, images, pattern)
    packed = write_zip(written.parent / "packed.zip", files_of(written))
    for path in (written, packed):
        imported = read_coco(path, SMALL)
        check_back(imported, LABELS, DATASET)
        assert imported.names == ("0", "2", "12")
        assert imported.unread == ()


@pytest.mark.parametrize(("json_name", "images", "pattern"), LAYOUTS[:3])
def test_pictures_are_found_from_a_file_alone(
    written: Path, json_name: str, images: str, pattern: str
) -> None:
    moved(written, json_name, images, pattern)
    (written / "notes.txt").write_text("nothing")
    imported = read_coco(written / json_name, SMALL)
    check_back(imported, LABELS, DATASET)
    assert imported.unread == ()


def test_a_subset_s_pictures_are_its_own(written: Path) -> None:
    moved(written, "annotations/person_keypoints_train.json", "images/train", "{}.png")
    (written / "images" / "val").mkdir()
    for row in (0, 2, 12):
        (written / "images" / "val" / f"{row}.png").write_bytes(png(np.zeros((24, 32), np.uint8)))
    check_back(read_coco(written, SMALL), LABELS, DATASET)
    (written / "annotations" / "person_keypoints_train.json").rename(written / "annotations.json")
    with pytest.raises(UserError, match=r"could be images/train/0\.png or images/val/0\.png"):
        read_coco(written, SMALL)


def test_a_picture_that_came_along_must_be_found(written: Path) -> None:
    (written / "images" / "12.png").rename(written / "images" / "13.png")
    with pytest.raises(UserError, match=r"annotation 3 .*the image of '12' is missing"):
        read_coco(written, SMALL)
    with pytest.raises(UserError, match=r"or put annotations\.json into a folder without images"):
        read_coco(written / FILE, SMALL)
    for picture in (written / "images").iterdir():
        picture.unlink()
    for path in (written, written / FILE):
        assert read_coco(path, SMALL).images is None


def foreign(written: Path, change: Callable[[Root], None] = lambda root: None) -> Path:
    """The export as another tool would write it: without states, in one file."""

    def plain(root: Root) -> None:
        for annotation in root["annotations"]:
            del annotation["states"]
            annotation["keypoints"] = [5, 6, 2, 7, 8, 2, 9, 10, 2]
        change(root)

    changed_json(written / FILE, plain)
    (written.parent / "alone").mkdir(exist_ok=True)
    return (written / FILE).rename(written.parent / "alone" / "labels.json")


def test_numbered_keypoints_are_an_assumption(written: Path) -> None:
    path = foreign(written, set_at("categories", 0, "keypoints", ["3", "1", "2"]))
    imported = read_coco(path, SMALL)
    assert imported.points[0].tolist() == [[7, 8], [9, 10], [5, 6]]
    assert imported.assumptions == (
        "The keypoints are numbered; they were assumed to be: 1 left eye, 2 right eye and 3 nose.",
    )


def test_names_are_matched_whatever_their_spelling(written: Path) -> None:
    path = foreign(written, set_at("categories", 0, "keypoints", ["Nose", "leftEye", "Right-Eye"]))
    imported = read_coco(path, SMALL)
    assert imported.points[0].tolist() == [[7, 8], [9, 10], [5, 6]]
    assert imported.notes == ("Keypoint names were matched ignoring case, spaces and hyphens.",)


def test_categories_without_keypoints_are_skipped(written: Path) -> None:
    def boxes(root: Root) -> None:
        root["categories"].insert(0, {"id": 7, "name": "box"})
        root["images"].append({"id": 99, "file_name": "99.png", "width": 640, "height": 480})
        for image_id in (0, 2, 99):
            box = {"id": 900 + image_id, "image_id": image_id, "category_id": 7, "bbox": [0] * 4}
            root["annotations"].insert(0, box)

    imported = read_coco(foreign(written, boxes), SMALL)
    assert imported.rows.tolist() == [0, 2, 12]
    assert imported.left_out == 1
    assert imported.notes == (
        "3 annotations were skipped because they have no keypoints: category box.",
    )


def test_ids_may_be_text(written: Path) -> None:
    def texts(root: Root) -> None:
        for image in root["images"]:
            image["id"] = f"{image['id']}"
        root["categories"][0]["id"] = "face"
        for annotation in root["annotations"]:
            annotation["category_id"] = "face"
            annotation["image_id"] = float(annotation["image_id"])

    assert read_coco(foreign(written, texts), SMALL).rows.tolist() == [0, 2, 12]


@pytest.mark.parametrize("position", [(None, None), (float("nan"),) * 2, (-250, 1090), (-1, -1)])
def test_positions_of_points_that_are_not_labelled_are_passed_over(
    written: Path, position: tuple[Any, Any]
) -> None:
    path = foreign(written, set_keypoint([*position, 0]))
    imported = read_coco(path, SMALL)
    assert imported.states[1].tolist() == [State.MISSING, State.VISIBLE, State.VISIBLE]
    said = ("1 point with visibility 0 has a position: it was read as missing.",)
    assert imported.notes == (said if position == (-250, 1090) else ())


@pytest.mark.parametrize("position", [(None, 3), (float("nan"),) * 2, (4, float("inf"))])
def test_a_labelled_point_needs_a_position(written: Path, position: tuple[Any, Any]) -> None:
    path = foreign(written, set_keypoint([*position, 2]))
    with pytest.raises(UserError, match=r"annotation 2 .*left eye has v = 2, but its position is"):
        read_coco(path, SMALL)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (-1, -1)])
def test_positions_that_stand_for_none_are_missing_unless_states_say_more(
    written: Path, x: float, y: float
) -> None:
    changed_json(written / FILE, set_keypoint([x, y, 2]))
    changed_json(written / FILE, set_at("annotations", 1, "states", ["visible"] * 3))
    imported = read_coco(written, SMALL)
    assert imported.points[1, 0].tolist() == [x, y]
    assert not any("read as missing" in note and " at " in note for note in imported.notes)
    imported = read_coco(foreign(written, set_keypoint([x, y, 2])), SMALL)
    assert imported.states[1].tolist() == [State.MISSING, State.VISIBLE, State.VISIBLE]
    assert imported.notes == (f"1 point at {x}, {y} was read as missing.",)


def ones(root: Root) -> None:
    for annotation in root["annotations"]:
        annotation["keypoints"] = [5, 6, 1, 0, 0, 0, 7, 8, 1]


def test_what_1_means_is_recognised_or_said(written: Path) -> None:
    changed_json(written / FILE, ones)
    assert set(read_coco(written, SMALL).states[:, 0].tolist()) == {State.OCCLUDED}  # has states
    path = foreign(written, ones)
    imported = read_coco(path, SMALL)
    assert set(imported.states[:, 0].tolist()) == {State.VISIBLE}
    (note,) = imported.notes
    assert "visibility 'coco'" in note
    assert imported.in_file == {State.MISSING, State.VISIBLE}
    imported = read_coco(path, SMALL, visibility="coco")
    assert set(imported.states[:, 0].tolist()) == {State.OCCLUDED}
    assert imported.notes == ()


def test_what_a_file_can_hold_is_told(written: Path) -> None:
    imported = read_coco(written, SMALL)
    assert imported.in_file == set(State)
    np.testing.assert_array_equal(imported.held(LABELS).states, LABELS.states)
    imported = read_coco(foreign(written), SMALL)
    held = imported.held(LABELS).states
    assert (held[LABELS.states == State.ABSENT] == State.MISSING).all()
    assert (held[LABELS.states == State.OCCLUDED] == State.OCCLUDED).all()


def test_a_file_of_which_nothing_remains_is_refused(written: Path) -> None:
    def nothing(root: Root) -> None:
        for annotation in root["annotations"]:
            annotation["keypoints"] = [5, 6, 0] * 3

    with pytest.raises(
        UserError, match="none of its 3 faces has a point with a position"
    ) as caught:
        read_coco(foreign(written, nothing), SMALL)
    assert "9 points with visibility 0 have a position" in str(caught.value)


def test_what_was_not_read_is_listed(written: Path) -> None:
    (written / "other.json").write_text("{}")
    (written / "images" / "99.png").write_bytes(b"")
    (written / "labels").mkdir()
    (written / "labels" / "3.txt").write_text("")
    imported = read_coco(written, SMALL)
    assert imported.unread == ("images/99.png", "labels/3.txt", "other.json")
    assert imported.notes == (
        "out also holds labels in other formats, which were not read: labels/3.txt (YOLO-pose).",
    )


def test_pictures_of_images_without_a_face_count_as_left_out(written: Path) -> None:
    changed_json(written / FILE, lambda root: root["annotations"].pop(0))
    imported = read_coco(written, SMALL)
    assert (imported.left_out, imported.unread) == (1, ())


def test_two_images_of_one_row_are_refused(written: Path) -> None:
    path = foreign(written, set_at("images", 1, "file_name", "images/012.png"))
    with pytest.raises(UserError, match="'012' and '12' both are row 12"):
        read_coco(path, SMALL)


def test_annotations_that_are_marked_as_deleted_are_skipped(written: Path) -> None:
    def throw_away(root: dict[str, Any]) -> None:
        root["annotations"][0]["deleted"] = True
        root["annotations"][1]["deleted"] = False

    changed_json(written / "annotations.json", throw_away)
    imported = read_coco(written, SMALL)
    assert len(imported) == 2
    assert "1 annotation was skipped because it is marked as deleted." in imported.notes
