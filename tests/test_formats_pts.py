from __future__ import annotations

import io
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
)
from formats_helper import mutated
from hypothesis import HealthCheck, given, settings

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.formats.pts import held, read_pts, write_pts
from fkd.inference.decode import SUFFIXES
from fkd.labels.states import Labels, State

DATASET = dataset_of([0, 2, 12])
LABELS = every_state(DATASET)
GOOD = "version: 1\nn_points: 3\n{\n1 2\nnan nan\n3.5 4\n}\n"

again = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


@again
@given(labelled())
def test_all_that_it_holds_comes_back(tmp_path_factory: Any, made: tuple[Dataset, Labels]) -> None:
    dataset, labels = made
    some(held(labels))
    place = tmp_path_factory.mktemp("pts")
    for name in ("out", "out.zip"):
        write_pts(place / name, dataset, labels)
        imported = read_pts(place / name, SMALL)
        assert imported.numbered
        check_back(imported, held(labels), dataset, tiny=1e-15)


def test_what_is_written(tmp_path: Path) -> None:
    dataset = dataset_of([7])
    states = np.array([[State.VISIBLE, State.OCCLUDED, State.ABSENT]])
    points = np.array([[[0, 0.1], [31, 2], [0, 0]]], np.float32)
    write_pts(tmp_path / "out", dataset, with_states(Labels.original(dataset), states, points))
    assert set(files_of(tmp_path / "out")) == {"7.png", "7.pts"}
    text = (tmp_path / "out" / "7.pts").read_text()
    assert text == "version: 1\nn_points: 3\n{\n1 1.1\n32 3\nnan nan\n}\n"


def test_what_others_write_is_read(tmp_path: Path) -> None:
    """300-W's files have two spaces after the colon; Menpo writes with NumPy, three decimals."""
    stream = io.StringIO()
    values = np.array([[1.0, 2], [np.nan, np.nan], [3.5, 4]])
    header = f"version: 1\nn_points:  {len(values)}\n{{"
    np.savetxt(stream, values, "%.3f", " ", header=header, footer="}", comments="")
    (tmp_path / "image_b.pts").write_text(stream.getvalue().replace("\n", "\r\n"))
    (tmp_path / "image_a.pts").write_text(GOOD.replace("3.5", "  9.5"))
    imported = read_pts(tmp_path, SMALL)
    assert not imported.numbered
    assert imported.images is None
    assert imported.rows.tolist() == [0, 1]
    nan = np.nan
    np.testing.assert_array_equal(imported.points[0], [[0, 1], [nan, nan], [8.5, 3]])
    np.testing.assert_array_equal(imported.points[1], [[0, 1], [nan, nan], [2.5, 3]])
    assert imported.states[0].tolist() == [State.VISIBLE, State.MISSING, State.VISIBLE]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "between one '{'"),
        (GOOD.replace("}", ""), "between one '{'"),
        (GOOD + "{\n}\n", "between one '{'"),
        ("}\nn_points: 0\n{", "between one '{'"),
        (GOOD.replace("3\n", "68\n", 1), "n_points says 68 and 3 points follow, but small has 3"),
        (GOOD.replace("1 2\n", ""), "n_points says 3 and 2 points follow"),
        (GOOD.replace("n_points: 3", ""), "n_points says no number"),
        (GOOD.replace("1 2", "1 2 3"), "line 4: '1 2 3' is not x and y"),
        (GOOD.replace("1 2", "1 x"), "line 4: '1 x' is not x and y"),
        (GOOD.replace("1 2", "1 inf"), "left eye at 0, inf px is far outside"),
        (GOOD.replace("1 2", "1 nan"), "left eye at 0, nan px"),
        (GOOD.replace("1 2", "49 2"), "left eye at 48, 1 px is far outside the image of 32 x 24"),
        ("\udcff", "is not UTF-8 text"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "2.pts").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=reason) as caught:
        read_pts(tmp_path, SMALL)
    assert str(caught.value).startswith("2.pts")
    assert "\n" not in str(caught.value)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no \.pts files"):
        read_pts(tmp_path, SMALL)


def test_a_picture_that_is_missing(tmp_path: Path) -> None:
    write_pts(tmp_path / "out", DATASET, LABELS)
    (tmp_path / "out" / "12.png").unlink()
    with pytest.raises(UserError, match="the image of '12' is missing"):
        read_pts(tmp_path / "out", SMALL)


