"""The page of a run that does not teach every point."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import FOUR
from train_page_helper import make_run

from fkd.evaluation.learned import counting, never_learned
from fkd.evaluation.metrics import rmse
from fkd.keypoints import KAGGLE_15
from fkd.splits import positions
from fkd.training.status import Status

pytestmark = pytest.mark.usefixtures("home")


def test_it_is_said_and_validation_faces_are_without_these_points(app, dataset):
    run = make_run(dataset, "few")
    note = never_learned(FOUR, KAGGLE_15)
    replace(Status.read(run.folder), reason=note).write(run.folder)
    path = run.folder / "samples" / "epoch-00003.npy"
    predicted = np.load(path)
    predicted[:, ~FOUR] = np.nan
    np.save(path, predicted)
    page = app("train", run="few")
    assert note in page.text
    sources = [json.loads(e.proto.json) for e in page.at.get("bidi_component")]
    [grid] = [one["faces"] for one in sources if "faces" in one]
    truth = counting(dataset.keypoints[positions(dataset, run.sample_rows())], FOUR)
    assert len(grid) == len(truth)
    for face, guess, exact in zip(grid, predicted, truth, strict=True):
        assert [place is not None for place in face["predicted"]] == FOUR.tolist()
        assert face["note"] == f"{rmse(guess[None], exact[None]):.2f} px"
