"""Which images a model learns from and which it is judged by."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.statistics.missing import NONE, label_source

MIN_FRACTION, MAX_FRACTION = 0.05, 0.5
"""Bounds of the share of images held back for validation."""

_MAX_FOLDS = 20
_PARTS = ("training", "validation")

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Two disjoint sets of images, named by their rows in the source file.

    ``training`` and ``validation`` are int64 ``(n,)`` values of ``Dataset.rows``, ascending.

    Raises:
        ValueError: when a part is of another dtype or shape, does not ascend or has a negative
            row, or a row is in both parts.
    """

    training: Rows
    validation: Rows

    def __post_init__(self) -> None:
        for part in _PARTS:
            rows = getattr(self, part)
            if rows.dtype != np.int64 or rows.ndim != 1:
                raise ValueError(
                    f"{part} rows: expected int64 of shape (n,), got {rows.dtype} of {rows.shape}"
                )
            if (np.diff(rows, prepend=-1) <= 0).any():
                raise ValueError(f"{part} rows must ascend from 0 on")
        if (both := np.intersect1d(self.training, self.validation)).size:
            raise ValueError(f"row {both[0]} is in both parts of the split")

    @cached_property
    def digest(self) -> str:
        """12 hex digits that only splits into the same rows share."""
        parts = (getattr(self, part).astype("<i8") for part in _PARTS)
        text = b"".join(len(rows).to_bytes(8, "little") + rows.tobytes() for rows in parts)
        return hashlib.sha256(text).hexdigest()[:12]

    def without(self, rows: Rows) -> Split:
        """The same without the images ``rows``, whichever part they are in. Left out afterwards,
        they move no other image to the other side."""
        return Split(np.setdiff1d(self.training, rows), np.setdiff1d(self.validation, rows))

    def to_json(self) -> dict[str, list[int]]:
        """Lists of plain integers by the name of the part."""
        return {part: getattr(self, part).tolist() for part in _PARTS}

    @classmethod
    def from_json(cls, plain: Any) -> Split:
        """The split that ``to_json`` gave; ``UserError`` for anything else."""
        try:
            parts = [plain[part] for part in _PARTS]
            # NumPy would take True, 1.0 and "1" for a row as well.
            if not all(type(row) is int for rows in parts for row in rows):
                raise ValueError("rows must be integers")
            return cls(*(np.array(rows, np.int64) for rows in parts))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise UserError(f"The split cannot be read ({error}); make a new one.") from None


def positions(dataset: Dataset, rows: Rows) -> NDArray[np.intp]:
    """Where the source rows ``rows`` lie in the arrays of ``dataset``, in the order given.

    Raises:
        UserError: if a row is not in the dataset, as after other rows were skipped.
    """
    at = np.searchsorted(dataset.rows, rows)
    known = at < len(dataset)
    known[known] = dataset.rows[at[known]] == rows[known]
    if not known.all():
        raise UserError(
            f"Row {rows[~known][0]} of the split is not in dataset '{dataset.name}'; "
            "make a new split."
        )
    return at


def make_split(
    dataset: Dataset,
    seed: int,
    fraction: float = 0.1,
    groups: NDArray[np.integer] | None = None,
    duplicates: NDArray[np.integer] | None = None,
) -> Split:
    """Hold about ``fraction`` of the labelled images of ``dataset`` back for validation, the same
    share of each label source; images without a label are in neither part.

    Args:
        seed: 0 to 2**32 - 1; the same seed and data give the same split.
        fraction: ``MIN_FRACTION`` to ``MAX_FRACTION``.
        groups: ``(N,)`` numbers of what must not be torn apart, such as ``read_groups`` gives for
            the people shown; -1 for an image on its own.
        duplicates: ``(N,)`` the same of equal pictures, as ``Measures.duplicate``. Images that a
            chain of groups and duplicates connects all come to one side.

    The images are dealt into folds by scikit-learn's ``StratifiedGroupKFold``, and the folds
    nearest to the share of each source are held back: one of ten for 0.1, three of twenty for
    0.15. Large groups, or only a few, may keep the share away from ``fraction``.

    Raises:
        UserError: if ``fraction`` or ``seed`` is out of bounds, or there are fewer than two
            groups to part.
        ValueError: when ``groups`` or ``duplicates`` are not one number per image.
    """
    if not MIN_FRACTION <= fraction <= MAX_FRACTION:
        raise UserError(
            f"The share held back for validation must lie between {MIN_FRACTION} and "
            f"{MAX_FRACTION}, not at {fraction}."
        )
    labelled, source, unit = _units(dataset, seed, groups, duplicates)
    held = _held_back(source, unit, seed, fraction)
    if not 0 < held.sum() < len(held):
        raise UserError(
            f"Dataset '{dataset.name}' cannot be split: its {len(held)} labelled images make "
            f"{len(np.unique(unit))} group(s) that must stay together, and at least 2 are needed."
        )
    return Split(dataset.rows[labelled[~held]], dataset.rows[labelled[held]])