@again
@given(mutated(GOOD.encode()))
def test_damaged_files_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "2.pts").write_bytes(data)
    try:
        imported = read_pts(tmp_path, SMALL)
    except UserError:
        return
    assert imported.rows.tolist() == [2]


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nn_points: 3 {\n1 2\nnan nan\n3.5 4\n}\n",
        "version: 1.0\r\nn_points:  3 \r\n{\r\n  1 2  \r\n nan   nan\r\n3.5\t4\r\n}\r\n",
        "n_points: 3\n{\n1, 2\nnaN,NaN\n3.5 , 4\n}",
        "\ufeffversion: 1\nN_POINTS=3\n\n{ 1 2\n\nnan nan\n3.5 4 }\n",
    ],
)
def test_other_spellings_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "2.pts").write_bytes(text.encode())
    imported = read_pts(tmp_path, SMALL)
    nan = np.nan
    np.testing.assert_array_equal(imported.points[0], [[0, 1], [nan, nan], [2.5, 3]])
    assert imported.notes == imported.unread == ()


def test_lines_are_counted_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "2.pts").write_text("version: 1\nn_points: 3 {\n1 2\nx 2\n3 4\n}\n")
    with pytest.raises(UserError, match=r"^2\.pts, line 4: 'x 2' is not x and y"):
        read_pts(tmp_path, SMALL)


def test_positions_that_stand_for_none_are_missing_and_said(tmp_path: Path) -> None:
    (tmp_path / "1.pts").write_text("n_points: 3\n{\n0 0\n0.000 0.000\n5 0\n}\n")
    (tmp_path / "2.pts").write_text("n_points: 3\n{\n-1 -1\n5 6\n0 -1\n}\n")
    imported = read_pts(tmp_path, SMALL)
    visible, missing = State.VISIBLE, State.MISSING
    assert imported.states.tolist() == [[missing, missing, visible], [missing, visible, visible]]
    assert imported.notes == (
        "2 points at 0, 0 were read as missing.",
        "1 point at -1, -1 was read as missing.",
    )
    assert imported.in_file == {visible, missing}


@pytest.mark.parametrize("place", [-1.0, -2.0])
def test_a_point_that_does_lie_there_comes_back(tmp_path: Path, place: float) -> None:
    corner = with_states(LABELS, np.full((3, 3), State.VISIBLE), np.full((3, 3, 2), place))
    write_pts(tmp_path / "out", DATASET, corner)
    imported = read_pts(tmp_path / "out", SMALL)
    check_back(imported, corner, DATASET)
    assert imported.notes == imported.unread == ()
    assert imported.names == ("0", "2", "12")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pictures_of_every_kind_that_is_read_come_along(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "2.pts").write_text(GOOD)
    (tmp_path / f"2{suffix}").write_bytes(b"damaged")
    with pytest.raises(UserError, match=rf"2\{suffix}"):
        read_pts(tmp_path, SMALL)


def test_pictures_of_other_kinds_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "2.pts").write_text(GOOD)
    (tmp_path / "2.exr").write_bytes(b"")
    with pytest.raises(UserError, match=r"^2\.pts: its image 2\.exr is of a kind that is not read"):
        read_pts(tmp_path, SMALL)


def test_pictures_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    write_pts(tmp_path / "out", DATASET, LABELS)
    for folder, suffix in (("images", "png"), ("points", "pts")):
        (tmp_path / "out" / folder).mkdir()
        for path in (tmp_path / "out").glob(f"*.{suffix}"):
            path.rename(tmp_path / "out" / folder / path.name)
    (tmp_path / "out" / "readme.md").write_text("")
    imported = read_pts(tmp_path / "out", SMALL)
    check_back(imported, held(LABELS), DATASET, tiny=1e-15)
    assert imported.unread == ("readme.md",)


def test_labels_of_which_nothing_remains_are_refused(tmp_path: Path) -> None:
    (tmp_path / "2.pts").write_text("n_points: 3\n{\n0 0\n0 0\nnan nan\n}\n")
    with pytest.raises(UserError, match="none of its 1 faces has a point") as caught:
        read_pts(tmp_path, SMALL)
    assert "2 points at 0, 0 were read as missing" in str(caught.value)
