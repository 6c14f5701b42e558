"""Evaluate with models that have not learned every point: what is scored, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate_page_helper import faces, tables
from evaluation_helper import FOUR, OTHERS, learned_from, make_run, output_of, store_validation

from fkd.evaluation.learned import counting
from fkd.evaluation.metrics import rmse
from fkd.keypoints import KAGGLE_15
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore

pytestmark = pytest.mark.usefixtures("home", "no_bundled")

LABELS = [k.label for k in KAGGLE_15.keypoints]
NOSE = KAGGLE_15.index("nose_tip")


def nonsense(output: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``output`` with the points that are not ``known`` in the middle, as a model puts them."""
    return np.where(known[:, None], output, np.float32(47.5))


@pytest.fixture
def few(dataset):
    """A run that learned four points, off by up to 6 px."""
    model = make_run(dataset, "few", learned=learned_from())
    store_validation(model, dataset, nonsense(output_of(dataset, 6), FOUR))
    return model


def rmse_of(dataset, error: float, known: np.ndarray, seed: int = 0) -> str:
    truth = counting(np.asarray(dataset.keypoints[::4]), known)
    return f"{rmse(output_of(dataset, error, seed=seed)[::4, :, :2], truth):.2f}"


@pytest.mark.usefixtures("few")
def test_points_that_were_never_learned_are_not_scored(app, dataset):
    page = app("evaluate")
    assert f"## few: {rmse_of(dataset, 6, FOUR)} px RMSE on 23 images" in page.text
    assert (
        f"Not scored: 11 points that the model never learned from a label: "
        f"{', '.join(OTHERS[:-1])} and {OTHERS[-1]}." in page.text
    )
    _, keypoints = tables(page)
    assert keypoints["training labels"].tolist() == np.where(FOUR, 7, 0).tolist()
    for _, row in keypoints.iterrows():
        known = row["keypoint"] not in OTHERS
        assert (row["labels"] > 0) == known
        assert np.isfinite(row["RMSE (px)"]) == known


@pytest.mark.usefixtures("few")
def test_faces_show_rings_for_the_others_only(app):
    page = app("evaluate", section="faces")
    for face in faces(page):
        rings = [place is not None for place in face["predicted"]]
        assert rings == FOUR.tolist()


@pytest.mark.usefixtures("few")
def test_expected_errors_are_those_of_points_that_were_learned(app, dataset):
    page = app("evaluate", section="expected")
    scored = int(np.isfinite(dataset.keypoints[::4][:, FOUR, 0]).sum())
    assert page.metrics()["Points"] == f"{scored:,}"


@pytest.mark.usefixtures("few", "other")
def test_two_models_are_compared_on_what_both_learned(app, dataset):
    page = app("evaluate", model="few", **{"with": "two"})
    near, far = rmse_of(dataset, 3, FOUR, seed=1), rmse_of(dataset, 6, FOUR)
    assert f"## two is more accurate than few: {near} and {far} px RMSE on 23 images" in page.text
    assert (
        "Not scored: 11 points that one of the models never learned from a label: left" in page.text
    )
    _, keypoints = tables(page)
    first, second = (keypoints[keypoints["model"] == name] for name in ("few", "two"))
    assert first["training labels"].tolist() == np.where(FOUR, 7, 0).tolist()
    assert second["training labels"].isna().all()  # its file does not say
    assert np.isfinite(second["RMSE (px)"]).tolist() == FOUR.tolist()
    # Alone, the other is scored on every point.
    page = app("evaluate", model="two")
    assert f"## two: {rmse_of(dataset, 3, np.ones(15, bool), seed=1)} px RMSE" in page.text
    assert "Not scored" not in page.text
    assert "training labels" not in tables(page)[1]


@pytest.mark.usefixtures("few")
def test_two_models_with_nothing_in_common(app, dataset):
    rest = make_run(dataset, "rest", learned=learned_from(~FOUR))
    store_validation(rest, dataset, nonsense(output_of(dataset, 3), ~FOUR))
    for section in ("numbers", "faces", "expected"):
        page = app("evaluate", model="few", section=section, **{"with": "rest"})
        assert "These images have no label of a point that can be scored" in page.text
        assert "Not scored: 15 points that one of the models never learned" in page.text


@pytest.mark.usefixtures("few")
def test_before_and_after_on_what_both_learned(app, dataset):
    store = LabelStore(dataset)
    x, y = dataset.keypoints[1, NOSE].tolist()
    store.save([Edit(1, NOSE, PointLabel(State.VISIBLE, x + 5, y, Origin.EDITED))], "Ann")
    after = make_run(dataset, "after", label_version=1)
    store_validation(after, dataset, output_of(dataset, 3, seed=1))
    page = app("evaluate", model="after", section="gain", **{"with": "few"})
    near, far = rmse_of(dataset, 3, FOUR, seed=1), rmse_of(dataset, 6, FOUR)
    assert f"RMSE {far} px with few (labels as ingested), {near} px with after" in page.text
    changes = tables(page)[1]
    assert changes["keypoint"].tolist() == LABELS
    assert np.isfinite(changes["before (px)"]).tolist() == FOUR.tolist()
