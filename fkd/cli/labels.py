"""The verbs of labels' history: log, undo, redo, revert, diff."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fkd.cli.output import login_name, print_json, table
from fkd.errors import UserError

if TYPE_CHECKING:
    from fkd.labels.point import PointLabel
    from fkd.labels.queries import Version
    from fkd.labels.store import LabelStore


def add_verbs(verbs: Any) -> None:
    labels = verbs.add_parser("labels", help="show, undo and compare versions of the labels")
    actions = labels.add_subparsers(title="what to do", metavar="ACTION", required=True)

    log = _action(actions, "log", "list the versions, the latest first", run_log)
    log.add_argument("--limit", type=_count, default=20, metavar="N", help="versions (20); 0 = all")

    _action(actions, "undo", "undo the last version", run_undo, saves=True)
    _action(actions, "redo", "redo what was undone last", run_redo, saves=True)

    revert = _action(actions, "revert", "go back to a version", run_revert, saves=True)
    revert.add_argument("version", type=_count, metavar="VERSION", help="0 = the original labels")

    diff = _action(actions, "diff", "list what changed between two versions", run_diff)
    diff.add_argument("first", type=_count, metavar="A", help="a version; 0 = the original labels")
    diff.add_argument("second", type=_count, metavar="B", help="another one")


def _action(
    actions: Any, name: str, about: str, run: Callable[..., None], *, saves: bool = False
) -> Any:
    parser = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    parser.add_argument("name", metavar="NAME", help="a dataset")
    parser.add_argument("--row", type=_count, metavar="R", help="of this image only")
    if saves:
        parser.add_argument(
            "--author", help="whose name the change is kept with (default: your login)"
        )
    else:
        parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text} is not the number of a version or row")
    return number


def run_log(arguments: argparse.Namespace) -> None:
    store = _store(arguments)
    versions = store.versions(arguments.row)[::-1][: arguments.limit or None]
    since = versions[-1].number - 1 if versions else 0
    points: Counter[int] = Counter()
    rows: dict[int, set[int]] = {version.number: set() for version in versions}
    for change in store.changes(row=arguments.row, after=since):
        if change.number in rows:
            points[change.number] += 1
            rows[change.number].add(change.row)
    if arguments.json:
        about = [{**vars(v), "rows": sorted(rows[v.number])} for v in versions]
        print_json([{**v, "points": points[v["number"]]} for v in about])
        return
    if not versions:
        where = f"row {arguments.row} of " if arguments.row is not None else ""
        print(f"No changes yet in {where}'{arguments.name}'.")
        return
    print(
        table(
            [
                {
                    "version": v.number,
                    "when": v.at[:19].replace("T", " "),
                    "who": v.author,
                    "what": _what(v),
                    "rows": len(rows[v.number]),
                    "points": points[v.number],
                    "note": v.note,
                }
                for v in versions
            ]
        )
    )


def _what(version: Version) -> str:
    return version.kind if version.undoes is None else f"{version.kind} of {version.undoes}"


def run_undo(arguments: argparse.Namespace) -> None:
    from fkd.labels.history import undo

    _step(arguments, undo, "undone")


def run_redo(arguments: argparse.Namespace) -> None:
    from fkd.labels.history import redo

    _step(arguments, redo, "redone")


def _step(arguments: argparse.Namespace, step: Callable[..., Version], word: str) -> None:
    store = _store(arguments)
    version = step(store, arguments.author or login_name(), arguments.row)
    print(f"{arguments.name}: version {version.undoes} is {word}{_as(store, version)}")


def run_revert(arguments: argparse.Namespace) -> None:
    from fkd.labels.history import revert

    store, number = _store(arguments), arguments.version
    version = revert(store, number, arguments.author or login_name(), row=arguments.row)
    if version is None:
        print(f"{arguments.name}: the labels are those of version {number} already")
        return
    print(f"{arguments.name}: reverted to version {number}{_as(store, version)}")


def run_diff(arguments: argparse.Namespace) -> None:
    from fkd.labels.history import differences

    changes = [
        change
        for change in differences(_store(arguments), arguments.first, arguments.second)
        if arguments.row in {None, change.row}
    ]
    if arguments.json:
        print_json(
            [
                {"row": c.row, "keypoint": c.keypoint, "old": _json(c.old), "new": _json(c.new)}
                for c in changes
            ]
        )
    elif not changes:
        print(f"Versions {arguments.first} and {arguments.second} are the same.")
    else:
        print(
            table(
                [
                    {
                        "row": str(c.row),
                        "keypoint": c.keypoint,
                        "old": _words(c.old),
                        "new": _words(c.new),
                        "origin": " ".join((c.new.origin.word, c.new.source)).strip(),
                    }
                    for c in changes
                ]
            )
        )


def _store(arguments: argparse.Namespace) -> LabelStore:
    from fkd.labels.store import LabelStore
    from fkd.registry import open_named

    dataset = open_named(arguments.name)
    if arguments.row is not None and dataset.position(arguments.row) is None:
        raise UserError(f"Dataset '{arguments.name}' has no row {arguments.row}.")
    return LabelStore(dataset)


def _as(store: LabelStore, version: Version) -> str:
    """Under which number, and how much that changed."""
    changes = store.changes(after=version.number - 1, until=version.number)
    rows = len({change.row for change in changes})
    points = f"{len(changes):,} point{'s' * (len(changes) != 1)}"
    where = f"{rows:,} row{'s' * (rows != 1)}"
    return f", saved as version {version.number}: {points} in {where} changed"


def _words(label: PointLabel) -> str:
    place = "" if label.place is None else f" {label.x:.2f}, {label.y:.2f}"
    return f"{label.state.word}{place}"


def _json(label: PointLabel) -> dict[str, Any]:
    return {**vars(label), "state": label.state.word, "origin": label.origin.word}
