"""Verbs about trainings: train, runs, stop, resume."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkd.cli.output import print_json, table
from fkd.errors import UserError

if TYPE_CHECKING:
    from fkd.training.runs import Run
    from fkd.training.status import Status

_POLL_S = 0.5


def add_verbs(verbs: Any) -> None:
    train = verbs.add_parser("train", help="train a model, in a process of its own")
    train.add_argument(
        "folder", nargs="?", type=Path, metavar="RUN_FOLDER", help="train this run folder, here"
    )
    train.add_argument("--dataset", metavar="NAME", help="dataset to train on")
    train.add_argument("--model", default="compact", help="compact (default) or baseline")
    train.add_argument("--name", metavar="RUN", help="name of the run (default: MODEL-NUMBER)")
    train.add_argument("--epochs", type=int, help="epochs (default: 40 for compact)")
    train.add_argument("--batch", type=int, dest="batch_size", help="batch size: images per step")
    train.add_argument("--learning-rate", type=float, help="peak learning rate")
    train.add_argument("--patience", type=int, help="early stopping patience in epochs; 0 = off")
    train.add_argument(
        "--missing",
        help="missing labels: mask, complete or mean",
    )
    train.add_argument("--no-augmentation", action="store_true", help="turn augmentation off")
    train.add_argument("--precision", help="auto, float32, bfloat16 or float16")
    train.add_argument("--demo-share", type=float, help="drawn faces, as a share of the images")
    train.add_argument(
        "--labels",
        default="latest",
        metavar="VERSION",
        help="version of the labels to train on: a number, latest (default) or original",
    )
    train.add_argument(
        "--without-accepted",
        action="store_true",
        help="leave out labels that are accepted predictions",
    )
    train.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of split, weights and order (0)",
    )
    train.add_argument("--validation", type=float, default=0.1, help="validation share (0.1)")
    train.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        help="keep groups together: CSV row,person",
    )
    train.add_argument("--detach", action="store_true", help="return at once")
    train.set_defaults(run=run_train)

    runs = verbs.add_parser("runs", help="list the trainings")
    runs.add_argument("--json", action="store_true", help="print JSON")
    runs.set_defaults(run=run_runs)

    stop = verbs.add_parser("stop", help="stop a training early and keep its weights")
    stop.add_argument("name", metavar="RUN")
    stop.add_argument("--cancel", action="store_true", help="discard the weights")
    stop.set_defaults(run=run_stop)

    resume = verbs.add_parser("resume", help="go on with a training from its last checkpoint")
    resume.add_argument("name", metavar="RUN")
    resume.add_argument("--detach", action="store_true", help="return at once")
    resume.set_defaults(run=run_resume)


_SETTINGS = (
    "epochs",
    "batch_size",
    "learning_rate",
    "patience",
    "missing",
    "precision",
    "demo_share",
)


def run_train(arguments: argparse.Namespace) -> None:
    if arguments.folder is not None:
        _train_folder(arguments.folder)
        return
    if not arguments.dataset:
        raise UserError("Name what to train on: --dataset NAME ('fkd datasets' lists them).")
    from fkd.cli.output import progress_bar
    from fkd.evaluation.learned import never_learned
    from fkd.labels.at import version_called
    from fkd.registry import open_named
    from fkd.training.config import Augmentation
    from fkd.training.create import make_config, teaches
    from fkd.training.launcher import launch
    from fkd.training.runs import check_run_name, create_run

    if arguments.name:
        check_run_name(arguments.name)
    dataset = open_named(arguments.dataset)
    groups = None
    if arguments.groups is not None:
        from fkd.groups import read_groups

        groups = read_groups(arguments.groups, dataset)
    settings = {k: v for k in _SETTINGS if (v := getattr(arguments, k)) is not None}
    if arguments.no_augmentation:
        settings["augmentation"] = Augmentation.off()
    settings["label_version"] = version_called(arguments.labels, dataset)
    settings["accepted"] = not arguments.without_accepted
    with progress_bar() as progress:
        config = make_config(
            dataset,
            arguments.model,
            seed=arguments.seed,
            fraction=arguments.validation,
            groups=groups,
            settings=settings,
            progress=progress,
        )
    if note := never_learned(teaches(dataset, config), dataset.schema):
        print(f"fkd: {note}", file=sys.stderr)
    run = create_run(config, arguments.name)
    launch(run)
    _attach(run, arguments.detach)


def _train_folder(folder: Path) -> None:
    """Train what the folder's ``config.json`` says, in this process's children, and wait."""
    from fkd.training.launcher import put_into_queue
    from fkd.training.runs import Run
    from fkd.training.status import CRASHED, FAILED, FILE, Status
    from fkd.training.supervisor import supervise

    run = Run(folder.resolve())
    if not (run.folder / "config.json").is_file():
        raise UserError(f"{run.folder} is no run folder: it has no config.json.")
    if not (run.folder / FILE).is_file():
        Status(heartbeat=time.time(), epochs=run.config.epochs).write(run.folder)
    # Who launched it has queued it, and may have called it off since.
    if not run.status.unattended:
        put_into_queue(run)
    supervise(run)
    status = run.status
    if status.state in {FAILED, CRASHED}:
        raise UserError(f"Run '{run.name}' {status.state}. {status.reason}")
    print(f"Run '{run.name}' {status.state}. {status.reason}".rstrip())


def run_resume(arguments: argparse.Namespace) -> None:
    from fkd.training.launcher import resume
    from fkd.training.runs import open_run

    run = open_run(arguments.name)
    resume(run)
    _attach(run, arguments.detach)


def run_stop(arguments: argparse.Namespace) -> None:
    from fkd.training.runs import open_run

    run = open_run(arguments.name)
    run.request_stop(cancel=arguments.cancel)
    what = "is cancelled" if arguments.cancel else "stops"
    print(f"Run '{run.name}' {what} within seconds.")


def run_runs(arguments: argparse.Namespace) -> None:
    from fkd.training.runs import all_runs

    found, unreadable = [], []
    for run in all_runs():
        try:
            found.append(_summary(run))
        except UserError as error:
            unreadable.append(str(error))
    if arguments.json:
        print_json(found)
    elif found:
        print(table([_line(row) for row in found]))
    else:
        print("No runs yet. 'fkd train --dataset NAME' starts one.")
    for line in unreadable:
        print(f"fkd: {line}", file=sys.stderr)


def _summary(run: Run) -> dict[str, Any]:
    config, status = run.config, run.status
    return {
        "name": run.name,
        "state": status.state,
        "model": config.model,
        "dataset": config.dataset,
        "labels": config.labels_in_words,
        "label_version": config.label_version,
        "accepted": config.accepted,
        "epoch": status.epoch,
        "epochs": config.epochs,
        "best_epoch": status.best[0] if status.best else 0,
        "best_rmse_px": status.best[1] if status.best else None,
        "split": config.split.digest,
        "elapsed_s": round(status.elapsed),
        "reason": status.reason,
    }


def _line(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary as a row of the table."""
    hidden = {"reason", "label_version", "accepted"}
    return {name: _cell(value) for name, value in summary.items() if name not in hidden}


