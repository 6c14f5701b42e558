"""What the Predict page shows, as far as it stands in the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from dashboard.links import Parameters, bound
from fkd.models.sources import BUNDLED

_PARAMETERS = Parameters("predict", ("model", "mirrored", "example"))


@dataclass(frozen=True)
class View:
    """Everything that a link to Predict fixes, apart from the dataset.

    Attributes:
        model: name of the model.
        mirrored: whether predictions for the mirrored face are averaged in.
        example: which image of the dataset is looked at, such as ``test-17``; empty for none.
    """

    model: str = BUNDLED
    mirrored: bool = True
    example: str = ""

    def to_query(self) -> dict[str, str]:
        """As query parameters; the model always stands there."""
        mirrored = {} if self.mirrored else {"mirrored": "0"}
        example = {"example": self.example} if self.example else {}
        return {"model": self.model, **mirrored, **example}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a link."""
        return cls(
            model=query.get("model", BUNDLED)[:64],
            mirrored=query.get("mirrored") != "0",
            example=query.get("example", "")[:32],
        )


def enter() -> View:
    """The view to show now."""
    return View.from_query(_PARAMETERS.asked())


def write(view: View) -> None:
    """Put ``view`` into the address bar."""
    _PARAMETERS.write(view.to_query())


def linked(shown: View, attribute: str) -> dict[str, Any]:
    """Arguments that bind a widget to ``attribute`` of the view."""
    return bound(
        f"predict-{attribute}",
        getattr(shown, attribute),
        lambda value: write(replace(shown, **{attribute: value})),
    )
