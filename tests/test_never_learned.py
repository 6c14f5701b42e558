"""From a training on four-point rows to everything that is made of its model: the eleven points
that no label taught are nowhere given, scored or offered."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from evaluation_helper import FOUR, OTHERS, no_bundled_model
from inference_helper import photo_of
from training_helper import ROWS, tiny_config

from fkd.cli import main
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.evaluation.learned import counting, never_learned
from fkd.evaluation.metrics import rmse
from fkd.evaluation.predictions import predict, stored_validation
from fkd.inference.loading import open_pipeline
from fkd.inference.reference import Reference
from fkd.inference.submission import make_submission
from fkd.keypoints import KAGGLE_15
from fkd.labels.references import reference, unseen_by
from fkd.labels.states import Labels
from fkd.labels.store import LabelStore
from fkd.labels.suggestions import suggest, suggested
from fkd.labels.suspects import find_suspects
from fkd.models import zoo
from fkd.models.layers import HeatmapReadout
from fkd.models.sources import TrainedModel, trained_model
from fkd.registry import datasets_folder, open_named
from fkd.storage import DatasetWriter
from fkd.synthetic.render import render_faces
from fkd.training import worker
from fkd.training.config import Augmentation
from fkd.training.create import teaches
from fkd.training.examples import training_examples
from fkd.training.reporter import Reporter
from fkd.training.runs import create_run
from fkd.training.status import FINISHED, RUNNING, Status

NAMES = [name for name, known in zip(KAGGLE_15.names, FOUR, strict=True) if not known]


def small(schema):
    inputs = keras.Input((schema.height, schema.width, 1))
    x = keras.layers.Conv2D(4, 8, 8, activation="relu")(inputs / 128 - 1)
    maps = [keras.layers.Conv2D(len(schema), 1)(x) for _ in range(2)]
    return keras.Model(inputs, HeatmapReadout(8)(maps))


@pytest.fixture(autouse=True)
def small_model(monkeypatch):
    monkeypatch.setitem(zoo.MODELS, "small", small)
    no_bundled_model(monkeypatch)


@pytest.fixture
def dataset() -> Dataset:
    """24 drawn faces and three test images. Every fourth face, which runs hold back, has all
    labels; the others have those of the four points, one of them not even these."""
    images, points = render_faces(3, 0, ROWS + 3)
    labels = points[:ROWS].copy()
    held = np.arange(ROWS) % 4 == 0
    labels[np.ix_(~held, ~FOUR)] = np.nan
    labels[1, KAGGLE_15.index("nose_tip")] = np.nan
    return written("mixed", images, labels)


def written(name: str, images: np.ndarray, labels: np.ndarray) -> Dataset:
    """A registered dataset of that name; images without labels are test images."""
    folder, rows = datasets_folder() / name, len(labels)
    folder.mkdir(parents=True)
    with DatasetWriter(folder, name, KAGGLE_15) as writer:
        writer.add_training(images[:rows], labels, np.arange(rows))
        writer.add_test(images[rows:], np.arange(1, len(images) - rows + 1))
        writer.finish(fingerprint=name, origin="test", sources={}, rejected_rows=0)
    return open_named(name)


@pytest.fixture
def model(dataset, capsys) -> TrainedModel:
    """A run on it, trained."""
    run = create_run(tiny_config(dataset, model="small"), "few")
    reporter = Reporter(run, Status(RUNNING))
    with reporter.alive():
        reporter.end(*worker._train(run, reporter))
    assert never_learned(FOUR, KAGGLE_15) in capsys.readouterr().out
    return trained_model("few")


def test_the_whole_way(dataset, model, capsys, tmp_path):
    # The run says it, and its model's file.
    status = model.run.status
    assert status.state == FINISHED
    assert status.reason == never_learned(FOUR, KAGGLE_15)
    assert all(label in status.reason for label in OTHERS)
    learned = Reference.read(model.path, KAGGLE_15).learned
    assert learned.tolist() == [
        18 - (name == "nose_tip") if known else 0
        for name, known in zip(KAGGLE_15.names, FOUR, strict=True)
    ]

    # Its error is over the four points, in the history, in what it left and in 'evaluate'.
    held = dataset.keypoints[::4]
    left = stored_validation(model, dataset)
    assert np.isfinite(held).all()
    assert np.isnan(left.points[:, ~FOUR]).all()
    four = rmse(left.points, counting(held, FOUR))
    assert status.best_rmse_px == pytest.approx(four, rel=1e-5)
    capsys.readouterr()
    assert main(["evaluate", "few", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["rmse_px"] == pytest.approx(status.best_rmse_px, rel=1e-4)
    assert scores["not_scored"] == NAMES
    assert scores["learned_labels"] == dict(zip(KAGGLE_15.names, learned.tolist(), strict=True))
    assert [scores["per_keypoint"][name]["n"] for name in NAMES] == [0] * 11
    assert scores["by_source"]["many-point rows"]["n_points"] == 4 * 6
    assert main(["evaluate", "few"]) == 0
    text = capsys.readouterr().out
    assert "Not scored: 11 points that the model never learned from a label: left eye" in text
    made = predict(model, dataset)
    assert np.isfinite(made.points[:, FOUR]).all()
    assert np.isnan(made.points[:, ~FOUR]).all()

    # Samples for the Train page have no ring for them.
    assert np.isnan(model.run.samples(2)[:, ~FOUR]).all()
    assert np.isfinite(model.run.samples(2)[:, FOUR]).all()

    face = photos_and_submissions(dataset, model, capsys, tmp_path / "submission.csv")
    queue_and_drafts(dataset, model, face)


def photos_and_submissions(dataset, model, capsys, target):
    pipeline = open_pipeline(model)
    [face] = pipeline(photo_of(np.asarray(dataset.images[0])))
    assert face.given.tolist() == FOUR.tolist()
    assert 0 <= face.score <= 1
    with pytest.raises(UserError, match="never learned from a label: left eye inner corner"):
        make_submission(pipeline, dataset)
    assert main(["submit", "--dataset", "mixed", "--model", "few", "-o", str(target)]) == 2
    assert "Train on rows that label them" in capsys.readouterr().err
    assert not target.exists()
    return face


def queue_and_drafts(dataset, model, face):
    labels = Labels.original(dataset)
    unseen = unseen_by([reference(model, dataset, labels.points)], dataset)
    assert unseen.known.sum() == 6
    unseen.expected[:, FOUR] = 0.1  # as sure as can be
    holes = labels.points.copy()
    holes[0] = np.nan
    found = find_suspects(Labels.original(replace(dataset, keypoints=holes)), unseen)
    offered = {k for s in found for k in s.keypoints if s.reason == "missing"}
    assert offered == set(np.flatnonzero(FOUR))
    assert all(FOUR[list(s.keypoints)].all() for s in found if s.row % 4 == 0)
    store = LabelStore(dataset)
    suggest(store, {0: face.inside}, "few")
    drafts, _ = suggested(store, 0)
    assert np.isfinite(drafts).all(axis=1).tolist() == FOUR.tolist()


def test_where_points_lie_that_only_drawn_faces_have(dataset):
    run = create_run(tiny_config(dataset, model="small", epochs=1, demo_share=0.5), "drawn")
    reporter = Reporter(run, Status(RUNNING))
    with reporter.alive():
        reporter.end(*worker._train(run, reporter))
    assert run.status.reason == ""
    reference = Reference.read(run.best, KAGGLE_15)
    assert reference.taught.all()
    exact = render_faces(0, 0, 60)[1].mean(axis=0)
    assert reference.points == pytest.approx(exact, abs=5)  # the middle would be farther off


def test_a_validation_part_without_any_of_the_four_is_one_sentence(dataset):
    labels = dataset.keypoints.copy()
    labels[::4, FOUR] = np.nan
    from fkd.training.compiling import loss_of
    from fkd.training.validation import Validation

    config = tiny_config(dataset, model="small")
    spoilt = replace(dataset, keypoints=labels)
    with pytest.raises(UserError, match="No validation image of 'mixed' has a label of a point"):
        Validation(spoilt, config, loss_of(config, KAGGLE_15), FOUR)
    Validation(dataset, config, loss_of(config, KAGGLE_15), FOUR)


LEFT = KAGGLE_15.index("left_eye_center")


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({}, np.where(FOUR, 18, 0)),
        ({"missing": "mean"}, np.where(FOUR, 18, 0)),  # filled in is not labelled
        ({"demo_share": 0.5}, np.where(FOUR, 27, 9)),  # drawn faces have every point
        ({"augmentation": Augmentation(flip=False)}, np.where(FOUR, 18, 0)),
    ],
)
def test_what_is_counted_is_what_is_trained_on(dataset, settings, counts):
    counts = counts.copy()
    counts[KAGGLE_15.index("nose_tip")] -= 1
    config = tiny_config(dataset, **{"demo_share": 0.0, **settings})
    found = training_examples(dataset, config).learned(config.augmentation.flip)
    assert found.tolist() == counts.tolist()
    assert teaches(dataset, config).tolist() == (counts > 0).tolist()


@pytest.mark.parametrize("flip", [True, False])
def test_of_mirrored_images_the_other_side_is_learned(dataset, flip):
    labels = dataset.keypoints.copy()
    labels[:, KAGGLE_15.mirror_order[LEFT]] = np.nan
    one_sided = replace(dataset, keypoints=labels)
    config = tiny_config(one_sided, demo_share=0.0, augmentation=Augmentation(flip=flip))
    found = training_examples(one_sided, config).learned(config.augmentation.flip)
    assert found[LEFT] == 18
    assert found[KAGGLE_15.mirror_order[LEFT]] == (18 if flip else 0)


def test_complete_rows_teach_every_point(dataset):
    labels = dataset.keypoints.copy()
    labels[1:4] = render_faces(3, 0, 4)[1][1:4]
    some = replace(dataset, keypoints=labels)
    config = tiny_config(some, missing="complete", demo_share=0.0)
    assert training_examples(some, config).learned(True).tolist() == [3] * 15
    assert teaches(some, config).all()


def test_starting_a_training_says_it_at_once(monkeypatch, capsys):
    images, points = render_faces(3, 0, 8)
    written("few", images, np.where(FOUR[:, None], points, np.nan).astype(np.float32))
    monkeypatch.setattr("fkd.training.launcher.launch", lambda run: None)
    words = ["train", "--dataset", "few", "--detach", "--demo-share"]
    assert main([*words, "0"]) == 0
    assert capsys.readouterr().err == f"fkd: {never_learned(FOUR, KAGGLE_15)}\n"
    assert main([*words, "0.5"]) == 0  # drawn faces have every point
    assert capsys.readouterr().err == ""
