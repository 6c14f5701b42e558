"""Measure what the order of corrections is worth: ``python -m benchmarks.annotator [--faces FOLDER]
[--home HOME] [--plot FILE.svg]``.

A simulated annotator starts from 25 % of the training labels: a quarter of the images has theirs,
the others have none, which is what the words say most plainly. As labels are, these are not all
true: there is a planted mistake (see ``planting``) in as many as 5 % of all images, the share that
``suspects`` plants, so there is something wrong to find as well as something missing. Points that
nobody ever labelled count as absent, as there is no truth that the annotator could give.

The annotator looks at images, a tenth of them at a time, and gives each its true labels. After each
tenth it is counted what is still wrong and missing in the labels; then ``compact`` is trained anew,
for as many steps whatever labels there are, and scored on people that nobody has touched. Two
annotators have the same budget of images: one works down the queue as Correct shows it
(``find_suspects``: wrong, then missing, then unsure), made anew for each tenth by the predictions
of two runs that each hold half of the images back; the other takes images at random, as someone
does who leafs through them. Corrections are saved in a label store and trained on by version, as by
hand.

FOLDER has real faces (``training.zip``) and who they show (``people.csv``); without it, faces are
drawn. Forty minutes on two idle cores; what is done is kept in HOME: a second call goes on from
there. Results go to ``benchmarks/results/annotator.json``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.annotating import STEPS, parts
from benchmarks.curve import write_curves
from benchmarks.data import Inputs
from benchmarks.processes import ROOT, environment, in_child
from benchmarks.report import Claim, Figure, Part
from benchmarks.runner import RESULTS, measure

QUEUE, RANDOM = "queue", "random"
ORDERS = {QUEUE: "queue order", RANDOM: "random order"}
_SEEN, _SEEDS = 40_000, 2
"""Images that a training shows, drawn anew from those with labels; and how often it is measured."""

_RATIO, _EVERYWHERE = Claim("at least", 1.25), Claim("at least", 1)
_LABELS = Claim("below", 0.5)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--home", type=Path, help="where runs and labels are kept; gone on from")
    own.add_argument("--plot", type=Path, default=RESULTS / "annotator.svg")
    given, others = own.parse_known_args(argv)
    measured = {"annotator": partial(run, home=given.home, plot=given.plot)}
    return measure("annotator", __doc__, measured, others)


def run(inputs: Inputs, home: Path | None = None, plot: Path | None = None) -> Part:
    """Both annotators with each seed, one after the other."""
    quick = inputs.sizes.repeats == 1
    home = home or inputs.folder / "annotator"
    home.mkdir(parents=True, exist_ok=True)
    seeds, seen, tenths = (1, 1, 1) if quick else (_SEEDS, _SEEN, STEPS)
    found: dict[str, list[dict[str, Any]]] = {order: [] for order in ORDERS}
    for seed in range(seeds):
        start = None
        for order in ORDERS:
            name = f"{order}-{seed}"
            _register(inputs, home, name)
            people = None if inputs.faces is None else str(inputs.faces / "people.csv")
            found[order].append(
                in_child(
                    "benchmarks.annotating:annotate",
                    home,
                    name=name,
                    queued=order == QUEUE,
                    seed=seed,
                    seen=seen,
                    people=people,
                    start=start,
                    tenths=tenths,
                )
            )
            start = found[order][-1]["steps"][0]  # both begin with the same labels
    if plot is not None:
        _draw(found, plot)
    return Part("annotator", _figures(found), _notes(inputs, found, seen), found)


def _register(inputs: Inputs, home: Path, name: str) -> None:
    if (home / "datasets" / name / "manifest.json").is_file():
        return
    words = ["demo", "--name", name, "--rows", str(max(80, inputs.sizes.demo_rows))]
    if inputs.faces is not None:
        words = ["ingest", name, str(inputs.faces / "training.zip")]
    command = [sys.executable, "-m", "fkd", *words]
    subprocess.run(command, cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, check=True)


def _errors(found: list[dict[str, Any]], key: str) -> NDArray[np.float64]:
    """``(seeds, steps)``, the start among the steps."""
    return np.array([[step[key] for step in one["steps"]] for one in found])


def _figures(found: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    rmse = {order: _errors(found[order], "rmse_px") for order in ORDERS}
    mae = {order: _errors(found[order], "mae_px") for order in ORDERS}
    figures = [Figure("RMSE at the start", float(rmse[QUEUE][:, 0].mean()), "px")]
    for step in range(1, rmse[QUEUE].shape[1]):
        for order, words in ORDERS.items():
            looked = found[order][0]["steps"][step]["looked"]
            what = f"RMSE after {looked} images, {words}"
            figures.append(Figure(what, float(rmse[order][:, step].mean()), "px"))
    for order, words in ORDERS.items():
        share = [one["steps"][-1]["needed"] / one["steps"][-1]["looked"] for one in found[order]]
        figures.append(Figure(f"images that needed it, {words}", 100 * float(np.mean(share)), "%"))
    for order, words in ORDERS.items():
        placed = [step["labels"] for step in (one["steps"][-1] for one in found[order])]
        figures.append(Figure(f"labels placed or moved, {words}", float(np.mean(placed)), ""))
    figures += _of_labels(found)
    for name, errors in (("RMSE", rmse), ("MAE", mae)):
        gains = {order: _area(errors[order]) for order in ORDERS}
        for order, words in ORDERS.items():
            figures.append(Figure(f"mean gain in {name}, {words}", gains[order].mean(), "px"))
        ratio = float(gains[QUEUE].mean() / gains[RANDOM].mean())
        claim = _RATIO if name == "RMSE" else None
        figures.append(Figure(f"gain in {name}, queue / random", ratio, "x", claim))
    ahead = float((rmse[QUEUE].mean(axis=0) <= rmse[RANDOM].mean(axis=0)).mean())
    return [*figures, Figure("budgets at which the queue is ahead", ahead, "", _EVERYWHERE)]


def _of_labels(found: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    """How far the labels themselves are from the truth, and what is still to be done in them."""
    figures, ends = [], {}
    for key, what, unit, factor in (
        ("label_rmse_px", "RMSE of the labels", "px", 1),
        ("wrong", "images with a wrong label", "", 1),
        ("missing", "labels missing", "%", 100),
    ):
        start = float(_errors(found[QUEUE], key)[:, 0].mean())
        figures.append(Figure(f"{what} at the start", factor * start, unit))
        for order, words in ORDERS.items():
            end = float(_errors(found[order], key)[:, -1].mean())
            ends[key, order] = end
            figures.append(Figure(f"{what} at the end, {words}", factor * end, unit))
    ratio = ends["label_rmse_px", QUEUE] / ends["label_rmse_px", RANDOM]
    return [*figures, Figure("RMSE of the labels, queue / random", ratio, "x", _LABELS)]


def _area(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(seeds,)`` how far the curve of ``errors`` lies below its start, mean over the budget
    (trapezoidal rule)."""
    below = errors[:, :1] - errors
    return np.asarray((below[:, 1:] + below[:, :-1]).mean(axis=1) / 2)


