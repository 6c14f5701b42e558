"""Measure what to look at next: ``python -m benchmarks.suspects [--faces FOLDER] [PART ...]``.

FOLDER has real faces in Kaggle's files (``training.zip``) and who they show (``people.csv``);
without it, drawn faces are judged by the bundled model, which claims nothing of real ones.
Parts are planted (mistakes planted into labels of people that a run has not seen) and judged (what
a look at the most suspicious real labels showed). Two trainings of ``compact`` take half an hour;
with ``--home HOME --run NAME ...`` runs on a dataset that is there are taken instead. Results go to
``benchmarks/results/suspects.json``.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Inputs
from benchmarks.planting import FINE, NAMES, SHIFT, SLIP, Planted, plant
from benchmarks.processes import ROOT, environment, in_child
from benchmarks.report import Claim, Figure, Part
from benchmarks.runner import measure
from fkd.statistics.missing import FEW, MANY

JUDGED = Path(__file__).resolve().parent / "suspects_faces.csv"
WRONG = "wrong"
_VERDICTS = {
    WRONG: "truly wrong",
    "right": "the label is right, the prediction wrong",
    "unclear": "covered, blurred or a matter of taste",
}

_SHARE = 0.05
_REPETITIONS = 20
_TRAININGS = 2
_AUROC, _PRECISION, _NAMED = (Claim("at least", x) for x in (0.99, 0.87, 0.8))
_SOURCES = {MANY: "many points", FEW: "few points"}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--home", type=Path, help="where the runs are")
    own.add_argument("--run", action="append", default=[])
    given, others = own.parse_known_args(argv)
    if given.run and given.home is None:
        own.error("--run needs --home, the folder with datasets/ and runs/")
    parts = {
        "planted": partial(planted, home=given.home, runs=given.run),
        "judged": lambda _: judged(),
    }
    return measure("suspects", __doc__, parts, others)


def planted(inputs: Inputs, home: Path | None = None, runs: Sequence[str] = ()) -> Part:
    """Plant mistakes many times, and see how they rank."""
    if not runs:
        home, runs = _trained(inputs)
    assert home is not None
    repetitions = 2 if inputs.sizes.repeats == 1 else _REPETITIONS
    raw = {
        name: in_child("benchmarks.suspects:ranked", home, run=name, repetitions=repetitions)
        for name in runs
    }
    found = [one for run in raw.values() for one in run["repetitions"]]
    rows = [row for one in found for row in one["planted"]]
    images = ", ".join(f"{run['images']} of '{name}'" for name, run in raw.items())
    notes = [
        f"{repetitions} plantings for each run into {_SHARE:.0%} of its validation images "
        f"({images}), {len(rows)} mistakes in all, each kind as often as the others. What real "
        "labels have wrong counts against the ranking.",
        "Caught: among the k highest scores, k the number planted.",
    ]
    areas = {name: [one["auroc"] for one in run["repetitions"]] for name, run in raw.items()}
    return Part("planted", _figures(found, rows), notes, {"auroc": areas})


def _trained(inputs: Inputs) -> tuple[Path, list[str]]:
    """A home with runs that have not seen their validation part; of drawn faces the demo, which
    the bundled model has not seen."""
    home = inputs.folder / "suspects"
    home.mkdir()
    if inputs.faces is None:
        _fkd(home, "demo", "--rows", str(max(80, inputs.sizes.demo_rows)))
        return home, ["bundled"]
    _fkd(home, "ingest", "faces", str(inputs.faces / "training.zip"))
    names = [f"seed-{seed}" for seed in range(_TRAININGS)]
    groups = ["--groups", str(inputs.faces / "people.csv")]
    for seed, name in enumerate(names):
        options = ["--seed", str(seed), "--name", name, "--epochs", str(inputs.sizes.epochs)]
        _fkd(home, "train", "--dataset", "faces", *options, *groups)
    return home, names


def _fkd(home: Path, *words: str) -> None:
    command = [sys.executable, "-m", "fkd", *words]
    subprocess.run(command, cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, check=True)


def ranked(run: str, repetitions: int) -> dict[str, Any]:
    """Plant into the images that ``run`` has not learned from, and judge them.

    Returns ``images``, how many these are, and for each of ``repetitions`` the area under the ROC
    curve, with and without the real mistakes of ``JUDGED``, that by the shape alone, and what
    became of each mistake.
    """
    from fkd.labels.deviations import compare, compare_with_usual
    from fkd.labels.hypotheses import judge

    dataset, at, points, predicted, errors = _unseen(run)
    real = np.isin(dataset.rows[at], sorted(_wrong_rows())) & (dataset.name != "demo")
    found = []
    for seed in range(repetitions):
        made = plant(points, dataset.schema, _SHARE, np.random.default_rng(seed))
        scores = judge(made.points, compare(made.points, predicted, dataset.schema, errors))
        shapes = judge(made.points, compare_with_usual(made.points, dataset.schema))
        wrong = made.kind != FINE
        found.append(
            {
                "auroc": _auroc(scores.score, wrong),
                "auroc_clean": _auroc(scores.score[~real | wrong], wrong[~real | wrong]),
                "auroc_shape": _auroc(shapes.score, wrong),
                "planted": _each(made, scores, points),
            }
        )
    return {"images": len(at), "real_mistakes": int(real.sum()), "repetitions": found}


def _unseen(run: str) -> tuple[Any, NDArray[np.intp], Any, Any, Any]:
    from fkd.evaluation.predictions import predict
    from fkd.labels.references import bundled_reference, reference, unseen_by
    from fkd.models.sources import trained_model
    from fkd.registry import open_named

    model = trained_model(run)
    dataset = open_named(model.run.config.dataset if model.run else "demo")
    labels = np.asarray(dataset.keypoints)
    if model.run is None:
        judge = bundled_reference(dataset, predict(model, dataset), labels)
    else:
        judge = reference(model, dataset, labels)
    assert judge is not None
    unseen = unseen_by([judge], dataset)
    labelled = np.isfinite(dataset.keypoints).all(axis=2).any(axis=1)
    at = np.flatnonzero(unseen.known & labelled)
    points = np.asarray(dataset.keypoints)[at]
    return dataset, at, points, unseen.points[at], unseen.expected[at]


def _auroc(score: NDArray[np.float64], wrong: NDArray[np.bool_]) -> float:
    """How often an image with a mistake scores higher than one without; ties count half."""
    from scipy.stats import rankdata  # type: ignore[import-untyped]

    ranks = rankdata(score)[wrong]
    n, m = len(ranks), int((~wrong).sum())
    return float((ranks.sum() - n * (n + 1) / 2) / (n * m))


def _each(made: Planted, scores: Any, points: NDArray[np.float32]) -> list[dict[str, Any]]:
    """What became of each mistake."""
    wrong = np.flatnonzero(made.kind != FINE)
    fine = np.sort(scores.score[made.kind == FINE])
    top = set(np.argsort(-scores.score, kind="stable")[: len(wrong)].tolist())
    many = 2 * np.isfinite(points).all(axis=2).sum(axis=1) > points.shape[1]
    away = np.linalg.norm(scores.fix - points, axis=2)
    return [
        {
            "kind": int(made.kind[i]),
            "source": MANY if many[i] else FEW,
            "size": float(made.size[i]),
            "beaten": float(np.searchsorted(fine, scores.score[i]) / len(fine)),
            "caught": int(i) in top,
            "named": bool(scores.kind[i] == made.kind[i]),
            "exactly": bool((scores.keypoints[i] == made.keypoints[i]).all()),
            "left_px": float(np.nanmean(away[i, made.keypoints[i]])),
        }
        for i in wrong
    ]


def _figures(found: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[Figure]:
    caught = [row for row in rows if row["caught"]]
    figures = [
        Figure("area under the ROC curve", _mean(found, "auroc"), "", _AUROC),
        Figure("the same, the worst planting", min(one["auroc"] for one in found), ""),
        Figure("the same, real mistakes left out", _mean(found, "auroc_clean"), ""),
        Figure("the same, by the shape alone", _mean(found, "auroc_shape"), ""),
        Figure("precision at k", _mean(rows, "caught"), "", _PRECISION),
        Figure("hypothesis right, of the caught", _mean(caught, "named"), "", _NAMED),
        Figure("and its points, all of them", _mean(caught, "exactly"), ""),
    ]
    for kind, word in NAMES.items():
        for source, of in _SOURCES.items():
            some = [r for r in rows if r["kind"] == kind and r["source"] == source]
            if some:
                what = f"{word}, {of} ({len(some)})"
                figures.append(Figure(f"{what}: area", _mean(some, "beaten"), ""))
                figures.append(Figure(f"{what}: caught", _mean(some, "caught"), ""))
    for kind, low, high in ((SHIFT, 3, 4), (SHIFT, 4, 8), (SLIP, 4, 6), (SLIP, 6, 15)):
        some = [r for r in rows if r["kind"] == kind and low <= r["size"] < high]
        if some:
            what = f"{NAMES[kind]} of {low} to {high} px: caught"
            figures.append(Figure(what, _mean(some, "caught"), ""))
    for kind, word in NAMES.items():
        some = [r["left_px"] for r in caught if r["kind"] == kind and r["named"]]
        if some:
            figures.append(Figure(f"{word}, after its fix off by, median", np.median(some), "px"))
    return figures


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([row[key] for row in rows])) if rows else float("nan")


def judged() -> Part:
    """What a look at the most suspicious real labels showed."""
    verdicts = Counter(line["verdict"] for line in _looked_at())
    total = sum(verdicts.values())
    figures = [
        Figure(f"{words}, of {total}", verdicts[verdict], "images")
        for verdict, words in _VERDICTS.items()
    ]
    notes = [
        f"{verdicts[WRONG]} of {total} truly wrong: the {total} real faces with the highest "
        "scores, out of fold (four folds, 12 epochs, people kept apart), looked at one by one at "
        f"eight times their size; row numbers in {JUDGED.name}."
    ]
    return Part("judged", figures, notes, {"verdicts": dict(verdicts)})


def _looked_at() -> list[dict[str, str]]:
    if not JUDGED.is_file():
        return []
    with JUDGED.open(newline="") as file:
        return list(csv.DictReader(file))


def _wrong_rows() -> set[int]:
    return {int(line["row"]) for line in _looked_at() if line["verdict"] == WRONG}


if __name__ == "__main__":
    sys.exit(main())
