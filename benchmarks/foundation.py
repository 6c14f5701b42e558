"""Measure the foundation: ``python -m benchmarks.foundation [--quick] [PART ...]``.

Parts are ingest, opening, browse and startup; without any, all are measured. Results go to
``benchmarks/results/foundation.json``, and as Markdown tables to the terminal. The whole takes
about five minutes and 6 GB of disk in the folder for temporary files. Ends with exit code 1 if a
claim does not hold; with ``--quick``, small sizes that only show that everything runs, never.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import browse, ingest, opening, startup
from benchmarks.data import Inputs
from benchmarks.report import Part
from benchmarks.runner import measure

PARTS: dict[str, Callable[[Inputs], Part]] = {
    "ingest": ingest.run,
    "opening": opening.run,
    "browse": browse.run,
    "startup": startup.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    return measure("foundation", __doc__, PARTS, argv)


if __name__ == "__main__":
    sys.exit(main())
