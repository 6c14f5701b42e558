"""The model that comes with the package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.bundled import deflate
from fkd.evaluation.metrics import rmse
from fkd.inference.reference import NOTE, Reference
from fkd.keypoints import KAGGLE_15
from fkd.models.predictor import Predictor
from fkd.models.saving import load_model
from fkd.models.sources import BUNDLED, trained_model, trained_models
from fkd.synthetic import render_faces

ROOT = Path(__file__).resolve().parents[1]


def test_it_is_there_small_and_has_a_card():
    model = trained_model(BUNDLED)
    assert trained_models()[0] == model
    assert model.path.stat().st_size <= 4_000_000
    card = (model.path.parent / "README.md").read_text()
    for word in ("## Scores", "## Data", "licence", "## Recipe", "## Limits", *KAGGLE_15.names):
        assert word in card


def test_it_finds_the_points_of_drawn_faces_and_knows_how_sure_it_is():
    images, exact = render_faces(0, 0, 40)  # the first demo faces, not among those it learned from
    output = Predictor(load_model(trained_model(BUNDLED).path))(images)
    assert rmse(output[..., :2], exact) < 1.2
    distance = np.linalg.norm(output[..., :2] - exact, axis=-1)
    sure = output[..., 2] <= np.median(output[..., 2])
    assert distance[sure].mean() < 0.8 * distance[~sure].mean()


def test_it_has_learned_every_point_and_says_from_how_many_labels():
    learned = Reference.read(trained_model(BUNDLED).path, KAGGLE_15).learned
    counts = dict(zip(KAGGLE_15.names, learned.tolist(), strict=True))
    card = (trained_model(BUNDLED).path.parent / "README.md").read_text()
    rows = int(re.search(r"([\d,]+) images of real faces", card)[1].replace(",", ""))
    drawn = rows // 2  # with every point
    # Most of the real ones have four points only.
    assert rows + drawn - 20 <= counts["nose_tip"] <= rows + drawn
    assert drawn < counts["left_eye_inner_corner"] < 0.6 * counts["nose_tip"]


def test_its_notes_can_be_changed_and_nothing_else_of_it(tmp_path):
    path = trained_model(BUNDLED).path
    for name in ("a.keras", "b.keras"):
        deflate(path, tmp_path / name, {NOTE: "{}"})
    deflate(tmp_path / "b.keras", tmp_path / "b.keras", {NOTE: "{}"})
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "a.keras") as new:
        assert new.namelist() == old.namelist()
        assert new.read(NOTE) == b"{}"
        assert all(new.read(n) == old.read(n) for n in old.namelist() if n != NOTE)


def test_evaluating_it_needs_no_training():
    def fkd(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "fkd", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    fkd("demo", "--rows", "12")
    done = fkd("evaluate", "bundled", "--dataset", "demo", "--json")
    assert done.stderr == ""  # TensorFlow is quiet, and it has learned from none of these
    scores = json.loads(done.stdout)
    assert (scores["model"], scores["split"], scores["n_images"]) == ("bundled", "all", 12)
    assert scores["n_seen"] == 0
    assert scores["rmse_px"] < 1.5
