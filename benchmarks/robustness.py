"""Are faces on photos found, and their points as exactly as on ready-made crops?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bundled import RECIPE
from benchmarks.data import Inputs
from benchmarks.processes import ROOT, environment, in_child
from benchmarks.report import Claim, Figure, Part

_UPRIGHT, _TURNED = Claim("at least", 0.97), Claim("at least", 0.85)
_EXACT = Claim("below", 1.3)
_ANGLES = (0, -30, 30)
_SPREAD = 3.0
"""Degrees that each face is turned by beside its angle, at most."""
_FOUND = 10.0
"""Mean distance of a found face's points from the known ones, in px of the crop, at most."""


def search(name: str, scenes: int, people: str | None) -> dict[str, Any]:
    """What the bundled model finds on ``scenes`` photos for each angle, and on as many without a
    face; of faces that it has not learned from, where ``people`` tells who they show."""
    from benchmarks.scenes import empty_scene, scene
    from fkd.inference.loading import open_pipeline
    from fkd.models.sources import BUNDLED, trained_model
    from fkd.registry import open_named

    dataset = open_named(name)
    unseen = _unseen(dataset, people) if people else np.arange(len(dataset))
    pipeline = open_pipeline(trained_model(BUNDLED))
    rng = np.random.default_rng(0)
    result: dict[str, Any] = {"faces": len(unseen), "angles": {}}
    for angle in _ANGLES:
        told: dict[str, list[float]] = {"photo": [], "crop": [], "false": [], "hit": []}
        for number in range(scenes):
            at = unseen[number % len(unseen)]
            image, points = dataset.images[at], dataset.keypoints[at].astype(float)
            one = scene(image, points, angle + rng.uniform(-_SPREAD, _SPREAD), rng)
            assert one.points is not None
            faces = pipeline(one.photo)
            off = [(face.points - one.points) / one.scale for face in faces]
            means = [float(np.nanmean(np.hypot(*o.T))) for o in off]
            best = int(np.argmin(means)) if means else -1
            hit = bool(means) and means[best] < _FOUND
            told["hit"].append(hit)
            told["false"].append(len(faces) - hit)
            if hit:
                crop, _ = pipeline.crops(image[None])
                told["photo"].append(float(np.nanmean(np.square(off[best]))))
                told["crop"].append(float(np.nanmean(np.square(crop[0] - points))))
        result["angles"][str(angle)] = told
    result["none"] = [len(pipeline(empty_scene(rng).photo)) for _ in range(scenes)]
    return result


def _unseen(dataset: Any, people: str) -> Any:
    """Positions of the images that were held back when the bundled model was trained: the split
    is made anew, by its recipe."""
    from fkd.groups import read_groups
    from fkd.measures import measure
    from fkd.splits import make_split, positions

    told = dict(zip(RECIPE[::2], RECIPE[1::2], strict=True))
    groups = read_groups(people, dataset)
    share, seed = float(told["--validation"]), int(told["--seed"])
    split = make_split(dataset, seed, share, groups, measure(dataset).duplicate)
    return positions(dataset, split.validation)


def run(inputs: Inputs) -> Part:
    """Measure on real faces where there are some, on drawn ones otherwise."""
    people = None
    if inputs.faces is not None:
        home, name = inputs.folder / "robustness", "faces"
        home.mkdir()
        _ingest(home, name, inputs.faces / "training.zip")
        people = str(inputs.faces.resolve() / "people.csv")
    else:
        home, name = inputs.demo_home, "demo"
    count = inputs.sizes.scenes
    found = in_child("benchmarks.robustness:search", home, name=name, scenes=count, people=people)
    figures = []
    for angle, told in found["angles"].items():
        what = "upright" if angle == "0" else f"turned by {angle} degrees"
        claim = _UPRIGHT if angle == "0" else _TURNED
        ratio = float("inf")
        if told["hit"] and any(told["hit"]):
            ratio = float(np.sqrt(np.mean(told["photo"]) / np.mean(told["crop"])))
        figures += [
            Figure(f"{what}: share of faces found", float(np.mean(told["hit"])), "", claim),
            Figure(f"{what}: RMSE / that on the ready-made crops", ratio, "x", _EXACT),
            Figure(f"{what}: false faces on a photo", float(np.mean(told["false"])), ""),
        ]
    figures.append(Figure("no face: false faces on a photo", float(np.mean(found["none"])), ""))
    kind = "real faces, of people unknown to the model" if people else "drawn faces"
    notes = [
        f"{found['faces']} {kind}, {count} photos of 960x720 px for each angle (within "
        f"{_SPREAD:.0f} degrees of it), faces 90 to 400 px wide; half the backgrounds are parts "
        "of photos, half are drawn. A face counts as found if its points lie within "
        f"{_FOUND:.0f} px of the 96 px of its crop on average.",
    ]
    return Part("robustness", figures, notes, found)


def _ingest(home: Path, name: str, table: Path) -> None:
    command = [sys.executable, "-m", "fkd", "ingest", name, str(table.resolve())]
    subprocess.run(command, cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, check=True)
