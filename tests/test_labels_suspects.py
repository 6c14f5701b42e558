from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_helper import FOUR, labelled
from statistics_helper import SCHEMA, faces, four_points

from fkd.labels.states import Labels, State
from fkd.labels.suspects import KINDS, MISSING, REASONS, UNSURE, WRONG, find_suspects, judge_labels
from fkd.labels.twins import Twins
from fkd.labels.unseen import SHAPE_ONLY, Source, Unseen
from fkd.labels.words import place
from fkd.statistics.swaps import exchange

ROWS = 120
TRUTH = faces(ROWS, noise=0.0)
NOISE = np.random.default_rng(3).normal(0, 0.7, TRUTH.shape)
MODEL = "run 'one'"
SHAPE = SHAPE_ONLY.title


def source(error: float = 0.8) -> Source:
    """A reference model that is usually off by ``error`` px at every point."""
    return Source("one", error / 2**0.5, ROWS, errors=np.full(len(SCHEMA), error))


def labels(points: np.ndarray | None = None) -> Labels:
    """Labels near the truth; the source rows have gaps."""
    points = (TRUTH + NOISE).astype(np.float32) if points is None else points.astype(np.float32)
    return Labels.original(replace(labelled(ROWS), keypoints=points))


def unseen(expected: float = 1.0, known: slice = slice(None), error: float = 0.8) -> Unseen:
    """The truth, as a model says it of the images ``known`` that is usually off by ``error``."""
    nothing = Unseen.none(ROWS, len(SCHEMA))
    points, errors, numbers = nothing.points, nothing.expected, nothing.source
    points[known], errors[known], numbers[known] = TRUTH[known], expected, 1
    return Unseen(points, errors, numbers, (SHAPE_ONLY, source(error)))


def planted() -> np.ndarray:
    """A slip in image 5, all sides exchanged in 30, a shift of 60, several slips in 90."""
    points = labels().points.copy()
    points[5, 10] += (9, -9)
    where = np.zeros((ROWS, len(SCHEMA.mirror_pairs)), bool)
    where[30] = True
    points = exchange(points, where, SCHEMA)
    points[60] += (4, 3)
    points[90, ::2] += np.random.default_rng(0).normal(0, 12, points[90, ::2].shape)
    return points


def test_each_mistake_is_found_with_its_reason():
    given = labels(planted())
    found = find_suspects(given, unseen(), kinds=[WRONG])
    by_row = {suspect.row: suspect for suspect in found}
    reasons = {5: "slip", 30: "swap", 60: "shift", 90: "far"}
    assert {row: s.reason for row, s in by_row.items()} == {
        int(given.rows[at]): reason for at, reason in reasons.items()
    }
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    assert {s.source for s in found} == {MODEL}
    slip = by_row[int(given.rows[5])]
    assert slip.keypoints == (10,)
    moved = given.points[5, 10] - TRUTH[5, 10]
    assert slip.note == f"nose tip lies {place(moved, 'the prediction')}"
    assert "px right of and " in slip.note
    assert slip.standing == "RMSE 0.57 px on 120 validation images, has not seen this image"
    swap = by_row[int(given.rows[30])]
    assert swap.note == "left and right are swapped: all 6 pairs"
    np.testing.assert_array_equal(swap.fix, labels().points[30])
    shift = by_row[int(given.rows[60])]
    assert "all points lie" in shift.note
    np.testing.assert_allclose(shift.fix, labels().points[60], atol=0.7)


def test_a_fix_is_proposed_only_where_the_model_is_much_nearer_than_the_move():
    points = labels().points.copy()
    points[5, 10] += (9, -9)
    points[7, 10] += (4, 4)
    given = labels(points)
    rows = {at: int(given.rows[at]) for at in (5, 7)}

    def fixed(error: float) -> dict[int, bool]:
        found = find_suspects(given, unseen(error=error), kinds=[WRONG])
        return {s.row: s.fix is not None for s in found}

    assert fixed(0.8) == {rows[5]: True, rows[7]: True}
    assert fixed(3.0) == {rows[5]: True, rows[7]: False}
    assert fixed(9.0) == {rows[5]: False, rows[7]: False}
    nothing = find_suspects(given, Unseen.none(ROWS, len(SCHEMA)), kinds=[WRONG])
    assert nothing
    assert all(s.fix is None for s in nothing)


def test_what_is_usual_for_a_less_exact_model_looks_less_odd():
    """Two models share the images; one errs much more than the other, with all points of a face."""
    less = np.arange(ROWS) % 8 == 0
    shift = np.random.default_rng(0).normal(0, 1, (ROWS, 1, 2))
    predicted = (TRUTH + shift * np.where(less, 3.0, 0.5)[:, None, None]).astype(np.float32)
    points = labels().points.copy()
    points[5, 10] += (9, -9)
    given = labels(points)
    expected = np.full(predicted.shape[:2], np.nan, np.float32)
    number = np.where(less, 2, 1).astype(np.int32)

    def scores(error: float) -> dict[int, float]:
        sources = (SHAPE_ONLY, source(1.1), replace(source(error), name="less"))
        found = find_suspects(given, Unseen(predicted, expected, number, sources), kinds=[WRONG])
        return {s.row: s.score for s in found}

    known, unknown = scores(4.2), scores(1.1)
    assert int(given.rows[5]) in known
    assert set(known) < set(unknown)
    assert known.keys() <= set(given.rows[less | (np.arange(ROWS) == 5)].tolist())
    assert all(known[row] < 0.7 * unknown[row] for row in known)


