"""How well models do on people that they have not seen, and how soon."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.data import Inputs
from benchmarks.processes import ROOT, environment
from benchmarks.report import Claim, Figure, Part

_RMSE, _MAE = Claim("below", 1.75), Claim("below", 1.32)
_MINUTES = Claim("below", 40)
_SOONER = Claim("at least", 20)


def run(inputs: Inputs) -> Part:
    """Train ``compact`` with three seeds and ``baseline`` with one, through the command line."""
    home, name = inputs.folder / "accuracy", "faces"
    home.mkdir()
    groups: list[str] = []
    if inputs.faces is not None:
        _fkd(home, "ingest", name, str(inputs.faces / "training.zip"))
        groups = ["--groups", str(inputs.faces / "people.csv")]
    else:
        _fkd(home, "demo", "--name", name, "--rows", str(max(80, inputs.sizes.demo_rows)))
    found: dict[str, list[dict[str, Any]]] = {"compact": [], "baseline": []}
    trainings = [("compact", inputs.sizes.epochs, seed) for seed in range(inputs.sizes.seeds)]
    trainings.insert(0, ("baseline", inputs.sizes.baseline_epochs, 0))
    for model, epochs, seed in trainings:
        run = f"{model}-seed-{seed}"
        options = ["--model", model, "--epochs", str(epochs), "--seed", str(seed), "--name", run]
        _fkd(home, "train", "--dataset", name, *options, *groups)
        scores = json.loads(_fkd(home, "evaluate", run, "--json"))
        found[model].append({**scores, **_course(home / "runs" / run)})
    return Part("accuracy", _figures(found), _notes(inputs), found)


def _fkd(home: Path, *words: str) -> str:
    """What a verb prints; its errors are ours."""
    command = [sys.executable, "-m", "fkd", *words]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def _course(folder: Path) -> dict[str, Any]:
    """Seconds and validation error of each epoch of a run."""
    lines = (folder / "metrics.csv").read_text().splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    course = [(float(r["seconds"]), float(r["val_rmse_px"])) for r in rows if r["val_rmse_px"]]
    return {"course": course, "minutes": course[-1][0] / 60}


def _figures(found: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    figures = []
    for seed, scores in enumerate(found["compact"]):
        figures += [
            Figure(f"compact, seed {seed}, RMSE", scores["rmse_px"], "px"),
            Figure(f"compact, seed {seed}, MAE", scores["mae_px"], "px"),
            Figure(f"compact, seed {seed}, NME", 100 * scores["nme"], "%"),
            Figure(f"compact, seed {seed}, training", scores["minutes"], "min", _MINUTES),
        ]
    for name, key, claim in (("RMSE", "rmse_px", _RMSE), ("MAE", "mae_px", _MAE)):
        mean = sum(scores[key] for scores in found["compact"]) / len(found["compact"])
        figures.append(Figure(f"compact, mean of the seeds, {name}", mean, "px", claim))
    (baseline,) = found["baseline"]
    course = found["compact"][0]["course"]
    reached = next((s for s, rmse in course if rmse <= baseline["rmse_px"]), float("inf"))
    whole = 60 * baseline["minutes"]
    return [
        *figures,
        Figure("baseline, seed 0, RMSE", baseline["rmse_px"], "px"),
        Figure("baseline, seed 0, MAE", baseline["mae_px"], "px"),
        Figure("baseline, seed 0, NME", 100 * baseline["nme"], "%"),
        Figure("baseline, training", baseline["minutes"], "min"),
        Figure("compact passes the baseline's final error after", reached, "s"),
        Figure("baseline's training time / that", whole / reached, "x", _SOONER),
    ]


def _notes(inputs: Inputs) -> list[str]:
    what = "real faces, people kept apart" if inputs.faces else "drawn faces"
    return [
        f"Validation part of {what}, a tenth; {inputs.sizes.epochs} epochs of compact, "
        f"{inputs.sizes.baseline_epochs} of baseline by its recipe (complete rows, as in the "
        "notebook). Times are of the trainings, without the start of the process."
    ]
