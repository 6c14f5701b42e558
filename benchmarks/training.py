"""Measure training: ``python -m benchmarks.training [--quick] [--faces FOLDER] [PART ...]``.

Parts are pace (images per second of both models), latency (of one prediction), responsive (Browse
while a training runs), sooner (``compact`` until it is as good as ``baseline`` in the end; seven
minutes) and accuracy (three seeds of ``compact``; half an hour). The last two train on the real
faces in FOLDER (``training.zip`` and ``people.csv``), or on drawn faces without it. Results go to
``benchmarks/results/training.json``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import accuracy, latency, pace, responsive, sooner
from benchmarks.data import Inputs
from benchmarks.report import Part
from benchmarks.runner import measure

PARTS: dict[str, Callable[[Inputs], Part]] = {
    "pace": pace.run,
    "latency": latency.run,
    "responsive": responsive.run,
    "sooner": sooner.run,
    "accuracy": accuracy.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    return measure("training", __doc__, PARTS, argv)


if __name__ == "__main__":
    sys.exit(main())
