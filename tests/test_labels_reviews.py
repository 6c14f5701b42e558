"""What became of the images to be looked at, whose they are, and how fast it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from labels_helper import ROWS, store_at

from fkd.errors import UserError
from fkd.labels import reviews as module
from fkd.labels.reviews import DONE, OPEN, SKIPPED, assign, pace, reviews, set_state


@pytest.fixture
def store(label_url):
    return store_at(label_url)


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets: ``clock(seconds)`` later."""

    class Clock:
        now = datetime(2026, 1, 1, tzinfo=UTC)

        def __call__(self, seconds: float) -> None:
            type(self).now = self.now + timedelta(seconds=seconds)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return Clock.now

    monkeypatch.setattr(module, "datetime", Stopped)
    Clock.now = Clock.now.replace(hour=0)
    return Clock()


def test_states_are_kept(store):
    assert reviews(store) == {}
    set_state(store, 7, DONE, "Ann")
    set_state(store, 9, SKIPPED, " Bob ")
    set_state(store, 7, OPEN, "Eve")
    found = reviews(store_at(store.url))
    assert {row: (r.row, r.state, r.author) for row, r in found.items()} == {
        7: (7, OPEN, "Eve"),
        9: (9, SKIPPED, "Bob"),
    }
    assert reviews(store_at(store.url, "others")) == {}
    with pytest.raises(UserError, match="no state 'gone'; there are: open, done, skipped"):
        set_state(store, 7, "gone", "Ann")
    with pytest.raises(UserError, match="Say who you are"):
        set_state(store, 7, DONE, " ")


def test_images_are_given_to_somebody(store):
    assign(store, [7, 9], " Bob ", "Ann")
    assert {row: (r.state, r.assignee) for row, r in reviews(store).items()} == {
        7: (OPEN, "Bob"),
        9: (OPEN, "Bob"),
    }
    set_state(store, 7, DONE, "Bob")
    assert reviews(store)[7].assignee == "Bob"
    assign(store, [9], "", "Ann")
    assert reviews(store)[9].assignee == ""
    assign(store, [], "Bob", "Ann")
    with pytest.raises(UserError, match="at most"):
        assign(store, [7], "a" * 81, "Ann")


def test_giving_an_image_away_does_not_change_who_has_done_it(store, clock):
    set_state(store, 7, DONE, "Bob")
    before = reviews(store)[7]
    clock(60)
    assign(store, ROWS, "Eve", "Ann")
    after = reviews(store)[7]
    assert (after.state, after.author, after.at) == (DONE, "Bob", before.at)
    assert after.assignee == "Eve"
    assert pace(store, "Ann") is None


def test_pace_is_the_median_of_the_times_between_without_pauses(store, clock):
    assert pace(store, "Ann") is None
    for row, seconds in zip(ROWS, (0, 4, 3600, 5, 9, 600), strict=True):
        clock(seconds)
        set_state(store, row, DONE if row % 3 else SKIPPED, "Ann")
        set_state(store, row + 100, DONE, "Bob")
    assert pace(store, "Ann") == 9  # of 4, 5, 9 and 600
    assert pace(store, "Ann", last=3) == 9  # of 5, 9 and 600
    assert pace(store, "Ann", last=1) == 600
    set_state(store, ROWS[-1], OPEN, "Ann")
    assert pace(store, "Ann") == 5
    set_state(store, 200, DONE, "Eve")
    assert pace(store, "Eve") is None  # one alone tells nothing
