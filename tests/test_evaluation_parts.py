from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import labelled, make_run, split_of

from fkd.errors import UserError
from fkd.evaluation.parts import (
    ALL,
    VALIDATION,
    bundled_never_saw,
    held_back,
    part_of,
    seen,
)
from fkd.labels.store import LabelStore
from fkd.labels.tags import EXCLUDED, give
from fkd.models.sources import TrainedModel
from fkd.splits import Split

DATASET = labelled()


def rows_of(model, dataset, split):
    return dataset.rows[part_of([model], dataset, split).at]


def test_what_a_run_held_back_and_what_it_has_seen():
    model = make_run(DATASET, "one")
    np.testing.assert_array_equal(held_back(model, DATASET), DATASET.rows[::4])
    rows = rows_of(model, DATASET, VALIDATION)
    np.testing.assert_array_equal(rows, DATASET.rows[::4])
    assert seen(model, DATASET, rows) == 0
    assert len(rows_of(model, DATASET, ALL)) == len(DATASET)
    assert seen(model, DATASET, DATASET.rows) == len(DATASET) - len(rows)


def test_images_excluded_from_training_are_not_scored():
    model = make_run(DATASET, "one")
    give(LabelStore(DATASET), DATASET.rows[[0, 1, 4]], EXCLUDED, "Ann")
    held = DATASET.rows[8::4]
    np.testing.assert_array_equal(rows_of(model, DATASET, VALIDATION), held)
    part = part_of([model], DATASET, VALIDATION)
    assert (DATASET.rows[part.at].tolist(), part.excluded) == (held.tolist(), 2)
    every = part_of([model], DATASET, ALL)
    assert (len(every.at), every.excluded) == (len(DATASET) - 3, 3)


def test_a_run_on_complete_rows_has_seen_no_others():
    model = make_run(DATASET, "one", missing="complete")
    training = np.setdiff1d(DATASET.rows, DATASET.rows[::4])
    complete = np.isfinite(DATASET.keypoints).all(axis=(1, 2))
    assert seen(model, DATASET, DATASET.rows) == np.isin(DATASET.rows[complete], training).sum() > 0


def test_other_data_was_neither_held_back_nor_surely_seen(tmp_path):
    model, other = make_run(DATASET, "one"), labelled(30, "other")
    assert held_back(model, other) is None
    assert seen(model, other, other.rows) is None
    with pytest.raises(UserError, match=r"'one' was trained on 'faces'.*'other'; .*all rows"):
        rows_of(model, other, VALIDATION)
    again = labelled(30)
    with pytest.raises(UserError, match="another state of 'faces'"):
        rows_of(model, again, VALIDATION)
    bundled = TrainedModel("bundled", tmp_path / "compact.keras")
    with pytest.raises(UserError, match="comes without its split"):
        rows_of(bundled, DATASET, VALIDATION)
    assert seen(bundled, DATASET, DATASET.rows) is None


def test_of_drawn_faces_the_bundled_model_surely_saw_none(tmp_path):
    drawn = replace(DATASET, manifest={"origin": "demo"})
    assert bundled_never_saw(drawn)
    assert not bundled_never_saw(DATASET)
    path = tmp_path / "compact.keras"
    assert seen(TrainedModel("bundled", path), drawn, drawn.rows) == 0
    assert seen(TrainedModel("another", path), drawn, drawn.rows) is None


def test_a_run_that_cannot_be_read_held_nothing_back():
    model = make_run(DATASET, "one")
    (model.run.folder / "config.json").write_text("{")
    assert held_back(model, DATASET) is None
    assert seen(model, DATASET, DATASET.rows) is None


def test_models_are_compared_on_what_all_of_them_held_back(tmp_path):
    one, same = make_run(DATASET, "one"), make_run(DATASET, "same")
    half = make_run(DATASET, "half", split_of(DATASET, 2))
    apart = make_run(DATASET, "apart", split_of(DATASET, 4, 1))
    stranger = make_run(labelled(30), "stranger")
    quarter = DATASET.rows[::4]

    def compared(*models: TrainedModel) -> tuple[list[int], bool]:
        found = part_of(models, DATASET, VALIDATION)
        return DATASET.rows[found.at].tolist(), found.differ

    assert compared(one) == (quarter.tolist(), False)
    assert compared(one, same) == (quarter.tolist(), False)
    assert compared(one, half) == compared(half, one) == (quarter.tolist(), True)
    assert compared(one, apart) == ([], True)
    assert compared(stranger, one) == (quarter.tolist(), False)
    with pytest.raises(UserError, match="no validation part"):
        part_of([stranger], DATASET, VALIDATION)


def test_it_is_said_how_many_images_each_model_has_seen():
    one, apart = make_run(DATASET, "one"), make_run(DATASET, "apart", split_of(DATASET, 4, 1))
    stranger = make_run(labelled(30), "stranger")
    assert part_of([one], DATASET, VALIDATION).seen == (0,)
    assert part_of([one, stranger], DATASET, VALIDATION).seen == (0, None)
    assert part_of([one, apart], DATASET, VALIDATION).seen == (0, 0)
    every = part_of([one, apart, stranger], DATASET, ALL)
    assert every.at.tolist() == list(range(24))
    assert (every.seen, every.differ) == ((18, 18, None), False)


def test_an_empty_validation_part_is_no_error():
    split = Split(np.array(DATASET.rows), np.zeros(0, np.int64))
    assert not len(part_of([make_run(DATASET, "one", split)], DATASET, VALIDATION).at)


def test_a_split_of_rows_that_are_not_there_is_one_sentence():
    split = Split(np.array([5]), np.array([6]))
    with pytest.raises(UserError, match="Row 6 of the split is not in dataset"):
        part_of([make_run(DATASET, "one", split)], DATASET, VALIDATION)
