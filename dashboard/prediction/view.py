"""What the Predict page shows, as far as it stands in the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from dashboard.face_grid import EDGES, POINTS
from dashboard.links import Parameters, bound
from dashboard.photo_view import BOXES
from fkd.models.sources import BUNDLED

SHOWABLE = {BOXES: "Boxes", POINTS: "Points", EDGES: "Edges"}
"""What can be drawn on photos, by the word used in links."""
_PARAMETERS = Parameters("predict", ("model", "mirrored", "example", "show"))


@dataclass(frozen=True)
class View:
    """Everything that a link to Predict fixes, apart from the dataset.

    Attributes:
        model: name of the model.
        mirrored: whether predictions for the mirrored face are averaged in.
        example: which image of the dataset is looked at, such as ``test-17``; empty for none.
        show: what is drawn on photos, of ``SHOWABLE``.
    """

    model: str = BUNDLED
    mirrored: bool = True
    example: str = ""
    show: tuple[str, ...] = (BOXES, POINTS)

    def to_query(self) -> dict[str, str]:
        """As query parameters; the model always stands there."""
        mirrored = {} if self.mirrored else {"mirrored": "0"}
        example = {"example": self.example} if self.example else {}
        words = tuple(word for word in SHOWABLE if word in self.show)
        show = {} if words == View.show else {"show": ",".join(words) or "nothing"}
        return {"model": self.model, **mirrored, **example, **show}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a link."""
        asked = query.get("show")
        show = View.show if asked is None else tuple(w for w in SHOWABLE if w in asked.split(","))
        return cls(
            model=query.get("model", BUNDLED)[:64],
            mirrored=query.get("mirrored") != "0",
            example=query.get("example", "")[:32],
            show=show,
        )


def enter() -> View:
    """The view to show now."""
    return View.from_query(_PARAMETERS.asked())


def write(view: View) -> None:
    """Put ``view`` into the address bar."""
    _PARAMETERS.write(view.to_query())


def linked(shown: View, attribute: str) -> dict[str, Any]:
    """Arguments that bind a widget to ``attribute`` of the view."""
    value = getattr(shown, attribute)
    return bound(
        f"predict-{attribute}",
        list(value) if isinstance(value, tuple) else value,
        lambda value: write(replace(shown, **{attribute: value})),
    )
