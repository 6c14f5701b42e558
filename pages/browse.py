"""Browse: a grid of faces with their ground truth; a click opens one face large."""

from __future__ import annotations

from dashboard.browse import controls, detail, grid, models, view
from dashboard.current import measuring, open_current

current = open_current()
shown = view.enter(current.dataset.schema)
shown, current = models.with_predictions(shown, current)
if not current.measured:
    measuring(current.dataset)
if shown.open is None:
    shown = controls.controls(shown, current)
    grid.show_grid(shown, current)
else:
    detail.show_detail(shown, current)
view.write(shown)
