"""What is read off the Evaluate page, and the runs that it is tried with."""

from __future__ import annotations

import json

import numpy as np
from evaluation_helper import (
    output_of,
)

from fkd.evaluation.metrics import rmse


def faces(page) -> list[dict]:
    [grid] = page.at.get("bidi_component")
    return json.loads(grid.proto.json)["faces"]


def tables(page):
    return [element.value for element in page.at.dataframe]


def held_back_rmse(dataset, error: float, seed: int = 0) -> str:
    output = output_of(dataset, error, seed=seed)[::4, :, :2]
    return f"{rmse(output, np.asarray(dataset.keypoints[::4])):.2f}"
