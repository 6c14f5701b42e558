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
    from fkd.labels.suspects import Suspect
    from fkd.labels.unseen import Unseen
    from fkd.models.sources import TrainedModel
    from fkd.progress import Progress

_KINDS = ("wrong", "missing", "unsure")


def add_verbs(verbs: Any) -> None:
    suspects = verbs.add_parser("suspects", help="list the labels that are most likely wrong")
    suspects.add_argument("name", metavar="NAME", help="a dataset")
    suspects.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="RUN|bundled",
        help="whose predictions labels are compared with; may be repeated, the first that did not "
        "learn from an image counts (default: every run on this dataset, the best first)",
    )
    suspects.add_argument(
        "--kind",
        choices=_KINDS,
        action="append",
        help="wrong labels, missing points that could be added, or images that the model is "
        "unsure of; may be repeated (default: all)",
    )
    suspects.add_argument("--limit", type=int, default=20, help="of each kind (20); 0 = all")
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
    from fkd.labels.store import LabelStore
    from fkd.labels.suspects import find_suspects
    from fkd.labels.twins import find_twins
    from fkd.measures import measure
    from fkd.registry import open_named

    dataset = open_named(arguments.name)
    with progress_bar() as progress:
        unseen = _unseen(arguments, dataset, progress)
        labels = labels_at(LabelStore(dataset))
        twins = find_twins(dataset, measure(dataset, progress), labels.points, progress)
        found = find_suspects(labels, unseen, twins, arguments.kind or _KINDS)
    _caveat(unseen)
    shown = _limited(found, arguments.limit)
    if arguments.json:
        print_json([suspect.to_json(dataset.schema) for suspect in shown])
    else:
        _print(shown, found)


def _unseen(arguments: argparse.Namespace, dataset: Dataset, progress: Progress) -> Unseen:
    from fkd.evaluation.parts import bundled_never_saw
    from fkd.labels.unseen import best_first, unseen_by
    from fkd.models.sources import BUNDLED, trained_model, trained_models

    if arguments.folds is not None:
        return unseen_by(_folds(arguments, dataset, progress), dataset)
    models = [trained_model(name) for name in dict.fromkeys(arguments.model)]
    for model in models:
        if model.name != BUNDLED:
            from fkd.evaluation.parts import validation_rows

            validation_rows(model, dataset)  # says so where there is nothing to go by
    unseen = unseen_by(models or best_first(trained_models(), dataset), dataset)
    asked = next((model for model in models if model.name == BUNDLED), None)
    if asked is None and not models and bundled_never_saw(dataset):
        asked = next((m for m in trained_models() if m.name == BUNDLED), None)
    return unseen if asked is None else _with_bundled(unseen, asked, dataset, progress)


def _with_bundled(
    unseen: Unseen, model: TrainedModel, dataset: Dataset, progress: Progress
) -> Unseen:
    from fkd.evaluation import predictions as made
    from fkd.labels.unseen import joined_by_bundled

    if unseen.known.all():
        return unseen
    if made.stored(model, dataset) is None:
        import_tensorflow()
    return joined_by_bundled(unseen, dataset, made.predict(model, dataset, progress))


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
            "stopped; the run under way ends at its next batch. Ask again to go on."
        ) from None


def _caveat(unseen: Unseen) -> None:
    known = int(unseen.known.sum())
    if known < len(unseen.known):
        print(
            f"fkd: {known:,} of {len(unseen.known):,} images have a prediction of a model that "
            "never saw them; the others are judged by their shape only. '--folds 4' trains what "
            "is needed.",
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
    from fkd.labels.suspects import KINDS

    counts = Counter(suspect.kind for suspect in found)
    if not found:
        print("Nothing looks wrong.")
    for kind in counts:
        rows = [
            {"row": s.row, "score": f"{s.score:.1f}", "reason": s.reason, "why": s.note}
            | {"compared with": s.source}
            for s in shown
            if s.kind == kind
        ]
        print(f"{counts[kind]:,} {KINDS[kind]}" + ("" if not rows else f"\n{table(rows)}\n"))
