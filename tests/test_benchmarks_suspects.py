from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from statistics_helper import SCHEMA, faces, four_points

from benchmarks import suspects
from benchmarks.planting import FINE, SHIFT, SLIP, SWAP, plant

ROOT = Path(__file__).resolve().parents[1]
ROWS = 300


@pytest.fixture(scope="module")
def made():
    points = faces(ROWS)
    points[::2] = four_points(points[::2])
    points[5] = np.nan
    return points, plant(points, SCHEMA, 0.1, np.random.default_rng(0))


def test_as_many_mistakes_as_asked_for_of_each_kind(made):
    points, planted = made
    counts = [(planted.kind == kind).sum() for kind in (SLIP, SHIFT, SWAP)]
    assert counts == [10, 10, 10]
    assert planted.kind[5] == FINE
    fine = planted.kind == FINE
    np.testing.assert_array_equal(planted.points[fine], points[fine])
    assert not planted.keypoints[fine].any()


def test_each_mistake_is_what_it_is_called(made):
    points, planted = made
    for i in np.flatnonzero(planted.kind != FINE):
        moved = planted.points[i] - points[i]
        here, changed = np.isfinite(points[i, :, 0]), planted.keypoints[i]
        assert not moved[here & ~changed].any()
        if planted.kind[i] == SWAP:
            pairs = [(a, b) for a, b in SCHEMA.mirror_pairs if changed[a]]
            assert pairs
            for a, b in pairs:
                np.testing.assert_array_equal(planted.points[i, [a, b]], points[i, [b, a]])
            continue
        far = np.linalg.norm(moved[changed], axis=1)
        np.testing.assert_allclose(far, planted.size[i], atol=1e-4)
        low, high = (3, 8) if planted.kind[i] == SHIFT else (4, 15)
        assert low <= planted.size[i] <= high
        assert changed.sum() == (here.sum() if planted.kind[i] == SHIFT else 1)


def test_only_allowed_faces_get_one(made):
    points, _ = made
    allowed = np.arange(ROWS) < 50
    planted = plant(points, SCHEMA, 0.2, np.random.default_rng(0), allowed)
    assert set(np.flatnonzero(planted.kind)) <= set(range(50))


def test_the_area_under_the_curve():
    score = np.array([3.0, 1.0, 2.0, 0.0])
    assert suspects._auroc(score, np.array([True, False, False, False])) == 1
    assert suspects._auroc(score, np.array([False, True, False, False])) == pytest.approx(1 / 3)
    assert suspects._auroc(np.zeros(4), np.array([True, False, False, False])) == 0.5


def test_the_list_of_faces_looked_at():
    part = suspects.judged()
    assert sum(figure.value for figure in part.figures) == 50
    rows = [line["row"] for line in suspects._looked_at()]
    assert len(set(rows)) == 50
    assert f"{len(suspects._wrong_rows())} of 50 truly wrong" in part.notes[0]


def test_a_run_needs_its_home(capsys):
    with pytest.raises(SystemExit):
        suspects.main(["--run", "one"])
    assert "--home" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.thorough
def test_quick_run(tmp_path):
    command = [sys.executable, "-m", "benchmarks.suspects", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = json.loads((tmp_path / "suspects.json").read_text())["parts"]
    assert list(parts) == ["planted", "judged"]
    figures = {f["what"]: f["value"] for f in parts["planted"]["figures"]}
    assert figures["area under the ROC curve"] > 0.9
