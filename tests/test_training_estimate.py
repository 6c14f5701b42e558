"""How long a training will take: from what was measured, else a guess that says so."""

from __future__ import annotations

import numpy as np
import pytest

from fkd.splits import Split
from fkd.training.config import RECIPES, RunConfig
from fkd.training.estimate import (
    DEFAULT_PACE,
    START_S,
    Past,
    comparable,
    estimate,
    images_per_epoch,
    pace,
    remaining,
    usual_stage,
    usual_start,
)
from fkd.training.history import Row


def config(images: int = 1000, **values) -> RunConfig:
    split = Split(np.arange(images), np.arange(images, images + 50))
    return RunConfig(dataset="demo", data_hash="abc", split=split, **values)


def epoch(number: float, step: int, seconds: float, *, whole: bool = True) -> Row:
    error = 2.0 if whole else float("nan")
    return Row(number, step, loss=1.0, rmse_px=2.0, val_rmse_px=error, seconds=seconds)


def past(speed: float, images: int = 1000, **values) -> Past:
    return Past(values.get("model", "compact"), values.get("machine", "here"), images, speed, {})


def test_a_guess_says_that_it_is_one_and_is_wide():
    guess = estimate("compact", 2500, 10)
    assert guess.runs == 0
    assert guess.seconds.low < START_S + 100 < guess.seconds.high
    assert guess.seconds.high - guess.seconds.low > 50


@pytest.mark.parametrize("model", [*RECIPES, "another"])
def test_every_model_has_one(model):
    assert estimate(model, 1000, 1).images_per_second > 0


def test_the_median_of_what_was_measured_counts_give_or_take_the_spread():
    known = estimate("compact", 1000, 6, [past(100.0), past(1.0), past(120.0)])
    assert (known.images_per_second, known.runs) == (100.0, 3)
    assert known.seconds.low < START_S + 60 < known.seconds.high
    alike = estimate("compact", 1000, 6, [past(100.0), past(100.5), past(99.5)])
    assert alike.seconds.high - alike.seconds.low < known.seconds.high - known.seconds.low
    assert DEFAULT_PACE["compact"] > 100


def test_only_runs_of_the_model_and_machine_compare_those_of_like_size_first():
    runs = [past(1, model="baseline"), past(2, machine="there"), past(3, 9000), past(4, 1500)]
    assert comparable(runs, "compact", 1000, "here") == [runs[3]]
    assert comparable(runs[:3], "compact", 1000, "here") == [runs[2]]
    assert comparable(runs[:2], "compact", 1000, "here") == []
    old = past(5, machine="")  # of a version that did not say where
    assert comparable([old], "compact", 1000, "here") == [old]


def test_the_usual_start_is_that_of_the_runs():
    ran = Past("compact", "here", 10, 5.0, {"loading TensorFlow": 3.0, "compiling": 4.0})
    assert usual_start([ran, past(1)]) == 7
    assert usual_stage([ran, past(1)], "compiling") == 4
    assert usual_stage([past(1)], "compiling") is None
    assert usual_start([past(1)]) == START_S


def test_what_is_left_becomes_better_while_it_runs():
    steps, epochs = 10, 20
    begun = [epoch(0.1, 1, 30.0, whole=False), epoch(0.2, 2, 31.0, whole=False)]
    assert remaining(begun, steps, epochs) is None
    begun.append(epoch(0.5, 5, 34.0, whole=False))  # a batch a second, once it was compiled
    first = remaining(begun, steps, epochs)
    assert first.low < 195 < first.high
    ends = [epoch(n, steps * n, 40 + 11 * (n - 1)) for n in range(1, 11)]
    late = remaining(begun + ends, steps, epochs)
    assert late.low < 110 < late.high
    assert (late.high - late.low) / 110 < (first.high - first.low) / 195
    assert remaining([*ends, epoch(20, 200, 300.0)], steps, epochs).high == 0
    assert remaining([], steps, epochs) is None


def test_the_pace_leaves_the_slow_first_epoch_out():
    rows = [epoch(1, 30, 90.0), epoch(1.5, 45, 92.0, whole=False)]
    rows += [epoch(n, 30 * n, 90.0 + 10 * (n - 1)) for n in (2, 3, 4)]
    assert pace(config(batch_size=32), rows) == pytest.approx(30 * 32 / 10)


def test_the_first_epoch_counts_where_there_is_no_other():
    assert pace(config(batch_size=32), [epoch(1, 30, 96.0)]) == pytest.approx(10)


def test_a_batch_is_never_larger_than_the_data():
    rows = [epoch(1, 1, 5.0), epoch(2, 2, 15.0)]
    assert pace(config(images=40, batch_size=64), rows) == pytest.approx(4)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [epoch(0.5, 15, 3.0, whole=False)],
        [epoch(1, 30, 0.0)],
        [epoch(1, 30, 5.0), epoch(2, 60, 5.0)],
        [epoch(1, 30, float("nan")), epoch(2, 60, float("nan"))],
    ],
)
def test_no_pace_without_a_timed_epoch(rows):
    assert pace(config(), rows) is None


def test_only_images_that_training_uses_count():
    present = np.array([0, 0, 4, 4, 4, 4, 15, 15, 15, 15, 15, 15])
    common = {"points": 15, "fraction": 0.5, "demo_share": 0.0}
    assert images_per_epoch(present, missing="mask", **common) == 5
    assert images_per_epoch(present, missing="complete", **common) == 3
    assert images_per_epoch(present, missing="mean", **{**common, "demo_share": 1.0}) == 10
