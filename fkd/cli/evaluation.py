"""The verb that scores a model."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from fkd.cli.output import import_tensorflow, print_json, progress_bar, progress_lines, table


def add_verbs(verbs: Any) -> None:
    evaluate = verbs.add_parser("evaluate", help="score a model on labelled images")
    evaluate.add_argument("model", metavar="RUN|bundled", help="a run, or the bundled model")
    evaluate.add_argument("--dataset", metavar="NAME", help="default: what the run trained on")
    evaluate.add_argument(
        "--split",
        choices=("validation", "all"),
        help="default: validation if the run has validation images of the dataset, else all",
    )
    evaluate.add_argument(
        "--labels",
        default="latest",
        metavar="VERSION",
        help="a number, latest (default) or original: which version of the labels to score against",
    )
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    evaluate.add_argument(
        "--progress",
        choices=("bar", "lines"),
        default="bar",
        help="on stderr: a bar (default), or a line of JSON for each step",
    )
    evaluate.set_defaults(run=run_evaluate)


def run_evaluate(arguments: argparse.Namespace) -> None:
    import numpy as np

    from fkd.errors import UserError
    from fkd.evaluation import parts
    from fkd.evaluation import predictions as made
    from fkd.evaluation.learned import not_scored
    from fkd.evaluation.scores import ALL_ROWS, score_by_source
    from fkd.labels.at import corrected, version_called
    from fkd.models.sources import trained_model
    from fkd.registry import open_named
    from fkd.statistics.missing import present, source_words
    from fkd.words import counted

    model = trained_model(arguments.model)
    name = arguments.dataset or (model.run.config.dataset if model.run else None)
    if name is None:
        raise UserError("Name what to evaluate on: --dataset NAME ('fkd datasets' lists them).")
    dataset = open_named(name)
    version = version_called(arguments.labels, dataset)
    dataset = corrected(dataset, version)
    held_back = parts.held_back(model, dataset)
    split = arguments.split or ("all" if held_back is None else "validation")
    part = parts.part_of([model], dataset, split)
    rows, [seen] = dataset.rows[part.at], part.seen
    truth = np.asarray(dataset.keypoints[part.at])
    if made.stored(model, dataset) is None:
        import_tensorflow()
    with progress_lines() if arguments.progress == "lines" else progress_bar() as progress:
        found = made.predict(model, dataset, progress).of_rows(rows)
    scores = score_by_source(found.points, truth, dataset.schema, found.taught)
    names, counts = dataset.schema.names, found.learned
    about = {
        "model": model.name,
        "dataset": dataset.name,
        "split": split,
        "n_seen": seen,
        "n_excluded": part.excluded,
        "label_version": version,
        "learned_labels": None
        if counts is None
        else dict(zip(names, counts.tolist(), strict=True)),
        "not_scored": [n for n, known in zip(names, found.taught, strict=True) if not known],
    }
    if seen != 0:
        print(f"fkd: {_caveat(seen, len(rows))}", file=sys.stderr)
    if part.excluded:
        images = counted(part.excluded, "image")
        print(f"fkd: not scored: {images} excluded from training", file=sys.stderr)
    if arguments.json:
        by_source = {source: s.to_json() for source, s in scores.items() if source != ALL_ROWS}
        print_json({**about, **scores[ALL_ROWS].to_json(), "by_source": by_source})
        return
    labels = f"version {version}" if version else "as ingested"
    images = "validation split" if split == "validation" else "all images"
    print(f"{model.name} on '{dataset.name}', {images}, labels {labels}\n")
    if note := not_scored(found.taught, dataset.schema):
        print(f"{note}\n")
    words = {ALL_ROWS: "all images"}
    words |= source_words(present(np.asarray(dataset.keypoints)).sum(axis=1), len(dataset.schema))
    print(table([_line(words[source], s) for source, s in scores.items()]) + "\n")
    print(
        table(
            [
                {
                    "keypoint": keypoint.label,
                    "labels": point.n,
                    "RMSE (px)": f"{point.rmse_px:.2f}",
                    "MAE (px)": f"{point.mae_px:.2f}",
                    "median (px)": f"{point.median_error_px:.2f}",
                }
                for keypoint, point in zip(
                    dataset.schema.keypoints, scores[ALL_ROWS].per_keypoint, strict=True
                )
            ]
        )
    )


def _caveat(seen: int | None, images: int) -> str:
    """Why errors may be lower than they would be on new faces."""
    if seen is None:
        return (
            "it is not known whether the model has seen these images in training; if so, its "
            "errors here are lower than on new faces"
        )
    return (
        f"the model has learned from {seen:,} of these {images:,} images, so its errors here are "
        "lower than on new faces"
    )


def _line(source: str, scores: Any) -> dict[str, Any]:
    return {
        "images of": source,
        "images": scores.n_images,
        "labels": scores.n_points,
        "RMSE (px)": f"{scores.rmse_px:.3f}",
        "MAE (px)": f"{scores.mae_px:.3f}",
        "NME (%)": f"{100 * scores.nme:.2f}",
        "AUC@0.08": f"{scores.auc_08:.3f}",
        "FR@0.1 (%)": f"{100 * scores.fr_10:.2f}",
        "PCK@0.1 (%)": f"{100 * scores.pck_10:.1f}",
    }
