"""Verbs that bring labels out and in: export, import."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkd.cli.output import confirmed, login_name, progress_bar
from fkd.labels.formats import FORMATS, VISIBILITIES, in_words

if TYPE_CHECKING:
    from fkd.labels.importing import ImportPlan


def add_verbs(verbs: Any) -> None:
    about: dict[str, Any] = {
        "epilog": f"formats, and what they cannot hold:\n{in_words()}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }
    export = verbs.add_parser("export", help="write images and their labels in a format", **about)
    export.add_argument("name", metavar="NAME", help="the dataset")
    export.add_argument("--format", required=True, choices=FORMATS)
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="PATH", help="a new folder, or a .zip"
    )
    export.add_argument(
        "--version", type=int, metavar="V", help="of the labels (default the latest; 0 = ingested)"
    )
    export.set_defaults(run=run_export)

    imports = verbs.add_parser(
        "import",
        help="read labels: for a dataset that is there, or as a new one with the images",
        **about,
    )
    imports.add_argument("name", metavar="NAME", help="the dataset, or the name of a new one")
    imports.add_argument("path", type=Path, metavar="PATH", help="a folder, zip or file")
    imports.add_argument("--format", required=True, choices=FORMATS)
    imports.add_argument("--author", help="who changes the labels (default who you are here)")
    imports.add_argument(
        "--visibility",
        choices=VISIBILITIES,
        default="auto",
        help="what the files say of each point: "
        f"{'; '.join(f'{name}: {words}' for name, words in VISIBILITIES.items())} (default: auto)",
    )
    imports.add_argument(
        "--dry-run", action="store_true", help="only say what would change, and save nothing"
    )
    imports.add_argument(
        "--yes",
        action="store_true",
        help="do not ask where much would change or something is assumed",
    )
    imports.set_defaults(run=run_import)


def run_export(arguments: argparse.Namespace) -> None:
    from fkd.labels.at import labels_at
    from fkd.labels.exchange import export
    from fkd.labels.store import LabelStore
    from fkd.labels.tags import with_tags
    from fkd.registry import open_named

    dataset = open_named(arguments.name)
    store = LabelStore(dataset)
    labels = with_tags(labels_at(store, arguments.version), store)
    with progress_bar() as progress:
        done = export(dataset, labels, arguments.format, arguments.output, progress)
    title = FORMATS[arguments.format].title
    print(
        f"{dataset.name}: {done.rows:,} rows, version {labels.version} of the labels, written to "
        f"{done.path} ({title})"
    )
    for sentence in done.lost:
        print(sentence)


def run_import(arguments: argparse.Namespace) -> None:
    from fkd.labels.at import labels_at
    from fkd.labels.exchange import read
    from fkd.labels.importing import (
        NOTHING_TO_IMPORT,
        plan_dataset,
        plan_import,
        save_dataset,
        save_import,
    )
    from fkd.labels.store import LabelStore
    from fkd.registry import check_name, dataset_names, open_named

    name, source = arguments.name, arguments.path.name or str(arguments.path)
    dataset = open_named(name) if check_name(name) in dataset_names() else None
    author = arguments.author or login_name()
    schema = {} if dataset is None else {"schema": dataset.schema}
    with progress_bar() as progress:
        imported = read(
            arguments.path,
            arguments.format,
            progress=progress,
            visibility=arguments.visibility,
            **schema,
        )
    if dataset is None:
        plan = plan_dataset(name, imported, arguments.format, source)
    else:
        current = labels_at(LabelStore(dataset))
        with progress_bar() as progress:
            plan = plan_import(imported, dataset, current, arguments.format, source, progress)
    print(*plan.lines(), sep="\n")
    if arguments.dry_run:
        warnings = [f"Warning: {reason}" for reason in plan.reasons] or ["No problems found."]
        print(*warnings, "Nothing was saved.", sep="\n")
        return
    _agree(plan, arguments.yes)
    if dataset is not None:
        said = save_import(plan, dataset, author)
        print(f"{name}: {said or NOTHING_TO_IMPORT}")
        return
    with progress_bar() as progress:
        dataset, said = save_dataset(name, plan, author, progress)
    about = dataset.manifest
    print(f"{name}: {about['rows']:,} rows ({about['complete_rows']:,} complete) - ready")
    if said:
        print(f"{name}: {said}")


def _agree(plan: ImportPlan, yes: bool) -> None:
    """Go on where there are no ``reasons`` against ``plan``, or somebody agrees anyway;
    ``UserError`` otherwise."""
    from fkd.errors import UserError

    if not plan.reasons:
        return
    for reason in plan.reasons:
        print(f"Warning: {reason}")
    if not confirmed("Import anyway?", yes):
        raise UserError("nothing was saved: check the warnings above, then repeat with --yes.")
