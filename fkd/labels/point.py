"""The label of one keypoint on one image, and the wish to change it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fkd.errors import UserError
from fkd.keypoints import KeypointSchema
from fkd.labels.states import Origin, State


@dataclass(frozen=True)
class PointLabel:
    """What is known of one keypoint.

    Attributes:
        state: see ``State``.
        x, y: px of the image; None where the state has no position.
        origin: see ``Origin``.
        source: the model whose prediction was accepted, the file that was read; else empty.

    Raises:
        ValueError: if a position is missing, superfluous or not finite.
    """

    state: State = State.MISSING
    x: float | None = None
    y: float | None = None
    origin: Origin = Origin.ORIGINAL
    source: str = ""

    def __post_init__(self) -> None:
        if not self.state.placed:
            if self.x is not None or self.y is not None:
                raise ValueError(f"a point that is {self.state.word} has no position")
        elif self.x is None or self.y is None or not math.isfinite(self.x + self.y):
            raise ValueError(f"a point that is {self.state.word} needs a position")

    @property
    def place(self) -> tuple[float, float] | None:
        return None if self.x is None or self.y is None else (self.x, self.y)

    def same_as(self, other: PointLabel) -> bool:
        """Whether both say the same of the point, wherever they have it from."""
        return (self.state, self.x, self.y) == (other.state, other.x, other.y)


@dataclass(frozen=True)
class Edit:
    """The wish that keypoint ``keypoint`` (index into the schema) of the image with the source row
    ``row`` be ``label`` from now on."""

    row: int
    keypoint: int
    label: PointLabel


def check_place(label: PointLabel, schema: KeypointSchema, what: str) -> None:
    """As an ingest does: positions may lie outside the image, by half its size at most.

    Raises:
        UserError: otherwise, beginning with ``what``.
    """
    for axis, value, size in (("x", label.x, schema.width), ("y", label.y, schema.height)):
        low, high = -0.5 - size / 2, 1.5 * size - 0.5
        if value is not None and not low <= value <= high:
            raise UserError(
                f"{what}: {axis} = {value:g} px is more than half an image outside; it must be "
                f"between {low:g} and {high:g}."
            )
