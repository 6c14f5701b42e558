"""What the tests of the Train page share."""

from __future__ import annotations

import pytest


@pytest.fixture
def started(monkeypatch):
    """Names of the runs that were launched; no process is started."""
    names: list[str] = []
    for module in ("form", "actions"):
        what = "launch" if module == "form" else "resume"
        monkeypatch.setattr(
            f"dashboard.training.{module}.{what}", lambda run: names.append(run.name)
        )
    return names
