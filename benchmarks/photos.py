"""Measure photos: ``python -m benchmarks.photos [--quick] [--faces FOLDER] [PART ...]``.

Parts are robustness (faces found on scenes, upright and turned, and how exactly), speed (of one
photo and of a folder, memory) and opening (from opening the page to the first points). FOLDER has
real faces in Kaggle's files (``training.zip``) and who they show (``people.csv``); without it
drawn faces are searched for. Results go to ``benchmarks/results/photos.json``. Twenty minutes on
two cores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import first_prediction, robustness, speed
from benchmarks.data import Inputs
from benchmarks.report import Part
from benchmarks.runner import measure

PARTS: dict[str, Callable[[Inputs], Part]] = {
    "robustness": robustness.run,
    "speed": speed.run,
    "opening": first_prediction.run,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; returns the exit code."""
    return measure("photos", __doc__, PARTS, argv)


if __name__ == "__main__":
    sys.exit(main())
