"""The command line that all benchmarks share: which parts, where to, and whether claims hold."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.data import QUICK, Inputs, Sizes
from benchmarks.report import Part, write

RESULTS = Path(__file__).resolve().parent / "results"


def measure(
    name: str,
    about: str | None,
    parts: Mapping[str, Callable[[Inputs], Part]],
    argv: Sequence[str] | None,
) -> int:
    """Measure the parts asked for and report into ``RESULTS/name.json``; returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(parts))
    parser.add_argument("--quick", action="store_true", help="small sizes, a few seconds")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    parser.add_argument("--faces", type=Path, help="folder of real faces in Kaggle's files")
    arguments = parser.parse_args(argv)
    if unknown := sorted(set(arguments.parts) - set(parts)):
        parser.error(f"no such part: {', '.join(unknown)} (there are {', '.join(parts)})")
    done: list[Part] = []
    with tempfile.TemporaryDirectory(prefix="fkd-benchmarks-") as folder:
        sizes = QUICK if arguments.quick else Sizes()
        inputs = Inputs(Path(folder), sizes, arguments.faces)
        for part in [part for part in parts if part in (arguments.parts or parts)]:
            print(f"measuring {part} ...", file=sys.stderr)
            done.append(parts[part](inputs))
            # At once, so that a later part that fails does not take the earlier ones along.
            write(arguments.out / f"{name}.json", done[-1:], arguments.quick)
    print("\n\n".join(part.as_markdown() for part in done))
    missed = [f"{part.name}: {figure.what}" for part in done for figure in part.missed()]
    if missed and not arguments.quick:
        print("\n".join(["", "missed:", *missed]), file=sys.stderr)
        return 1
    return 0
