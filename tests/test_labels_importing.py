from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exchange_helper import dataset_of, every_state, files_of, with_states
from ingest_helper import entries

from fkd.errors import Cancelled, UserError
from fkd.formats.faces import Imported
from fkd.keypoints import KAGGLE_15
from fkd.labels.at import labels_at
from fkd.labels.exchange import export, read
from fkd.labels.formats import FORMATS
from fkd.labels.import_rows import rows_in
from fkd.labels.importing import (
    plan_dataset,
    plan_import,
    register_imported,
    save_dataset,
    save_import,
)
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Labels, Origin, State
from fkd.labels.store import Conflict, LabelStore
from fkd.registry import dataset_names, open_named

DATASET = dataset_of([0, 2, 12], KAGGLE_15)
LABELS = every_state(DATASET)


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_exported_changes_nothing(tmp_path: Path, form: str) -> None:
    """Also where the format cannot hold the states that some points have."""
    export(DATASET, LABELS, form, tmp_path / "out")
    imported = read(tmp_path / "out", form)
    assert plan_import(imported, DATASET, LABELS, form, "out").edits == ()


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_changed_becomes_an_edit(tmp_path: Path, form: str) -> None:
    corrected = with_states(LABELS, LABELS.states.copy())
    row, k = np.argwhere(LABELS.states == State.VISIBLE)[0]
    other, gone = np.argwhere(LABELS.states == State.OCCLUDED)[-1]
    corrected.points[row, k] = [40, 30.25]
    corrected.states[other, gone] = State.MISSING
    corrected.points[other, gone] = np.nan
    export(DATASET, corrected, form, tmp_path / "out.zip")
    imported = read(tmp_path / "out.zip", form)
    rows = DATASET.rows.tolist()
    moved = PointLabel(State.VISIBLE, 40, 30.25, Origin.IMPORTED, "out.zip")
    taken = PointLabel(State.MISSING, None, None, Origin.IMPORTED, "out.zip")
    plan = plan_import(imported, DATASET, LABELS, form, "out.zip")
    edits = plan.edits
    assert sorted(edits, key=lambda edit: edit.row) == sorted(
        [Edit(rows[row], k, moved), Edit(rows[other], gone, taken)], key=lambda edit: edit.row
    )


def test_the_store_takes_them(tmp_path: Path) -> None:
    """States that only COCO holds go through a dataset and its store, and come out as they were."""
    export(DATASET, LABELS, "coco", tmp_path / "out")
    imported = read(tmp_path / "out", "coco")
    dataset, said = save_dataset("new", plan_dataset("new", imported, "coco", "out"), "anna")
    different = LABELS.states != Labels.original(dataset).states
    assert f"{different.sum()} labels" in said
    labels = labels_at(LabelStore(dataset))
    np.testing.assert_array_equal(labels.states, LABELS.states)
    np.testing.assert_array_equal(labels.points, LABELS.points)
    assert (labels.origins[different] == Origin.IMPORTED).all()


def test_some_rows_are_enough(tmp_path: Path) -> None:
    export(DATASET, LABELS.take(np.array([1, 2])), "pts", tmp_path / "out")
    imported = read(tmp_path / "out", "pts")
    assert rows_in(imported, DATASET)[0].tolist() == [2, 12]
    assert plan_import(imported, DATASET, LABELS, "pts", "out").edits == ()


def test_positions_that_another_tool_rounded_are_the_same(tmp_path: Path) -> None:
    export(DATASET, LABELS, "pts", tmp_path / "out")
    imported = read(tmp_path / "out", "pts")
    rounded = replace(imported, points=imported.points.round(3))
    assert not np.array_equal(rounded.points, imported.points, equal_nan=True)
    assert plan_import(rounded, DATASET, LABELS, "pts", "out").edits == ()


def test_labels_of_another_dataset_are_refused(tmp_path: Path) -> None:
    export(DATASET, LABELS, "coco", tmp_path / "coco")
    export(DATASET, LABELS, "kaggle", tmp_path / "kaggle")
    numbered, counted = read(tmp_path / "coco", "coco"), read(tmp_path / "kaggle", "kaggle")
    assert (
        rows_in(numbered, DATASET)[0].tolist()
        == rows_in(counted, DATASET)[0].tolist()
        == [0, 2, 12]
    )
    other = dataset_of([0, 2, 12], KAGGLE_15, seed=7)
    with pytest.raises(UserError, match="image of row 0 is a different one in 'faces'"):
        rows_in(numbered, other)
    with pytest.raises(UserError, match="Image 1 of the files is not among the images of 'faces'"):
        rows_in(counted, other)
    for rows in ([0, 2], [2, 12]):
        with pytest.raises(UserError, match=r"no row \d+; is it the right dataset"):
            rows_in(numbered, dataset_of(rows, KAGGLE_15))
    with pytest.raises(UserError, match="Nothing says which rows of 'faces' these 3 faces are"):
        rows_in(replace(counted, images=None), DATASET)


