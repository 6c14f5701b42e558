"""Model files are looked through before Keras gets them: what wants too much, or more than to
compute, is refused at once, in one sentence and without the memory that it asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import hostile_models_helper as hostile
import keras
import numpy as np
import pytest
from hostile_models_helper import ENTRIES, FILES

from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.models import screening, zoo
from fkd.models.losses import KeypointLoss, PixelError
from fkd.models.saving import load_model, save_model
from fkd.models.screening import LAYERS, Refused
from fkd.training.compiling import compile_model
from fkd.training.config import RunConfig

ROOT = Path(__file__).resolve().parents[1]
MEMORY_MB, SECONDS = 150, 5


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, tuple[str, float, float]]:
    """What became of every hostile model in one process of its own."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile.write_all(folder)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "hostile_models_helper.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = [line[7:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: tuple(rest) for name, *rest in map(json.loads, lines)}


@pytest.mark.parametrize("name", [*ENTRIES, *FILES])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_model_is_refused_in_one_sentence(results, name):
    said, seconds, megabytes = results[name]
    assert said.startswith("The model in "), said
    assert " cannot be read (" in said
    assert "\n" not in said
    assert len(said) < 700
    assert seconds < SECONDS
    assert megabytes < MEMORY_MB


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dense of 10^9", "layer 'dense' would need 2,305,000,000,000 weights"),
        ("dense of 10^5", "layer 'dense' would need 230,500,000 weights"),
        ("upsampling 10^4", "layer 'relu' gives 240000 x 240000 x 4 numbers for an image"),
        ("much to compute", "computes too much for an image"),
        ("1,500 layers", "1,506 layers, more than 1,000"),
        ("lambda", "a layer of the kind 'Lambda', which no model here may have"),
        ("os.system", "a part of the kind 'function', which no model here may have"),
        ("models in models", "a layer of the kind 'Functional'"),
        ("an array that is not there", "4,000,000,000,000 bytes that are not there"),
        ("a link to another file", "refers to other places"),
        ("30,000 files", "a zip of too many files"),
    ],
)
def test_what_is_wrong_is_said(results, name, words):
    assert words in results[name][0]


def test_layers_that_need_more_than_the_file_holds(tmp_path):
    """Within every bound, but for weights that are not there."""
    path = hostile.written(tmp_path / "m.keras", hostile.setting("conv", filters=40))
    with pytest.raises(UserError, match="layers need 691,630 weights and it holds 69,190"):
        load_model(path)


@pytest.mark.parametrize("what", ["build_config", "shared_object_id"])
def test_keras_goes_by_what_was_looked_at(tmp_path, what):
    """What is written beside a layer, such as a shape that it be built for or whose twin it is,
    would take Keras elsewhere than where this program looked."""
    good = load_model(hostile.written(tmp_path / "good.keras", hostile.small_file()))

    def twin(config):
        hostile.layer(config, "flat")["shared_object_id"] = 7
        hostile.layer(config, "relu")["shared_object_id"] = 7

    entries = hostile.misled_build() if what == "build_config" else hostile.changed(twin)
    path = hostile.written(tmp_path / "m.keras", entries)
    image = np.random.default_rng(0).uniform(0, 255, (1, 96, 96, 1)).astype(np.float32)
    assert np.array_equal(load_model(path)(image), good(image))


@pytest.mark.parametrize(
    ("build", "takes"),
    [
        (lambda x: keras.layers.Dense(30)(keras.layers.Flatten()(x)), "(None, 96, 96, 1)"),
        (keras.layers.Reshape((96, 96)), "(None, 96, 96)"),
    ],
)
def test_a_model_of_something_else(tmp_path, build, takes):
    inputs = keras.Input((96, 96, 1))
    path = tmp_path / "m.keras"
    keras.Model(inputs, build(inputs)).save(path)
    with pytest.raises(UserError, match="not grey images and points") as refused:
        load_model(path)
    assert takes in str(refused.value)


def test_a_model_of_several_inputs(tmp_path):
    one, two = keras.Input((96, 96, 1)), keras.Input((96, 96, 1))
    points = keras.layers.Reshape((15, 2))(
        keras.layers.Dense(30)(keras.layers.Flatten()(keras.layers.Add()([one, two])))
    )
    keras.Model([one, two], points).save(tmp_path / "m.keras")
    with pytest.raises(UserError, match="not grey images and points"):
        load_model(tmp_path / "m.keras")


def test_a_pipe_and_a_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe.keras")
    (tmp_path / "folder.keras").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(UserError, match="There is no model"):
            load_model(tmp_path / f"{name}.keras")


