"""All runs as they stand now, those that cannot be read apart."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import loaders
from fkd.errors import UserError
from fkd.training.config import RunConfig
from fkd.training.estimate import Past, comparable
from fkd.training.machine import machine
from fkd.training.runs import Run, all_runs
from fkd.training.status import FINISHED, QUEUED, STOPPED, Status

_PAST = 7
"""Runs that an estimate is judged by, at most: the newest."""


@dataclass(frozen=True)
class Listed:
    """A run with what it was told and how far it is."""

    run: Run
    config: RunConfig
    status: Status

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def images(self) -> int:
        """Images that an epoch shows; about, until it has begun."""
        if self.status.steps:
            return self.status.steps * self.config.batch_size
        return round(len(self.config.split.training) * (1 + self.config.demo_share))

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


def past(model: str, images: int, exclude: str = "") -> list[Past]:
    """What the newest runs tell about a training of ``model`` with ``images`` images an epoch on
    this machine, see ``estimate.comparable``; the run called ``exclude`` aside."""
    told = (
        Past.of(one.config, one.status, loaders.run_history(one.run))
        for one in listing().runs
        if one.status.state in {FINISHED, STOPPED}
        and one.config.model == model
        and one.name != exclude
    )
    return comparable([one for one in told if one], model, images, machine())[:_PAST]
