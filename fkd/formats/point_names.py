"""Which of a file's keypoints is which of a schema's, by their names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fkd.errors import UserError
from fkd.keypoints import KeypointSchema
from fkd.words import listed

_LISTED = 5
"""Names listed at most; of more, how many they are."""


class Order(NamedTuple):
    """``places`` ``(K,)`` int: where each point of the schema stands in the file; the sentences
    are for ``Imported``'s fields of the same names."""

    places: NDArray[np.intp]
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


def in_order(schema: KeypointSchema) -> Order:
    """The order of the schema itself."""
    return Order(np.arange(len(schema)))


def order_of(names: Sequence[str], schema: KeypointSchema, where: str) -> Order:
    """The order of keypoints called ``names`` in the file; ``where`` they stand is for people.

    Case, spaces, hyphens and the like make no difference, so that ``Left Eye-Center`` and
    ``leftEyeCenter`` are ``left_eye_center``. Points that are counted, from 1 or from 0, are taken
    to be counted in the schema's order, which is an assumption.

    Raises:
        UserError: if there are more or fewer than the schema has, a name is unknown, or one is
            there twice.
    """
    if len(names) != len(schema):
        raise UserError(
            f"{where} names {len(names)} keypoints, but {schema.name} has {len(schema)}; name "
            "each of them, and no others."
        )
    known, given = [plain_name(name) for name in schema.names], [plain_name(name) for name in names]
    for i, name in enumerate(given):
        if name in given[:i]:
            raise UserError(f"{where} names the keypoint {names[i]!r} twice; name each once.")
    if sorted(given) == sorted(known):
        order = np.array([given.index(name) for name in known])
        if set(names) == set(schema.names):
            return Order(order)
        return Order(order, ("Keypoint names were matched ignoring case, spaces and hyphens.",))
    for first in (1, 0):
        numbers = [str(first + k) for k in range(len(schema))]
        if sorted(numbers) == sorted(given):
            meant = listed(
                f"{number} {point.label}"
                for number, point in zip(numbers, schema.keypoints, strict=True)
            )
            said = f"The keypoints are numbered; they were assumed to be: {meant}."
            return Order(np.array([given.index(number) for number in numbers]), (), (said,))
    raise _unknown(names, schema, where)


def plain_name(name: str) -> str:
    """``name`` without what tools write in different ways: case, spaces, punctuation."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _unknown(names: Sequence[str], schema: KeypointSchema, where: str) -> UserError:
    known = {plain_name(name): name for name in schema.names}
    given = {plain_name(name) for name in names}
    free = [name for plain, name in known.items() if plain not in given]
    words = []
    for name in names:
        if plain_name(name) not in known:
            close = difflib.get_close_matches(plain_name(name), map(plain_name, free), 1)
            words.append(f"{name!r}" + (f" (perhaps {known[close[0]]})" if close else ""))
    return UserError(
        f"{where} names keypoints that {schema.name} does not have: {listed(words, _LISTED)}; "
        f"rename them to those that are missing: {listed(free, _LISTED)}."
    )
