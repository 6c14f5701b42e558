"""Saving labels, on both databases: every save a version, nothing overwritten unseen."""

from __future__ import annotations

import numpy as np
import pytest
from labels_helper import ROWS, counts, faces, put, store_at, visible

from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import Conflict, LabelStore, key_of


@pytest.fixture
def store(label_url) -> LabelStore:
    return store_at(label_url)


def test_nothing_saved_the_labels_are_the_originals(store):
    assert store.head() == 0
    assert store.versions() == []
    assert store.changes() == []
    points = store.dataset.keypoints
    for at, row in enumerate(ROWS):
        number, labels = store.labels_of(row)
        assert number == 0
        for k, label in enumerate(labels):
            if np.isfinite(points[at, k]).all():
                assert label == PointLabel(State.VISIBLE, *points[at, k].tolist())
            else:
                assert label == PointLabel()
    with pytest.raises(UserError, match=r"^Dataset 'faces' has no row 6\.$"):
        store.labels_of(6)


def test_a_save_is_a_version_with_its_changes(store):
    edits = [*put(7, 10.25), *put(9, 20, 3), Edit(5, 14, PointLabel(State.ABSENT))]
    before = [store.label(edit.row, edit.keypoint) for edit in edits]
    version = store.save(edits, " Ann ", note=" slipped ")
    assert (version.number, version.kind, version.author) == (1, "save", "Ann")
    assert (version.note, version.undoes) == ("slipped", None)
    assert version.at.endswith("+00:00")
    assert store.versions() == [version]
    assert store.head() == 1
    names = KAGGLE_15.names
    found = {(c.number, c.row, c.keypoint, c.old, c.new) for c in store.changes()}
    assert found == {
        (1, edit.row, names[edit.keypoint], old, edit.label)
        for edit, old in zip(edits, before, strict=True)
    }
    again = store_at(store.url)
    for edit in edits:
        assert again.label(edit.row, edit.keypoint) == edit.label
        assert again.labels_of(edit.row)[1][edit.keypoint] == edit.label


def test_positions_come_back_to_the_last_bit(store):
    for x in (0.1, 1 / 3, -47.99999999999999, float(np.float32(46.033564)), 5e-324):
        store.save([Edit(7, 0, visible(x, -x))], "Ann")
        assert store.label(7, 0).place == (x, -x)


def test_what_changes_nothing_is_no_version(store):
    now = store.label(7, 0)
    assert store.save([], "Ann") is None
    assert store.save([Edit(7, 0, now)], "Ann") is None
    assert store.save([*put(7, 1), Edit(7, 0, now)], "Ann") is None  # there and back
    assert store.head() == 0
    assert store.save(put(7, 1), "Ann").number == 1
    assert store.save(put(7, 1), "Bob") is None
    assert store.save(put(7, 2), "Ann").number == 2


def test_the_last_wish_for_a_point_holds(store):
    store.save([*put(7, 1), *put(7, 2)], "Ann")
    assert [(c.number, c.new.x) for c in store.changes()] == [(1, 2)]


def test_versions_and_changes_are_found_by_image_and_number(store):
    for number, row in enumerate((7, 9, 7, 11), 1):
        store.save(put(row, number), "Ann")
    assert [v.number for v in store.versions(7)] == [1, 3]
    assert [v.number for v in store.versions(13)] == []
    assert [c.number for c in store.changes(row=7)] == [1, 3]
    assert [c.number for c in store.changes(after=1, until=3)] == [2, 3]
    assert [c.number for c in store.changes(row=7, after=1)] == [3]


def test_edited_rows_are_those_of_the_author_the_latest_first(store):
    for author, row in (("Ann", 7), ("Ann", 9), ("Bob", 11), ("Ann", 7)):
        store.save(put(row, store.head() + 1), author)
    assert store.edited_rows("Ann") == [7, 9]
    assert store.edited_rows("Ann", limit=1) == [7]
    assert store.edited_rows("Eve") == []


def test_a_save_that_is_repeated_is_made_once(store):
    first = store.save(put(7, 1), "Ann", base=0, token="a")
    assert store.save(put(7, 1), "Ann", base=0, token="a") == first
    assert store.save(put(7, 2), "Ann", base=0, token="a") == first  # it is known by its name only
    assert store.head() == 1
    assert store.save(put(7, 2), "Ann", base=1, token="b").number == 2
    assert store.save(put(7, 3), "Ann").number == 3
    assert store.save(put(7, 4), "Ann").number == 4


def test_a_conflict_says_who_changed_what_and_saves_nothing(store):
    store.save([*put(7, 1), *put(9, 1)], "Ann")
    store.save([*put(7, 2, 3), *put(11, 2)], "Bob")
    store.save(put(7, 3), "Ann")
    before = counts(store.url)
    with pytest.raises(Conflict) as caught:
        store.save([*put(7, 9), *put(13, 9)], "Eve", base=1)
    conflict = caught.value
    assert conflict.authors == ("Bob", "Ann")
    assert [(c.number, c.row, c.new.x) for c in conflict.changes] == [(2, 7, 2), (3, 7, 3)]
    names = [KAGGLE_15.keypoints[k].label for k in (3, 0)]
    assert str(conflict) == (
        f"Bob and Ann changed row 7 meanwhile ({', '.join(names)}). Nothing was saved: "
        "keep yours or take theirs."
    )
    assert counts(store.url) == before
    assert store.save(put(7, 9), "Eve", base=3).number == 4


