"""The training itself, in this process, with a network of a few hundred weights."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import keras
import numpy as np
import pytest
from training_helper import NAME, ROWS, put_tiny, tiny_config

from fkd.errors import UserError
from fkd.evaluation import predictions as made
from fkd.evaluation.metrics import rmse
from fkd.evaluation.parts import VALIDATION, part_of
from fkd.models import zoo
from fkd.models.layers import HeatmapReadout
from fkd.models.saving import load_model
from fkd.models.sources import trained_model
from fkd.registry import remove
from fkd.training import loop
from fkd.training.config import Augmentation
from fkd.training.examples import training_examples
from fkd.training.loop import LossNotFinite, Training
from fkd.training.pipeline import (
    batches_per_epoch,
    epoch_order,
    training_batches,
)
from fkd.training.reporter import Reporter
from fkd.training.runs import create_run
from fkd.training.status import CANCELLED, FINISHED, RUNNING, STOPPED, STOPPING, Status


def small(schema):
    inputs = keras.Input((schema.height, schema.width, 1))
    x = keras.layers.Rescaling(1 / 128, -1.0)(inputs)
    x = keras.layers.Conv2D(4, 8, 8, activation="relu")(x)
    x = keras.layers.Dropout(0.2)(keras.layers.BatchNormalization(momentum=0.5)(x))
    maps = [keras.layers.Conv2D(len(schema), 1)(x) for _ in range(2)]
    return keras.Model(inputs, HeatmapReadout(8)(maps))


@pytest.fixture(autouse=True)
def small_model(monkeypatch):
    monkeypatch.setitem(zoo.MODELS, "small", small)


@pytest.fixture
def dataset(tiny_drawn):
    return put_tiny(tiny_drawn)


def new(dataset, **settings):
    return create_run(tiny_config(dataset, **{"model": "small", "epochs": 3, **settings}))


def train(run, dataset) -> tuple[str, str]:
    reporter = Reporter(run, Status(RUNNING))
    with reporter.alive():
        state, reason = Training(run, run.config, dataset, reporter).go()
        reporter.end(state, reason)
    return state, reason


def losses(run) -> list[float]:
    return [row.val_rmse_px for row in run.history if row.whole]


def test_a_run_leaves_everything_that_its_folder_promises(dataset):
    run = new(dataset)
    assert train(run, dataset) == (FINISHED, "")
    status, rows = run.status, [row for row in run.history if row.whole]
    assert [row.epoch for row in rows] == [1, 2, 3]
    assert (status.epoch, status.epochs, status.share) == (3, 3, 1.0)
    best = min(rows, key=lambda row: row.val_rmse_px)
    assert status.best_epoch == best.epoch
    assert status.best_rmse_px == pytest.approx(best.val_rmse_px)
    assert run.sample_epochs() == [1, 2, 3]
    assert run.samples(3).shape == (len(run.sample_rows()), 15, 2)
    assert set(run.sample_rows()) <= set(run.config.split.validation)
    assert list((run.folder / "tensorboard" / "validation").glob("events*"))
    assert not list(run.folder.glob(".incoming*"))
    # What is stored beside the model is what the model says, and scores as the history says.
    model = trained_model(run.name)
    stored = made.stored_validation(model, dataset)
    fresh = made.predict(model, dataset)
    assert stored.points == pytest.approx(fresh.of_rows(stored.rows).points, abs=1e-3)
    part = part_of([model], dataset, VALIDATION)
    rows, truth = dataset.rows[part.at], np.asarray(dataset.keypoints[part.at])
    assert rmse(stored.points, truth) == pytest.approx(best.val_rmse_px, rel=1e-5)
    assert made.stored(model, dataset).points == pytest.approx(fresh.points)


def test_the_curve_begins_with_the_first_batch_and_whoever_waits_is_told(dataset):
    run = new(dataset)
    told: list[int] = []
    training = Training(run, run.config, dataset, Reporter(run, Status(RUNNING)))
    training.go(lambda: told.append(training.batches))
    assert told == [1]
    first, second, *_ = run.history
    assert (first.step, second.step) == (1, 3)
    assert np.isnan(first.images_per_second)  # most of its time was for compiling
    assert second.images_per_second > 0


def test_stored_predictions_are_made_anew_when_model_or_data_change(dataset):
    run = new(dataset, epochs=1)
    train(run, dataset)
    model = trained_model(run.name)
    made.predict(model, dataset)
    assert made.stored(model, dataset) is not None
    output = next(run.folder.glob("predictions/*/output.npy"))
    whole = output.read_bytes()
    output.write_bytes(whole[:-100])
    assert made.stored(model, dataset) is None
    output.write_bytes(whole)
    assert made.stored(model, dataset) is not None
    run.best.touch()
    assert made.stored(model, dataset) is None


def stop_after(monkeypatch, run, batches: int, cancel: bool = False) -> None:
    """Ask the run to end once it has trained ``batches`` batches."""
    append, count = loop.Training._asked, 0

    def asked(self):
        nonlocal count
        if count == batches:
            Status(RUNNING).attended().write(run.folder)
            run.request_stop(cancel=cancel)
        count += 1
        return append(self)

    monkeypatch.setattr(loop.Training, "_asked", asked)


@pytest.mark.parametrize("batches", [3, 5, 7, 14])
def test_stopped_and_resumed_is_as_never_stopped(dataset, monkeypatch, batches):
    """Same history, same order, same augmentation, same schedule, wherever it was stopped."""
    varied = {
        **{"augmentation": Augmentation(), "epochs": 4, "average": 0.9},
        **{"weight_decay": 0.3, "learning_rate": 0.02},
    }
    whole, parts = new(dataset, **varied), new(dataset, **varied)
    train(whole, dataset)
    with monkeypatch.context() as patch:
        stop_after(patch, parts, batches)
        state, _ = train(parts, dataset)
    assert state == STOPPED
    assert parts.best.is_file()
    parts.clear_requests()
    assert train(parts, dataset)[0] == FINISHED
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-5)
    courses = [[(row.loss, row.rmse_px) for row in r.history if row.whole] for r in (parts, whole)]
    assert np.array(courses[0]) == pytest.approx(np.array(courses[1]), rel=1e-2)
    first, second = (load_model(run.last, compile=True) for run in (parts, whole))
    for one, other in zip(first.weights, second.weights, strict=True):
        assert one.numpy() == pytest.approx(other.numpy(), rel=1e-4, abs=1e-6), one.path
    steps = [row.step for row in parts.history if row.whole]
    assert steps == [row.step for row in whole.history if row.whole]
    rates = [row.learning_rate for row in parts.history if row.whole]
    assert rates == pytest.approx([r.learning_rate for r in whole.history if r.whole], rel=1e-5)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_resumed_run_has_the_optimizer_that_it_began_with(dataset, monkeypatch, precision):
    """In float16 steps are skipped until the loss scale fits; they count as batches all the
    same."""
    run = new(dataset, weight_decay=0.3, average=0.9, precision=precision)
    stop_after(monkeypatch, run, 6)
    train(run, dataset)
    run.clear_requests()
    try:
        again = Training(run, run.config, dataset, Reporter(run, Status(RUNNING)))
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert (again.epoch, again.step) == (1, 2)
    optimizer = getattr(again.model.optimizer, "inner_optimizer", again.model.optimizer)
    decays = {v.name for v in again.model.trainable_variables if optimizer._use_weight_decay(v)}
    assert decays == {"kernel"}


def test_the_first_look_comes_early_and_changes_nothing(dataset, monkeypatch):
    without, with_look = (new(dataset, average=0.9) for _ in range(2))
    train(without, dataset)
    monkeypatch.setattr(loop, "FIRST_LOOK", 2)
    train(with_look, dataset)
    first = next(row for row in with_look.history if row.validated)
    assert (first.epoch, first.step, first.whole) == (0.5, 2, False)
    assert losses(with_look) == pytest.approx(losses(without), rel=1e-5)
    assert with_look.sample_epochs() == [1, 2, 3]


def test_averages_are_judged_and_training_goes_on_from_the_weights(dataset):
    """What is kept as best is the average; what training goes on with is not."""
    run = new(dataset, epochs=6, average=0.9)
    train(run, dataset)
    best, last = load_model(run.best), load_model(run.last, compile=True)
    for which, one in enumerate(best.trainable_variables):
        trained = last.trainable_variables[which].numpy()
        average = last.optimizer._model_variables_moving_average[which].numpy()
        assert one.numpy() == pytest.approx(average)
        assert np.abs(trained - average).max() > 1e-6


def test_stopping_in_the_first_epoch_keeps_the_weights(dataset, monkeypatch):
    run = new(dataset)
    stop_after(monkeypatch, run, 2)
    assert train(run, dataset)[0] == STOPPED
    assert run.best.is_file()
    assert run.last.is_file()
    assert run.status.best_epoch == 1


def test_stopping_before_the_first_batch_says_that_there_is_nothing(dataset, monkeypatch):
    run = new(dataset)
    stop_after(monkeypatch, run, 0)
    state, reason = train(run, dataset)
    assert state == STOPPED
    assert "no weights" in reason
    assert not run.best.exists()


def test_cancelling_discards_the_weights(dataset, monkeypatch):
    run = new(dataset)
    stop_after(monkeypatch, run, 6, cancel=True)
    assert train(run, dataset)[0] == CANCELLED
    assert not run.best.exists()
    assert not run.last.exists()
    assert not run.resumable


def test_patience_ends_a_run_that_does_not_get_better(dataset):
    run = new(dataset, epochs=30, patience=2, learning_rate=1e-8, schedule="constant", average=0.0)
    state, reason = train(run, dataset)
    assert state == FINISHED
    assert run.status.epoch < 30
    assert run.status.plateau >= 2
    assert "No better validation error for 2 epochs" in reason


def test_a_loss_that_is_not_finite_fails_in_words_and_keeps_the_checkpoint(dataset, monkeypatch):
    run = new(dataset)
    train_step, count = loop.AfterBatch.on_train_batch_end, 0

    def poisoned(self, batch, logs):
        nonlocal count
        count += 1
        if count == 7:
            kernel = self.model.trainable_variables[0]
            kernel.assign(np.full(kernel.shape, np.nan))
        train_step(self, batch, logs)

    monkeypatch.setattr(loop.AfterBatch, "on_train_batch_end", poisoned)
    with pytest.raises(LossNotFinite, match=r"(nan|NaN) in epoch 2, batch 4\. A learning"):
        train(run, dataset)
    assert [row.epoch for row in run.history if row.whole] == [1]
    monkeypatch.undo()
    monkeypatch.setitem(zoo.MODELS, "small", small)
    monkeypatch.setenv("FKD_HOME", str(run.folder.parents[1]))
    assert train(run, dataset)[0] == FINISHED
    assert [row.epoch for row in run.history if row.whole] == [1, 2, 3]
    assert all(math.isfinite(loss) for loss in losses(run))


def test_a_dataset_removed_meanwhile_fails_in_words(dataset, monkeypatch):
    run = new(dataset)
    keep = loop.Training._keep

    def keep_then_remove(self, result):
        keep(self, result)
        remove(NAME)

    monkeypatch.setattr(loop.Training, "_keep", keep_then_remove)
    with pytest.raises(UserError, match="Dataset 'tiny' was removed while it was trained on"):
        train(run, dataset)
    assert run.last.is_file()


def test_a_damaged_checkpoint_is_one_sentence(dataset):
    run = new(dataset, epochs=1)
    train(run, dataset)
    run.last.write_bytes(b"no model")
    with pytest.raises(UserError, match="cannot be read"):
        train(run, dataset)


def test_the_state_is_stopping_while_the_weights_are_kept(dataset, monkeypatch):
    run = new(dataset)
    seen = []
    save = loop.saving.save_model

    def spy(model, path, **options):
        seen.append((path.name, Status.read(run.folder).state))
        save(model, path, **options)

    monkeypatch.setattr(loop.saving, "save_model", spy)
    stop_after(monkeypatch, run, 2)
    train(run, dataset)
    assert ("last.keras", STOPPING) in seen


# --- which images, in which order ---


def test_every_row_of_the_split_or_complete_ones_or_filled(dataset):
    config = tiny_config(dataset)
    every = training_examples(dataset, config)
    assert len(every) == ROWS - ROWS // 4
    truth = dataset.keypoints[config.split.training]
    assert np.array_equal(every.targets[..., 2] == 1, np.isfinite(truth).all(axis=-1))
    complete = training_examples(dataset, replace(config, missing="complete"))
    assert len(complete) == np.isfinite(truth).all(axis=(1, 2)).sum()
    assert (complete.targets[..., 2] == 1).all()
    filled = training_examples(dataset, replace(config, missing="mean"))
    assert np.array_equal(filled.targets[..., 2] == 1, every.targets[..., 2] == 1)
    assert (filled.targets[..., 2] > 0).all()
    gone = np.isnan(truth[..., 0])
    mean = np.broadcast_to(np.nanmean(truth, axis=0), truth.shape)
    assert filled.targets[gone, :2] == pytest.approx(mean[gone])


def test_drawn_faces_are_mixed_in_and_picked_by_index(dataset):
    config = tiny_config(dataset, demo_share=0.5)
    mixed = training_examples(dataset, config)
    assert len(mixed) == 18 + 9
    assert (mixed.targets[18:, :, 2] == 1).all()
    picked = mixed.pick(np.array([20, 0, 26]))
    assert np.array_equal(picked[1], dataset.images[config.split.training[0]])
    assert np.array_equal(picked[0], mixed.images[1][2])
    assert np.array_equal(picked[2], mixed.images[1][8])


def test_an_epoch_shows_each_row_at_most_once_and_the_next_another_order(dataset):
    config = tiny_config(dataset)
    examples = training_examples(dataset, config)
    assert batches_per_epoch(examples, config) == 4  # 18 rows in fours
    shown = np.concatenate([y.numpy() for _, y in training_batches(examples, config, 0)])
    assert len(np.unique(shown[:, 0, :2], axis=0)) == 16
    assert not np.array_equal(epoch_order(18, 0, 0), epoch_order(18, 0, 1))
    assert sorted(epoch_order(18, 0, 3)) == list(range(18))


def test_a_later_first_step_gives_the_same_batches(dataset):
    config = tiny_config(dataset, augmentation=Augmentation())
    examples = training_examples(dataset, config)
    whole = [x.numpy() for x, _ in training_batches(examples, config, 2)]
    rest = [x.numpy() for x, _ in training_batches(examples, config, 2, first_step=2)]
    assert len(rest) == len(whole) - 2
    for one, other in zip(whole[2:], rest, strict=True):
        assert np.array_equal(one, other)


def test_sample_rows_are_kept_with_the_run(dataset):
    run = new(dataset, epochs=1)
    train(run, dataset)
    assert json.loads((run.folder / "samples" / "rows.json").read_text()) == list(run.sample_rows())
