"""How well ``compact`` does on people that it has not seen."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.data import Inputs
from benchmarks.processes import ROOT, environment
from benchmarks.report import Claim, Figure, Part

_RMSE, _MAE = Claim("below", 1.75), Claim("below", 1.32)
_MINUTES = Claim("below", 40)


def run(inputs: Inputs) -> Part:
    """Train ``compact`` with three seeds, through the command line."""
    place = Place(inputs, "accuracy")
    found = [
        place.trained("compact", inputs.sizes.epochs, seed) for seed in range(inputs.sizes.seeds)
    ]
    notes = f"{place.what}; {inputs.sizes.epochs} epochs."
    return Part("accuracy", _figures(found), [notes], {"compact": found})


class Place:
    """A workspace with the faces that models are trained on, people kept apart where known."""

    def __init__(self, inputs: Inputs, folder: str) -> None:
        self.home = inputs.folder / folder
        self.home.mkdir()
        self._groups: list[str] = []
        if inputs.faces is not None:
            self.fkd("ingest", _NAME, str(inputs.faces / "training.zip"))
            self._groups = ["--groups", str(inputs.faces / "people.csv")]
        else:
            rows = max(80, inputs.sizes.demo_rows)
            self.fkd("demo", "--name", _NAME, "--rows", str(rows))
        faces = "real faces, people kept apart" if inputs.faces else "drawn faces"
        self.what = f"Validation part of {faces}, a tenth"

    def fkd(self, *words: str) -> str:
        """What a verb prints; its errors are ours."""
        command = [sys.executable, "-m", "fkd", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(self.home),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def train(self, model: str, epochs: int, seed: int, *more: str) -> str:
        """Train a model; returns the name of the run."""
        run = f"{model}-seed-{seed}"
        options = ["--model", model, "--epochs", str(epochs), "--seed", str(seed), "--name", run]
        self.fkd("train", "--dataset", _NAME, *options, *self._groups, *more)
        return run

    def trained(self, model: str, epochs: int, seed: int) -> dict[str, Any]:
        """The scores of a model trained to its end, its ``course`` and ``minutes``."""
        run = self.train(model, epochs, seed)
        scores = json.loads(self.fkd("evaluate", run, "--json"))
        course = self.course(run)
        return {**scores, "course": course, "minutes": course[-1][0] / 60}

    def course(self, run: str) -> list[tuple[float, float]]:
        """Seconds and validation error in px of each look at the validation part so far."""
        path = self.home / "runs" / run / "metrics.csv"
        if not path.is_file():
            return []
        # A line that is being written has no end yet.
        lines = [line for line in path.read_text().splitlines(keepends=True) if line[-1:] == "\n"]
        names = lines[0].rstrip().split(",") if lines else []
        rows = [dict(zip(names, line.rstrip().split(","), strict=True)) for line in lines[1:]]
        return [(float(r["seconds"]), float(r["val_rmse_px"])) for r in rows if r["val_rmse_px"]]


_NAME = "faces"


def _figures(found: list[dict[str, Any]]) -> list[Figure]:
    figures = []
    for seed, scores in enumerate(found):
        figures += [
            *scored(f"compact, seed {seed}", scores),
            Figure(f"compact, seed {seed}, training", scores["minutes"], "min", _MINUTES),
        ]
    for name, key, claim in (("RMSE", "rmse_px", _RMSE), ("MAE", "mae_px", _MAE)):
        mean = sum(scores[key] for scores in found) / len(found)
        figures.append(Figure(f"compact, mean of the seeds, {name}", mean, "px", claim))
    return figures


def scored(what: str, scores: dict[str, Any]) -> list[Figure]:
    """The errors of one model."""
    return [
        Figure(f"{what}, RMSE", scores["rmse_px"], "px"),
        Figure(f"{what}, MAE", scores["mae_px"], "px"),
        Figure(f"{what}, NME", 100 * scores["nme"], "%"),
    ]
