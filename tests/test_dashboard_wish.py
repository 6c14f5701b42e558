"""What the form asks for: recipes and the changes to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard.training.wish import FRACTION, Wish, recipe
from fkd.errors import UserError
from fkd.splits import Split
from fkd.training.config import RECIPES, Augmentation, RunConfig
from fkd.training.create import all_settings


@pytest.mark.parametrize("model", RECIPES)
def test_an_untouched_form_is_the_recipe(model):
    wish = Wish(model)
    assert wish.settings == {}
    assert wish.augmentation == RECIPES[model].get("augmentation", Augmentation())
    assert wish.value("epochs") == recipe(model)["epochs"]
    wish.check()


def test_only_what_differs_is_a_change():
    wish = Wish()
    wish.change("epochs", 5)
    wish.change("augmentation.shift", 1.0)
    wish.change(FRACTION, 0.2)
    wish.change("seed", 3)
    assert set(wish.changed) == {"epochs", "augmentation.shift", FRACTION, "seed"}
    assert wish.settings == {"epochs": 5, "augmentation": Augmentation(shift=1.0)}
    wish.change("epochs", recipe("compact")["epochs"])
    wish.change(FRACTION, None)  # an emptied field
    assert set(wish.changed) == {"augmentation.shift", "seed"}
    wish.reset()
    assert wish.changed == {}


def test_each_model_has_its_own_changes():
    wish = Wish()
    wish.change("epochs", 5)
    wish.model = "baseline"
    assert wish.changed == {}
    wish.change("augmentation.flip", True)
    assert wish.augmentation == replace(Augmentation.off(), flip=True)
    wish.model = "compact"
    assert wish.value("epochs") == 5


@pytest.mark.parametrize("model", RECIPES)
def test_like_a_run_of_the_recipe_nothing_is_changed(model):
    split = Split(np.arange(18), np.arange(18, 20))
    settings = all_settings(model, {"patience": 3, "epochs": 4})
    wish = Wish.like(RunConfig("demo", "abc", split, model=model, **settings))
    assert wish.changed == {"patience": 3, "epochs": 4}


@pytest.mark.parametrize(
    ("setting", "value"),
    [("epochs", 0), ("seed", -1), ("augmentation.rotation", 500.0), ("learning_rate", 99.0)],
)
def test_what_makes_no_sense_is_one_sentence(setting, value):
    wish = Wish()
    wish.change(setting, value)
    with pytest.raises(UserError, match="must be between"):
        wish.check()


def test_like_a_run_the_share_held_back_is_that_of_its_split():
    split = Split(np.arange(80), np.arange(80, 100))
    wish = Wish.like(RunConfig("demo", "abc", split, **all_settings("compact", {})))
    assert wish.changed == {FRACTION: 0.2}