def extended(
    split: Split,
    dataset: Dataset,
    seed: int,
    fraction: float = 0.1,
    groups: NDArray[np.integer] | None = None,
    duplicates: NDArray[np.integer] | None = None,
) -> Split:
    """``split`` with the labelled images of ``dataset`` that are in neither of its parts; nothing
    that is in one changes sides.

    An image that a chain of groups and duplicates connects with a part comes to that part. For any
    others lots are drawn, one for all that are connected: ``fraction`` of them are held back. The
    lot follows from the seed and the row, so images that come later move none that came before.

    Args:
        seed, fraction, groups, duplicates: as for ``make_split``.
    """
    labelled, _, unit = _units(dataset, seed, groups, duplicates)
    held = np.isin(dataset.rows[labelled], split.validation)
    known = held | np.isin(dataset.rows[labelled], split.training)
    held_units = set(unit[held].tolist())
    for number in np.setdiff1d(unit[~known], unit[known]).tolist():
        lot = np.random.default_rng((seed, int(dataset.rows[number]))).random()
        if lot < fraction:
            held_units.add(number)
    held |= ~known & np.isin(unit, list(held_units))
    rows = dataset.rows[labelled]
    return Split(np.union1d(split.training, rows[~held]), np.union1d(split.validation, rows[held]))


def make_folds(
    dataset: Dataset,
    folds: int,
    seed: int = 0,
    groups: NDArray[np.integer] | None = None,
    duplicates: NDArray[np.integer] | None = None,
) -> list[Split]:
    """Part the labelled images of ``dataset`` into ``folds`` of about equal size and like label
    sources; each split holds one of them back, so every labelled image is held back once.

    Args:
        folds: 2 to 20.
        seed, groups, duplicates: as for ``make_split``.

    Raises:
        UserError: if ``folds`` or ``seed`` is out of bounds, or there are fewer groups that must
            stay together than folds.
    """
    if not 2 <= folds <= _MAX_FOLDS:
        raise UserError(f"The number of folds must lie between 2 and {_MAX_FOLDS}, not at {folds}.")
    labelled, source, unit = _units(dataset, seed, groups, duplicates)
    # scikit-learn wants as many images of some source as folds.
    enough = len(unit) and np.unique(source, return_counts=True)[1].max() >= folds
    dealt = _deal(source, unit, seed, folds) if enough and len(np.unique(unit)) >= folds else []
    if len(dealt) < folds:
        raise UserError(
            f"Dataset '{dataset.name}' cannot be parted into {folds} folds: its {len(labelled)} "
            f"labelled images make {len(np.unique(unit))} group(s) that must stay together."
        )
    rows = dataset.rows[labelled]
    return [Split(np.delete(rows, fold), rows[fold]) for fold in dealt]


def _units(
    dataset: Dataset,
    seed: int,
    groups: NDArray[np.integer] | None,
    duplicates: NDArray[np.integer] | None,
) -> tuple[NDArray[np.intp], NDArray[np.int8], NDArray[np.intp]]:
    """Positions of the labelled images, their label sources and numbers of what must stay
    together; ``UserError`` for a seed out of bounds."""
    if not 0 <= seed < 2**32:
        raise UserError(f"The seed must lie between 0 and {2**32 - 1}, not at {seed}.")
    source = label_source(dataset.keypoints)
    labelled = np.flatnonzero(source != NONE)
    unit = _connected(len(dataset), *(r for r in (groups, duplicates) if r is not None))
    return labelled, source[labelled], unit[labelled]


def _connected(n: int, *relations: NDArray[np.integer]) -> NDArray[np.intp]:
    """``(n,)`` for each image the first image of those that the relations connect it with."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    # Besides the images there is a node for each group, which its images are linked to.
    ends, nodes = [(np.empty(0, np.intp), np.empty(0, np.intp))], n
    for relation in relations:
        if relation.shape != (n,):
            raise ValueError(f"expected a group number for each of {n} images: {relation.shape}")
        member = np.flatnonzero(relation >= 0)
        names, number = np.unique(relation[member], return_inverse=True)
        ends.append((member, nodes + number))
        nodes += len(names)
    image, group = (np.concatenate(side) for side in zip(*ends, strict=True))
    links = coo_array((np.ones(len(image), bool), (image, group)), shape=(nodes, nodes))
    _, component = connected_components(links, directed=False)
    _, first, number = np.unique(component[:n], return_index=True, return_inverse=True)
    return np.asarray(first[number])


def _held_back(
    source: NDArray[np.int8], unit: NDArray[np.intp], seed: int, fraction: float
) -> NDArray[np.bool_]:
    """``(n,)`` whether an image is held back; none where there is too little to part."""
    held = np.zeros(len(source), bool)
    if len(np.unique(unit)) < 2:
        return held
    sources, counts = np.unique(source, return_counts=True)
    if counts.max() < 2:  # one image of each source
        held[0] = True
        return held
    # scikit-learn wants as many folds as groups at most, and as images of some class.
    wanted = Fraction(fraction).limit_denominator(_MAX_FOLDS).denominator
    folds = min(wanted, len(np.unique(unit)), int(counts.max()))
    dealt = _deal(source, unit, seed, folds)
    take = min(max(1, round(fraction * folds)), len(dealt) - 1)
    ideal = counts * fraction / max(take, 1)

    def off(fold: NDArray[np.intp]) -> float:
        return float(np.abs((source[fold][:, None] == sources).sum(axis=0) - ideal).sum())

    for fold in sorted(dealt, key=off)[:take]:
        held[fold] = True
    return held


def _deal(
    source: NDArray[np.int8], unit: NDArray[np.intp], seed: int, folds: int
) -> list[NDArray[np.intp]]:
    """Positions of the images of each fold, ascending; folds that get none are left out."""
    from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]

    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A source of fewer images than folds cannot be in every fold; that is fine here.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return [fold for _, fold in splitter.split(source, source, unit) if len(fold)]
