"""The verb that says which labels to look at next."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkd.cli.output import import_tensorflow, print_json, progress_bar, table
from fkd.errors import UserError

if TYPE_CHECKING:
    from fkd.dataset import Dataset
    from fkd.evaluation.predictions import Predictions
    from fkd.labels.references import Choice, Points
    from fkd.labels.suspects import Suspect
    from fkd.labels.unseen import Unseen
    from fkd.models.sources import TrainedModel
    from fkd.progress import Progress

_KINDS = ("wrong", "missing", "unsure")


def add_verbs(verbs: Any) -> None:
    suspects = verbs.add_parser("suspects", help="list likely label errors and missing labels")
    suspects.add_argument("name", metavar="NAME", help="a dataset")
    suspects.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="RUN|bundled",
        help="reference model, whose predictions labels are compared with; may be repeated, the "
        "first that did not learn from an image counts (default: the runs on this dataset that "
        "ended well and whose error is near the smallest, the best first)",
    )
    suspects.add_argument(
        "--kind",
        choices=_KINDS,
        action="append",
        help="likely label errors, missing labels that could be added, or uncertain predictions; "
        "may be repeated (default: all)",
    )
    suspects.add_argument("--limit", type=int, default=20, help="images of each kind (20); 0 = all")
    suspects.add_argument("--json", action="store_true", help="print JSON, with the fixes")
    suspects.add_argument(
        "--folds",
        type=int,
        metavar="K",
        help="first train K runs, each without another part of the images, so that there is a "
        "prediction for every image; asked again, it goes on where it was",
    )
    suspects.add_argument("--epochs", type=int, help="of each of these runs (12)")
    suspects.add_argument(
        "--groups", type=Path, metavar="FILE", help="CSV 'row,person': keeps people in one fold"
    )
    suspects.set_defaults(run=run_suspects)


def run_suspects(arguments: argparse.Namespace) -> None:
    if arguments.folds is None and (arguments.epochs is not None or arguments.groups is not None):
        raise UserError("--epochs and --groups are about the runs of --folds K; give that as well.")
    if arguments.folds is not None and arguments.model:
        raise UserError("--folds trains its own runs; leave --model out.")
    if arguments.limit < 0:
        raise UserError("--limit must be 0 or more.")
    from fkd.labels.at import labels_at
    from fkd.labels.references import unseen_by
    from fkd.labels.store import LabelStore
    from fkd.labels.suspects import find_suspects
    from fkd.labels.twins import find_twins
    from fkd.measures import measure
    from fkd.registry import open_named

    dataset = open_named(arguments.name)
    with progress_bar() as progress:
        labels = labels_at(LabelStore(dataset))
        choice = _references(arguments, dataset, labels.points, progress)
        unseen = unseen_by(choice.judging, dataset)
        twins = find_twins(dataset, measure(dataset, progress), labels.points, progress)
        found = find_suspects(labels, unseen, twins, arguments.kind or _KINDS)
    _caveat(unseen, choice)
    shown = _limited(found, arguments.limit)
    if arguments.json:
        print_json([suspect.to_json(dataset.schema) for suspect in shown])
    else:
        _print(shown, found)


def _references(
    arguments: argparse.Namespace,
    dataset: Dataset,
    labels: Points,
    progress: Progress,
) -> Choice:
    from fkd.evaluation.parts import bundled_never_saw, validation_rows
    from fkd.labels.references import Choice, bundled_reference, reference, references
    from fkd.models.sources import BUNDLED, trained_model, trained_models

    if arguments.folds is None and not arguments.model:
        models = trained_models()
        if bundled_never_saw(dataset):
            for model in models:
                if model.name == BUNDLED:
                    _predict(model, dataset, progress)
        return references(models, dataset, labels)
    if arguments.folds is not None:
        models = _folds(arguments, dataset, progress)
    else:
        models = [trained_model(name) for name in dict.fromkeys(arguments.model)]
    # Asked for by name, they judge whatever their error is.
    found = []
    for model in models:
        if model.name == BUNDLED:
            made = _predict(model, dataset, progress)
            found.append(bundled_reference(dataset, made, labels))
            continue
        validation_rows(model, dataset)  # says so where there is nothing to go by
        if (one := reference(model, dataset, labels)) is not None:
            found.append(one)
    return Choice(tuple(found))


def _predict(model: TrainedModel, dataset: Dataset, progress: Progress) -> Predictions:
    from fkd.evaluation import predictions as made

    if made.stored(model, dataset) is None:
        import_tensorflow()
    return made.predict(model, dataset, progress)


def _folds(
    arguments: argparse.Namespace, dataset: Dataset, progress: Progress
) -> list[TrainedModel]:
    from fkd.groups import read_groups
    from fkd.labels.folds import fold_configs, train_folds

    groups = None if arguments.groups is None else read_groups(arguments.groups, dataset)
    settings = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    configs = fold_configs(
        dataset, arguments.folds, groups=groups, settings=settings, progress=progress
    )
    try:
        return train_folds(dataset, configs, progress)
    except KeyboardInterrupt:
        raise UserError(
            "Stopped; the run under way ends at its next batch. Run the same command to go on."
        ) from None


def _caveat(unseen: Unseen, choice: Choice) -> None:
    """What the list goes by, on stderr: it is no part of it."""
    counts = Counter(unseen.source.tolist())
    for number, source in enumerate(unseen.sources[1:], 1):
        images = f"{counts[number]:,} {'image' if counts[number] == 1 else 'images'}"
        standing = source.standing("them")
        print(f"fkd: reference model of {images}: {source.title} ({standing})", file=sys.stderr)
    for words in choice.left_out:
        print(f"fkd: not a reference model: {words}", file=sys.stderr)
    if counts[0]:
        print(
            f"fkd: {counts[0]:,} of {len(unseen.known):,} images have no prediction of a reference "
            "model and are judged by the usual shape of faces only. '--folds 4' trains the models "
            "that are needed.",
            file=sys.stderr,
        )


def _limited(found: list[Suspect], limit: int) -> list[Suspect]:
    shown: list[Suspect] = []
    seen: Counter[str] = Counter()
    for suspect in found:
        seen[suspect.kind] += 1
        if not limit or seen[suspect.kind] <= limit:
            shown.append(suspect)
    return shown


def _print(shown: list[Suspect], found: list[Suspect]) -> None:
    from fkd.labels.suspects import KINDS, REASONS

    counts = Counter(suspect.kind for suspect in found)
    if not found:
        print("No label looks wrong, and none can be added.")
    for kind in counts:
        rows = [
            {"row": s.row, "score": f"{s.score:.1f}", "reason": REASONS[s.reason], "why": s.note}
            | {"compared with": s.source}
            for s in shown
            if s.kind == kind
        ]
        images = "image" if counts[kind] == 1 else "images"
        head = f"{KINDS[kind].capitalize()}: {counts[kind]:,} {images}"
        print(f"{head}\n{table(rows)}\n" if rows else head)
