"""Verbs about datasets: demo, ingest, datasets, info, remove, download."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkd import private
from fkd.cli.output import confirmed, print_json, progress_bar, table
from fkd.errors import UserError

if TYPE_CHECKING:
    from fkd.formats.report import Report

Verbs = Any  # argparse's subparsers object has no public type


def add_verbs(verbs: Verbs) -> None:
    demo = verbs.add_parser("demo", help="draw the demo faces and register them as a dataset")
    demo.add_argument("--rows", type=int, default=1000, help="training images (default 1000)")
    demo.add_argument("--seed", type=int, default=0, help="other seeds give other faces")
    demo.add_argument("--out", type=Path, metavar="DIR", help="write Kaggle's four files into DIR")
    demo.add_argument(
        "--name", help="register under this name (default 'demo'; with --out only when given)"
    )
    demo.add_argument("--overwrite", action="store_true", help="replace a dataset of that name")
    demo.set_defaults(run=run_demo)

    ingest = verbs.add_parser("ingest", help="validate Kaggle's files and register them")
    ingest.add_argument("name", metavar="NAME", help="name of the dataset")
    ingest.add_argument(
        "training", type=Path, metavar="TRAINING", help="training.csv, a zip, or a folder with all"
    )
    ingest.add_argument("--test", type=Path, metavar="FILE", help="test.csv or a zip of it")
    ingest.add_argument("--lookup", type=Path, metavar="FILE", help="IdLookupTable.csv")
    ingest.add_argument(
        "--skip-bad",
        action="store_true",
        help="keep the good rows; list the bad ones with reasons in rejected.csv",
    )
    ingest.add_argument(
        "--problems", type=Path, metavar="FILE", help="write every problem to this CSV file"
    )
    ingest.add_argument("--overwrite", action="store_true", help="replace a dataset of that name")
    ingest.set_defaults(run=run_ingest)

    datasets = verbs.add_parser("datasets", help="list the registered datasets")
    datasets.add_argument("--json", action="store_true", help="print JSON")
    datasets.set_defaults(run=run_datasets)

    info = verbs.add_parser("info", help="counts and hash of one dataset")
    info.add_argument("name", metavar="NAME")
    info.add_argument("--json", action="store_true", help="print JSON")
    info.set_defaults(run=run_info)

    remove = verbs.add_parser("remove", help="delete a dataset (asks first)")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=run_remove)

    download = verbs.add_parser("download", help="fetch the files from Kaggle and ingest them")
    download.add_argument("--name", default="kaggle", help="name of the dataset (default 'kaggle')")
    download.add_argument("--out", type=Path, metavar="DIR", help="keep the files in DIR")
    download.set_defaults(run=run_download)


def run_demo(arguments: argparse.Namespace) -> None:
    from fkd.demo import DemoSpec, make_demo, write_demo_files

    spec = DemoSpec(rows=arguments.rows, seed=arguments.seed)
    if arguments.out is not None:
        with progress_bar() as progress:
            paths = write_demo_files(arguments.out, spec, progress)
        for path in paths:
            private.as_usual(path)
        print(f"Wrote {', '.join(p.name for p in paths)} to {arguments.out}")
    if arguments.out is None or arguments.name:
        with progress_bar() as progress:
            dataset, created = make_demo(
                arguments.name or "demo", spec, overwrite=arguments.overwrite, progress=progress
            )
        _say_dataset(dataset.manifest, _state(created))


def run_ingest(arguments: argparse.Namespace) -> None:
    from fkd.ingest import IngestRefused, ingest, rejected_csv

    try:
        with progress_bar() as progress:
            result = ingest(
                arguments.name,
                arguments.training,
                arguments.test,
                arguments.lookup,
                skip_bad=arguments.skip_bad,
                overwrite=arguments.overwrite,
                progress=progress,
            )
    except IngestRefused as error:
        _print_problems(error.reports, arguments.problems)
        advice = " Fix the files, or keep the good rows (--skip-bad)." if error.curable else ""
        end = "" if str(error).endswith(("?", ".")) else "."
        raise UserError(f"{error}{end} Nothing was ingested.{advice}") from None
    _say_dataset(result.dataset.manifest, _state(result.created))
    for note in result.notes:
        print(note)
    for warning in result.warnings:
        print(f"Warning: {warning}")
    if result.created and (path := rejected_csv(result.dataset)):
        print(f"Skipped {result.bad_rows:,} bad rows; reasons in {path}")


def _print_problems(reports: Sequence[Report], path: Path | None) -> None:
    """The first problems of each kind on stderr; all of them to ``path``."""
    from fkd.formats.report import write_problems

    for report in reports:
        for line in report.lines():
            print(line, file=sys.stderr)
    if path is not None:
        write_problems(path, reports)
        count = sum(map(len, reports))
        print(f"All {count:,} problems are in {path}", file=sys.stderr)


def _state(created: bool) -> str:
    return "ready" if created else "already there, nothing to do"


def run_datasets(arguments: argparse.Namespace) -> None:
    from fkd.registry import dataset_names, open_named

    found, unreadable = [], []
    for name in dataset_names():
        try:
            found.append({**open_named(name).manifest, "name": name})
        except UserError as error:
            unreadable.append(str(error))
    if arguments.json:
        print_json(found)
    elif found:
        keys = ("name", "rows", "complete_rows", "test_rows", "origin", "created")
        print(table([{k: m.get(k, "") for k in keys} for m in found]))
    else:
        print("No datasets yet. 'fkd demo' draws one; 'fkd ingest NAME FILE' reads Kaggle's.")
    for line in unreadable:
        print(f"fkd: {line}", file=sys.stderr)


def run_info(arguments: argparse.Namespace) -> None:
    from fkd.registry import open_named

    about = {**open_named(arguments.name).manifest, "name": arguments.name}
    if arguments.json:
        print_json(about)
        return
    rows = about["rows"]
    _say_dataset(about, about.get("origin", "of unknown origin"))
    print(f"content hash {about['content_hash']}")
    for note in about.get("notes", ()):
        print(note)
    for warning in about.get("warnings", ()):
        print(f"Warning: {warning}")
    print()
    print(
        table(
            [
                {"keypoint": k, "present": n, "missing": rows - n, "share": f"{n / rows:.1%}"}
                for k, n in about["present"].items()
            ]
        )
    )


def run_remove(arguments: argparse.Namespace) -> None:
    from fkd.registry import folder_of, manifest, remove

    folder_of(arguments.name)
    try:
        what = f"'{arguments.name}' with {manifest(arguments.name)['rows']:,} rows"
    except UserError:  # damaged: all the more reason to remove it
        what = f"'{arguments.name}'"
    if not confirmed(f"Delete dataset {what}?", arguments.yes):
        raise UserError("not removed (answer 'y', or pass --yes).")
    remove(arguments.name)
    print(f"Removed '{arguments.name}'.")


def run_download(arguments: argparse.Namespace) -> None:
    import tempfile

    from fkd.download import download_competition
    from fkd.registry import check_name, dataset_names

    if check_name(arguments.name) in dataset_names():
        raise UserError(
            f"Dataset '{arguments.name}' exists; choose another --name or remove it first."
        )
    with tempfile.TemporaryDirectory(prefix="fkd-download-") as temporary:
        folder = download_competition(arguments.out or Path(temporary))
        run_ingest(
            argparse.Namespace(
                name=arguments.name,
                training=folder,
                test=None,
                lookup=None,
                skip_bad=False,
                overwrite=False,
                problems=None,
            )
        )


def _say_dataset(about: dict[str, Any], state: str) -> None:
    print(
        f"{about['name']}: {about['rows']:,} row{'' if about['rows'] == 1 else 's'} "
        f"({about['complete_rows']:,} complete), "
        f"{about['test_rows']:,} test images, schema {about['schema']} - {state}"
    )
