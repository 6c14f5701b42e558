from __future__ import annotations

import ast
import colorsys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fkd
from fkd.keypoints import KAGGLE_15, SCHEMAS, Keypoint, KeypointSchema

PACKAGE = Path(fkd.__file__).parent
SHAPE = (2, len(KAGGLE_15), 2)

# Multiples of 1/64 within a few image sizes: float32 subtracts them without rounding.
GRID = st.integers(-20_000, 20_000).map(lambda n: n / 64) | st.just(float("nan"))


def schema_of(*names: str, **changes: object) -> KeypointSchema:
    points = tuple(Keypoint(n, "part", "middle", f"#{i:06x}") for i, n in enumerate(names))
    about = {"mirror_pairs": (), "edges": (), "image_size": (4, 6)}
    return KeypointSchema("small", points, **{**about, **changes})


def test_kaggles_schema_is_the_one_of_the_competition() -> None:
    assert len(KAGGLE_15) == 15
    assert KAGGLE_15.image_size == (96, 96)
    assert KAGGLE_15.pixels == 9216
    assert len(KAGGLE_15.coordinate_names) == 30
    assert KAGGLE_15.coordinate_names[:3] == (
        "left_eye_center_x",
        "left_eye_center_y",
        "right_eye_center_x",
    )
    assert KAGGLE_15.coordinate_names[-1] == "mouth_center_bottom_lip_y"
    assert SCHEMAS[KAGGLE_15.name] is KAGGLE_15


def test_sides_and_mirror_pairs_agree() -> None:
    paired = {i for pair in KAGGLE_15.mirror_pairs for i in pair}
    for a, b in KAGGLE_15.mirror_pairs:
        here, there = KAGGLE_15.keypoints[a], KAGGLE_15.keypoints[b]
        assert {here.side, there.side} == {"left", "right"}
        assert here.name.replace(here.side, "*") == there.name.replace(there.side, "*")
        assert here.part == there.part
    for i, point in enumerate(KAGGLE_15.keypoints):
        assert (point.side == "middle") == (i not in paired)
        assert point.side == "middle" or point.side in point.name


def test_labels_parts_and_indices() -> None:
    assert KAGGLE_15.keypoints[0].label == "left eye center"
    assert KAGGLE_15.parts == ("eyes", "brows", "nose", "mouth")
    assert [KAGGLE_15.index(name) for name in KAGGLE_15.names] == list(range(len(KAGGLE_15)))
    with pytest.raises(KeyError, match="left_ear"):
        KAGGLE_15.index("left_ear")


def test_colours_are_unique_valid_and_darker_on_the_left() -> None:
    colors = [k.color for k in KAGGLE_15.keypoints]
    assert len(set(colors)) == len(colors)
    rgb = [tuple(bytes.fromhex(c.removeprefix("#"))) for c in colors]
    assert all(len(c) == 3 for c in rgb)
    for a, b in KAGGLE_15.mirror_pairs:
        left, right = (a, b) if KAGGLE_15.keypoints[a].side == "left" else (b, a)
        light = [colorsys.rgb_to_hls(*(v / 255 for v in rgb[i]))[1] for i in (left, right)]
        assert light[0] < light[1], KAGGLE_15.names[left]


@given(hnp.arrays(np.float32, SHAPE, elements=GRID))
def test_mirroring_twice_changes_nothing(points: np.ndarray) -> None:
    before = points.copy()
    once = KAGGLE_15.mirror(points)
    np.testing.assert_array_equal(KAGGLE_15.mirror(once), points)
    np.testing.assert_array_equal(points, before)
    assert once.dtype == points.dtype


@given(hnp.arrays(np.float32, SHAPE, elements=GRID))
def test_mirroring_exchanges_the_names_of_x_and_y(points: np.ndarray) -> None:
    once = KAGGLE_15.mirror(points)
    swapped = {"left": "right", "right": "left"}
    for i, name in enumerate(KAGGLE_15.names):
        words = [swapped.get(word, word) for word in name.split("_")]
        j = KAGGLE_15.index("_".join(words))
        np.testing.assert_array_equal(once[:, j, 0], KAGGLE_15.width - 1 - points[:, i, 0])
        np.testing.assert_array_equal(once[:, j, 1], points[:, i, 1])


