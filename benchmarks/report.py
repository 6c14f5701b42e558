"""What was measured, as JSON and as a Markdown table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Claim:
    """What a figure must be: ``at least`` or ``below`` the ``limit``, in the figure's unit."""

    relation: Literal["at least", "below"]
    limit: float

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.relation == "at least" else value < self.limit


@dataclass(frozen=True)
class Figure:
    """One measured number; a figure without a ``claim`` is there to explain the others."""

    what: str
    value: float
    unit: str
    claim: Claim | None = None

    @property
    def holds(self) -> bool | None:
        return None if self.claim is None else self.claim.holds(self.value)

    def as_json(self) -> dict[str, Any]:
        claim = self.claim and {"relation": self.claim.relation, "limit": self.claim.limit}
        return {
            "what": self.what,
            "value": round(self.value, 4),
            "unit": self.unit,
            "claim": claim,
            "holds": self.holds,
        }

    def as_row(self) -> str:
        claim = ""
        if self.claim is not None:
            claim = f"{self.claim.relation} {_number(self.claim.limit)} {self.unit}"
            claim += "" if self.holds else " **missed**"
        return f"| {self.what} | {_number(self.value)} {self.unit} | {claim} |"


@dataclass(frozen=True)
class Part:
    """The figures of one benchmark, from one run on one machine.

    ``raw`` are the single measurements behind them; ``notes`` say how they were made and what
    was left out.
    """

    name: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()
    raw: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "figures": [figure.as_json() for figure in self.figures],
            "notes": list(self.notes),
            "raw": self.raw,
        }

    def as_markdown(self) -> str:
        rows = [figure.as_row() for figure in self.figures]
        lines = [f"| {self.name} | measured | claim |", "| --- | ---: | ---: |", *rows]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)

    def missed(self) -> list[Figure]:
        """The figures whose claims do not hold."""
        return [figure for figure in self.figures if figure.holds is False]


def median(values: Sequence[float]) -> float:
    return float(np.median(values))


def p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def _number(value: float) -> str:
    """Whole numbers as they are, others in three significant digits."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.{1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3}f}"


def write(path: Path, parts: Sequence[Part], quick: bool) -> None:
    """Put ``parts`` into the JSON file at ``path``; other parts' last results stay in it."""
    try:
        results = json.loads(path.read_text())["parts"]
    except (OSError, ValueError, KeyError):
        results = {}
    about = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": _machine(),
    }
    results.update({part.name: {**about, **part.as_json()} for part in parts})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"parts": results}, indent=2) + "\n")


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }
