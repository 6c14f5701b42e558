"""All runs as they stand now, those that cannot be read apart."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import loaders
from fkd.errors import UserError
from fkd.training.config import RunConfig
from fkd.training.estimate import pace
from fkd.training.runs import Run, all_runs
from fkd.training.status import FINISHED, QUEUED, Status

_PACES = 5
"""Finished runs that an estimate is judged by, at most: the newest."""


@dataclass(frozen=True)
class Listed:
    """A run with what it was told and how far it is."""

    run: Run
    config: RunConfig
    status: Status

    @property
    def name(self) -> str:
        return self.run.name

    @classmethod
    def of(cls, run: Run) -> Listed:
        """``UserError`` if its folder cannot be read."""
        return cls(run, loaders.run_config(run), run.status)


@dataclass(frozen=True)
class Listing:
    """``runs``, the newest first, and ``broken``: runs with the reason they cannot be read."""

    runs: tuple[Listed, ...]
    broken: tuple[tuple[Run, str], ...]

    @property
    def active(self) -> tuple[Listed, ...]:
        return tuple(one for one in self.runs if one.status.active)


def listing() -> Listing:
    """All runs in the workspace."""
    runs, broken = [], []
    for run in all_runs():
        try:
            runs.append(Listed.of(run))
        except UserError as error:
            broken.append((run, str(error)))
    return Listing(tuple(runs), tuple(broken))


def active_runs() -> list[tuple[Run, Status]]:
    """The runs that train or wait, those that train first; quick, for every page asks it."""
    found = []
    for run in all_runs():
        try:
            status = run.status
        except UserError:
            continue  # the Train page says so
        if status.active:
            found.append((run, status))
    return sorted(found, key=lambda one: (one[1].state == QUEUED, one[0].queued_at))


def paces(runs: Listing, model: str) -> list[float]:
    """Images per second of the newest finished runs of ``model``."""
    found: list[float] = []
    for one in runs.runs:
        if one.status.state == FINISHED and one.config.model == model and len(found) < _PACES:
            speed = pace(one.config, loaders.run_history(one.run))
            found += [speed] if speed else []
    return found
