"""The label of one keypoint."""

from __future__ import annotations

import math

import pytest
from labels_helper import visible

from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.labels.point import PointLabel, check_place
from fkd.labels.states import Origin, State


@pytest.mark.parametrize("state", [State.VISIBLE, State.OCCLUDED])
@pytest.mark.parametrize("place", [(None, None), (1.0, None), (math.nan, 1.0), (1.0, math.inf)])
def test_what_is_seen_needs_a_position(state, place):
    with pytest.raises(ValueError, match=f"{state.word} needs a position"):
        PointLabel(state, *place)


@pytest.mark.parametrize("state", [State.MISSING, State.ABSENT])
def test_what_is_not_there_has_none(state):
    assert PointLabel(state).place is None
    with pytest.raises(ValueError, match=f"{state.word} has no position"):
        PointLabel(state, 1.0, 2.0)
    with pytest.raises(ValueError, match="has no position"):
        PointLabel(state, y=2.0)


def test_where_a_label_comes_from_does_not_change_what_it_says():
    here = visible(3.0)
    assert here.place == (3.0, 40.0)
    assert here.same_as(visible(3.0, origin=Origin.PREDICTION, source="a run"))
    assert not here.same_as(visible(3.25))
    assert not here.same_as(PointLabel(State.OCCLUDED, 3.0, 40.0))
    assert PointLabel().same_as(PointLabel(origin=Origin.REMOVED))


def test_positions_may_be_half_an_image_outside():
    # Pixels are squares around their centres: the image goes from -0.5 on.
    least, most = -0.5 - KAGGLE_15.width / 2, 1.5 * KAGGLE_15.width - 0.5
    for x in (least, 0.0, most):
        check_place(visible(x, x), KAGGLE_15, "Row 3")
    check_place(PointLabel(State.ABSENT), KAGGLE_15, "Row 3")
    for x in (least - 0.01, most + 0.01, 1e300):
        with pytest.raises(UserError, match=rf"^Row 3: x = .* between {least:g} and {most:g}\.$"):
            check_place(visible(x), KAGGLE_15, "Row 3")
        with pytest.raises(UserError, match=r"^Row 3: y = "):
            check_place(visible(40.0, x), KAGGLE_15, "Row 3")
