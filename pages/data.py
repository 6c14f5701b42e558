"""Data: the registered datasets, and ways to add one."""

from __future__ import annotations

from dashboard import add_data, dataset_cards, task_strip

task_strip.task_strip()
dataset_cards.cards()
add_data.add_dataset()
