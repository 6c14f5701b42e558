"""What to look at next: likely label errors, missing labels that a model could add, uncertain
predictions.

Nothing here changes a label. Each suspect says why an image deserves a look, about which points,
and where there is one, what the labels would be once that is put right.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fkd.evaluation.expected import confidence
from fkd.keypoints import KeypointSchema
from fkd.labels import words
from fkd.labels.deviations import compare, compare_with_usual
from fkd.labels.hypotheses import SHIFT, SLIP, SWAP, Judged, judge
from fkd.labels.references import relative_errors, typical_errors
from fkd.labels.states import Labels, State
from fkd.labels.twins import Twins
from fkd.labels.unseen import SHAPE_ONLY, Errors, Unseen
from fkd.statistics.missing import present

WRONG, MISSING, UNSURE = "wrong", "missing", "unsure"

KINDS = {
    WRONG: "likely label errors",
    MISSING: "missing labels",
    UNSURE: "uncertain predictions",
}
"""Kinds of suspects in words, in the order to look at them. Scores compare within a kind only."""

REASONS = {
    "slip": "some points misplaced",
    "swap": "left and right swapped",
    "shift": "all points shifted",
    "far": "most points misplaced",
    "shape": "unusual shape",
    "duplicates": "duplicates disagree",
    "missing": "missing labels",
    "unsure": "uncertain prediction",
}
"""Reasons in words; the last two are kinds of their own, the others of kind ``WRONG``."""

SURE = 0.75
"""A missing point is offered from this confidence on, see ``evaluation.expected.confidence``."""

UNSURE_FROM = 3.0
"""The model counts as unsure from this many (robust) standard deviations above its usual expected
error on."""

_MAD_TO_STD = 1.4826

SAFE = 1 / 3
"""A fix is proposed where what it goes by is usually off by at most this share of the move."""

_FEW = 1 / 3
"""Up to this share of a face's points, and one in any case, are called slipped."""


@dataclass(frozen=True)
class Suspect:
    """Why an image deserves a look.

    Attributes:
        row: its source row.
        kind: one of ``KINDS``.
        reason: one of ``REASONS``.
        score: higher = sooner. Of kind ``WRONG``: log10 odds that the labels are wrong in this way
            rather than right; ``MISSING``: how many of the points offered can be expected to be
            right; ``UNSURE``: by how many robust standard deviations the expected error, relative
            to each point's median, lies above what is usual.
        keypoints: indices of the points that it is about.
        note: the same in plain words.
        source: what its labels were compared with: "run 't1'", "the usual shape of faces".
        standing: of a reference model, how good it is and whether it may have seen the image.
        fix: ``(K, 2)`` float32, px: all labels of the image with this put right, NaN = missing;
            None where there is nothing to propose: what they were compared with is not exact
            enough, see ``SAFE``, or there was nothing but the usual shape of faces.
    """

    row: int
    kind: str
    reason: str
    score: float
    keypoints: tuple[int, ...]
    note: str
    source: str
    standing: str = ""
    fix: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def to_json(self, schema: KeypointSchema) -> dict[str, Any]:
        """Plain values; keypoints and the points of the fix by name."""
        fix = None
        if self.fix is not None:
            placed = zip(schema.names, self.fix.tolist(), strict=True)
            fix = {name: [round(v, 3) for v in xy] for name, xy in placed if xy[0] == xy[0]}
        return {
            "row": self.row,
            "kind": self.kind,
            "reason": self.reason,
            "score": round(self.score, 3),
            "keypoints": [schema.names[k] for k in self.keypoints],
            "note": self.note,
            "source": self.source,
            "standing": self.standing,
            "fix": fix,
        }


