"""The training itself: epochs of batches, each epoch validated and kept."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import keras
import numpy as np

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.files import replace_text, replacing, sweep
from fkd.inference.reference import NOTE, Reference
from fkd.models import saving, zoo
from fkd.models.predictor import Predictor
from fkd.splits import positions
from fkd.training import checkpoint, devices, history
from fkd.training.checkpoint import Best, Place
from fkd.training.compiling import compile_model, loss_of, restart_average, take_over
from fkd.training.config import RunConfig
from fkd.training.estimate import remaining
from fkd.training.examples import Examples, training_examples
from fkd.training.pipeline import batches_per_epoch, training_batches
from fkd.training.reporter import EventLog, Reporter
from fkd.training.runs import Run
from fkd.training.status import CANCELLED, COMPILING, FINISHED, STOPPED, STOPPING, TRAINING
from fkd.training.validation import Validated, Validation

BATCH_ROWS_S = 2.0
"""Seconds between two rows of the history within an epoch."""

EARLY_ROWS = (1, 3, 9, 27)
"""Batches since the start after which there is a row besides: the curve begins with the first."""

FIRST_LOOK = 52
"""Batches until the first validation, where the first epoch has more: nobody should wait for
minutes to see whether it learns."""


class LossNotFinite(UserError):
    """The loss became NaN or infinite."""


class AfterBatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Calls ``act`` with the running loss and error after each batch; ends ``fit`` once that
    returns False. ``fit`` ends by putting averaged weights in place of the trained ones; this puts
    those back, so that training goes on from them."""

    def __init__(self, act: Callable[[dict[str, float]], bool]) -> None:
        super().__init__()
        self._act = act
        self._trained: list[Any] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if not self._act(logs or {}):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._trained = [v.numpy() for v in self.model.trainable_variables]

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        for variable, value in zip(self.model.trainable_variables, self._trained, strict=True):
            variable.assign(value)


