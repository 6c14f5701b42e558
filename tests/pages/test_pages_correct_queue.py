"""The queue of the Correct page: which model judges, and that a queue stays as it is."""

from __future__ import annotations

import time

import numpy as np
import pytest
import streamlit as st
from correct_page_helper import press
from evaluation_helper import make_run, output_of, split_of, store_validation

from dashboard.correction import todo
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore

pytestmark = pytest.mark.usefixtures("no_bundled")

SLIPPED = (4, 8, 12, 5)
"""Images with a nose tip that has slipped: three that the first run holds back, one that the
second does."""


@pytest.fixture
def store(dataset):
    store = LabelStore(dataset)
    nose = dataset.schema.index("nose_tip")
    edits = []
    for at in SLIPPED:
        x, y = dataset.keypoints[at, nose].tolist()
        place = (x + 20, y - 15)
        edits.append(Edit(at, nose, PointLabel(State.VISIBLE, *place, Origin.EDITED)))
    store.save(edits, "Ben")
    return store


def train(dataset, name: str, start: int = 0, error: float = 1.0):
    model = make_run(dataset, name, split_of(dataset, 4, start))
    store_validation(model, dataset, output_of(dataset, error))
    return model


def open_queue(page):
    """As a click on Queue, which draws what it holds."""
    page.at.session_state["correct-queue-panel"] = True
    return page.run()


def labels_of(page) -> list[str]:
    return [button.label for button in page.at.button]


def title(page) -> str:
    return next(m.value for m in page.at.markdown if m.value.startswith("### "))


def restart() -> None:
    """As after a restart of the server: nothing is in memory any more."""
    st.cache_data.clear()
    st.cache_resource.clear()


def test_the_page_names_the_reference_model_and_how_good_it_is(correct, dataset, store):
    train(dataset, "one")
    page = correct()
    assert int(page.query["row"]) in SLIPPED[:3]
    assert "Nose tip lies 20 px right of and 1" in page.text
    assert "px above the prediction." in page.text
    assert "Reference model: run 'one', RMSE " in page.text
    assert "px on 23 validation images, has not seen this image" in page.text
    assert ", has not seen them): 23 images" in open_queue(page).text


def test_a_fix_says_what_it_does(correct, dataset, store):
    train(dataset, "one")
    page = correct()
    row = int(page.query["row"])
    assert "Move to expected place" in labels_of(page)
    page = press(page, "fix-fix")
    press(page, "save")
    nose = dataset.schema.index("nose_tip")
    place = store.labels_of(row)[1][nose].place
    assert np.hypot(*(np.array(place) - dataset.keypoints[row, nose])) < 3


def test_no_fix_is_offered_where_the_model_is_not_much_nearer_than_the_move(
    correct, dataset, store, monkeypatch
):
    monkeypatch.setattr("fkd.labels.suspects.SAFE", 0.001)
    train(dataset, "one")
    page = correct()
    assert int(page.query["row"]) in SLIPPED[:3]
    assert "Reference model: run 'one'" in page.text
    assert "Move to expected place" not in labels_of(page)


def test_a_bad_run_beside_a_good_one_changes_nothing(correct, dataset, store):
    train(dataset, "good")
    page = correct()
    before, reason = title(page), page.text
    restart()
    train(dataset, "bad", 1, error=38.0)
    train(dataset, "worse", 0, error=60.0)
    page = correct()
    assert title(page) == before
    assert reason == page.text
    open_queue(page)
    assert "Not used: run 'bad': RMSE " in page.text
    assert "Not used: run 'worse': RMSE " in page.text


def test_a_queue_stays_as_it_is_while_trainings_end_and_labels_change(
    correct, dataset, store, monkeypatch
):
    monkeypatch.setattr(todo, "_CHECK_S", 0.0)
    train(dataset, "one")
    page = correct()
    rows = [int(page.query["row"])]
    assert "1 of 3" in title(page)
    page = press(page, "save")
    assert "2 of 3" in title(page)
    assert "1 done" in title(page)
    train(dataset, "two", 1)
    lacks = int(np.flatnonzero(np.isnan(dataset.keypoints[30, :, 0]))[0])
    store.save([Edit(30, lacks, PointLabel(State.ABSENT, origin=Origin.EDITED))], "Ben")
    for _ in range(100):
        if "1 new: refresh" in labels_of(page.run()):
            break
        time.sleep(0.1)
    assert "1 new: refresh" in labels_of(page)
    assert "2 of 3" in title(page)
    assert "1 done" in title(page)
    rows.append(int(page.query["row"]))
    before = page.query["snapshot"]
    page = press(page, "news")
    assert page.query["snapshot"] != before
    assert "of 4" in title(page)
    assert int(page.query["row"]) == rows[1]  # what one works at stays on the canvas
    assert "1 new: refresh" not in labels_of(page)


def test_a_link_opens_the_same_queue_for_another_person_after_a_restart(correct, dataset, store):
    train(dataset, "one")
    page = press(correct(), "save")
    link, shown = page.query, title(page)
    restart()
    train(dataset, "two", 1)
    again = correct("Zoe", **link)
    assert again.query["snapshot"] == link["snapshot"]
    assert title(again) == shown
    assert "of 4" in title(correct("Zoe"))


@pytest.mark.parametrize("name", ["0123456789ab", "../../etc/passwd", "<b>", "x" * 500, "０" * 12])
def test_a_link_to_a_queue_that_does_not_exist_says_so_and_opens_a_new_one(app, store, name):
    page = app("correct", queue="all", snapshot=name)
    page.at.text_input[0].set_value("Ann")
    page.button("Begin").click()
    page.run()
    assert "The queue in this link does not exist any more, so this is a new one." in page.text
    assert page.query["snapshot"] != name
    assert "Row 0" in page.text
    assert "does not exist any more" not in page.run().text


def test_a_selection_of_browse_is_kept_with_its_link(correct, dataset, store):
    of = "lacking=left_eye_inner_corner"
    page = correct(queue="browsed", of=of)
    link, shown = page.query, title(page)
    row, k = int(link["row"]), dataset.schema.index("left_eye_inner_corner")
    store.save([Edit(row, k, PointLabel(State.VISIBLE, 5, 5, Origin.EDITED))], "Ben")
    restart()
    assert title(correct("Zoe", **link)) == shown


def test_reasons_stand_in_the_link(correct, dataset, store):
    train(dataset, "one")
    page = correct(reasons="slip,<b>,shift")
    assert page.query["reasons"] == "slip,shift"
    page = correct(reasons="shift")
    assert "fits the choice of state" in page.text or "### Row" in page.text


def test_a_rerun_asks_for_no_models(correct, dataset, store, monkeypatch):
    train(dataset, "one")
    page = correct()

    def never(*_: object) -> None:
        raise AssertionError("read again")

    for name in ("trained_models", "trained_model"):
        monkeypatch.setattr(todo, name, never)
    monkeypatch.setattr("fkd.labels.snapshots.version", never)
    page.run()
    assert "read again" not in page.text
    assert "Row" in title(page)
