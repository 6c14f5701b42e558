from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fkd.spans import spans, tidy, within


@given(st.lists(st.integers(0, 300)))
def test_rows_come_back(rows):
    every = np.arange(400)
    assert set(every[within(spans(rows), every)].tolist()) == set(rows)


def test_neighbours_become_a_span():
    assert spans([9, 3, 8, 5, 7, 5]) == "3,5,7-9"
    assert spans([]) == ""


@pytest.mark.parametrize(
    "text", ["-3", "x", "1-", "5-2", "²", "1.5", "9" * 40, "0-999999999999", ",,", "'; DROP"]
)
def test_a_hostile_text_names_nothing_that_is_not_there(text):
    rows = np.array([2, 4, 7])
    assert within(text, rows).sum() in (0, 3)
    assert tidy(tidy(text)) == tidy(text)


def test_tidy_drops_what_makes_no_sense():
    assert tidy("9,x,3-4,9,5-2,3-4") == "3-4,9"
