from __future__ import annotations

import math
from dataclasses import fields

import pytest

from dashboard.evaluation.metrics import KEYPOINT_METRICS, METRICS
from fkd.evaluation.scores import KeypointScore, Scores

BY_KEY = {metric.key: metric for metric in METRICS}


def test_each_metric_is_an_attribute_of_the_scores():
    assert set(BY_KEY) <= {field.name for field in fields(Scores)}
    assert {m.key for m in KEYPOINT_METRICS} <= {field.name for field in fields(KeypointScore)}
    assert all(metric.help.endswith(".") for metric in METRICS + KEYPOINT_METRICS)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("rmse_px", 1.764, "1.76 px"),
        ("nme", 0.05921, "5.92 %"),
        ("pck_10", 0.8799, "88.0 %"),
        ("fr_10", 0.0, "0 %"),
        ("pck_05", 1.0, "100 %"),
        ("fr_10", 0.09999, "10.0 %"),
        ("auc_08", 0.2887, "0.289"),
        ("auc_08", math.nan, "–"),
    ],
)
def test_values_in_words(key, value, words):
    assert BY_KEY[key].words(value) == words


def test_differences_have_a_sign_and_their_own_unit():
    assert BY_KEY["rmse_px"].difference(1.8, 1.7) == "-0.10 px"
    assert BY_KEY["nme"].difference(0.05, 0.06) == "+1.00 % pts"
    assert BY_KEY["auc_08"].difference(0.2, 0.25) == "+0.050"
    assert BY_KEY["nme"].difference(0.05, math.nan) is None