def find_suspects(
    labels: Labels,
    unseen: Unseen,
    twins: Twins | None = None,
    kinds: Collection[str] = tuple(KINDS),
    least: float = 0.0,
) -> list[Suspect]:
    """Images of ``labels`` that deserve a look: by kind in the order of ``KINDS``, then by
    descending score, then by row. At most one suspect of each kind for an image.

    Args:
        unseen: what reference models say of these images.
        twins: labels of duplicates, see ``find_twins``.
        least: the score that one of kind ``WRONG`` must exceed; 0: it is more likely wrong than
            right.

    Raises:
        ValueError: if ``unseen`` is not about as many images and keypoints as ``labels``.
    """
    if unseen.points.shape != labels.points.shape:
        raise ValueError(f"labels {labels.points.shape}, predictions {unseen.points.shape}")
    found: list[Suspect] = []
    if WRONG in kinds:
        found += _wrong(labels, unseen, twins or Twins.none(len(labels.schema)), least)
    if MISSING in kinds:
        found += _missing(labels, unseen)
    if UNSURE in kinds:
        found += _unsure(labels, unseen)
    order = list(KINDS)
    return sorted(found, key=lambda s: (order.index(s.kind), -s.score, s.row))


def judge_labels(labels: Labels, unseen: Unseen) -> Judged:
    """The best hypothesis about each image: compared with its prediction where there is one of a
    labelled point, with the usual shape of faces otherwise. Labels that the model which was asked
    never learned to place are not judged where others of the image are."""
    shapes = judge(labels.points, compare_with_usual(labels.points, labels.schema))
    at = np.flatnonzero(_compared(labels, unseen))
    if not len(at):
        return shapes
    points = labels.points[at]
    scale = relative_errors(unseen.sources)[unseen.source[at]]
    deviations = compare(points, unseen.points[at], labels.schema, unseen.expected[at], scale)
    return shapes.replaced(at, judge(points, deviations))


def _compared(labels: Labels, unseen: Unseen) -> NDArray[np.bool_]:
    """``(N,)`` whether one of the labels of an image can be compared with a prediction."""
    both = present(labels.points) & present(unseen.points)
    return np.asarray(both.any(axis=1))


def _wrong(labels: Labels, unseen: Unseen, twins: Twins, least: float) -> list[Suspect]:
    judged, compared = judge_labels(labels, unseen), _compared(labels, unseen)
    found: dict[int, Suspect] = {}
    for at in np.flatnonzero(judged.score > least).tolist():
        predicted = bool(compared[at])
        reason = reason_of(judged, at, labels.points[at], predicted)
        said = unseen.points[at] if predicted else None
        note = words.wrong(reason, judged, at, labels.points[at], labels.schema, said)
        source = unseen.source_of(at) if predicted else SHAPE_ONLY
        suspect = _suspect(labels, at, reason, judged, at, note, source.errors)
        found[at] = replace(suspect, source=source.title, standing=source.standing())
    for suspect in _disagreeing(labels, twins, judged, least):
        at = int(np.searchsorted(labels.rows, suspect.row))
        if at not in found or found[at].score < suspect.score:
            found[at] = suspect
    return list(found.values())


def _disagreeing(labels: Labels, twins: Twins, judged: Judged, least: float) -> list[Suspect]:
    """Duplicates whose labels differ more than those of others: of the two, the one whose points
    concerned more probably slipped, as ``judged`` by itself; of two alike, the earlier."""
    if not len(twins):
        return []
    points = labels.points[twins.at]
    apart = judge(points, compare(points, twins.points, labels.schema))
    # Each pair is in it both ways, and one verdict is wanted.
    number = {pair: i for i, pair in enumerate(zip(twins.at, twins.of, strict=True))}
    back = np.array([number[of, at] for at, of in number])
    score = np.fmax(apart.score, apart.score[back])
    apart = replace(apart, score=score)
    concerned = apart.keypoints | apart.keypoints[back]
    errors = typical_errors(np.linalg.norm(points - twins.points, axis=2))
    found = []
    for i in np.flatnonzero(score > least).tolist():
        at, other = int(twins.at[i]), int(twins.of[i])
        here, there = np.nansum(judged.slips[[at, other]][:, concerned[i]], axis=1).tolist()
        if here < there or (here == there and other < at):
            continue
        row = int(labels.rows[other])
        note = words.duplicates(points[i], twins.points[i], row)
        suspect = _suspect(labels, at, "duplicates", apart, i, note, errors)
        found.append(replace(suspect, source=f"row {row}, a duplicate"))
    return found


