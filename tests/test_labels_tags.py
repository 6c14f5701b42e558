from __future__ import annotations

import numpy as np
import pytest
from labels_helper import ROWS, store_at

from fkd.errors import UserError
from fkd.labels.tags import EXCLUDED, MAX_TAGS, Tags, excluded, give, head, read_tags, steps, take
from fkd.labels.tags import undo as undo_step


@pytest.fixture
def store(label_url):
    return store_at(label_url)


def rows_of(tags: Tags) -> dict[str, list[int]]:
    return {tag: rows.tolist() for tag, rows in tags.rows.items()}


def test_tags_are_given_and_taken(store):
    assert head(store) == 0
    assert rows_of(read_tags(store)) == {}
    give(store, [9, 5], " blurred ", "Ann")
    give(store, [5], "hat", "Bob")
    assert rows_of(read_tags(store)) == {"blurred": [5, 9], "hat": [5]}
    assert read_tags(store).of(5) == ["blurred", "hat"]
    assert read_tags(store).by_row() == {5: ["blurred", "hat"], 9: ["blurred"]}
    take(store, [5, 7], "blurred", "Bob")
    assert rows_of(read_tags(store)) == {"blurred": [9], "hat": [5]}
    assert head(store) == read_tags(store).number == 3


def test_a_step_that_changes_nothing_is_none(store):
    assert take(store, ROWS, "hat", "Ann") is None
    assert give(store, [5], "hat", "Ann") is not None
    assert give(store, [5], "hat", "Ann") is None
    assert head(store) == 1


def test_who_and_what_is_kept(store):
    give(store, ROWS, "hat", "Ann")
    take(store, [5], "hat", "Bob")
    last, first = steps(store)
    assert (last.author, last.tag, last.given, last.count) == ("Bob", "hat", False, 1)
    assert (first.author, first.given, first.count) == ("Ann", True, len(ROWS))
    assert first.at <= last.at


def test_undo_takes_back_only_what_the_step_did(store):
    give(store, [5], "hat", "Ann")
    step = give(store, [5, 7, 9], "hat", "Ann")
    take(store, [9], "hat", "Bob")
    undone = undo_step(store, step.number, "Ann")
    assert (undone.undoes, undone.count) == (step.number, 1)
    assert rows_of(read_tags(store)) == {"hat": [5]}
    undo_step(store, undone.number, "Ann")
    assert rows_of(read_tags(store)) == {"hat": [5, 7]}
    with pytest.raises(UserError, match="no step 99"):
        undo_step(store, 99, "Ann")


def test_excluded_images_are_those_with_the_tag(store):
    assert excluded(store).tolist() == []
    give(store, [13, 7], EXCLUDED, "Ann")
    assert excluded(store).tolist() == [7, 13]
    assert read_tags(store).held(EXCLUDED, np.array(ROWS)).tolist() == [
        row in (7, 13) for row in ROWS
    ]


@pytest.mark.parametrize(
    "tag", ["", "  ", "a,b", "a;b", "x" * 41, "a\nb", "\u202eevil", "=1+1", 'a"b', "-x"]
)
def test_what_is_no_tag(store, tag):
    with pytest.raises(UserError):
        give(store, [5], tag, "Ann")


def test_unknown_rows_and_nobody_are_refused(store):
    with pytest.raises(UserError, match="no row 6"):
        give(store, [5, 6], "hat", "Ann")
    with pytest.raises(UserError, match="who you are"):
        give(store, [5], "hat", " ")
    assert head(store) == 0


def test_there_is_an_end_to_tags(sqlite_url):
    store = store_at(sqlite_url)
    for number in range(MAX_TAGS):
        give(store, [5], f"t{number}", "Ann")
    with pytest.raises(UserError, match="already"):
        give(store, [5], "one more", "Ann")
    assert give(store, [7], "t0", "Ann") is not None


def test_datasets_do_not_share_tags(label_url):
    give(store_at(label_url), [5], "hat", "Ann")
    assert rows_of(read_tags(store_at(label_url, "others"))) == {}
