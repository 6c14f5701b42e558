"""The networks: sizes, what they give, losses, saving in safe mode."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from fkd.errors import UserError
from fkd.evaluation.metrics import rmse
from fkd.keypoints import KAGGLE_15
from fkd.models import zoo
from fkd.models.layers import HeatmapReadout, MeanOfTowers
from fkd.models.losses import KeypointLoss, PixelError, SquaredError
from fkd.models.predictor import Predictor, from_graph
from fkd.models.saving import copy_weights, float32_twin, load_model, save_model
from fkd.training.examples import targets_of

SCHEMA = KAGGLE_15
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    return {name: zoo.build(name, SCHEMA) for name in zoo.MODELS}


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 96, 96), np.uint8)


def test_the_baseline_is_the_network_of_the_notebook(models):
    model = models["baseline"]
    assert model.count_params() == 6_663_070
    kinds = [type(layer).__name__ for layer in model.layers]
    block = ["Conv2D", "MaxPooling2D", "BatchNormalization", "Dropout"]
    assert kinds == [
        *("InputLayer", "Rescaling"),
        *(3 * block),
        *("Flatten", "Dense", "Dropout", "Dense", "Rescaling", "Reshape"),
    ]
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert [c.filters for c in convolutions] == [32, 64, 128]
    assert all(c.padding == "valid" and c.kernel_size == (3, 3) for c in convolutions)
    dropouts = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    assert dropouts == [0.1, 0.2, 0.3, 0.5]


def test_compact_is_small_and_says_how_sure_it_is(models):
    model = models["compact"]
    assert model.count_params() < 1_500_000
    assert zoo.multiply_adds(model) <= zoo.multiply_adds(models["baseline"])
    output = Predictor(model)(images(3))
    assert output.shape == (3, len(SCHEMA), 3)
    assert (output[..., 2] > 0).all()
    assert ((output[..., :2] > -0.5) & (output[..., :2] < 95.5)).all()


def test_an_unknown_model_names_those_that_exist():
    with pytest.raises(UserError, match="no model 'huge'; there are: compact, baseline"):
        zoo.build("huge", SCHEMA)


@pytest.mark.parametrize(("x", "y"), [(1.5, 1.5), (17.5, 41.5), (93.5, 93.5)])
def test_a_sharp_peak_is_read_at_the_centre_of_its_cell(x, y):
    logits = np.full((1, 24, 24, 2), -50.0, np.float32)
    logits[0, int(y) // 4, int(x) // 4] = 50
    read = np.asarray(HeatmapReadout(4)([logits, np.zeros_like(logits)]))
    assert read[0, :, :2] == pytest.approx(np.array([[x, y]] * 2), abs=1e-3)


def test_a_peak_between_cells_is_read_between_them():
    logits = np.full((1, 24, 24, 1), -50.0, np.float32)
    logits[0, 10, 5] = np.log(3)
    logits[0, 10, 6] = np.log(1)
    errors = np.zeros_like(logits)
    errors[0, 10, 5], errors[0, 10, 6] = 4, 8
    read = np.asarray(HeatmapReadout(4)([logits, errors]))[0, 0]
    assert read[0] == pytest.approx((5 + 0.25 + 0.5) * 4 - 0.5, abs=1e-3)
    assert read[1] == pytest.approx(10.5 * 4 - 0.5, abs=1e-3)
    assert read[2] == pytest.approx(np.log1p(np.exp(5)) + 0.05, abs=1e-3)


def test_towers_learn_each_by_itself_and_speak_as_one():
    truth, first = labelled(1)
    second = labelled(2)[1]
    said = [np.concatenate([p, np.full((*p.shape[:2], 1), 2, "f4")], -1) for p in (first, second)]
    towers, targets = MeanOfTowers(), targets_of(truth)
    assert np.asarray(towers(said)) == pytest.approx((said[0] + said[1]) / 2)
    apart = towers(said, training=True)
    for loss in (KeypointLoss(), SquaredError(SCHEMA.width)):
        each = [float(loss(targets, one)) for one in said]
        assert float(loss(targets, apart)) == pytest.approx(np.mean(each), rel=1e-5)
    metric = PixelError()
    metric.update_state(targets, apart)
    assert float(metric.result()) == pytest.approx(rmse((first + second) / 2, truth), rel=1e-5)


@pytest.mark.parametrize("name", zoo.MODELS)
def test_saved_models_load_in_safe_mode_and_say_the_same(models, name, tmp_path):
    path = tmp_path / "model.keras"
    save_model(models[name], path, optimizer=False)
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]
    assert np.array_equal(
        Predictor(load_model(path))(images(2)), Predictor(models[name])(images(2))
    )
    # A new process knows nothing of this one's registrations.
    code = "import pathlib, sys, fkd.models.saving as s; s.load_model(pathlib.Path(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, check=True, capture_output=True
    )


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "other zip", "none"])
def test_a_damaged_model_is_one_sentence(models, tmp_path, damage):
    path = tmp_path / "model.keras"
    if damage == "cut":
        save_model(models["compact"], path, optimizer=False)
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "other zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("hello.txt", "x")
    elif damage != "none":
        path.write_text("" if damage == "empty" else "no model")
    with pytest.raises(UserError, match=r"cannot be read|There is no model") as error:
        load_model(path)
    assert "\n" not in str(error.value)


def test_code_in_a_model_file_is_never_run(tmp_path):
    """A Lambda layer holds Python code; safe mode refuses it."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(UserError, match="cannot be read"):
        load_model(path)


