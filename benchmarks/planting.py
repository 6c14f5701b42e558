"""Mistakes planted into labels, of the kinds that people make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fkd.keypoints import KeypointSchema
from fkd.statistics.missing import present

FINE, SLIP, SHIFT, SWAP = range(4)
NAMES = {SLIP: "slip", SHIFT: "shift", SWAP: "swap"}
SHIFT_PX, SLIP_PX = (3.0, 8.0), (4.0, 15.0)


@dataclass(frozen=True)
class Planted:
    """Labels with mistakes.

    Attributes:
        points: ``(N, K, 2)`` float32, px.
        kind: ``(N,)`` int8: ``SLIP``, ``SHIFT``, ``SWAP``; ``FINE`` for faces left alone.
        keypoints: ``(N, K)`` bool, the points that were moved or exchanged.
        size: ``(N,)`` float64, px, how far a point slipped or the face was shifted; else 0.
    """

    points: NDArray[np.float32]
    kind: NDArray[np.int8]
    keypoints: NDArray[np.bool_]
    size: NDArray[np.float64]


def plant(
    points: NDArray[np.float32],
    schema: KeypointSchema,
    share: float,
    rng: np.random.Generator,
    allowed: NDArray[np.bool_] | None = None,
) -> Planted:
    """Plant mistakes into a ``share`` of the faces, each kind as often as the others.

    A swap exchanges all mirror pairs that a face has or, half of the time, a random non-empty set
    of them; a shift moves all points by the same 3 to 8 px, a slip one point by 4 to 15 px, in any
    direction.

    Args:
        points: ``(N, K, 2)`` px, NaN = missing.
        allowed: ``(N,)`` which faces may get one; without it, all that have points.
    """
    here = present(points)
    pairs = np.stack([here[:, a] & here[:, b] for a, b in schema.mirror_pairs], axis=1)
    free = np.flatnonzero((here.any(axis=1) if allowed is None else allowed) & pairs.any(axis=1))
    chosen = rng.permutation(free)[: max(3, round(share * len(free)))]
    planted = Planted(
        np.array(points, np.float32),
        np.zeros(len(points), np.int8),
        np.zeros(here.shape, bool),
        np.zeros(len(points)),
    )
    # The kinds come in turns from a random one on, so that remainders even out.
    first = int(rng.integers(3))
    for number, row in enumerate(chosen):
        kind = (SLIP, SHIFT, SWAP)[(first + number) % 3]
        planted.kind[row] = kind
        if kind == SWAP:
            _swap(planted, int(row), np.flatnonzero(pairs[row]), schema, rng)
        else:
            _move(planted, int(row), np.flatnonzero(here[row]), kind, rng)
    return planted


def _swap(
    planted: Planted,
    row: int,
    known: NDArray[np.intp],
    schema: KeypointSchema,
    rng: np.random.Generator,
) -> None:
    some = known
    if rng.random() < 0.5:
        some = rng.permutation(known)[: rng.integers(1, len(known) + 1)]
    points = planted.points[row]
    for a, b in (schema.mirror_pairs[pair] for pair in some):
        points[[a, b]] = points[[b, a]]
        planted.keypoints[row, [a, b]] = True


def _move(
    planted: Planted, row: int, known: NDArray[np.intp], kind: int, rng: np.random.Generator
) -> None:
    if kind == SLIP:
        known = rng.permutation(known)[:1]
    size = rng.uniform(*(SLIP_PX if kind == SLIP else SHIFT_PX))
    angle = rng.uniform(0, 2 * np.pi)
    planted.points[row, known] += np.float32(size) * np.array(
        [np.cos(angle), np.sin(angle)], np.float32
    )
    planted.keypoints[row, known] = True
    planted.size[row] = size
