"""What is known of a keypoint on an image, and the labels of a whole dataset at one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset, check_array
from fkd.errors import UserError
from fkd.keypoints import KeypointSchema


class State(IntEnum):
    """What is known of a keypoint. The numbers stand in databases."""

    MISSING = 0
    """Nobody has looked, or nobody has said."""
    ABSENT = 1
    """Somebody looked: it is not on the picture."""
    OCCLUDED = 2
    """It has a position, but something covers it."""
    VISIBLE = 3

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def placed(self) -> bool:
        """Whether a point in this state has a position."""
        return self >= State.OCCLUDED


class Origin(IntEnum):
    """Where the label of a keypoint comes from. The numbers stand in databases."""

    ORIGINAL = 0
    """As the dataset was ingested."""
    PREDICTION = 1
    """A model's prediction that a person accepted as it was."""
    EDITED = 2
    """Placed, moved or given another state by a person."""
    REMOVED = 3
    """Taken away by a person."""
    IMPORTED = 4
    """Read from a file."""

    @property
    def word(self) -> str:
        return self.name.lower()


def word_state(word: str) -> State:
    """The state called ``word``; ``UserError`` if there is none."""
    try:
        return State[word.upper()]
    except KeyError:
        known = ", ".join(state.word for state in State)
        raise UserError(f"There is no state {word!r}; there are: {known}.") from None


@dataclass(frozen=True)
class Labels:
    """The labels of some images of a dataset at one version.

    Attributes:
        schema: the keypoints.
        rows: ``(N,)`` int64 source rows, ascending.
        points: ``(N, K, 2)`` float32, px; NaN where a point has no position.
        states: ``(N, K)`` uint8, see ``State``.
        origins: ``(N, K)`` uint8, see ``Origin``.
        version: number of this state of the labels; 0 = as ingested.
        tags: of the images by their source rows, where somebody wants them along.

    Raises:
        ValueError: if shapes or dtypes do not go together, or a point has a position without
            having a state that has one, or the reverse.
    """

    schema: KeypointSchema
    rows: NDArray[np.int64]
    points: NDArray[np.float32]
    states: NDArray[np.uint8]
    origins: NDArray[np.uint8]
    version: int = 0
    tags: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.rows), len(self.schema))
        check_array("points", self.points, (*shape, 2), np.float32)
        check_array("states", self.states, shape, np.uint8)
        check_array("origins", self.origins, shape, np.uint8)
        placed = self.states >= State.OCCLUDED
        if not np.array_equal(placed, np.isfinite(self.points).all(axis=2)):
            raise ValueError("a visible or occluded point needs a position, another has none")

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def original(cls, dataset: Dataset) -> Self:
        """Labels as they were ingested: a point with a position is visible, another missing."""
        points = np.array(dataset.keypoints, np.float32)
        here = np.isfinite(points).all(axis=2)
        points[~here] = np.nan
        states = np.where(here, State.VISIBLE, State.MISSING).astype(np.uint8)
        return cls(dataset.schema, np.asarray(dataset.rows), points, states, np.zeros_like(states))

    def take(self, at: NDArray[Any]) -> Labels:
        """Those at the positions (or under the mask) ``at``."""
        return replace(
            self,
            rows=self.rows[at],
            points=self.points[at],
            states=self.states[at],
            origins=self.origins[at],
        )