def test_an_image_saved_again_with_loss_is_the_same(tmp_path: Path) -> None:
    export(DATASET, LABELS, "coco", tmp_path / "out")
    imported = read(tmp_path / "out", "coco")
    assert imported.images is not None
    noise = np.random.default_rng(0).integers(-5, 6, imported.images.shape)
    images = np.clip(imported.images + noise, 0, 255).astype(np.uint8)
    assert rows_in(replace(imported, images=images), DATASET)[0].tolist() == [0, 2, 12]


@pytest.mark.parametrize("form", FORMATS)
def test_a_new_dataset_is_made_of_them(tmp_path: Path, form: str) -> None:
    labels = with_states(LABELS, np.where(LABELS.states == 0, 0, 3), LABELS.points)
    export(DATASET, labels, form, tmp_path / "out.zip")
    dataset = register_imported("new", read(tmp_path / "out.zip", form), form, "out.zip")
    assert dataset_names() == ["new"]
    assert dataset.rows.tolist() == ([0, 1, 2] if form == "kaggle" else [0, 2, 12])
    np.testing.assert_array_equal(dataset.images, DATASET.images)
    np.testing.assert_array_equal(dataset.keypoints, labels.points)
    manifest = open_named("new").manifest
    assert manifest["origin"] == "import"
    assert manifest["sources"] == {"labels": "out.zip", "format": form}


def test_a_new_dataset_needs_a_free_name_and_images(tmp_path: Path) -> None:
    export(DATASET, LABELS, "coco", tmp_path / "out")
    imported = read(tmp_path / "out", "coco")
    register_imported("new", imported, "coco", "out")
    with pytest.raises(UserError, match="Dataset 'new' exists"):
        register_imported("new", imported, "coco", "out")
    with pytest.raises(UserError, match="Dataset 'new' exists"):
        plan_dataset("new", imported, "coco", "out")
    with pytest.raises(UserError, match="cannot name a dataset"):
        plan_dataset("../new", imported, "coco", "out")
    with pytest.raises(UserError, match="no dataset 'other', and these files hold no images"):
        register_imported("other", replace(imported, images=None), "coco", "out")
    assert entries() == {"new"}


def test_a_stopped_registration_leaves_nothing(tmp_path: Path) -> None:
    export(DATASET, LABELS, "coco", tmp_path / "out")

    def stop(stage: str, done: int, total: int) -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        register_imported("new", read(tmp_path / "out", "coco"), "coco", "out", stop)
    assert entries() == set()
    assert len(files_of(tmp_path / "out")) == 4


def read_back(tmp_path: Path, labels: Labels = LABELS, form: str = "coco") -> Imported:
    export(DATASET, labels, form, tmp_path / "out")
    return read(tmp_path / "out", form)


def test_what_would_change_is_known_before_it_is_saved(tmp_path: Path) -> None:
    imported = read_back(tmp_path)
    points, states = imported.points.copy(), imported.states.copy()
    visible = np.argwhere(states == State.VISIBLE)
    missing = np.argwhere(states == State.MISSING)
    points[tuple(visible[0])] += (3, 4)
    points[tuple(visible[1])], states[tuple(visible[1])] = np.nan, State.MISSING
    points[tuple(missing[0])], states[tuple(missing[0])] = (5, 6), State.VISIBLE
    states[tuple(visible[2])] = State.OCCLUDED
    plan = plan_import(
        replace(imported, points=points, states=states), DATASET, LABELS, "coco", "f"
    )
    found = plan.changes
    assert found is not None
    assert (found.placed, found.moved, found.removed, found.restated) == (1, 1, 1, 1)
    assert (found.total, len(plan.edits)) == (4, 4)
    assert (found.median_px, found.largest_px) == pytest.approx((5, 5))
    assert plan.reasons == ()
    assert "1 point moved (median 5.00 px, largest 5.00 px)" in plan.lines()[1]


def test_much_that_changes_waits_for_a_word(tmp_path: Path) -> None:
    imported = read_back(tmp_path)
    moved = replace(imported, points=imported.points + np.float32([1, 0]))
    plan = plan_import(moved, DATASET, LABELS, "coco", "f")
    compared = int((LABELS.states >= State.OCCLUDED).sum())
    assert plan.reasons[-1] == (
        f"{compared} of the {compared} labels that these images have would change."
    )
    assert "1.00 px to the right" in plan.reasons[0]


