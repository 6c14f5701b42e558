"""What the visibility of points, and positions that stand for none, mean in files of other tools.

COCO says 0 for a point that is not labelled, 1 for one that is labelled but covered, 2 for a
visible one. Many tools write 0 and 1 only, for labelled or not; COCO-WholeBody's converters write
confidences. Points without a position are written as 0, 0 or -1, -1 by some, whatever is said of
their visibility.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.formats.no_position import PLACES, lie_at, stand_for_none
from fkd.keypoints import KeypointSchema
from fkd.labels.formats import Visibility
from fkd.labels.states import State
from fkd.words import counted

TWO_STATES = frozenset((State.MISSING, State.VISIBLE))
THREE_STATES = TWO_STATES | {State.OCCLUDED}
"""The states that files without and with COCO's visibility hold."""

_COCO = np.array((State.MISSING, State.OCCLUDED, State.VISIBLE), np.uint8)
"""The state of each of COCO's numbers."""


class Read(NamedTuple):
    """``states`` ``(N, K)`` uint8, see ``State``; ``held``: the states that the file can hold;
    ``notes``: how it was read, a sentence each."""

    states: NDArray[np.uint8]
    held: frozenset[State]
    notes: tuple[str, ...]


def check_visibility(values: NDArray[np.float64], schema: KeypointSchema, where: str) -> None:
    """Check the visibilities ``(K,)`` of one face, in the schema's order.

    Raises:
        UserError: if one is none of 0, 1 and 2 and no share of 1.
    """
    known = np.isin(values, (0, 1, 2)) | ((values > 0) & (values < 1))  # not NaN
    if not known.all():
        k = int(np.flatnonzero(~known)[0])
        raise UserError(
            f"{where}: the visibility of {schema.keypoints[k].label} is {values[k]:g}, not 0, 1 "
            "or 2; correct it."
        )


def read_states(
    positions: NDArray[np.float64],
    visibility: NDArray[np.float64],
    meaning: Visibility,
    where: Callable[[int], str],
    *,
    says: bool = False,
    certain: NDArray[np.bool_] | None = None,
) -> Read:
    """The states of all points of a file.

    Args:
        positions: ``(N, K, 2)`` float64, as they stand in the file.
        visibility: ``(N, K)`` float64, each checked with ``check_visibility``.
        meaning: of the visibility.
        where: names the place of a face, for people.
        says: whether the file says that it means COCO's.
        certain: ``(N, K)`` bool, points that do have the position that stands there.

    Raises:
        UserError: if shares of 1 are mixed with COCO's 2, or are there though COCO's
            numbers are meant.
    """
    none, notes = without_position(positions, visibility > 0)
    if certain is not None and (none & certain).any():
        none, notes = without_position(positions, (visibility > 0) & ~certain)
    labelled = (visibility > 0) & ~none
    finite = np.isfinite(positions).all(axis=2)
    unused = (visibility == 0) & finite & ~stand_for_none(positions)
    if n := int(unused.sum()):
        points = counted(n, "point", "points")
        have, were = ("has", "it was") if n == 1 else ("have", "they were")
        notes += (f"{points} with visibility 0 {have} a position: {were} read as missing.",)
    shares = (visibility > 0) & (visibility < 1)
    if meaning != "binary" and shares.any() and (meaning == "coco" or (visibility == 2).any()):
        i, k = np.argwhere(shares)[0]
        raise UserError(
            f"{where(int(i))}: a visibility is {visibility[i, k]:g}, not 0, 1 or 2; correct it, or "
            "choose visibility 'binary' if every point above 0 is labelled."
        )
    if shares.any():
        notes += ("The visibilities are fractions: points above 0 were read as visible.",)
        meaning = "binary"
    elif (
        meaning == "auto" and not says and labelled.any() and not (visibility[labelled] == 2).any()
    ):
        notes += (
            "No point has visibility 2, so 1 was read as visible; to read it as occluded, choose "
            "visibility 'coco'.",
        )
        meaning = "binary"
    if meaning == "binary":
        states = np.where(labelled, State.VISIBLE, State.MISSING).astype(np.uint8)
        return Read(states, TWO_STATES, notes)
    states = _COCO[np.where(labelled, visibility, 0).astype(np.intp)]
    return Read(states, THREE_STATES, notes)


def without_position(
    positions: NDArray[np.float64], labelled: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Which of the ``labelled`` ``(N, K)`` points have a position ``(N, K, 2)``, as it stands in
    the file, that stands for none, ``(N, K)``, and a sentence for each such position."""
    found, notes = np.zeros_like(labelled), []
    for place in PLACES:
        here = labelled & lie_at(place, positions)
        if n := int(here.sum()):
            at = f"at {place.at:g}, {place.at:g}"
            notes.append(f"{counted(n, f'point {at} was', f'points {at} were')} read as missing.")
        found |= here
    return found, tuple(notes)
