"""The Correct page: who corrects, queues, keys, saving, conflicts, errors of the database."""

from __future__ import annotations

import json
import sqlite3
import time
import zipfile

import numpy as np
import pytest
from correct_page_helper import press, push, until

from fkd.cli import main
from fkd.demo import DemoSpec, make_demo
from fkd.labels.point import Edit, PointLabel
from fkd.labels.reviews import DONE, OPEN, reviews, set_state
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.labels.suggestions import suggest
from fkd.measures import measure
from fkd.registry import open_named


@pytest.fixture
def store(dataset):
    return LabelStore(dataset)


def unfold(page, *keys):
    """As a click on what folds its contents away."""
    for key in keys:
        page.at.session_state[f"correct-{key}"] = True
    return page.run()


def row_of(page) -> int:
    return int(page.query["row"])


def incomplete(dataset) -> int:
    here = np.isfinite(dataset.keypoints).all(axis=2).sum(axis=1)
    return int(dataset.rows[np.flatnonzero((here > 2) & (here < len(dataset.schema)))[0]])


def test_without_a_dataset_it_says_what_to_do(app, empty_home):
    assert "No dataset is open" in app("correct").text


def test_a_name_is_asked_for_and_must_be_one(app, store):
    page = app("correct", queue="all")
    page.button("Begin").click()
    page.run()
    assert "Say who you are" in page.text
    page.at.text_input[0].set_value("Ann")
    page.button("Begin").click()
    assert "Row 0" in page.run().text


@pytest.mark.parametrize("queue", ["suspects", "missing", "unsure", "unlabelled", "all"])
def test_every_queue_opens(correct, store, queue):
    page = correct(queue=queue)
    assert page.query["queue"] == queue
    assert "done" in page.text or "queue" in page.text


@pytest.mark.parametrize(
    "query",
    [
        {"row": "4711"},
        {"row": "-1", "queue": "<b>", "model": "../../etc/passwd"},
        {"row": "９", "queue": "all"},
        {"model": "no-such-run", "queue": "all"},
    ],
)
def test_hostile_links_do_no_harm(correct, store, query):
    page = correct(**query)
    assert "Traceback" not in page.text
    assert "went wrong" not in page.text


def test_enter_says_that_the_image_is_done_and_goes_on(correct, store):
    page = press(correct(queue="all"), "save")
    assert row_of(page) == 1
    assert reviews(store)[0].state == "done"
    assert store.head() == 0  # nothing was changed, so there is no version
    assert "1 done" in page.text
    page = press(page, "skip-image")
    assert row_of(page) == 2
    assert "1 skipped" in page.text
    assert row_of(press(page, "previous")) == 1
    assert row_of(press(page, "next")) == 2


def test_a_point_that_is_absent_is_saved_so(correct, store, dataset):
    row = incomplete(dataset)
    labels = store.labels_of(row)[1]
    first = next(k for k, label in enumerate(labels) if not label.state.placed)
    page = press(correct(queue="all", row=str(row)), "absent")
    assert "unsaved edits" in page.text
    press(page, "save")
    assert store.labels_of(row)[1][first] == PointLabel(State.ABSENT, origin=Origin.EDITED)


def test_undo_takes_back_steps_and_then_saves(correct, store, dataset):
    row = incomplete(dataset)
    page = press(press(correct(queue="all", row=str(row)), "absent"), "absent")
    page = press(page, "undo")
    page = press(page, "undo")
    assert "unsaved edits" not in page.text
    page = press(press(press(page, "absent"), "save"), "back")
    assert row_of(page) == row
    before = store.labels_of(row)[1]
    assert reviews(store)[row].state == DONE
    press(page, "undo")
    assert store.labels_of(row)[1] != before
    assert reviews(store)[row].state == OPEN  # to be looked at again
    press(page, "redo")
    assert store.labels_of(row)[1] == before
    assert reviews(store)[row].state == DONE


def test_points_suggested_with_an_image_are_offered(correct, store, dataset):
    row = incomplete(dataset)
    points = np.full((len(dataset.schema), 2), 40.0)
    suggest(store, {row: points}, "some model")
    page = press(correct(queue="all", row=str(row)), "accept-all")
    press(page, "save")
    labels = store.labels_of(row)[1]
    accepted = [label for label in labels if label.origin == Origin.PREDICTION]
    assert accepted
    assert {label.source for label in accepted} == {"some model"}
    kept = np.isfinite(dataset.keypoints[row]).all(axis=1).sum()
    assert len(accepted) == len(dataset.schema) - kept


def test_somebody_elses_save_is_told_and_one_chooses(correct, store, dataset):
    row = incomplete(dataset)
    page = press(correct(queue="all", row=str(row)), "absent")
    store.save([Edit(row, 0, PointLabel(State.VISIBLE, 5, 5, Origin.EDITED))], "Ben")
    page = press(page, "save")
    assert "Ben changed row" in page.text
    assert store.head() == 1
    page = press(page, "theirs")
    assert "unsaved edits" not in page.text
    assert store.labels_of(row)[1][0].place == (5, 5)
    page = press(page, "absent")
    store.save([Edit(row, 0, PointLabel(State.VISIBLE, 6, 6, Origin.EDITED))], "Ben")
    press(press(page, "save"), "mine")
    assert [v.author for v in store.versions()] == ["Ben", "Ben", "Ann"]
    assert store.labels_of(row)[1][0].place == (6, 6)  # only what Ann had changed is hers