def test_what_was_taken_for_granted_waits_for_a_word_where_it_changes_something(
    tmp_path: Path,
) -> None:
    imported = replace(read_back(tmp_path), assumptions=("Points are numbered.",))
    assert plan_import(imported, DATASET, LABELS, "coco", "f").reasons == ()
    assert plan_dataset("new", imported, "coco", "f").reasons[0] == "Points are numbered."
    points = imported.points.copy()
    points[np.isfinite(points[..., 0]).any(axis=1).argmax()] += 1
    changed = plan_import(replace(imported, points=points), DATASET, LABELS, "coco", "f")
    assert changed.reasons[0] == "Points are numbered."


def test_a_plan_that_somebody_overtook_is_a_conflict(tmp_path: Path) -> None:
    imported = read_back(tmp_path)
    dataset, _ = save_dataset("new", plan_dataset("new", imported, "coco", "out"), "anna")
    store = LabelStore(dataset)
    moved = replace(imported, points=imported.points + np.float32([1, 0]))
    plan = plan_import(moved, dataset, labels_at(store), "coco", "f")
    edit = plan.edits[0]
    store.save([replace(edit, label=PointLabel(State.ABSENT, origin=Origin.EDITED))], "ben")
    head = store.head()
    with pytest.raises(Conflict):
        save_import(plan, dataset, "anna")
    assert store.head() == head


def test_numbers_that_do_not_fit_the_images_give_way_to_them(tmp_path: Path) -> None:
    imported = read_back(tmp_path)
    later = replace(imported, rows=imported.rows + 1)
    for wrong in (later, replace(imported, rows=imported.rows[[1, 2, 0]])):
        rows, note = rows_in(wrong, DATASET)
        assert rows.tolist() == [0, 2, 12]
        assert "matched by their images" in note
        plan = plan_import(wrong, DATASET, LABELS, "coco", "f")
        assert plan.edits == ()
        assert note in plan.lines()
    with pytest.raises(UserError, match="no row 1"):
        rows_in(replace(later, images=None), DATASET)


def test_what_the_files_do_not_speak_of_stays(tmp_path: Path) -> None:
    imported = read_back(tmp_path)
    points, states = imported.points.copy(), imported.states.copy()
    gone = list(range(3, 11))
    points[:, gone], states[:, gone] = np.nan, State.MISSING
    partly = replace(imported, points=points, states=states, unsaid=tuple(gone))
    plan = plan_import(partly, DATASET, LABELS, "coco", "f")
    assert plan.edits == ()
    assert plan.placed == (states >= State.OCCLUDED).sum()
    unsaid = replace(partly, unsaid=())
    plan = plan_import(unsaid, DATASET, LABELS, "coco", "f")
    assert plan.changes is not None
    assert plan.changes.removed > 3
    assert any("would" in reason for reason in plan.reasons)


def test_a_point_outside_that_another_tool_writes_changes_nothing(tmp_path: Path) -> None:
    """An export as YOLO-pose has no points outside the image; other tools write them."""
    labels = with_states(LABELS, np.full_like(LABELS.states, State.VISIBLE))
    labels.points[0, 0] = (97.5, 20)
    imported = read_back(tmp_path, labels, "yolo-pose")
    assert not np.isfinite(imported.points[0, 0]).any()
    assert plan_import(imported, DATASET, labels, "yolo-pose", "f").edits == ()
    points, states = imported.points.copy(), imported.states.copy()
    points[0, 0], states[0, 0] = (97.5, 20), State.VISIBLE
    whole = replace(imported, points=points, states=states)
    assert plan_import(whole, DATASET, labels, "yolo-pose", "f").edits == ()


def test_rounding_is_judged_by_what_the_files_say(tmp_path: Path) -> None:
    """Keypoints that they do not speak of keep labels that nobody rounded."""
    imported = read_back(tmp_path)
    gone = list(range(3, 11))
    points = np.round(imported.points, 1)
    states = imported.states.copy()
    points[:, gone], states[:, gone] = np.nan, State.MISSING
    plan = plan_import(
        replace(imported, points=points, states=states, unsaid=tuple(gone)),
        DATASET,
        LABELS,
        "coco",
        "f",
    )
    assert plan.edits == ()
    assert any("Positions in the files are rounded to 0.1 px" in line for line in plan.lines())
