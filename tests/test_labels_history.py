"""Undo, redo and revert: whatever is done in whatever order, every version stays what it was."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from labels_helper import ROWS, all_labels, put, same, store_at, visible
from sqlalchemy.engine import URL

from fkd.errors import UserError
from fkd.labels import database
from fkd.labels.at import labels_at
from fkd.labels.history import differences, redo, revert, undo, undoable
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State

ROW, OTHER = ROWS[1], ROWS[2]


def x_of(store, row=ROW, keypoint=0):
    return store.label(row, keypoint).x


def test_an_image_goes_back_and_forth(label_url):
    store = store_at(label_url)
    first = x_of(store)
    for x in (1, 2):
        store.save(put(ROW, x), "Ann")
    store.save(put(OTHER, 9), "Bob")
    version = undo(store, "Eve", ROW)
    assert (version.number, version.kind, version.author, version.undoes) == (4, "undo", "Eve", 2)
    assert x_of(store) == 1
    store = store_at(label_url)  # tomorrow
    assert undo(store, "Ann", ROW).undoes == 1
    assert x_of(store) == first
    with pytest.raises(UserError, match=f"^There is nothing to undo in row {ROW}.$"):
        undo(store, "Ann", ROW)
    version = redo(store, "Ann", ROW)
    assert (version.kind, version.undoes) == ("redo", 1)
    assert redo(store, "Ann", ROW).undoes == 2
    assert (x_of(store), x_of(store, OTHER)) == (2, 9)
    with pytest.raises(UserError, match=f"^There is nothing to redo in row {ROW}.$"):
        redo(store, "Ann", ROW)
    assert store.head() == 7


def test_a_dataset_goes_back_and_forth(label_url):
    store = store_at(label_url)
    with pytest.raises(UserError, match=r"^There is nothing to undo in 'faces'\.$"):
        undo(store, "Ann")
    store.save([*put(ROW, 1), *put(OTHER, 1)], "Ann")
    store.save(put(OTHER, 2), "Bob")
    assert undo(store, "Ann").undoes == 2
    assert undo(store, "Ann").undoes == 1
    assert all_labels(store) == all_labels(store_at(label_url, "others"))
    assert [redo(store, "Ann").undoes, redo(store, "Ann").undoes] == [1, 2]
    assert (x_of(store), x_of(store, OTHER)) == (1, 2)
    with pytest.raises(UserError, match=r"^There is nothing to redo in 'faces'\.$"):
        redo(store, "Ann")


def test_after_a_save_there_is_nothing_to_redo(label_url):
    store = store_at(label_url)
    store.save(put(ROW, 1), "Ann")
    undo(store, "Ann", ROW)
    store.save(put(ROW, 2), "Ann")
    with pytest.raises(UserError, match="nothing to redo"):
        redo(store, "Ann", ROW)


def test_an_image_s_part_of_a_version_is_undone_alone(label_url):
    store = store_at(label_url)
    first = x_of(store, OTHER)
    store.save([*put(ROW, 1), *put(OTHER, 1)], "Ann")
    undo(store, "Ann", OTHER)
    assert (x_of(store), x_of(store, OTHER)) == (1, first)
    # Of the dataset, that was a change like any other.
    assert undo(store, "Ann").undoes == 2
    assert (x_of(store), x_of(store, OTHER)) == (1, 1)
    assert redo(store, "Ann").undoes == 2
    assert x_of(store, OTHER) == first


def test_undoing_an_earlier_version_on_an_image_does_not_confuse_the_dataset(label_url):
    """The second undo on the image takes back version 1, behind version 2 that has a part left."""
    store = store_at(label_url)
    first = x_of(store)
    store.save(put(ROW, 1), "Ann")
    store.save([*put(ROW, 2), *put(OTHER, 2)], "Ann")
    undo(store, "Ann", ROW)
    undo(store, "Ann", ROW)
    before = all_labels(store)
    assert x_of(store) == first
    undo(store, "Ann")
    redo(store, "Ann")
    assert all_labels(store) == before


def test_an_undo_undoes_all_that_a_version_did_to_a_point(label_url):
    store = store_at(label_url)
    was = store.label(ROW, 0)
    label = PointLabel(State.OCCLUDED, 3, 4, Origin.PREDICTION, "compact-1")
    store.save([Edit(ROW, 0, label)], "Ann")
    undo(store, "Ann", ROW)
    assert store.label(ROW, 0) == was
    redo(store, "Ann", ROW)
    assert store.label(ROW, 0) == label


def test_going_back_to_a_version_is_a_new_one(label_url):
    store = store_at(label_url)
    states = [all_labels(store)]
    for x in (1, 2):
        store.save([*put(ROW, x), *put(OTHER, x)], "Ann")
        states.append(all_labels(store))
    version = revert(store, 1, "Bob", row=ROW)
    assert (version.number, version.kind, version.note) == (3, "revert", "back to version 1")
    assert (x_of(store), x_of(store, OTHER)) == (1, 2)
    assert revert(store, 1, "Bob", row=ROW) is None
    assert revert(store, 0, "Bob", note="a mess").note == "a mess"
    assert all_labels(store) == states[0]
    undo(store, "Bob")
    assert (x_of(store), x_of(store, OTHER)) == (1, 2)
    for wrong in (-1, 6):
        with pytest.raises(UserError, match=rf"^The labels of 'faces' have no version {wrong}; "):
            revert(store, wrong, "Bob")


def test_differences_are_what_became_of_each_point(label_url):
    store = store_at(label_url)
    was = store.label(ROW, 0)
    store.save([*put(ROW, 1), *put(OTHER, 5)], "Ann")
    store.save(put(ROW, 2), "Ann")
    revert(store, 1, "Ann", row=ROW)
    undo(store, "Ann", OTHER)
    name = store.dataset.schema.names[0]
    (found,) = differences(store, 0, 4)
    assert (found.number, found.row, found.keypoint) == (4, ROW, name)
    assert (found.old, found.new) == (was, visible(1))
    (back,) = differences(store, 4, 0)
    assert (back.number, back.old, back.new) == (0, visible(1), was)
    assert differences(store, 1, 1) == differences(store, 1, 3) == []
    with pytest.raises(UserError, match="no version 5"):
        differences(store, 5, 0)


class AnyOrder(RuleBasedStateMachine):
    """Saves, undos, redos and reverts of images and of the dataset, beside a model: all labels as
    they were at each version."""

    url: URL
    names = (f"faces{number}" for number in itertools.count())
    rows = st.sampled_from(ROWS[:2])
    scopes = st.none() | rows
    labels = st.sampled_from(
        [
            *(visible(x, x) for x in range(1, 7)),
            visible(1, 1, Origin.PREDICTION, "a run"),
            PointLabel(State.ABSENT, origin=Origin.EDITED),
        ]
    )

    @initialize()
    def begin(self) -> None:
        self.store = store_at(self.url, next(self.names))  # quicker than a fresh database
        self.states = [all_labels(self.store)]

    def made(self, version) -> None:
        """Whatever was done is one version more, if it changed anything."""
        now = all_labels(self.store)
        if version is None:
            assert now == self.states[-1]
            return
        assert version.number == len(self.states)
        assert now != self.states[-1]
        self.states.append(now)

    @rule(edits=st.lists(st.builds(Edit, rows, st.integers(0, 1), labels), min_size=1, max_size=3))
    def save(self, edits) -> None:
        version = self.store.save(edits, "Ann", base=len(self.states) - 1)
        wanted = self.states[-1] | {(e.row, e.keypoint): e.label for e in edits}
        self.made(version)
        assert self.states[-1] == wanted

    @rule(scope=scopes)
    def undo_and_redo(self, scope) -> None:
        before = self.states[-1]
        if self.step(undo, scope):
            assert self.step(redo, scope)
            assert self.states[-1] == before

    @rule(scope=scopes, back=st.booleans(), times=st.integers(1, 3))
    def several(self, scope, back, times) -> None:
        for _ in range(times):
            self.step(undo if back else redo, scope)

    def step(self, how, scope) -> bool:
        """The points that the version had changed, of the scope, are as before or after it; all
        others stay."""
        before = self.states[-1]
        history = undoable(self.store.versions(scope)) if scope is not None else (None, None)
        try:
            version = how(self.store, "Bob", scope)
        except UserError:
            assert history[how is redo] is None
            return False
        number = version.undoes
        index = self.store.dataset.schema.index
        touched = {
            (c.row, index(c.keypoint))
            for c in self.store.changes(row=scope, after=number - 1, until=number)
        }
        then = self.states[number - 1 if how is undo else number]
        self.made(version)
        assert self.states[-1] == before | {place: then[place] for place in touched}
        return True

    @rule(scope=scopes)
    def all_the_way_back_and_forth(self, scope) -> None:
        before, steps = self.states[-1], 0
        while self.step(undo, scope):
            steps += 1
        for place, label in self.states[-1].items():
            assert label == (self.states[0] if scope in {None, place[0]} else before)[place]
        for _ in range(steps):
            assert self.step(redo, scope)
        assert self.states[-1] == before

    @precondition(lambda self: len(self.states) > 1)
    @rule(data=st.data(), scope=scopes)
    def go_back_to(self, data, scope) -> None:
        number = data.draw(st.integers(0, len(self.states) - 1))
        before, then = self.states[-1], self.states[number]
        self.made(revert(self.store, number, "Eve", row=scope))
        for place, label in self.states[-1].items():
            assert label == (then if scope in {None, place[0]} else before)[place]

    @rule()
    def reload(self) -> None:
        database.close()
        self.store = store_at(self.url, self.store.dataset.name)

    @invariant()
    def every_version_is_what_it_was(self) -> None:
        assert self.store.head() == len(self.states) - 1
        for number in {0, len(self.states) // 2, len(self.states) - 1}:
            assert same(labels_at(self.store, number), self.states[number])
            found = {
                (c.row, self.store.dataset.schema.index(c.keypoint)): (c.old, c.new)
                for c in differences(self.store, number, len(self.states) - 1)
            }
            then, now = self.states[number], self.states[-1]
            assert found == {p: (then[p], now[p]) for p in now if then[p] != now[p]}


def test_in_any_order_every_version_is_reproducible(label_url):
    AnyOrder.url = label_url
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=10 if label_url.get_backend_name() == "postgresql" else 20,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
