"""Editing the labels of one image: every step can be taken back, and nothing leaves the image."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labels_helper import visible

from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.labels import sheet as module
from fkd.labels.point import Edit, PointLabel, check_place
from fkd.labels.sheet import Sheet
from fkd.labels.states import Origin, State

K = len(KAGGLE_15)
far = st.floats(-1e6, 1e6)
near = st.floats(-40, 140, width=32)  # as ingested: up to half an image outside
keypoint = st.integers(0, K - 1)


def a_label() -> st.SearchStrategy[PointLabel]:
    where = {"origin": st.sampled_from(Origin), "source": st.sampled_from(["", "a run"])}
    unplaced, placed = [State.MISSING, State.ABSENT], [State.OCCLUDED, State.VISIBLE]
    return st.one_of(
        st.builds(PointLabel, st.sampled_from(unplaced), **where),
        st.builds(PointLabel, st.sampled_from(placed), near, near, **where),
    )


# Few labels in many places: that is quicker than as many different ones.
saved_labels = st.tuples(st.lists(a_label(), min_size=1, max_size=4), st.integers(0, 99)).map(
    lambda drawn: list(np.random.default_rng(drawn[1]).choice(np.array(drawn[0], object), K))
)


def predicted(seed: int) -> np.ndarray:
    """``(K, 2)`` px, some outside the image, some without a place."""
    chance = np.random.default_rng(seed)
    points = np.round(chance.normal(48, 30, (K, 2)), 1)
    points[chance.random(K) < 0.2] = np.nan
    return points


predictions = st.integers(0, 9).map(predicted)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.dictionaries(keypoint, st.tuples(far, far), max_size=4)),
        st.tuples(st.just("nudge"), keypoint, far, far),
        st.tuples(
            st.just("mark"), keypoint, st.sampled_from(State), st.none() | st.tuples(far, far)
        ),
        st.tuples(st.just("accept"), predictions, st.lists(keypoint, max_size=5), st.just("run")),
        st.tuples(st.just("swap"), st.just(KAGGLE_15.mirror_pairs)),
        st.tuples(st.just("with_points"), predictions),
        st.tuples(st.just("back_to_saved"), st.none() | keypoint),
    ),
    max_size=12,
)


def blank(row: int = 7, base: int = 3) -> Sheet:
    return Sheet.of(KAGGLE_15, row, base, [PointLabel()] * K)


def walk(saved, taken) -> list[Sheet]:
    """The sheets from the saved one on, one for each step that changed something."""
    sheets = [Sheet.of(KAGGLE_15, 7, 3, saved)]
    for name, *arguments in taken:
        after = getattr(sheets[-1], name)(*arguments)
        if after is not sheets[-1]:
            sheets.append(after)
    return sheets


@given(saved_labels, steps)
def test_undo_and_redo_lead_through_every_step(saved, taken):
    sheets = walk(saved, taken)
    sheet = sheets[-1]
    for before in reversed(sheets[:-1]):
        sheet = sheet.undo()
        assert (sheet.labels, sheet.past) == (before.labels, before.past)
    assert sheet.undo() is sheet
    assert not sheet.changed()
    for after in sheets[1:]:
        sheet = sheet.redo()
        assert (sheet.labels, sheet.past) == (after.labels, after.past)
    assert sheet.redo() is sheet
    assert sheet == sheets[-1]


@given(saved_labels, steps)
def test_edits_are_what_is_not_saved(saved, taken):
    sheet = walk(saved, taken)[-1]
    for k, (now, before) in enumerate(zip(sheet.labels, saved, strict=True)):
        assert (Edit(7, k, now) in sheet.edits()) == (now != before)
        # An edit always says something: a new version of the same would be noise.
        assert (k in sheet.changed()) == (not now.same_as(before))
    assert {edit.row for edit in sheet.edits()} <= {7}
    saved_now = Sheet.of(KAGGLE_15, 7, 4, sheet.labels)
    assert not saved_now.edits()


@given(saved_labels, steps)
def test_what_is_edited_can_be_saved_and_says_who_did_it(saved, taken):
    for edit in walk(saved, taken)[-1].edits():
        if edit.label.origin not in {Origin.PREDICTION, Origin.EDITED, Origin.REMOVED}:
            assert edit.label in saved  # never: whatever is new was done by hand or accepted
        check_place(edit.label, KAGGLE_15, "")


@given(saved_labels, steps)
def test_a_draft_comes_back_as_it_was(saved, taken):
    sheet = walk(saved, taken)[-1]
    fresh = Sheet.of(KAGGLE_15, 7, 3, saved)
    again = fresh.with_json(sheet.to_json())
    assert again.labels == sheet.labels
    assert again.undo().labels == tuple(saved)
    assert fresh.with_json(fresh.to_json()) is fresh


@given(saved_labels)
def test_swapping_twice_changes_nothing(saved):
    sheet = Sheet.of(KAGGLE_15, 7, 3, saved)
    once = sheet.swap(KAGGLE_15.mirror_pairs)
    for a, b in KAGGLE_15.mirror_pairs:
        assert once.labels[a].same_as(saved[b])
        assert once.labels[b].same_as(saved[a])
    twice = once.swap(KAGGLE_15.mirror_pairs)
    assert twice.labels == sheet.labels
    assert not twice.edits()


@given(keypoint, far, far)
def test_a_place_is_on_the_image_and_rounded(k, x, y):
    label = blank().place({k: (x, y)}).labels[k]
    assert (label.state, label.origin) == (State.VISIBLE, Origin.EDITED)
    for value, wanted, size in ((label.x, x, KAGGLE_15.width), (label.y, y, KAGGLE_15.height)):
        assert -0.5 <= value <= size - 0.5
        assert value == round(value, module.DIGITS)
        if -0.5 <= wanted <= size - 0.5:
            assert abs(value - wanted) <= 0.5 * 10**-module.DIGITS + 1e-9


@given(saved_labels, keypoint, keypoint)
def test_the_next_open_point_goes_round(saved, after, skipped):
    sheet = Sheet.of(KAGGLE_15, 7, 3, saved)
    left = [k for k in sheet.open_points() if k != skipped]
    behind = [k for k in left if k > after]
    assert sheet.next_open(after, [skipped]) == (behind or left or [None])[0]
    assert sheet.next_open() == (sheet.open_points() or [None])[0]


def test_points_are_an_array_with_holes():
    points = blank().place({2: (10, 20)}).points
    assert points.shape == (K, 2)
    assert points[2].tolist() == [10, 20]
    assert np.isnan(np.delete(points, 2, axis=0)).all()


def test_a_place_that_is_none_is_left_out():
    sheet = blank().place({1: (10, 20)})
    assert sheet.place({1: (np.nan, 20.0), 2: (np.inf, 1.0)}) is sheet
    assert sheet.mark(3, State.VISIBLE, (np.nan, 1.0)) is sheet


def test_states_keep_the_position_as_far_as_they_have_one():
    sheet = blank().mark(0, State.VISIBLE)
    assert sheet == blank()  # nowhere to put it
    sheet = blank().mark(0, State.OCCLUDED, (10, 20))
    assert sheet.labels[0] == PointLabel(State.OCCLUDED, 10, 20, Origin.EDITED)
    sheet = sheet.place({0: (11, 20)})
    assert sheet.labels[0].state == State.OCCLUDED
    sheet = sheet.mark(0, State.VISIBLE, (50, 50))
    assert sheet.labels[0] == visible(11, 20)
    assert sheet.nudge(0, 0.25, -0.25).labels[0] == visible(11.25, 19.75)
    assert sheet.mark(0, State.VISIBLE) is sheet
    gone = sheet.mark(0, State.ABSENT)
    assert gone.labels[0] == PointLabel(State.ABSENT, origin=Origin.EDITED)
    assert gone.nudge(0, 1, 1) is gone
    assert gone.mark(0, State.MISSING).labels == blank().labels


def test_taken_away_is_not_the_same_as_never_there():
    saved = [visible(10, origin=Origin.ORIGINAL), *[PointLabel()] * (K - 1)]
    sheet = Sheet.of(KAGGLE_15, 7, 3, saved).mark(0, State.MISSING)
    assert sheet.labels[0] == PointLabel(State.MISSING, origin=Origin.REMOVED)
    assert sheet.changed() == [0]


def test_an_accepted_prediction_says_whose_it_is():
    points = np.full((K, 2), np.nan)
    points[:3] = [(10.123, 20), (200, 20), (30, 40)]
    sheet = blank().accept(points, [0, 1, 5], "compact-1")
    assert sheet.labels[0] == visible(10.12, 20, Origin.PREDICTION, "compact-1")
    assert sheet.labels[1].x == KAGGLE_15.width - 0.5
    assert sheet.changed() == [0, 1]
    moved = sheet.place({0: (11, 20)})
    assert (moved.labels[0].origin, moved.labels[0].source) == (Origin.EDITED, "")
    assert sheet.undo().labels == blank().labels


def test_a_face_is_put_somewhere_as_a_whole():
    sheet = blank().place({0: (10, 20), 1: (30, 20)})
    points = np.full((K, 2), np.nan)
    points[0], points[2] = (15, 21), (3, 3)
    moved = sheet.with_points(points)
    assert [label.place for label in moved.labels[:3]] == [(15, 21), None, (3, 3)]
    assert moved.labels[1].same_as(sheet.saved[1])
    assert moved.undo().labels == sheet.labels
    assert sheet.with_points(sheet.points) is sheet


def test_one_point_or_all_go_back_to_what_is_saved():
    sheet = blank().place({0: (10, 20), 1: (30, 20)})
    assert sheet.back_to_saved(0).changed() == [1]
    assert sheet.back_to_saved().changed() == []
    assert sheet.back_to_saved().undo().labels == sheet.labels


def test_only_so_many_steps_are_kept(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 3)
    sheet = blank()
    for x in range(5):
        sheet = sheet.place({0: (x, 0)})
    assert len(sheet.past) == 3
    assert sheet.undo().undo().undo().undo().labels[0].x == 1


def test_edits_go_on_top_of_what_others_saved():
    mine = blank().place({0: (10, 20), 1: (30, 20)})
    theirs = [visible(50), visible(60), visible(70), *[PointLabel()] * (K - 3)]
    kept = mine.onto(9, theirs)
    assert (kept.base, kept.saved) == (9, tuple(theirs))
    assert [label.x for label in kept.labels[:3]] == [10, 30, 70]
    assert kept.changed() == [0, 1]
    taken = mine.onto(9, theirs, keep=False)
    assert (taken.labels, taken.base) == (tuple(theirs), 9)
    same = mine.onto(9, mine.labels)
    assert not same.edits()


@pytest.mark.parametrize(
    "draft",
    [
        "",
        "null",
        "[]",
        "{",
        '{"nose": {}}',
        '{"nose_tip": 3}',
        '{"nose_tip": {"state": 3, "origin": 2}}',
        '{"nose_tip": {"state": 9, "x": 1, "y": 1, "origin": 2}}',
        '{"nose_tip": {"state": 3, "x": "1", "y": "1", "origin": 2}}',
        '{"nose_tip": {"state": 3, "x": 1e999, "y": 1, "origin": 2}}',
        '{"nose_tip": {"state": 3, "x": 1, "y": 1, "origin": 2, "more": 1}}',
    ],
)
def test_a_draft_that_makes_no_sense_is_refused(draft):
    with pytest.raises(UserError, match=r"^The unsaved edits of row 7 cannot be read \("):
        blank().with_json(draft)


def test_a_draft_holds_only_what_changed():
    sheet = blank().place({2: (1, 2)})
    assert list(json.loads(sheet.to_json())) == [KAGGLE_15.names[2]]
    assert replace(sheet, labels=sheet.saved).to_json() == "{}"


def test_points_that_are_there_as_exactly_as_they_are_told_are_not_touched():
    labels = [PointLabel(State.VISIBLE, 10.1 + k, 37.1) for k in range(K)]
    sheet = Sheet.of(KAGGLE_15, 0, 0, labels)
    told = sheet.points.astype(np.float32)  # as fixes are
    assert sheet.with_points(told) is sheet
    told[3] += 2
    moved = sheet.with_points(told)
    assert [k for k in range(K) if moved.labels[k] != labels[k]] == [3]