def test_the_order_does_not_depend_on_chance():
    given = labels(planted())
    first, second = (find_suspects(given, unseen()) for _ in range(2))
    assert first == second
    kinds = [list(KINDS).index(s.kind) for s in first]
    assert kinds == sorted(kinds)


def test_equal_scores_stand_by_row():
    points = labels().points.copy()
    points[:, 4] = np.nan
    found = find_suspects(labels(points), unseen(), kinds=[MISSING])
    by_score: dict[float, list[int]] = {}
    for suspect in found:
        by_score.setdefault(suspect.score, []).append(suspect.row)
    assert all(rows == sorted(rows) for rows in by_score.values())


def test_clean_labels_have_no_suspects():
    assert find_suspects(labels(), unseen(), kinds=[WRONG]) == []


def test_images_of_four_points():
    points = four_points(planted())
    found = find_suspects(labels(points), unseen(), kinds=[WRONG])
    assert {s.reason for s in found if s.row == labels().rows[30]} == {"swap"}
    assert {s.reason for s in found if s.row == labels().rows[60]} == {"shift"}
    assert {s.reason for s in found if s.row == labels().rows[5]} == {"slip"}


def test_without_any_prediction_only_the_shape_counts():
    given = labels(planted())
    found = find_suspects(given, Unseen.none(ROWS, len(SCHEMA)))
    assert {s.kind for s in found} == {WRONG}
    assert {s.source for s in found} == {SHAPE}
    reasons = {s.row: s.reason for s in found}
    assert reasons[int(given.rows[30])] == "swap"
    assert reasons[int(given.rows[5])] == "slip"
    assert reasons[int(given.rows[90])] == "shape"


def test_images_without_a_prediction_among_others():
    given = labels(planted())
    found = find_suspects(given, unseen(known=slice(20, None)), kinds=[WRONG])
    assert {s.row: s.source for s in found} == {
        int(given.rows[at]): SHAPE if at == 5 else MODEL for at in (5, 30, 60, 90)
    }


def test_images_without_labels_are_not_wrong_but_could_be_labelled():
    points = labels().points.copy()
    points[8] = np.nan
    given = labels(points)
    assert np.isnan(judge_labels(given, unseen()).score[8])
    (suspect,) = find_suspects(given, unseen())
    assert (suspect.kind, suspect.row) == (MISSING, int(given.rows[8]))
    np.testing.assert_array_equal(suspect.fix, TRUTH[8])
    nothing = labels(np.full_like(points, np.nan))
    assert find_suspects(nothing, Unseen.none(ROWS, len(SCHEMA))) == []
    assert len(find_suspects(nothing, unseen(), kinds=[MISSING])) == ROWS


def test_missing_points_are_offered_where_the_model_is_sure():
    points = labels().points.copy()
    points[8, [2, 4]] = np.nan
    given = labels(points)
    (suspect,) = find_suspects(given, unseen())
    assert (suspect.kind, suspect.keypoints) == (MISSING, (2, 4))
    assert 1.5 < suspect.score <= 2
    assert suspect.note.startswith(
        "left eye inner corner and right eye inner corner are missing, and the model is "
    )
    np.testing.assert_array_equal(suspect.fix[[2, 4]], TRUTH[8, [2, 4]])
    np.testing.assert_array_equal(suspect.fix[5:], points[8, 5:])
    assert find_suspects(given, unseen(expected=9.0)) == []
    # What somebody looked for and did not find is not offered again.
    states = given.states.copy()
    states[8, 2] = State.ABSENT
    (suspect,) = find_suspects(replace(given, states=states), unseen())
    assert suspect.keypoints == (4,)


def test_images_that_the_model_is_less_sure_of_than_usual():
    found = unseen()
    found.expected[:] = np.random.default_rng(0).normal(1, 0.05, found.expected.shape)
    found.expected[[3, 70]] *= [[1.5], [1.3]]
    listed = find_suspects(labels(), found, kinds=[UNSURE])
    assert [s.row for s in listed[:2]] == labels().rows[[3, 70]].tolist()
    assert listed[0].note.startswith("the model expects an error of 1.5 px; 1.0 px is usual")
    assert listed[0].keypoints
    assert listed[0].fix is None
    # A model that does not say how sure it is: nothing is listed, and nothing fails.
    found.expected[:] = np.nan
    assert find_suspects(labels(), found) == []


def of_four(**options) -> Unseen:
    """What a model says that never learned more than the points of few-point rows."""
    found = unseen(**options)
    found.points[:, ~FOUR], found.expected[:, ~FOUR] = np.nan, np.nan
    return found