def test_another_image_or_an_earlier_change_is_no_conflict(store):
    store.save(put(7, 1), "Ann")
    store.save(put(9, 1), "Bob")
    assert store.save(put(7, 2), "Eve", base=1).number == 3
    assert store.save(put(11, 2), "Eve", base=0).number == 4


def test_every_image_may_have_a_base_of_its_own(store):
    store.save(put(7, 1), "Ann")
    store.save(put(9, 1), "Bob")
    edits = [*put(7, 5), *put(9, 5), *put(11, 5)]
    assert store.save(edits, "Eve", base={7: 1, 9: 2}).number == 3
    for base in ({7: 3, 9: 2, 11: 3}, {7: 3, 11: 3}):
        with pytest.raises(Conflict, match="row 9 meanwhile"):
            store.save([*put(7, 6), *put(9, 6), *put(11, 6)], "Eve", base=base)
    with pytest.raises(Conflict, match="row 9, 7 meanwhile"):
        store.save([*put(7, 6), *put(9, 6)], "Eve", base={7: 1, 9: 1})


def test_what_does_not_exist_is_refused(store):
    for edits, said in (
        (put(6, 1), "Dataset 'faces' has no row 6."),
        (put(-1, 1), "Dataset 'faces' has no row -1."),
        (put(7, 1, len(KAGGLE_15)), f"Dataset 'faces' has no keypoint {len(KAGGLE_15)}."),
        (put(7, 1, -1), "Dataset 'faces' has no keypoint -1."),
        (put(7, 1e6), "Row 7, left eye center: x = 1e+06 px is more than half an image outside"),
    ):
        with pytest.raises(UserError) as caught:
            store.save([*put(9, 1), *edits], "Ann")
        assert str(caught.value).startswith(said)
    assert store.head() == 0


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ("", "Say who you are"),
        (" \n ", "Say who you are"),
        ("a" * 81, "at most 80 characters"),
        ("Ann\nBob", "control characters"),
        ("Ann\0", "control characters"),
        ("\u202eAnn", "control characters"),
        ("\ud800", "control characters"),
    ],
)
def test_a_name_that_is_none_is_refused(store, author, said):
    with pytest.raises(UserError, match=said):
        store.save(put(7, 1), author)
    assert counts(store.url) == dict.fromkeys(counts(store.url), 0)


@pytest.mark.parametrize(
    "name",
    ["a" * 80, "Zoë 王 🙂", "'; DROP TABLE versions; --", "100 %s :name {0} \\", "<b>Ann</b>", '"'],
)
def test_any_other_name_is_kept_letter_by_letter(store, name):
    store.save(put(7, 1), name, note=name)
    (version,) = store.versions()
    assert (version.author, version.note) == (name, name)
    assert store.edited_rows(name) == [7]
    with pytest.raises(Conflict) as caught:
        store.save(put(7, 2), "Ann", base=0)
    assert caught.value.authors == (name,)


def test_notes_and_sources_that_databases_refuse(store):
    store.save(put(7, 1), "Ann", note="a\0b\ud800\n" + "c" * 600)
    assert store.versions()[0].note == "a b  " + "c" * 495
    accepted = visible(2, origin=Origin.PREDICTION, source="a run\udcff")
    with pytest.raises(UserError, match="Row 7, left eye center: its source has characters"):
        store.save([Edit(7, 0, accepted)], "Ann")
    assert store.head() == 1


def test_other_images_under_the_same_name_have_labels_of_their_own(store):
    store.save(put(7, 1), "Ann")
    dataset = faces()
    dataset.manifest["identity"] = "another"
    other = LabelStore(dataset, store.url)
    assert other.key != store.key
    assert other.head() == 0
    assert other.save(put(7, 2), "Ann").number == 1
    assert store.label(7, 0).x == 1


def test_a_dataset_that_grows_keeps_its_labels():
    first, grown = faces(), faces()
    first.manifest["identity"] = grown.manifest["identity"] = "the first hash"
    object.__setattr__(grown, "content_hash", "another")
    assert key_of(first) == key_of(grown) == "faces/the first hash"


def test_many_images_at_once(label_url):
    from evaluation_helper import labelled

    store = LabelStore(labelled(60), label_url)
    rows = store.dataset.rows.tolist()
    store.save([edit for row in rows for edit in put(row, 1)], "Ann")
    store.save([edit for row in rows[:55] for edit in put(row, 2)], "Ann", base=1)
    assert [len(store.changes(after=n, until=n + 1)) for n in (0, 1)] == [60, 55]
    assert {c.old.x for c in store.changes(after=1)} == {1}