def test_mirrored_points_lie_on_the_flipped_image() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, KAGGLE_15.width, (len(KAGGLE_15), 2))
    image = rng.integers(0, 256, KAGGLE_15.image_size)
    mirrored = KAGGLE_15.mirror(pixels.astype(np.float32)).astype(int)
    here = image[pixels[:, 1], pixels[:, 0]][KAGGLE_15.mirror_order]
    np.testing.assert_array_equal(image[:, ::-1][mirrored[:, 1], mirrored[:, 0]], here)


def test_mirroring_follows_the_width_not_the_height() -> None:
    schema = schema_of("a", "b", mirror_pairs=((0, 1),), image_size=(4, 6))
    points = np.array([[0.0, 3.0], [1.0, 2.0]])
    np.testing.assert_array_equal(schema.mirror(points), [[4.0, 2.0], [5.0, 3.0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mirror_pairs": ((0, 3),)}, r"\(0, 3\) names no keypoint"),
        ({"mirror_pairs": ((-1, 0),)}, r"\(-1, 0\) names no keypoint"),
        ({"edges": ((0, 1), (1, 3))}, r"\(1, 3\) names no keypoint"),
        ({"mirror_pairs": ((0, 1), (1, 2))}, "two mirror pairs"),
        ({"mirror_pairs": ((1, 1),)}, "two mirror pairs"),
    ],
)
def test_bad_pairs_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        schema_of("a", "b", "c", **changes)


def test_eye_centers_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="names no keypoint"):
        schema_of("a", "b", eye_centers=(0, 5))


def test_repeated_names_and_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="name of its own"):
        schema_of("a", "a")
    first, second = schema_of("a", "b").keypoints
    with pytest.raises(ValueError, match="color of its own"):
        replace(schema_of("a", "b"), keypoints=(first, replace(second, color=first.color)))


# Numbers that happen to equal one of Kaggle's but state nothing about the data.
INNOCENT = {
    ("housekeeping.py", 30): "days that a queue is kept",
    ("inference/cut_jpeg.py", 15): "a mask of four bits",
    ("inference/detect.py", 30.0): "degrees that a photo is turned",
    ("models/screening.py", 15): "digits of a number that can be told",
    ("stored.py", 1 << 30): "a power of two: bytes",
    ("models/zoo.py", 96): "filters of a convolution",
    ("settings.py", 64 << 30): "a power of two: bytes",
    ("training/config.py", 15.0): "degrees of rotation",
    ("training/config.py", 30): "px that an image may be shifted at most",
    ("training/examples.py", 1 << 30): "a power of two: far from the demo's own faces",
    ("statistics/quality.py", 15.0): "grey levels of contrast",
    ("statistics/shape_model.py", 30.0): "rows that a prior weighs",
}


def _modules() -> list[tuple[str, ast.Module]]:
    # The demo's faces are drawn for Kaggle's schema, and drawing is full of numbers.
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name != "keypoints.py" and not name.startswith("synthetic/"):
            found.append((name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def test_no_other_module_knows_kaggles_numbers() -> None:
    facts = {len(KAGGLE_15), len(KAGGLE_15.coordinate_names), KAGGLE_15.width, KAGGLE_15.pixels}
    found = set()
    for name, tree in _modules():
        shifts = {
            id(node.right): node.left.value << node.right.value
            for node in ast.walk(tree)
            if isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.LShift)
            and isinstance(node.left, ast.Constant)
            and isinstance(node.right, ast.Constant)
        }
        for node in ast.walk(tree):
            # A set, as node.value may be text, bytes or an ellipsis: all of them can be looked up.
            if isinstance(node, ast.Constant) and node.value in facts:
                found.add((name, shifts.get(id(node), node.value)))
    assert found <= set(INNOCENT), found - set(INNOCENT)


def test_no_other_module_knows_kaggles_names() -> None:
    names = {*KAGGLE_15.names, *KAGGLE_15.coordinate_names, KAGGLE_15.name}
    found = {
        (module, node.value)
        for module, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    }
    assert not found
