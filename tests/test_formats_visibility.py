from __future__ import annotations

import numpy as np
import pytest
from exchange_helper import SMALL

from fkd.errors import UserError
from fkd.formats.visibility import (
    THREE_STATES,
    TWO_STATES,
    Read,
    Visibility,
    check_visibility,
    read_states,
)
from fkd.labels.states import State

MISSING, OCCLUDED, VISIBLE = State.MISSING, State.OCCLUDED, State.VISIBLE
ONE_IS_VISIBLE = (
    "No point has visibility 2, so 1 was read as visible; to read it as occluded, choose "
    "visibility 'coco'."
)


def read(
    values: list[tuple[float, float, float]],
    meaning: Visibility = "auto",
    says: bool = False,
    certain: list[bool] | None = None,
) -> Read:
    """Some points as they stand in a file: x, y, visibility."""
    table = np.array([values], np.float64)
    sure = None if certain is None else np.array([certain])
    return read_states(
        table[..., :2], table[..., 2], meaning, lambda i: f"face {i}", says=says, certain=sure
    )


@pytest.mark.parametrize(
    ("v", "meaning", "says", "states", "notes"),
    [
        ([0, 1, 2], "auto", False, [MISSING, OCCLUDED, VISIBLE], ()),
        ([0, 1, 2], "coco", False, [MISSING, OCCLUDED, VISIBLE], ()),
        ([0, 1, 2], "binary", False, [MISSING, VISIBLE, VISIBLE], ()),
        ([0, 1, 1], "auto", False, [MISSING, VISIBLE, VISIBLE], (ONE_IS_VISIBLE,)),
        ([0, 1, 1], "auto", True, [MISSING, OCCLUDED, OCCLUDED], ()),
        ([0, 1, 1], "coco", False, [MISSING, OCCLUDED, OCCLUDED], ()),
        ([0, 1, 1], "binary", True, [MISSING, VISIBLE, VISIBLE], ()),
        ([0, 2, 2], "auto", False, [MISSING, VISIBLE, VISIBLE], ()),
        ([0, 0, 0], "auto", False, [MISSING] * 3, ()),
    ],
)
def test_what_a_number_means(
    v: list[float], meaning: Visibility, says: bool, states: list[State], notes: tuple[str, ...]
) -> None:
    found = read([(5, 5, n) if n else (0, 0, 0) for n in v], meaning, says)
    assert found.states.tolist() == [states]
    assert found.notes == notes
    binary = meaning == "binary" or bool(notes)
    assert found.held == (TWO_STATES if binary else THREE_STATES)


@pytest.mark.parametrize("meaning", ["auto", "binary"])
def test_shares_of_one_are_labelled_above_zero(meaning: Visibility) -> None:
    found = read([(5, 5, 0.01), (5, 5, 1), (0, 0, 0)], meaning)
    assert found.states.tolist() == [[VISIBLE, VISIBLE, MISSING]]
    assert found.notes == ("The visibilities are fractions: points above 0 were read as visible.",)
    assert found.held == TWO_STATES


def test_shares_among_other_numbers_are_named() -> None:
    mixed: list[tuple[float, float, float]] = [(5, 5, 0.5), (5, 5, 2)]
    with pytest.raises(UserError, match=r"^face 0: a visibility is 0\.5, not 0, 1 or 2"):
        read(mixed)
    with pytest.raises(UserError, match=r"^face 0: a visibility is 0\.5"):
        read(mixed[:1], "coco")
    assert read(mixed, "binary").states.tolist() == [[VISIBLE, VISIBLE]]


def test_positions_that_stand_for_none_are_missing_and_said() -> None:
    found = read([(0, 0, 2), (-1, -1, 1), (0, 0, 2), (0, 1, 2), (-1, 0, 2), (0, 0, 0), (-1, -1, 0)])
    states = [MISSING] * 3 + [VISIBLE] * 2 + [MISSING] * 2
    assert found.states.tolist() == [states]
    assert found.notes == (
        "2 points at 0, 0 were read as missing.",
        "1 point at -1, -1 was read as missing.",
    )


def test_what_is_certain_is_honoured() -> None:
    found = read([(0, 0, 2), (-1, -1, 2), (0, 0, 1)], certain=[True, True, False], says=True)
    assert found.states.tolist() == [[VISIBLE, VISIBLE, MISSING]]
    assert found.notes == ("1 point at 0, 0 was read as missing.",)


def test_a_position_with_visibility_0_is_missing_and_said() -> None:
    nan = float("nan")
    found = read([(5, 5, 2), (-250, 1090, 0), (nan, nan, 0), (5, nan, 0)])
    assert found.states.tolist() == [[VISIBLE, MISSING, MISSING, MISSING]]
    assert found.notes == ("1 point with visibility 0 has a position: it was read as missing.",)
    assert read([(5, 5, 0), (6, 6, 0)]).notes == (
        "2 points with visibility 0 have a position: they were read as missing.",
    )


@pytest.mark.parametrize("value", [-1, 1.5, 2.5, 3, float("nan"), float("inf")])
def test_a_visibility_that_is_none_is_named(value: float) -> None:
    with pytest.raises(UserError, match=f"^place: the visibility of right eye is {value:g}, not 0"):
        check_visibility(np.array([0.5, value, 2]), SMALL, "place")
