"""Measure the foundation: ``python -m benchmarks.foundation [--quick] [PART ...]``.

Parts are ingest, opening, browse and startup; without any, all are measured. Results go to
``benchmarks/results/foundation.json``, and as Markdown tables to the terminal. The whole takes
about five minutes and 6 GB of disk in the folder for temporary files. Ends with exit code 1 if a
claim does not hold; with ``--quick``, small sizes that only show that everything runs, never.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import browse, ingest, opening, startup
from benchmarks.data import QUICK, Inputs, Sizes
from benchmarks.report import Part, write

PARTS: dict[str, Callable[[Inputs], Part]] = {
    "ingest": ingest.run,
    "opening": opening.run,
    "browse": browse.run,
    "startup": startup.run,
}
RESULTS = Path(__file__).resolve().parent / "results"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.foundation", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, a few seconds")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    arguments = parser.parse_args(argv)
    if unknown := sorted(set(arguments.parts) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)} (there are {', '.join(PARTS)})")
    done: list[Part] = []
    with tempfile.TemporaryDirectory(prefix="fkd-benchmarks-") as folder:
        inputs = Inputs(Path(folder), QUICK if arguments.quick else Sizes())
        for name in [part for part in PARTS if part in (arguments.parts or PARTS)]:
            print(f"measuring {name} ...", file=sys.stderr)
            done.append(PARTS[name](inputs))
            # At once, so that a later part that fails does not take the earlier ones along.
            write(arguments.out / "foundation.json", done[-1:], arguments.quick)
    print("\n\n".join(part.as_markdown() for part in done))
    missed = [f"{part.name}: {figure.what}" for part in done for figure in part.missed()]
    if missed and not arguments.quick:
        print("\n".join(["", "missed:", *missed]), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
