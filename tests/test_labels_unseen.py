from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import (
    FOUR,
    labelled,
    learned_from,
    make_run,
    output_of,
    split_of,
    store_all,
    store_validation,
)

from fkd.evaluation.predictions import Predictions
from fkd.labels.unseen import (
    SHAPE_ONLY,
    Unseen,
    best_first,
    joined_by_bundled,
    unseen_by,
)
from fkd.models.sources import BUNDLED, TrainedModel
from fkd.training.status import Status

DATASET = labelled()
OUTPUT = output_of(DATASET, 1.0)


def trained(name: str, start: int = 0, dataset=DATASET):
    """A run whose predictions of its validation part are stored: every fourth image."""
    model = make_run(dataset, name, split_of(dataset, 4, start))
    store_validation(model, dataset, output_of(dataset, 1.0))
    return model


def test_only_the_validation_part_counts():
    unseen = unseen_by([trained("one")], DATASET)
    np.testing.assert_array_equal(unseen.known, np.arange(len(DATASET)) % 4 == 0)
    np.testing.assert_array_equal(unseen.points[::4], OUTPUT[::4, :, :2])
    np.testing.assert_array_equal(unseen.expected[::4], OUTPUT[::4, :, 2])
    assert np.isnan(unseen.points[~unseen.known]).all()
    assert unseen.source_of(0) == "validation part of run 'one'"
    assert unseen.source_of(1) == SHAPE_ONLY


def test_several_runs_cover_more_and_the_first_comes_first():
    models = [trained("one"), trained("same"), trained("faces-fold-2", 1)]
    unseen = unseen_by(models, DATASET)
    assert unseen.known.sum() == len(DATASET) // 2
    assert {unseen.source_of(at) for at in range(0, 24, 4)} == {"validation part of run 'one'"}
    assert {unseen.source_of(at) for at in range(1, 24, 4)} == {"out of fold of run 'faces-fold-2'"}
    unseen = unseen_by(models[1:], DATASET)
    assert unseen.source_of(0) == "validation part of run 'same'"


def test_images_in_neither_part_count_where_the_model_was_asked_about_all():
    points = np.array(DATASET.keypoints)
    points[2] = np.nan
    dataset = replace(DATASET, keypoints=points)
    split = split_of(dataset)
    split = replace(split, training=split.training[split.training != dataset.rows[2]])
    model = make_run(dataset, "one", split)
    store_all(model, dataset, output_of(dataset, 1.0))
    unseen = unseen_by([model], dataset)
    assert unseen.known[2]
    assert unseen.known.sum() == len(dataset) // 4 + 1


def test_runs_on_other_data_and_models_without_a_run_say_nothing(tmp_path):
    other = trained("other", dataset=labelled(30, "other"))
    bundled = TrainedModel(BUNDLED, tmp_path / "compact.keras")
    unknown = make_run(DATASET, "unknown")  # it has left no predictions
    assert not unseen_by([other, bundled, unknown], DATASET).known.any()
    assert best_first([other, bundled], DATASET) == []


def test_a_model_that_does_not_say_how_sure_it_is():
    model = make_run(DATASET, "one")
    store_validation(model, DATASET, output_of(DATASET, 1.0, sure=False))
    unseen = unseen_by([model], DATASET)
    assert unseen.known.any()
    assert np.isnan(unseen.expected).all()


def test_the_run_of_the_least_error_comes_first():
    models = [trained(name) for name in ("a", "b", "c", "d")]
    for model, error in zip(models, (2.0, 1.5, None, 1.8), strict=True):
        replace(Status.read(model.run.folder), best_rmse_px=error).write(model.run.folder)
    assert [m.name for m in best_first(models, DATASET)] == ["b", "d", "a", "c"]
    (models[1].run.folder / "status.json").write_text("{")
    assert [m.name for m in best_first(models, DATASET)] == ["d", "a", "c"]


def test_points_that_a_run_never_learned_stay_unknown():
    model = make_run(DATASET, "four", learned=learned_from())
    store_validation(model, DATASET, OUTPUT)
    unseen = unseen_by([model], DATASET)
    np.testing.assert_array_equal(unseen.points[::4][:, FOUR], OUTPUT[::4][:, FOUR, :2])
    assert np.isnan(unseen.points[:, ~FOUR]).all()
    assert np.isnan(unseen.expected[:, ~FOUR]).all()
    assert unseen.known.sum() == 6


def test_runs_that_learned_more_points_come_first():
    learned = {"few": learned_from(), "all": None, "most": learned_from(np.arange(15) > 2)}
    models = [make_run(DATASET, name, learned=of) for name, of in learned.items()]
    for model, error in zip(models, (0.5, 2.0, 1.0), strict=True):
        replace(Status.read(model.run.folder), best_rmse_px=error).write(model.run.folder)
    assert [m.name for m in best_first(models, DATASET)] == ["all", "most", "few"]


def test_the_bundled_model_fills_what_is_left():
    drawn = replace(DATASET, manifest={"origin": "demo"})
    made = Predictions.of_output(BUNDLED, DATASET.rows, OUTPUT)
    unseen = joined_by_bundled(unseen_by([trained("one")], drawn), drawn, made)
    assert unseen.known.all()
    assert unseen.source_of(0) == "validation part of run 'one'"
    assert unseen.source_of(1) == "bundled model"
    nothing = Unseen.none(len(DATASET), len(DATASET.schema))
    doubtful = joined_by_bundled(nothing, DATASET, made)
    assert doubtful.source_of(0) == "bundled model, may have seen it"


def test_shapes_must_match():
    nothing = Unseen.none(3, 2)
    with pytest.raises(ValueError, match="do not match"):
        replace(nothing, expected=nothing.expected[:2])