def test_labels_of_points_that_the_model_never_learned_are_not_called_wrong():
    points = planted()
    points[7, 4] += 25  # nobody can tell
    given = labels(points)
    found = {s.row: s for s in find_suspects(given, of_four(), kinds=[WRONG])}
    rows = {at: int(given.rows[at]) for at in (5, 7, 30, 60, 90)}
    assert rows[7] not in found
    assert {found[rows[at]].reason for at in (5, 30, 60)} == {"slip", "swap", "shift"}
    assert set(found) <= set(rows.values())
    for suspect in found.values():
        at = int(np.flatnonzero(given.rows == suspect.row)[0])
        assert FOUR[list(suspect.keypoints)].all()
        np.testing.assert_array_equal(suspect.fix[~FOUR], given.points[at][~FOUR])
        assert suspect.source == MODEL
    swap, shift = found[rows[30]], found[rows[60]]
    assert swap.keypoints == (0, 1)
    assert shift.note.startswith("4 points that were compared lie ")
    np.testing.assert_allclose(shift.fix[FOUR], labels().points[60][FOUR], atol=0.9)


def test_a_pair_that_the_model_knows_one_side_of_is_not_exchanged():
    found = unseen()
    found.points[:, 1], found.expected[:, 1] = np.nan, np.nan
    points = labels().points.copy()
    points[30, [0, 1]] = points[30, [1, 0]]
    given = labels(points)
    (suspect,) = find_suspects(given, found, kinds=[WRONG])
    assert (suspect.row, suspect.reason, suspect.keypoints) == (int(given.rows[30]), "slip", (0,))


def test_where_nothing_can_be_compared_the_shape_counts():
    points = planted()
    points[:, FOUR] = np.nan
    given = labels(points)
    found = find_suspects(given, of_four(), kinds=[WRONG])
    alone = find_suspects(given, Unseen.none(ROWS, len(SCHEMA)), kinds=[WRONG])
    assert found == alone
    assert {s.source for s in found} == {SHAPE}
    assert int(given.rows[30]) in {s.row for s in found}


def test_missing_points_that_the_model_never_learned_are_not_offered():
    points = labels().points.copy()
    points[8, [2, 4, 10]] = np.nan  # two corners of eyes and the nose tip
    points[9, 2] = np.nan
    (suspect,) = find_suspects(labels(points), of_four(), kinds=[MISSING])
    assert (suspect.row, suspect.keypoints) == (int(labels().rows[8]), (10,))
    np.testing.assert_array_equal(suspect.fix[10], TRUTH[8, 10])
    assert np.isnan(suspect.fix[[2, 4]]).all()


def test_how_sure_a_model_is_goes_by_the_points_that_it_learned():
    found = unseen()
    found.expected[:] = np.random.default_rng(0).normal(1, 0.05, found.expected.shape)
    found.expected[[3, 70]] *= [[1.5], [1.3]]
    found.points[:, ~FOUR], found.expected[:, ~FOUR] = np.nan, np.nan
    listed = find_suspects(labels(), found, kinds=[UNSURE])
    assert [s.row for s in listed[:2]] == labels().rows[[3, 70]].tolist()
    assert listed[0].note.startswith("the model expects an error of 1.5 px; 1.0 px is usual")
    assert all(FOUR[list(s.keypoints)].all() for s in listed)


def twins(points: np.ndarray) -> Twins:
    """Images 0 to 39 are pairs of the same picture."""
    at = np.arange(40)
    return Twins(at, at ^ 1, points[at ^ 1].astype(np.float64))


def test_duplicates_that_disagree():
    points = labels().points.copy()
    points[1:40:2] = points[:40:2] + np.random.default_rng(4).normal(0, 0.4, points[:40:2].shape)
    points[11, 7] += (0, 6)
    given = labels(points)
    found = find_suspects(given, Unseen.none(ROWS, len(SCHEMA)), twins(points), kinds=[WRONG])
    (suspect,) = [s for s in found if s.row in given.rows[[10, 11]]]
    assert suspect.reason == "duplicates"
    assert suspect.row == given.rows[11]
    assert suspect.keypoints == (7,)
    assert suspect.source == f"row {given.rows[10]}, a duplicate"
    assert suspect.note.startswith(f"row {given.rows[10]} shows the same picture")
    np.testing.assert_allclose(suspect.fix[7], points[10, 7], atol=2)


def test_predictions_of_other_images_are_refused():
    with pytest.raises(ValueError, match="labels"):
        find_suspects(labels(), Unseen.none(3, len(SCHEMA)))


def test_json_is_plain():
    found = find_suspects(labels(four_points(planted())), unseen())
    plain = json.loads(json.dumps([s.to_json(SCHEMA) for s in found]))
    assert {s["reason"] for s in plain} <= set(REASONS)
    (swap,) = [s for s in plain if s["reason"] == "swap"]
    assert swap["keypoints"] == ["left_eye_center", "right_eye_center"]
    assert len(swap["fix"]) == 4
    assert len(swap["fix"]["nose_tip"]) == 2
