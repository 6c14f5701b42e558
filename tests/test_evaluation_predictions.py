"""Predictions made once by a real model, read again, and made anew when they do not fit."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from evaluation_helper import labelled, make_run, output_of, store_all, store_validation
from filelock import FileLock

from fkd.errors import Cancelled, UserError
from fkd.evaluation.predictions import Predictions, predict, stored, stored_validation, version

DATASET = labelled()
HASH = DATASET.content_hash[:16]


@pytest.fixture
def model():
    return make_run(DATASET, "one")


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """An untrained small model."""
    from fkd.models.saving import save_model
    from fkd.models.zoo import build

    path = tmp_path_factory.mktemp("weights") / "best.keras"
    save_model(build("compact", DATASET.schema), path, optimizer=False)
    return path


def test_stored_predictions_come_back(model):
    assert stored(model, DATASET) is None
    output = output_of(DATASET, 3)
    store_all(model, DATASET, output)
    found = stored(model, DATASET)
    np.testing.assert_array_equal(found.points, output[..., :2])
    np.testing.assert_array_equal(found.expected, output[..., 2])
    np.testing.assert_array_equal(found.rows, DATASET.rows)


def test_of_another_model_file_or_dataset_they_are_not_taken(model):
    store_all(model, DATASET, output_of(DATASET, 3))
    assert stored(model, labelled(30)) is None
    os.utime(model.path, ns=(1, 1))
    assert stored(model, DATASET) is None


def test_the_version_tells_that_something_has_changed(model):
    seen = [version(model, DATASET)]
    store_validation(model, DATASET, output_of(DATASET, 3))
    seen.append(version(model, DATASET))
    store_all(model, DATASET, output_of(DATASET, 3))
    seen.append(version(model, DATASET))
    os.utime(model.path, ns=(1, 1))
    seen.append(version(model, DATASET))
    assert len(set(seen)) == len(seen)
    assert version(model, labelled(30)) != version(model, DATASET)


def _spoilt(output: np.ndarray) -> dict[str, bytes]:
    def as_file(array: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    whole, nan = as_file(output), output.copy()
    nan[3, 2, 1] = np.nan
    return {
        "cut": whole[: len(whole) // 2],
        "header": whole[:20] + b"{((" + whole[23:],
        "empty": b"",
        "short": as_file(output[:-1]),
        "points": as_file(output[:, :-1]),
        "numbers": as_file(output[..., :1]),
        "flat": as_file(output.ravel()),
        "objects": as_file(output.astype(np.float64)),
        "nan": as_file(nan),
    }


@pytest.mark.parametrize("how", list(_spoilt(output_of(DATASET, 3))))
def test_damaged_ones_are_not_taken(model, how):
    output = output_of(DATASET, 3)
    store_all(model, DATASET, output)
    assert stored(model, DATASET) is not None
    (model.storage / HASH / "output.npy").write_bytes(_spoilt(output)[how])
    assert stored(model, DATASET) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "null"])
def test_a_damaged_note_vouches_for_nothing(model, text):
    store_all(model, DATASET, output_of(DATASET, 3))
    (model.storage / HASH / "about.json").write_text(text)
    assert stored(model, DATASET) is None


def test_what_a_training_left_of_its_validation_part(model):
    assert stored_validation(model, DATASET) is None
    output = output_of(DATASET, 3)
    store_validation(model, DATASET, output)
    found = stored_validation(model, DATASET)
    np.testing.assert_array_equal(found.rows, DATASET.rows[::4])
    np.testing.assert_array_equal(found.points, output[::4, :, :2])
    assert stored_validation(model, labelled(30)) is None


@pytest.mark.parametrize("how", ["cut", "text", "empty", "no rows", "other rows", "nan", "points"])
def test_a_damaged_validation_file_is_not_taken(model, how):
    output, rows = output_of(DATASET, 3)[::4], DATASET.rows[::4]
    store_validation(model, DATASET, output_of(DATASET, 3))
    path = model.run.validation
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    elif how in {"text", "empty"}:
        path.write_text(how if how == "text" else "")
    elif how == "no rows":
        np.savez(path, predicted=output)
    elif how == "other rows":
        np.savez(path, rows=rows + 1, predicted=output)
    elif how == "nan":
        np.savez(path, rows=rows, predicted=np.full_like(output, np.nan))
    else:
        np.savez(path, rows=rows, predicted=output[:, :3])
    assert stored_validation(model, DATASET) is None


def test_rows_are_found_in_any_order():
    found = Predictions.of_output("one", DATASET.rows, output_of(DATASET, 3))
    wanted = DATASET.rows[[7, 2, 2]]
    np.testing.assert_array_equal(found.of_rows(wanted).points, found.points[[7, 2, 2]])
    with pytest.raises(UserError, match="not asked about row 6"):
        found.of_rows(np.array([5, 6]))


def test_a_model_predicts_once(model, weights):
    model.path.write_bytes(weights.read_bytes())
    reports = []
    first = predict(model, DATASET, lambda *report: reports.append(report))
    assert first.points.shape == (24, 15, 2)
    assert (first.expected > 0).all()
    assert reports == [("loading the model", 0, 0), ("predicting", 24, 24)]
    again = predict(model, DATASET, lambda *report: pytest.fail(f"made again: {report}"))
    np.testing.assert_array_equal(again.points, first.points)
    left = {path.name for path in (model.storage / HASH).iterdir()}
    assert left <= {"about.json", "output.npy", ".lock"}


def test_who_waits_for_another_process_can_stop(model):
    (model.storage / HASH).mkdir(parents=True)

    def stop(stage: str, done: int, total: int) -> None:
        assert stage == "waiting for another process that predicts"
        raise Cancelled("Stopped.")

    with FileLock(model.storage / HASH / ".lock"), pytest.raises(Cancelled):
        predict(model, DATASET, stop)


def test_stopping_leaves_nothing_half_written(model, weights):
    model.path.write_bytes(weights.read_bytes())

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "predicting":
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        predict(model, DATASET, stop)
    assert {path.name for path in (model.storage / HASH).iterdir()} <= {".lock"}


def test_a_full_disk_leaves_nothing_half_written(model, weights, monkeypatch):
    model.path.write_bytes(weights.read_bytes())

    def full(path: Path, array: np.ndarray) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space"):
        predict(model, DATASET)
    assert {path.name for path in (model.storage / HASH).iterdir()} <= {".lock"}


def test_a_model_that_changes_meanwhile_leaves_predictions_of_the_old_one(model, weights):
    model.path.write_bytes(weights.read_bytes())
    old = model.stamp

    def replace(stage: str, done: int, total: int) -> None:
        os.utime(model.path, ns=(1, 1))

    predict(model, DATASET, replace)
    about = json.loads((model.storage / HASH / "about.json").read_text())
    assert about["model"] == old != model.stamp
    assert stored(model, DATASET) is None


def test_a_damaged_model_is_one_sentence(model):
    with pytest.raises(UserError, match="cannot be read"):
        predict(model, DATASET)
    assert stored(model, DATASET) is None


def test_a_model_gone_astray_is_one_sentence(model, weights):
    from fkd.models.saving import load_model, save_model

    network = load_model(weights)
    network.set_weights([np.full_like(w, np.nan) for w in network.get_weights()])
    save_model(network, model.path, optimizer=False)
    with pytest.raises(UserError, match=r"not finite \(row 5\)"):
        predict(model, DATASET)
    assert stored(model, DATASET) is None
