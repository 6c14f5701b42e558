"""Data: the registered datasets, and ways to add one."""

from __future__ import annotations

from dashboard.datasets import add, cards, strip

strip.task_strip()
cards.cards()
add.add_dataset()