@pytest.mark.parametrize("name", sorted(zoo.MODELS))
def test_real_models_with_their_optimizers_load(tmp_path, name):
    """Counted are exactly the weights that there are."""
    model = zoo.build(name, KAGGLE_15)
    weights = [weight.numpy() for weight in model.weights]
    for config in configs(name):
        compile_model(model, config, KeypointLoss(), 10)
        path = tmp_path / "m.keras"
        save_model(model, path, optimizer=True)
        loaded = load_model(path, compile=True)
        assert type(loaded.optimizer) is type(model.optimizer)
        assert len(loaded.optimizer.variables) == len(model.optimizer.variables)
        for here, there in zip(weights, loaded.weights, strict=True):
            assert np.array_equal(here, there.numpy())
        entries = screening._entries(path)
        config_json = screening._config(entries[hostile.CONFIG])
        assert screening._measure(config_json["config"]) == model.count_params()


def configs(name: str) -> list[RunConfig]:
    from fkd.splits import Split

    split = Split(np.arange(9), np.arange(9, 12))
    common = {"dataset": "x", "data_hash": "0", "split": split, "model": name}
    return [
        RunConfig(**common),
        RunConfig(**common, schedule="constant", weight_decay=0.0, average=0.0),
    ]


def test_what_is_learned_in_half_precision_loads(tmp_path):
    policy = keras.mixed_precision.dtype_policy()
    try:
        for name in ("mixed_float16", "mixed_bfloat16"):
            keras.mixed_precision.set_dtype_policy(name)
            model = zoo.build("compact", KAGGLE_15)
            model.compile("adam", KeypointLoss(), metrics=[PixelError()])
            save_model(model, tmp_path / "m.keras", optimizer=False)
            assert load_model(tmp_path / "m.keras").count_params() == model.count_params()
    finally:
        keras.mixed_precision.set_dtype_policy(policy)


def test_every_kind_of_layer_is_counted_right():
    """A further model may use any of them."""
    made = {
        "Activation": {"activation": "relu"},
        "AveragePooling2D": {"pool_size": 2},
        "Conv2D": {"filters": 6, "kernel_size": 3, "groups": 2},
        "Conv2DTranspose": {"filters": 5, "kernel_size": 3, "strides": 2},
        "Cropping2D": {},
        "Dense": {"units": 7},
        "DepthwiseConv2D": {"kernel_size": 3, "depth_multiplier": 2},
        "Dropout": {"rate": 0.5},
        "Rescaling": {"scale": 2.0},
        "Reshape": {"target_shape": (-1, 4)},
        "SeparableConv2D": {"filters": 5, "kernel_size": 3},
        "SpatialDropout2D": {"rate": 0.5},
    }
    several = {"Add", "Average", "Concatenate", "Maximum", "Multiply", "Subtract"}
    for name in sorted(LAYERS - {"InputLayer"}):
        inputs = keras.Input((12, 10, 4))
        layer = getattr(keras.layers, name)(**made.get(name, {}))
        other = keras.layers.ReLU()(inputs)
        model = keras.Model(inputs, layer([inputs, other] if name in several else inputs))
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
        clean = screening._config(json.dumps(config).encode())
        weights = sum(weight.shape.num_elements() for weight in layer.weights)
        assert screening._measure(clean["config"]) == weights, name
        sizes = screening._Sizes()
        for one in clean["config"]["layers"]:
            if one["class_name"] == "InputLayer":
                sizes.take_in(one["name"], one)
        for one in clean["config"]["layers"]:
            for number, node in enumerate(one["inbound_nodes"]):
                assert sizes.follow(one["name"], number, node, one)
        assert sizes.shapes[layer.name, 0] == tuple(model.output_shape[1:]), name


def test_models_written_with_operators(tmp_path):
    inputs = keras.Input((12, 10, 4))
    x = -(inputs / 128 - 1) * 2.0
    x = keras.layers.Conv2D(3, 3, padding="same")(keras.ops.maximum(x, 3 - x) + x)
    x = keras.ops.sqrt(keras.ops.abs(x * keras.layers.AveragePooling2D((12, 10))(x)))
    model = keras.Model(inputs, x)
    config = json.dumps(keras.saving.serialize_keras_object(model))
    clean = screening._config(config.encode())
    assert screening._measure(clean["config"]) == model.count_params()


def test_the_file_that_keras_gets_has_nothing_else_in_it(tmp_path):
    entries = {**hostile.small_file(), "assets/x": b"1", "reference.json": b"{}", "../x": b"2"}
    with screening.zipfile.ZipFile(
        screening.screened(hostile.written(tmp_path / "m.keras", entries))
    ) as file:
        assert sorted(file.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]


def test_refusals_are_errors_of_values():
    assert issubclass(Refused, ValueError)
