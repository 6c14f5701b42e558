from __future__ import annotations

import numpy as np
import pytest

from fkd.formats.no_position import PLACES, stand_for_none, written


def test_only_the_very_places_stand_for_none() -> None:
    positions = np.array([[0, 0], [-1, -1], [0, -1], [0, 1e-60], [np.nan, np.nan], [-0.0, 0]])
    assert stand_for_none(positions).tolist() == [True, True, False, False, False, True]
    assert stand_for_none(positions.reshape(2, 3, 2)).shape == (2, 3)
    assert stand_for_none(np.empty((0, 3, 2))).shape == (0, 3)


@pytest.mark.parametrize("place", PLACES)
def test_a_point_that_lies_there_is_told_from_none_and_comes_back(place) -> None:  # type: ignore[no-untyped-def]
    text = f"{place.at:g}"
    read = np.array([float(word) for word in written(text, text)])
    assert not stand_for_none(read)
    assert stand_for_none(read.astype(np.float32))  # equal as 32-bit numbers


def test_others_are_written_as_they_are() -> None:
    assert written("0", "-1") == ("0", "-1")
    assert written("-0", "0") != ("-0", "0")
    assert written("12.5", "0") == ("12.5", "0")
