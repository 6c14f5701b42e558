"""Browse: a grid of faces with their ground truth; a click opens one face large."""

from __future__ import annotations

from dashboard import browse_controls, browse_detail, browse_grid, state, view

current = state.require_current()
shown = view.enter(current.dataset.schema)
if shown.open is None:
    shown = browse_controls.controls(shown, current)
    browse_grid.show_grid(shown, current)
else:
    browse_detail.show_detail(shown, current)
view.write(shown)
