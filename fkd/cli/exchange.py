"""Verbs that bring labels out and in: export, import."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fkd.cli.output import login_name, progress_bar
from fkd.labels.formats import FORMATS, in_words

if TYPE_CHECKING:
    pass


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
    imports.set_defaults(run=run_import)


def run_export(arguments: argparse.Namespace) -> None:
    from fkd.labels.at import labels_at
    from fkd.labels.exchange import export
    from fkd.labels.store import LabelStore
    from fkd.registry import open_named

    dataset = open_named(arguments.name)
    labels = labels_at(LabelStore(dataset), arguments.version)
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
    from fkd.labels.exchange import read
    from fkd.labels.importing import register_imported, save_imported
    from fkd.registry import check_name, dataset_names, open_named

    name, source = arguments.name, arguments.path.name or str(arguments.path)
    there = open_named(name) if check_name(name) in dataset_names() else None
    author = arguments.author or login_name()
    with progress_bar() as progress:
        if there is None:
            imported = read(arguments.path, arguments.format, progress=progress)
            dataset = register_imported(name, imported, arguments.format, source, progress)
        else:
            imported = read(arguments.path, arguments.format, there.schema, progress)
            dataset = there
    if there is None:
        about = dataset.manifest
        print(f"{name}: {about['rows']:,} rows ({about['complete_rows']:,} complete) - ready")
    said = save_imported(dataset, imported, arguments.format, source, author)
    if there is not None or said:
        print(f"{name}: {said or f'{source} says what the labels say, nothing to do'}")
    if imported.left_out:
        print(f"Left out: {imported.left_out:,} images without a face in the files.")