def _draw(found: dict[str, list[dict[str, Any]]], plot: Path) -> None:
    """The model's error at ``plot``, that of the labels beside it."""
    of_labels = plot.with_name(f"{plot.stem}-labels{plot.suffix}")
    for path, key, title in (
        (plot, "rmse_px", "RMSE in px on people not trained on"),
        (of_labels, "label_rmse_px", "RMSE of the labels in px"),
    ):
        curves = []
        for order, words in ORDERS.items():
            looked = [step["looked"] for step in found[order][0]["steps"]]
            curves.append((words, looked, _errors(found[order], key)))
        write_curves(path, curves, "images corrected", title)


def _notes(inputs: Inputs, found: dict[str, list[dict[str, Any]]], seen: int) -> list[str]:
    what = "real faces, people kept apart" if inputs.faces else "drawn faces"
    images = found[QUEUE][0]["images"]
    true, wrong, hidden = parts(images)
    return [
        f"{images} training images of {what}: at first {true} with true labels, {wrong} with "
        f"planted mistakes, {hidden} without labels; {len(found[QUEUE])} seeds (split, mistakes, "
        f"training); every training of compact shows {seen:,} images, none drawn. Means over the "
        "seeds.",
        "Mean gain: by how much the error lies below that at the start, mean over the budget (the "
        "area between the curve and its start, by the trapezoidal rule).",
    ]


if __name__ == "__main__":
    sys.exit(main())