class Training:
    """One part of a run, from its beginning or its last checkpoint to its end."""

    def __init__(
        self,
        run: Run,
        config: RunConfig,
        dataset: Dataset,
        reporter: Reporter,
        examples: Examples | None = None,
    ) -> None:
        """``examples``: what ``training_examples`` gives, where it was asked before."""
        self.run, self.config, self.dataset, self.reporter = run, config, dataset, reporter
        keras.utils.set_random_seed(config.seed)
        devices.start_sooner()
        devices.set_precision(devices.resolve_precision(config.precision, config.model))
        self.examples = training_examples(dataset, config) if examples is None else examples
        self.learned = self.examples.learned(config.augmentation.flip)
        self.loss = loss_of(config, dataset.schema)
        self.validation = Validation(dataset, config, self.loss, self.learned > 0)
        self.steps = batches_per_epoch(self.examples, config)
        self.batch = min(config.batch_size, len(self.examples))
        self._first_model()
        self.events = EventLog(run)
        self._write_sample_rows()
        self.batches = 0
        self._started: Callable[[], None] = lambda: None

    # Both are made for the first validation: before, they would only hold up the first batch.
    @cached_property
    def twin(self) -> keras.Model:
        with self.strategy.scope():
            return saving.float32_twin(self.model, self.config.model, self.dataset.schema)

    @cached_property
    def predict(self) -> Predictor:
        return Predictor(self.twin)

    def _first_model(self) -> None:
        """The model where it last stood, else a new one; and everything that depends on it."""
        self.strategy = devices.strategy()
        with self.strategy.scope():
            self.model = zoo.build(self.config.model, self.dataset.schema)
            compile_model(self.model, self.config, self.loss, self.steps)
            self.place = Place.read(self.run)
            if done := self.place.batches(self.steps):
                saved = saving.load_model(self.run.last, compile=True)
                take_over(self.model, saved, done)
        self.rows = history.keep_until(self.run.folder, done)
        self.epoch, self.step = self.place.epoch, self.place.step
        self.logs = self.place.logs
        self.seconds = max((row.seconds for row in self.rows), default=0.0)
        self.best = Best.read(self.run)
        self.reporter.update(
            epoch=self.epoch,
            step=self.step,
            steps=self.steps,
            epochs=self.config.epochs,
            **_best_in_status(self.best),
        )

    def _write_sample_rows(self) -> None:
        folder = self.run.folder / "samples"
        folder.mkdir(exist_ok=True)
        sweep(self.run.folder)
        sweep(folder)
        rows = self.validation.rows[self.validation.samples]
        replace_text(folder / "rows.json", json.dumps(rows.tolist()))

    def go(self, started: Callable[[], None] = lambda: None) -> tuple[str, str]:
        """Train to the end; return the state that it ended in, and why in words. ``started`` is
        called after the first batch."""
        self._started = started
        self.reporter.update(stage=COMPILING)
        while self.epoch < self.config.epochs:
            if asked := self._epoch():
                return self._stopped(asked)
            waited = self.epoch - self.best.epoch if self.best else 0
            if self.config.patience and waited >= self.config.patience:
                return FINISHED, f"No better validation error for {waited} epochs."
        return FINISHED, ""

    def _epoch(self) -> str:
        """Train one epoch, or what is left of it, and validate. Returns the state asked for if
        the user ended it before."""
        if asked := self._asked():
            return asked
        began, first = time.monotonic(), self.step
        told, told_step = began, first
        asked = ""

        def after_batch(logs: dict[str, float]) -> bool:
            nonlocal told, told_step, asked
            self.step += 1
            if not math.isfinite(logs["loss"]):
                raise self._not_finite(f"The loss became {logs['loss']}")
            self.logs = self.place.joined(logs, self.step) if first else logs
            now = time.monotonic()
            self.batches += 1
            if self.batches == 1:
                self._started()
            if now - told >= BATCH_ROWS_S or self.batches in EARLY_ROWS:
                pace = (self.step - told_step) * self.batch / max(now - told, 1e-6)
                if self.batches == 1:
                    pace = math.nan  # most of the time went into compiling
                self._tell(pace, self.seconds + now - began)
                told, told_step = now, self.step
            if not self.epoch and self.step == FIRST_LOOK < self.steps:
                self._first_look(self.seconds + now - began)
            asked = self._asked() if self.step < self.steps else ""
            return not asked

        batches = training_batches(self.examples, self.config, self.epoch, first)
        self.model.fit(
            batches, epochs=1, verbose=0, shuffle=False, callbacks=[AfterBatch(after_batch)]
        )
        if self.epoch == 0:
            restart_average(self.model)  # the first weights of all are worth nothing in it
        spent = time.monotonic() - began
        self.seconds += spent
        if not asked:
            self._end_epoch((self.step - first) * self.batch / spent)
        return asked

    def _not_finite(self, what: str) -> LossNotFinite:
        return LossNotFinite(
            f"{what} in epoch {self.epoch + 1}, batch {self.step}. "
            f"A learning rate below {self.config.learning_rate:g} may help."
        )

    def _asked(self) -> str:
        if self.run.cancel_requested:
            return CANCELLED
        return STOPPED if self.run.stop_requested else ""

    def _tell(self, pace: float, seconds: float) -> None:
        """A row within the epoch, and how long it will still take."""
        self._write(self._row(pace, seconds))
        self.reporter.update(
            stage=TRAINING,
            step=self.step,
            images_per_second=None if math.isnan(pace) else pace,
            elapsed=seconds,
            seconds_left=self._left(),
        )

    def _write(self, row: history.Row) -> None:
        self.rows.append(row)
        history.append(self.run.folder, row)
        self.events.add(row)

    def _left(self) -> float | None:
        left = remaining(self.rows, self.steps, self.config.epochs)
        return left.middle if left else None

    def _row(self, pace: float, seconds: float, **validation: float) -> history.Row:
        return history.Row(
            epoch=self.epoch + self.step / self.steps,
            step=self.epoch * self.steps + self.step,
            loss=float(self.logs["loss"]),
            rmse_px=float(self.logs["rmse_px"]),
            learning_rate=float(self.model.optimizer.learning_rate),
            images_per_second=pace,
            seconds=seconds,
            **validation,
        )

    def _first_look(self, seconds: float) -> None:
        """Validate within the first epoch, for the curves only."""
        restart_average(self.model)
        began = time.monotonic()
        self._write_validated(self._validate(), float("nan"), seconds + time.monotonic() - began)

    def _write_validated(self, result: Validated, pace: float, seconds: float) -> None:
        row = self._row(
            pace,
            seconds,
            val_loss=result.loss,
            val_rmse_px=result.rmse_px,
            val_mae_px=result.mae_px,
            val_nme=result.nme,
        )
        self._write(row)

    def _end_epoch(self, pace: float) -> None:
        began = time.monotonic()
        self.reporter.update(stage="validating", step=self.step)
        self._dataset_is_there()
        result = self._validate()
        self.seconds += time.monotonic() - began
        self._write_validated(result, pace, self.seconds)
        self.epoch, self.step = self.epoch + 1, 0
        self._keep(result)
        self.reporter.update(
            stage=TRAINING,
            epoch=self.epoch,
            step=0,
            images_per_second=pace,
            elapsed=self.seconds,
            seconds_left=self._left(),
            **_best_in_status(self.best),
        )

    def _validate(self) -> Validated:
        saving.copy_weights(self.model, self.twin)
        # Weights can break without a trace in the loss: ReLU turns NaN into 0.
        if not all(np.isfinite(w.numpy()).all() for w in self.twin.variables):
            raise self._not_finite("The weights became NaN")
        predicted = self.predict(self.validation.images)
        return self.validation(predicted)

    def _keep(self, result: Validated) -> None:
        """Samples and checkpoints of an epoch; ``last`` comes last, so that a run killed before
        it does the epoch again."""
        samples = result.predicted[self.validation.samples, :, :2]
        path = self.run.folder / "samples" / f"epoch-{self.epoch:05d}.npy"
        with replacing(path) as beside:
            np.save(beside, samples)
        if self.best is None or result.rmse_px < self.best.rmse_px:
            self._keep_best(result, self.epoch)
        self._keep_last()

    def _keep_best(self, result: Validated, epoch: int) -> None:
        schema = self.dataset.schema
        reference = self._reference.scored(result.predicted, result.rmse_px, schema)
        notes = {NOTE: reference.to_json()}
        saving.save_model(self.twin, self.run.best, optimizer=False, notes=notes)
        checkpoint.save_predictions(
            self.run, rows=self.validation.rows, predicted=result.predicted, epoch=epoch
        )
        self.best = Best(epoch, result.rmse_px)
        self.best.write(self.run)

    @cached_property
    def _reference(self) -> Reference:
        """What is learned from; measured when there is something to keep, not at the start."""
        at = positions(self.dataset, self.config.split.training)
        images, points = self.dataset.images[at], self.dataset.keypoints[at]
        found = Reference.of(images, points, self.dataset.schema, self.examples.labels())
        return replace(found, label_offset=self.config.label_offset, learned=self.learned)

    def _keep_last(self) -> None:
        Place(self.epoch, self.step, **self.logs).save(self.model, self.run)

    def _stopped(self, state: str) -> tuple[str, str]:
        """Answer a request to end: keep the weights, or discard them."""
        if state == CANCELLED:
            self.run.discard_weights()
            return CANCELLED, "Cancelled; its weights were discarded."
        if not self.epoch and not self.step:
            return STOPPED, "Stopped before its first batch; there are no weights yet."
        self.reporter.update(state=STOPPING, stage="keeping the weights")
        if self.best is None:
            self._keep_best(self._validate(), self.epoch + 1)
            self.reporter.update(**_best_in_status(self.best))
        self._keep_last()
        return STOPPED, "Stopped early; the weights are kept."

    def _dataset_is_there(self) -> None:
        folder = self.dataset.folder
        if folder is not None and not os.path.exists(folder / "manifest.json"):
            raise UserError(f"Dataset '{self.dataset.name}' was removed while it was trained on.")


def _best_in_status(best: Best | None) -> dict[str, Any]:
    return {"best_epoch": best.epoch, "best_rmse_px": best.rmse_px} if best else {}