def _cell(value: Any) -> Any:
    return "" if value is None else round(value, 3) if isinstance(value, float) else value


def _attach(run: Run, detach: bool) -> None:
    """Show a bar until the run ends; Ctrl-C ends it early, keeping the weights."""
    if detach:
        print(f"Run '{run.name}' is queued; 'fkd runs' shows how far it is.")
        return
    try:
        status = _follow(run)
    except KeyboardInterrupt:
        print("\nStopping; the weights are kept.", file=sys.stderr)
        run.request_stop()
        status = _follow(run)
    if status.state not in {"finished", "stopped"}:
        raise UserError(f"Run '{run.name}' {status.state}. {status.reason}")
    best = "no epoch finished"
    if status.best:
        best = f"best epoch {status.best[0]}: {status.best[1]:.3f} px RMSE on validation"
    weights = f" Weights: {run.best}" if run.best.is_file() else ""
    print(f"Run '{run.name}' {status.state}; {best}.{weights}")


def _follow(run: Run) -> Status:
    from tqdm import tqdm

    status = run.status
    with tqdm(
        total=run.config.epochs, unit="epoch", desc=run.name, file=sys.stderr, disable=None
    ) as bar:
        while status.active:
            bar.n = round(status.share * (bar.total or 0), 2)
            rmse = f"{status.best[1]:.2f} px" if status.best else "-"
            bar.set_postfix_str(f"{status.stage or status.state}, best {rmse}")
            time.sleep(_POLL_S)
            status = run.status
        bar.n = status.epoch
        bar.refresh()
    return status
