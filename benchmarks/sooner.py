"""How soon ``compact`` is as good as ``baseline`` is in the end."""

from __future__ import annotations

import json
import time
from typing import Any

from benchmarks.accuracy import Place, scored
from benchmarks.data import Inputs
from benchmarks.report import Claim, Figure, Part
from fkd.training.status import QUEUED, RUNNING, STOPPING

_SOONER = Claim("at least", 20)
_POLL_S = 1.0


def run(inputs: Inputs) -> Part:
    """Train ``baseline`` by its recipe (complete rows, as in the notebook), then ``compact`` on the
    same split, as for its usual number of epochs, until it passes."""
    place = Place(inputs, "sooner")
    baseline = place.trained("baseline", inputs.sizes.baseline_epochs, 0)
    compact = _passing(place, inputs.sizes.epochs, baseline["rmse_px"])
    notes = (
        f"{place.what}; {inputs.sizes.baseline_epochs} epochs of baseline. Times are of the "
        "trainings, looks at the validation part among them, without the start of the process."
    )
    found = {"baseline": baseline, "compact": compact}
    return Part("sooner", figures(baseline, compact), [notes], found)


def _passing(place: Place, epochs: int, rmse_px: float) -> list[tuple[float, float]]:
    """The course of ``compact`` up to where it is closer than ``rmse_px``, or ends."""
    run = place.train("compact", epochs, 0, "--detach")
    course: list[tuple[float, float]] = []
    while (state := _state(place, run)) in {QUEUED, RUNNING, STOPPING}:
        course = place.course(run)
        if course and course[-1][1] <= rmse_px and state != STOPPING:
            place.fkd("stop", run, "--cancel")
        time.sleep(_POLL_S)
    return course


def _state(place: Place, run: str) -> str:
    """Read from its file: another process would take the time that is measured."""
    return str(json.loads((place.home / "runs" / run / "status.json").read_text())["state"])


def figures(baseline: dict[str, Any], course: list[tuple[float, float]]) -> list[Figure]:
    """What was measured, of ``baseline`` the scores and minutes."""
    passed = next((s for s, rmse in course if rmse <= baseline["rmse_px"]), float("inf"))
    return [
        *scored("baseline, seed 0", baseline),
        Figure("baseline, training", baseline["minutes"], "min"),
        Figure("compact passes the baseline's final error after", passed, "s"),
        Figure("baseline's training time / that", 60 * baseline["minutes"] / passed, "x", _SOONER),
    ]
