from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from evaluation_helper import labelled

from benchmarks import annotating, annotator
from benchmarks.curve import write_curves
from fkd.labels.at import labels_at
from fkd.labels.states import State
from fkd.labels.store import LabelStore

ROOT = Path(__file__).resolve().parents[1]
ROWS = 120


@pytest.fixture
def begun():
    """A store as the annotator finds it; only the first hundred images are trained on."""
    dataset = labelled(ROWS)
    store = LabelStore(dataset)
    store.save(annotating.starting_edits(dataset, dataset.rows[:100], 0), "Ann")
    return store


def places(store, version=None):
    return labels_at(store, version).points


def test_a_quarter_has_labels_not_all_of_them_true(begun):
    now, truth = labels_at(begun), np.asarray(begun.dataset.keypoints)
    gone = (now.states[:100] <= State.ABSENT).all(axis=1)
    true = (np.isclose(now.points, truth) | np.isnan(truth)).all(axis=(1, 2))[:100]
    assert (true.sum(), gone.sum(), (~true & ~gone).sum()) == (20, 75, 5)
    assert annotating.parts(100) == (20, 5, 75)
    np.testing.assert_array_equal(now.points[100:], truth[100:])  # what is scored stays true
    # What nobody ever labelled is not asked for.
    never = np.isnan(truth[..., 0])
    assert (now.states[never] == State.ABSENT).all()
    assert (now.states[:100][gone][~never[:100][gone]] == State.MISSING).all()


def test_the_annotator_gives_the_truth(begun):
    rows = begun.dataset.rows[:60].tolist()
    edits = annotating.true_edits(begun, rows, 1)
    begun.save(edits, "Ann")
    np.testing.assert_array_equal(places(begun)[:60], begun.dataset.keypoints[:60])
    np.testing.assert_array_equal(places(begun)[60:], places(begun, 1)[60:])
    assert annotating.true_edits(begun, rows, 2) == []
    before, after = (annotating.left(begun, v, begun.dataset.rows[:100]) for v in (1, 2))
    assert before["wrong"] == 5
    assert before["label_rmse_px"] > after["label_rmse_px"]
    assert before["missing"] > after["missing"] > 0
    everything = annotating.true_edits(begun, begun.dataset.rows[:100].tolist(), 2)
    begun.save(everything, "Ann")
    done = annotating.left(begun, 3, begun.dataset.rows[:100])
    assert done == {"label_rmse_px": 0, "wrong": 0, "missing": 0}
    assert annotating.true_edits(begun, rows, 1) == edits


def test_the_queue_comes_first_then_others():
    training = np.arange(0, 40, 2)
    rng = np.random.default_rng(0)
    queue = [30, 1, 4, 8, 12]  # the second is not trained on, the third was looked at
    rows = annotating.next_rows(queue, training, [4, 6], 6, rng)
    assert rows[:3] == [30, 8, 12]
    assert len(set(rows)) == 6
    assert set(rows) <= set(training.tolist()) - {4, 6}
    assert len(annotating.next_rows([], training, [4], 100, rng)) == 19


def test_chance_knows_nothing_of_the_mistakes(begun):
    """As many images that need it among those taken at random as among all, give or take."""
    training = begun.dataset.rows[:100]
    needed = [
        len({e.row for e in annotating.true_edits(begun, rows, 1)})
        for step in range(1, 5)
        for rng in [np.random.default_rng((0, 1, step))]
        for rows in [annotating.next_rows([], training, [], 20, rng)]
    ]
    assert 54 <= sum(needed) <= 74  # of 80


def found(*errors: float):
    steps = [
        {
            "looked": 10 * i,
            "needed": 8 * i,
            "labels": 0,
            "version": i + 1,
            "rmse_px": e,
            "mae_px": e / 2,
            "label_rmse_px": e / 4,
            "wrong": 5 - i,
            "missing": 0.5,
        }
        for i, e in enumerate(errors)
    ]
    return [{"images": 100, "steps": steps}]


def test_what_is_said_of_the_curves():
    both = {"queue": found(3.0, 2.0, 2.0), "random": found(3.0, 2.5, 2.0)}
    figures = {f.what: f for f in annotator._figures(both)}
    assert figures["mean gain in RMSE, queue order"].value == pytest.approx(0.75)
    assert figures["mean gain in RMSE, random order"].value == pytest.approx(0.5)
    ratio = figures["gain in RMSE, queue / random"]
    assert (ratio.value, ratio.holds) == (pytest.approx(1.5), True)
    assert figures["RMSE after 10 images, random order"].value == 2.5
    assert figures["images that needed it, queue order"].value == pytest.approx(80)
    assert figures["budgets at which the queue is ahead"].holds
    ratio = figures["RMSE of the labels, queue / random"]
    assert (ratio.value, ratio.holds) == (pytest.approx(1), False)
    assert figures["images with a wrong label at the end, queue order"].value == 3
    assert figures["labels missing at the start"].value == 50


def test_curves_are_drawn(tmp_path):
    curves = [
        ("a & b", [0, 10, 20], np.array([[3.0, 2.0, 1.5], [3.2, 2.1, 1.4]])),
        ("flat", [0, 10, 20], np.array([[3.0, 3.0, 3.0]])),
    ]
    write_curves(tmp_path / "new" / "plot.svg", curves, "images", "px")
    root = ElementTree.parse(tmp_path / "new" / "plot.svg").getroot()
    lines = root.findall("{*}polyline")
    assert len(lines) == 5  # two and their mean, one and its mean
    words = [text.text for text in root.findall("{*}text")]
    assert {"a & b", "flat", "images", "px"} <= set(words)
    for line in lines:
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 640
            assert 0 <= y <= 400


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(1500)
def test_quick_run(tmp_path):
    command = [sys.executable, "-m", "benchmarks.annotator", "--quick", "--out", str(tmp_path)]
    options = ["--home", str(tmp_path / "home"), "--plot", str(tmp_path / "plot.svg")]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    part = json.loads((tmp_path / "annotator.json").read_text())["parts"]["annotator"]
    assert all(np.isfinite(figure["value"]) for figure in part["figures"])
    for (one,) in part["raw"].values():
        assert [step["looked"] for step in one["steps"]] == [0, 7]
    assert (tmp_path / "plot.svg").is_file()
    assert (tmp_path / "plot-labels.svg").is_file()