def test_a_locked_database_is_said_and_the_edit_stays(correct, store, home, dataset, monkeypatch):
    monkeypatch.setattr("fkd.labels.database.PATIENCE_S", 0.2)
    row = incomplete(dataset)
    page = press(correct(queue="all", row=str(row)), "absent")
    other = sqlite3.connect(home / "labels.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    page = press(page, "save")
    assert "busy" in page.text
    other.execute("ROLLBACK")
    other.close()
    page.run()
    assert "unsaved edits" in page.text
    assert store.head() == 0
    press(page, "save")
    assert store.head() == 1


def test_an_image_is_reverted_from_its_history(correct, store, dataset):
    row = incomplete(dataset)
    store.save([Edit(row, 0, PointLabel(State.VISIBLE, 5, 5, Origin.EDITED))], "Ben")
    page = correct(queue="all", row=str(row))
    unfold(page, "history").at.selectbox(key="correct-back-to").set_value(0)
    page.run()
    press(page, "revert")
    assert store.labels_of(row)[1][0].origin == Origin.ORIGINAL
    assert [v.kind for v in store.versions()] == ["save", "revert"]


def test_a_dataset_without_labels_or_complete_says_so(correct, home):
    dataset, _ = make_demo("tiny", DemoSpec(rows=3, seed=1))
    measure(dataset)
    page = correct(dataset="tiny", queue="missing")
    assert "needs a reference model" in page.text or "No image is left" in page.text


def test_labels_go_out_and_come_in(correct, store, dataset, tmp_path):
    store.save([Edit(0, 0, PointLabel(State.OCCLUDED, 5, 5, Origin.EDITED))], "Ben")
    page = correct(queue="all")
    page.at.selectbox(key="correct-export-format").set_value("coco")
    page.run()
    page.button("Export").click()
    page.run()
    path = tmp_path / "home" / "exports" / "demo-labels-1-coco.zip"
    for _ in range(200):
        if "is written" in page.text:
            break
        time.sleep(0.1)
        page.run()
    assert "annotations.json" in zipfile.ZipFile(path).namelist()
    assert main(["labels", "undo", "demo"]) == 0
    page.at.selectbox(key="import-format").set_value("coco")
    page.at.file_uploader(key="import-file").upload("../x<b>.zip", path.read_bytes())
    page.run()
    page.button("Read and compare").click()
    until(page, "Compared with the current labels")
    assert "1 point moved" in page.text or "1 point set" in page.text
    assert store.labels_of(0)[1][0].state != State.OCCLUDED  # nothing is saved before
    push(page, "Import")
    until(page, "1 label of 1 row changed")
    assert store.labels_of(0)[1][0].state == State.OCCLUDED
    assert not list((tmp_path / "home" / "uploads").iterdir())


def export_of(tmp_path, form, name="out"):
    assert main(["export", "demo", "--format", form, "-o", str(tmp_path / name)]) == 0
    return tmp_path / name


def read_from_path(page, path, form="coco"):
    page.at.selectbox(key="import-format").set_value(form)
    page.at.segmented_control(key="import-from").set_value("On this computer")
    page.run()
    page.at.text_input(key="import-path").set_value(str(path))
    page.run()
    push(page, "Read and compare")


def test_an_import_that_looks_odd_says_why_and_can_be_discarded(correct, store, tmp_path):
    folder = export_of(tmp_path, "coco")
    root = json.loads((folder / "annotations.json").read_text())
    names = root["categories"][0]["keypoints"]
    other = store.dataset.schema.mirror_order
    root["categories"][0]["keypoints"] = [names[k] for k in other]
    (folder / "annotations.json").write_text(json.dumps(root))
    page = correct(queue="all")
    read_from_path(page, folder)
    until(page, "Left and right seem to be swapped")
    assert any("Left and right" in w.value for w in page.at.warning)
    push(page, "Discard")
    assert "Left and right" not in page.text
    assert store.head() == 0
    read_from_path(page, folder)
    until(page, "Left and right seem to be swapped")
    push(page, "Import anyway")
    until(page, "now version 1 of the labels")
    assert store.head() == 1


def test_a_new_dataset_can_be_imported_and_opened(correct, dataset, tmp_path):
    folder = export_of(tmp_path, "yolo-pose")
    page = correct(queue="all")
    page.at.segmented_control(key="import-into").set_value("A new dataset")
    page.run()
    page.at.text_input(key="import-name").set_value("demo")
    read_from_path(page, folder, "yolo-pose")
    until(page, "Dataset 'demo' exists")
    page.at.text_input(key="import-name").set_value("again")
    page.run()
    push(page, "Read and compare")
    until(page, f"points in {len(dataset)} images")
    push(page, "Import")
    until(page, "is imported as dataset again")
    assert len(open_named("again")) == len(dataset)
    assert page.button("Open again")


def test_files_that_cannot_be_read_are_said_where_they_were_named(correct, dataset, tmp_path):
    page = correct(queue="all")
    read_from_path(page, tmp_path / "nothing")
    until(page, "does not exist")


def assign(page, n: int, who: str):
    unfold(page, "queue-panel")
    number = next(w for w in page.at.number_input if (w.key or "").startswith("correct-assign-n"))
    number.set_value(n)
    page.at.selectbox(key="correct-assign-who").set_value(who)
    page.run()
    return press(page, "assign")


@pytest.fixture
def ben(store, dataset):
    """Has been here before."""
    set_state(store, int(dataset.rows[-1]), "skipped", "Ben")


def test_images_are_assigned_to_people(correct, store, ben):
    page = assign(correct(queue="all"), 3, "Ben")
    assert "3 images are assigned to Ben now" in page.at.toast[0].value
    found = reviews(store)
    assert {row: found[row].assignee for row in (0, 1, 2)} == dict.fromkeys((0, 1, 2), "Ben")
    assert 3 not in found
    # Ann goes on with what is not Ben's; a link to one of his says so.
    assert row_of(correct(queue="all")) == 3
    assert "assigned to Ben" in correct(queue="all", row="1").text
    assert row_of(correct("Ben", queue="all")) == 0


def test_only_what_is_mine_or_nobodys_is_shown(correct, store, ben):
    assign(correct(queue="all"), 2, "Ben")
    assert "1 of 2" in correct("Ben", queue="all", whose="Ben").text
    assert row_of(correct(queue="all", whose="-")) == 2
    page = press(correct("Ben", queue="all", whose="Ben"), "save")
    assert row_of(page) == 1
    page = press(page, "save")
    assert "That was the last image" in page.at.toast[0].value


def test_images_by_their_state(correct, store):
    page = press(press(correct(queue="all"), "save"), "skip-image")
    page = correct(queue="all", state="open")
    assert row_of(page) == 2
    # What is done leaves the queue only once one has gone on from it.
    page = press(page, "save")
    assert row_of(page) == 3
    assert row_of(correct(queue="all", state="skipped")) == 1
    page = press(correct(queue="all", state="done"), "next")
    assert row_of(page) == 2
    assert "fits the choice of state" in correct("Zoe", queue="all", state="done", whose="Zoe").text


def test_a_selection_of_browse_is_a_queue(correct, app, store, dataset):
    browse = app("browse", lacking="left_eye_inner_corner", sort="shape_score", order="desc")
    lacks = np.isnan(dataset.keypoints[:, dataset.schema.index("left_eye_inner_corner"), 0])
    wanted = dataset.rows[lacks]
    assert browse.button(f"Correct all {len(wanted)}") is not None
    page = correct(queue="browsed", of="lacking=left_eye_inner_corner")
    assert row_of(page) == wanted[0]
    assert f"1 of {len(wanted)}" in page.text
    page = press(press(page, "accept-all"), "save")  # it lacks nothing now
    assert row_of(page) == wanted[1]
    assert f"2 of {len(wanted)}" in page.text  # and the queue is what it was


@pytest.mark.parametrize("of", ["", "%", "sort=<b>&part=test", "a" * 5000, "filter=x&pattern=1"])
def test_a_selection_that_makes_no_sense_is_every_image(correct, store, dataset, of):
    assert f"1 of {len(dataset)}" in correct(queue="browsed", of=of).text


def test_points_outside_the_image_are_taken_back_in_one_step(correct, store, dataset):
    row, width = incomplete(dataset), dataset.schema.width
    there = [PointLabel(State.VISIBLE, x, 40, Origin.IMPORTED) for x in (-12, width + 9)]
    store.save([Edit(row, k, label) for k, label in enumerate(there)], "Ben")
    page = correct(queue="all", row=str(row))
    assert page.button("Bring 2 points back into the image")
    page = press(press(page, "inside"), "save")
    places = [label.place for label in store.labels_of(row)[1]]
    assert places[:2] == [(-0.5, 40), (width - 0.5, 40)]
    page = correct(queue="all", row=str(row))
    assert not [b for b in page.at.button if b.key == "correct-inside"]


def test_single_key_shortcuts_are_turned_off_under_view(correct, store):
    page = unfold(correct(queue="all"), "view")
    toggle = page.at.toggle(key="correct-single-keys-control")
    assert toggle.value
    toggle.set_value(False)
    page.run()
    page = press(unfold(press(page, "next"), "view"), "edges")
    assert not page.at.toggle(key="correct-single-keys-control").value
    assert "edges" in page.at.session_state["correct-show"]


def test_what_is_folded_away_is_not_drawn(correct, store):
    page = correct(queue="all")

    def drawn():
        return {w.key for w in (*page.at.selectbox, *page.at.slider)}

    folded = {"correct-queue", "correct-state", "correct-radius-control"}
    assert not folded & drawn()
    unfold(page, "queue-panel", "view")
    assert folded <= drawn()
