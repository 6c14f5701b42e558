"""Unsaved edits are kept, each author's own."""

from __future__ import annotations

import pytest
from labels_helper import ROWS, counts, put, store_at

from fkd.errors import UserError
from fkd.labels.database import transaction
from fkd.labels.drafts import drafted_rows, forget_draft, keep_draft, with_draft
from fkd.labels.sheet import Sheet
from fkd.labels.store import Conflict

ROW, OTHER = ROWS[1], ROWS[2]


def opened(store, row=ROW) -> Sheet:
    """As the page opens an image."""
    number, labels = store.labels_of(row)
    return Sheet.of(store.dataset.schema, row, number, labels)


def test_a_draft_is_there_tomorrow_and_only_for_its_author(label_url):
    store = store_at(label_url)
    sheet = opened(store).place({0: (1, 2), 3: (4, 5)})
    keep_draft(store, "Ann", sheet)
    store = store_at(label_url)
    found = with_draft(store, "Ann", opened(store))
    assert found.labels == sheet.labels
    assert found.edits() == sheet.edits()
    assert not found.undo().changed()
    assert not with_draft(store, "Bob", opened(store)).changed()
    assert not with_draft(store, "Ann", opened(store, OTHER)).changed()
    assert not with_draft(store_at(label_url, "others"), "Ann", opened(store)).changed()
    assert store.head() == 0


def test_the_latest_draft_replaces_the_one_before(label_url):
    store = store_at(label_url)
    for x in (1, 2):
        keep_draft(store, "Ann", opened(store).place({0: (x, 2)}))
    assert with_draft(store, "Ann", opened(store)).labels[0].x == 2
    assert counts(label_url)["drafts"] == 1


def test_without_edits_there_is_no_draft(label_url):
    store = store_at(label_url)
    sheet = opened(store)
    keep_draft(store, "Ann", sheet)
    keep_draft(store, "Ann", sheet.place({0: (1, 2)}))
    keep_draft(store, "Ann", sheet)
    assert counts(label_url)["drafts"] == 0
    keep_draft(store, "Ann", sheet.place({0: (1, 2)}))
    forget_draft(store, "Bob", ROW)
    assert drafted_rows(store, "Ann") == [ROW]
    forget_draft(store, "Ann", ROW)
    assert drafted_rows(store, "Ann") == []


def test_drafted_rows_are_the_latest_first(label_url):
    store = store_at(label_url)
    for row in (ROWS[3], ROWS[1], ROWS[2], ROWS[1]):
        keep_draft(
            store, "Ann", opened(store, row).place({0: (row + len(drafted_rows(store, "Ann")), 2)})
        )
    assert drafted_rows(store, "Ann") == [ROWS[1], ROWS[2], ROWS[3]]
    assert drafted_rows(store, "Bob") == []


def test_a_draft_meets_what_was_saved_meanwhile(label_url):
    """It keeps the version that it began with: the save says that somebody was there."""
    store = store_at(label_url)
    keep_draft(store, "Ann", opened(store).place({0: (1, 2)}))
    store.save(put(ROW, 9, 3), "Bob")
    sheet = with_draft(store, "Ann", opened(store))
    assert sheet.base == 0
    assert sheet.labels[3].x == 9
    assert sheet.changed() == [0]
    with pytest.raises(Conflict, match="Bob changed"):
        store.save(sheet.edits(), "Ann", base=sheet.base)
    number, labels = store.labels_of(ROW)
    onto = sheet.onto(number, labels)
    assert store.save(onto.edits(), "Ann", base=onto.base).number == 2


def test_a_draft_of_what_was_saved_in_the_end_is_nothing(label_url):
    """Ended between the save and the forgetting of the draft."""
    store = store_at(label_url)
    sheet = opened(store).place({0: (1, 2)})
    keep_draft(store, "Ann", sheet)
    store.save(sheet.edits(), "Ann", base=0)
    assert not with_draft(store, "Ann", opened(store)).changed()


def test_an_unreadable_draft_is_a_clear_sentence(label_url):
    store = store_at(label_url)
    keep_draft(store, "Ann", opened(store).place({0: (1, 2)}))
    with transaction(label_url, write=True) as connection:
        connection.exec_driver_sql("UPDATE drafts SET edits = '{'")
    with pytest.raises(UserError, match=f"The unsaved edits of row {ROW} cannot be read"):
        with_draft(store, "Ann", opened(store))
