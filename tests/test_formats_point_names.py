from __future__ import annotations

import numpy as np
import pytest
from exchange_helper import SMALL
from hypothesis import given
from hypothesis import strategies as st

from fkd.errors import UserError
from fkd.formats.point_names import in_order, order_of
from fkd.keypoints import KAGGLE_15

ORDERS = st.permutations(range(15))


@given(ORDERS)
def test_names_say_where_each_point_stands(order: list[int]) -> None:
    found = order_of([KAGGLE_15.names[k] for k in order], KAGGLE_15, "file")
    assert [order[place] for place in found.places] == list(range(15))
    assert found.notes == found.assumptions == ()


@pytest.mark.parametrize(
    "spelled",
    [
        str.upper,
        str.title,
        lambda name: name.replace("_", " "),
        lambda name: name.replace("_", "-"),
        lambda name: f" {name.replace('_', '.')} ",
        lambda name: name.title().replace("_", ""),
        lambda name: name[0] + name.title().replace("_", "")[1:],
    ],
)
def test_spelling_makes_no_difference_and_is_said(spelled) -> None:
    names = [spelled(name) for name in reversed(KAGGLE_15.names)]
    found = order_of(names, KAGGLE_15, "file")
    np.testing.assert_array_equal(found.places, np.arange(15)[::-1])
    assert found.notes == ("Keypoint names were matched ignoring case, spaces and hyphens.",)
    assert found.assumptions == ()


@pytest.mark.parametrize("first", [0, 1])
@given(order=ORDERS)
def test_numbers_are_an_assumption(first: int, order: list[int]) -> None:
    found = order_of([str(first + k) for k in order], KAGGLE_15, "file")
    assert [order[place] for place in found.places] == list(range(15))
    assert found.notes == ()
    (said,) = found.assumptions
    assert said.startswith("The keypoints are numbered; they were assumed to be: ")
    assert f"{first + 10} nose tip" in said


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "file names 0 keypoints, but small has 3; name each of them"),
        (["nose", "left_eye"], "file names 2 keypoints"),
        (["nose", "left eye", "LEFT_EYE"], "file names the keypoint 'LEFT_EYE' twice"),
        (
            ["nose_tip", "left_eye", "right_eye"],
            "file names keypoints that small does not have: 'nose_tip' (perhaps nose); rename them "
            "to those that are missing: nose.",
        ),
        (["2", "3", "4"], "'2', '3' and '4'; rename them"),
        (["1", "1", "2"], "'1' twice"),
        (["", "", ""], "'' twice"),
    ],
)
def test_names_that_do_not_fit(names: list[str], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        order_of(names, SMALL, "file")
    assert reason in str(caught.value)


def test_many_unknown_names_are_counted() -> None:
    with pytest.raises(UserError, match=r"'p4' and 10 more; rename .* and 10 more"):
        order_of([f"p{k}" for k in range(15)], KAGGLE_15, "file")


def test_the_schema_s_own_order() -> None:
    assert in_order(SMALL).places.tolist() == [0, 1, 2]