def reason_of(judged: Judged, i: int, points: NDArray[np.floating], predicted: bool) -> str:
    """The reason, a key of ``REASONS``, that face ``i`` of ``judged`` with labels ``points``
    ``(K, 2)`` is suspicious; ``predicted``: it was compared with a prediction."""
    if judged.kind[i] in (SWAP, SHIFT):
        return "swap" if judged.kind[i] == SWAP else "shift"
    labelled = np.isfinite(points).all(axis=1).sum()
    if judged.kind[i] == SLIP and judged.keypoints[i].sum() <= max(1, _FEW * labelled):
        return "slip"
    return "far" if predicted else "shape"


def _suspect(
    labels: Labels,
    at: int,
    reason: str,
    judged: Judged,
    i: int,
    note: str,
    errors: Errors,
) -> Suspect:
    """Of kind ``WRONG``: image ``at``, by what face ``i`` of ``judged`` is; ``errors`` ``(K,)`` px:
    how far off what it was compared with usually is."""
    columns = np.flatnonzero(judged.keypoints[i])
    move = np.linalg.norm(judged.fix[i, columns] - labels.points[at, columns], axis=1)
    return Suspect(
        row=int(labels.rows[at]),
        kind=WRONG,
        reason=reason,
        score=float(judged.score[i]),
        keypoints=tuple(columns.tolist()),
        note=note,
        source="",
        fix=judged.fix[i] if _safe(move, errors, columns) else None,
    )


def _safe(move: Errors, errors: Errors, columns: NDArray[np.intp]) -> bool:
    """Whether ``errors`` ``(K,)`` are well below the ``move`` of the points ``columns``, px."""
    if not len(errors) or not np.isfinite(errors[columns]).all():
        return False
    usual = np.sqrt(np.mean(errors[columns] ** 2))
    return bool(usual <= SAFE * np.sqrt(np.mean(np.square(move))))


def _missing(labels: Labels, unseen: Unseen) -> list[Suspect]:
    """Missing points that the model is sure of; those that somebody found absent are not asked
    for again."""
    sure = confidence(unseen.points, unseen.expected, labels.schema)
    offered = (labels.states == State.MISSING) & (np.nan_to_num(sure) >= SURE)
    found = []
    for at in np.flatnonzero(offered.any(axis=1)).tolist():
        columns = np.flatnonzero(offered[at])
        fix = labels.points[at].copy()
        fix[columns] = unseen.points[at, columns]
        found.append(
            Suspect(
                row=int(labels.rows[at]),
                kind=MISSING,
                reason="missing",
                score=float(sure[at, columns].sum()),
                keypoints=tuple(columns.tolist()),
                note=words.missing(columns, sure[at], labels.schema),
                source=unseen.source_of(at).title,
                standing=unseen.source_of(at).standing(),
                fix=fix,
            )
        )
    return found


def _unsure(labels: Labels, unseen: Unseen) -> list[Suspect]:
    """Images of which the model that was asked is less sure than of others."""
    expected = unseen.expected.astype(np.float64)
    known = np.isfinite(expected).any(axis=1)
    found = []
    for number in np.unique(unseen.source[known]):
        rows = np.flatnonzero(known & (unseen.source == number))
        # A model expects no error of points that it never learned, on no image.
        columns = np.flatnonzero(np.isfinite(expected[rows]).all(axis=0))
        if not len(columns):
            continue
        errors = expected[np.ix_(rows, columns)]
        usual = np.median(errors, axis=0)
        relative = errors / np.maximum(usual, 1e-6)
        level = relative.mean(axis=1)
        away = level - np.median(level)
        spread = _MAD_TO_STD * float(np.median(np.abs(away)))
        if not spread > 0:
            continue
        for i in np.flatnonzero(away >= UNSURE_FROM * spread).tolist():
            at = int(rows[i])
            worst = columns[relative[i] >= relative[i].mean()]
            found.append(
                Suspect(
                    row=int(labels.rows[at]),
                    kind=UNSURE,
                    reason="unsure",
                    score=float(away[i] / spread),
                    keypoints=tuple(worst.tolist()),
                    note=words.unsure(errors[i].mean(), usual.mean()),
                    source=unseen.source_of(at).title,
                    standing=unseen.source_of(at).standing(),
                )
            )
    return found
