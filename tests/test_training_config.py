"""Configurations: bounds, JSON, differences."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fkd.errors import UserError
from fkd.splits import Split
from fkd.training.config import RECIPES, Augmentation, RunConfig
from fkd.training.create import all_settings


def config(**values) -> RunConfig:
    split = Split(np.arange(8), np.arange(8, 10))
    return RunConfig(dataset="demo", data_hash="abc", split=split, **values)


def test_json_gives_the_same_back():
    made = config(
        model="baseline",
        augmentation=Augmentation(rotation=3),
        packages={"keras": "3"},
        **{"epochs": 7, "patience": 3},
    )
    again = RunConfig.from_json(json.loads(json.dumps(made.to_json())))
    assert again.to_json() == made.to_json()
    assert again.split.digest == made.split.digest
    assert again.augmentation == made.augmentation


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": 0}, "number of epochs must be between 1 and 100000, not 0"),
        ({"batch_size": 0}, "batch size"),
        ({"learning_rate": float("nan")}, "learning rate must be between"),
        ({"learning_rate": -1.0}, "learning rate"),
        ({"missing": "guess"}, "'guess'; there are: mask, complete, mean"),
        ({"schedule": "steps"}, "schedule 'steps'"),
        ({"precision": "int8"}, "precision 'int8'"),
        ({"average": 1.0}, "weight averaging"),
        ({"demo_share": -0.1}, "drawn faces"),
        ({"seed": -1}, "seed"),
        ({"epochs": 1, "warmup_epochs": 2.0}, "warm-up must be between 0 and 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(values, words):
    with pytest.raises(UserError, match=r".") as error:
        config(**values)
    assert words in str(error.value)


def test_augmentation_has_bounds():
    with pytest.raises(UserError, match=r"Rotation .* must be between 0 and 90, not 91"):
        Augmentation(rotation=91)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"split": None},
        {"augmentation": {"twist": 1}},
        {"surprise": 1},
        {"epochs": "many"},
        {"split": {"training": [1, 2], "validation": [2]}},
    ],
)
def test_a_damaged_configuration_is_refused(change):
    value = {**config().to_json(), **change}
    with pytest.raises(UserError):
        RunConfig.from_json(value)
    with pytest.raises(UserError):
        RunConfig.from_json([value])


def test_a_missing_entry_is_named():
    value = config().to_json()
    del value["dataset"]
    with pytest.raises(UserError, match="dataset"):
        RunConfig.from_json(value)


def test_differences_name_what_differs_only():
    one = config(packages={"keras": "3.1"})
    two = config(epochs=5, augmentation=Augmentation(shift=1), packages={"keras": "3.2"})
    assert one.differences(two) == {
        "epochs": (RunConfig.epochs, 5),
        "augmentation.shift": (Augmentation.shift, 1),
    }
    assert one.differences(one) == {}


@pytest.mark.parametrize("model", RECIPES)
def test_recipes_make_configurations(model):
    assert config(**RECIPES[model]).epochs > 0


def test_settings_unfold_to_plain_values():
    flat = config(seed=4, packages={"keras": "3.1"}).flat()
    assert (flat["seed"], flat["augmentation.shift"]) == (4, Augmentation.shift)
    assert flat["split"] == config().split.digest
    assert not {"augmentation", "packages"} & set(flat)


def test_a_recipe_is_changed_by_settings_only():
    assert all_settings("baseline", {"epochs": 5}) == {**RECIPES["baseline"], "epochs": 5}
    with pytest.raises(UserError, match="There is no model 'vgg'"):
        all_settings("vgg", {})