def labelled(seed: int, count: int = 5) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.uniform(0, 95, (count, len(SCHEMA), 2)).astype(np.float32)
    truth[generator.random((count, len(SCHEMA))) < 0.6] = np.nan
    predicted = (np.nan_to_num(truth, nan=40) + generator.normal(0, 3, truth.shape)).astype("f4")
    return truth, predicted


@pytest.mark.parametrize(
    "loss", [SquaredError(SCHEMA.width), KeypointLoss(), KeypointLoss(smooth=2.0)]
)
@pytest.mark.parametrize("channels", [2, 3])
def test_missing_labels_never_count(loss, channels):
    truth, predicted = labelled(0)
    output = np.concatenate([predicted, np.ones((*predicted.shape[:2], channels - 2))], -1)
    targets = targets_of(truth)
    value = float(loss(targets, output))
    gone = np.isnan(truth).any(axis=-1)
    output[gone] += 1000
    targets[gone, :2] = -77
    assert float(loss(targets, output)) == pytest.approx(value)
    nothing = targets * [1, 1, 0]
    assert float(loss(nothing, output)) == 0


def test_the_squared_error_is_the_notebooks():
    truth, predicted = labelled(1)
    here = np.isfinite(truth)
    expected = np.mean(((predicted - truth)[here] / 96) ** 2)
    assert float(SquaredError(SCHEMA.width)(targets_of(truth), predicted)) == pytest.approx(
        expected, rel=1e-5
    )


def test_the_loss_is_the_mean_distance():
    truth, predicted = labelled(1)
    here = np.isfinite(truth).all(axis=-1)
    expected = np.linalg.norm((predicted - truth)[here], axis=-1).mean()
    loss = KeypointLoss(smooth=1e-3)
    assert float(loss(targets_of(truth), predicted)) == pytest.approx(expected, abs=2e-3)
    assert float(loss(targets_of(truth), np.nan_to_num(truth))) == pytest.approx(0, abs=1e-6)


def test_the_expected_error_fits_best_where_it_is_the_mean_distance():
    truth, predicted = labelled(2, 200)
    here = np.isfinite(truth).all(axis=-1)
    distance = np.linalg.norm((predicted - truth)[here], axis=-1).mean()
    loss = KeypointLoss()

    def at(expected: float) -> float:
        output = np.concatenate([predicted, np.full((*here.shape, 1), expected)], -1)
        return float(loss(targets_of(truth), output))

    assert at(distance) < at(0.8 * distance)
    assert at(distance) < at(1.25 * distance)


def test_the_running_error_is_the_one_of_the_metrics():
    metric, parts = PixelError(), [labelled(seed) for seed in range(3)]
    for truth, predicted in parts:
        metric.update_state(targets_of(truth), predicted)
    truth, predicted = (np.concatenate(p) for p in zip(*parts, strict=True))
    assert float(metric.result()) == pytest.approx(rmse(predicted, truth), rel=1e-4)


def test_the_twin_has_the_averaged_weights(models):
    model = zoo.build("compact", SCHEMA)
    model.compile(keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5), KeypointLoss())
    twin = float32_twin_of(model)
    batch = images(4)[..., None].astype(np.float32)
    targets = targets_of(labelled(3, 4)[0])
    first = [w.numpy().copy() for w in model.trainable_variables]
    model.train_on_batch(batch, targets)
    model.train_on_batch(batch, targets)
    copy_weights(model, twin)
    moved = [w.numpy() for w in model.trainable_variables]
    kept = [w.numpy() for w in twin.trainable_variables]
    for start, average, end in zip(first, kept, moved, strict=True):
        reach = np.abs(end - start).max()
        assert reach > 0
        assert not np.array_equal(average, end)
        assert np.abs(average - start).max() <= reach + 0.11
    for mine, theirs in zip(
        model.non_trainable_variables, twin.non_trainable_variables, strict=True
    ):
        assert np.array_equal(mine.numpy(), theirs.numpy())


def float32_twin_of(model: keras.Model) -> keras.Model:
    model.optimizer.build(model.trainable_variables)
    return float32_twin(model, "compact", SCHEMA)


def test_predicting_nothing_gives_nothing(models):
    assert Predictor(models["compact"])(images(0)).shape == (0, len(SCHEMA), 3)


def test_batches_do_not_change_predictions(models):
    predict = Predictor(models["compact"])
    many = images(130)
    assert predict(many)[129] == pytest.approx(predict(many[129:])[0], abs=1e-3)


@pytest.mark.parametrize("name", sorted(zoo.MODELS))
def test_frozen_it_says_the_same_and_keeps_to_it(name):
    model = zoo.build(name, SCHEMA)
    plain, frozen = Predictor(model), Predictor(model, frozen=True)
    before = plain(images(3))
    assert frozen(images(3)) == pytest.approx(before, abs=1e-3)
    for weight in model.trainable_weights:
        weight.assign(weight + 0.01)
    assert frozen(images(3)) == pytest.approx(before, abs=1e-3)
    assert plain(images(3)) != pytest.approx(before, abs=1e-3)
    assert plain.graph == b""
    again = from_graph(frozen.graph)
    assert (
        (again.takes, again.gives)
        == (frozen.takes, frozen.gives)
        == (SCHEMA.image_size, before.shape[1:])
    )
    assert again(images(3)) == pytest.approx(before, abs=1e-3)
    assert again(images(0)).shape == (0, *before.shape[1:])


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", bytes(100)])
def test_what_is_no_graph_is_refused(data):
    with pytest.raises(ValueError, match="no graph of a model"):
        from_graph(data)
