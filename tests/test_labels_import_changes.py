"""What an import would change, and what is recognised behind it: drawn faces with known faults."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fkd.errors import Cancelled
from fkd.keypoints import KAGGLE_15
from fkd.labels import import_changes
from fkd.labels.import_changes import (
    Changes,
    best_order,
    coincident,
    explain,
    oddities,
    rounding,
    unusual_order,
    unusual_size,
)
from fkd.labels.states import Labels, State
from fkd.synthetic.parallel import render_blocks

((_, FACES),) = list(render_blocks(3, 0, 12))
K = len(KAGGLE_15)


def labels(points: np.ndarray) -> Labels:
    points = np.asarray(points, np.float32)
    states = np.where(np.isfinite(points[..., 0]), State.VISIBLE, State.MISSING).astype(np.uint8)
    return Labels(KAGGLE_15, np.arange(len(points)), points, states, np.zeros_like(states))


def changes(now: Labels, points: np.ndarray, states: np.ndarray) -> Changes:
    return import_changes.changes(now, points, states, rounding(points, now.schema))


def four(points: np.ndarray) -> np.ndarray:
    """Only the points that most of Kaggle's rows have."""
    few = points.copy()
    few[:, [k for k in range(K) if k not in (0, 1, 10, 14)]] = np.nan
    return few


def told(now: np.ndarray, then: np.ndarray) -> str:
    then = np.asarray(then, np.float32)
    states = labels(then).states
    return changes(labels(now), then, states).explanation


@pytest.mark.parametrize("of", [lambda p: p, four])
def test_exchanged_sides_are_recognised(of) -> None:  # type: ignore[no-untyped-def]
    now = of(FACES)
    assert "Left and right seem to be swapped" in told(now, now[:, KAGGLE_15.mirror_order])


def test_one_exchanged_pair_of_one_face_is_recognised() -> None:
    then = FACES.copy()
    then[4, [0, 1]] = then[4, [1, 0]]
    assert "Left and right" in told(FACES, then)


@given(st.permutations(range(K)))
def test_another_order_is_told_unless_it_is_the_same(order: list[int]) -> None:
    said = told(FACES, FACES[:, order])
    assert bool(said) == (order != list(range(K)))
    if said:
        assert "another order" in said or "Left and right" in said


@pytest.mark.parametrize("cut", [np.floor, np.rint, np.trunc])
def test_whole_pixels_are_recognised(cut) -> None:  # type: ignore[no-untyped-def]
    assert "whole number" in told(FACES, cut(FACES))


@pytest.mark.parametrize(("x", "y", "words"), [(1, 1, "1.00 px to the right and 1.00 px down"),
                                               (-0.5, 0.5, "0.50 px to the left")])  # fmt: skip
def test_a_shift_of_all_points_is_recognised(x: float, y: float, words: str) -> None:
    assert words in told(FACES, FACES + np.array([x, y]))


def test_another_scale_is_recognised() -> None:
    assert "0.5 times as large" in told(FACES, FACES / 2)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_corrections_by_hand_are_not_explained_away(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    then = FACES.copy()
    for face, k in zip(rng.integers(0, len(FACES), count), rng.integers(0, K, count), strict=True):
        then[face, k] += rng.normal(0, 3, 2)
    assert told(FACES, then) == ""


def test_what_is_new_or_gone_is_no_move() -> None:
    found = changes(labels(four(FACES)), FACES, labels(FACES).states)
    assert (found.placed, found.moved, found.removed) == (12 * 11, 0, 0)
    assert not found.much
    assert found.explanation == ""
    back = changes(labels(FACES), four(FACES), labels(four(FACES)).states)
    assert (back.placed, back.moved, back.removed) == (0, 0, 12 * 11)
    assert back.much
    assert str(changes(labels(FACES), FACES, labels(FACES).states)) == "nothing changes"


def test_other_states_alone_are_counted_and_are_much_where_there_are_many() -> None:
    covered = np.full((len(FACES), K), State.OCCLUDED, np.uint8)
    found = changes(labels(FACES), FACES, covered)
    assert (found.restated, found.moved) == (12 * K, 0)
    assert found.much
    assert "180 points given another state in 12 images" in str(found)


def test_a_few_changes_are_never_much() -> None:
    then = FACES.copy()
    then[0, :3] += 10
    assert not changes(labels(FACES[:1]), then[:1], labels(then[:1]).states).much


def test_points_without_a_place_keep_their_own() -> None:
    far = np.full((3, 3), 1e6)
    far[0, 0], far[0, 1], far[1, 0], far[1, 1] = 5, 1, 1, 5
    assert best_order(far).tolist() == [1, 0, 2]
    nothing = np.full((2, K, 2), np.nan)
    assert explain(nothing, nothing, np.zeros((2, K), bool), KAGGLE_15) == ""


@pytest.mark.parametrize("count", [1, 2, 12])
@pytest.mark.parametrize("of", [lambda p: p, four])
def test_the_order_of_faces_that_nothing_can_be_compared_with(of, count: int) -> None:  # type: ignore[no-untyped-def]
    points = of(FACES[:count])
    assert unusual_order(points, KAGGLE_15) == ""
    assert "Left and right" in unusual_order(points[:, KAGGLE_15.mirror_order], KAGGLE_15)


def test_an_order_by_part_of_the_face_is_noticed() -> None:
    # Brows first, as 68-point schemes have it.
    order = [7, 6, 8, 9, 10, 3, 2, 4, 5, 0, 1, 11, 13, 12, 14]
    assert "another order" in unusual_order(FACES[:, order], KAGGLE_15)
    assert unusual_order(np.full((3, K, 2), np.nan), KAGGLE_15) == ""


def test_a_correction_of_exchanged_sides_is_not_held_against_the_files() -> None:
    wrong = FACES.copy()
    wrong[4] = wrong[4, KAGGLE_15.mirror_order]
    assert told(wrong, FACES) == ""
    assert "Left and right" in told(FACES, wrong)


def test_a_face_that_is_dragged_as_a_whole_is_no_shift_of_all_points() -> None:
    then = FACES.copy()
    then[2] += (3, 1)
    assert told(FACES, then) == ""
    then = FACES.copy()
    then[[0, 3, 5, 7, 9], 4] += 2
    assert told(FACES, then) == ""


@pytest.mark.parametrize(
    ("step", "shares"), [(0.1, False), (0.01, False), (1e-3, True), (1e-4, True)]
)
def test_positions_that_come_out_alike_when_rounded_are_the_same(step: float, shares: bool) -> None:
    rounded = (
        np.rint((FACES.astype(float) + 0.5) / 96 / step) * step * 96 - 0.5
        if shares
        else np.rint(FACES.astype(float) / step) * step
    )
    then = np.asarray(rounded, np.float32)
    assert rounding(then, KAGGLE_15) == pytest.approx(step * (96 if shares else 1))
    assert changes(labels(FACES), then, labels(then).states).total == 0
    then[0, 0] += 96 * step if shares else 2 * step
    found = changes(labels(FACES), then, labels(then).states)
    assert (found.moved, found.total) == (1, 1)


def test_ordinary_positions_are_not_taken_for_rounded() -> None:
    assert rounding(FACES, KAGGLE_15) == 0
    assert rounding(np.rint(FACES), KAGGLE_15) == 0
    assert rounding(np.rint(FACES[:1, :3] * 10) / 10, KAGGLE_15) == 0  # too few to tell


@pytest.mark.parametrize("spot", [(0.0, 0.0), (0.5, 0.5), (-0.5, -0.5), (95.0, 95.0)])
def test_points_on_one_spot_are_odd(spot: tuple[float, float]) -> None:
    then = FACES.copy()
    then[3:9, 2:13] = spot
    assert f"66 points share their position with others of their face, such as {spot[0]:.6g}, " in (
        coincident(then)
    )
    few = changes(labels(four(FACES)), then, labels(then).states)
    (said,) = few.odd
    assert "share their position" in said
    assert coincident(FACES) == ""


@pytest.mark.parametrize(
    "change", [lambda p: p / 96, lambda p: (p - 48) / 48, lambda p: p / 2, lambda p: p * 2,
               lambda p: p + 60]
)  # fmt: skip
def test_faces_of_another_size_or_place_are_odd(change) -> None:  # type: ignore[no-untyped-def]
    odd = oddities(np.asarray(change(FACES), np.float32), KAGGLE_15)
    assert any("do not lie where faces do" in sentence for sentence in odd)


@given(st.integers(0, 2**32 - 1))
def test_ordinary_faces_are_not_odd(seed: int) -> None:
    rng = np.random.default_rng(seed)
    faces = FACES[rng.choice(len(FACES), rng.integers(1, 12), replace=False)]
    faces = faces + rng.normal(0, 2, 2)
    assert unusual_size(faces, KAGGLE_15) == ""
    assert oddities(faces.astype(np.float32), KAGGLE_15) == ()


def test_points_that_are_new_are_judged_among_those_that_were_there() -> None:
    swapped = FACES[:, KAGGLE_15.mirror_order].copy()
    known = four(FACES)
    swapped[np.isfinite(known)] = known[np.isfinite(known)]
    found = changes(labels(known), swapped, labels(swapped).states)
    assert found.moved == 0
    assert any("Left and right" in s for s in found.odd)
    whole = np.rint(FACES)
    whole[np.isfinite(known)] = known[np.isfinite(known)]
    found = changes(labels(known), whole, labels(whole).states)
    assert any("whole number" in s for s in found.odd)
    assert changes(labels(known), FACES, labels(FACES).states).odd == ()


def beside_known(change) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    """What is said where ``change`` happened to the points that are new, not to those known."""
    known = four(FACES)
    then = np.asarray(change(FACES), np.float32)
    then[np.isfinite(known)] = known[np.isfinite(known)]
    found = changes(labels(known), then, labels(then).states)
    assert (found.moved, found.placed) == (0, 12 * 11)
    return found.odd


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p / 2, "do not lie where faces do"),
        (lambda p: p * 128 / 96, "times as far apart"),
        (lambda p: 48 + (p - 48) * 0.8, "times as far apart"),
        (lambda p: p + 8, "8"),
        (lambda p: p - [0, 12], "px up from where the other points"),
    ],
)
def test_new_points_are_held_against_those_that_their_faces_have(change, words: str) -> None:  # type: ignore[no-untyped-def]
    (said,) = beside_known(change)
    assert words in said
    assert beside_known(lambda p: p) == ()
    assert beside_known(lambda p: p + np.array([0.7, -0.5])) == ()


def test_labels_of_two_images_that_change_places_are_noticed() -> None:
    then = FACES.copy()
    then[[3, 7]] = then[[7, 3]]
    assert told(FACES, then) == (
        "2 images would get the labels that others have now: rows seem to be swapped."
    )


def shuffled(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Faces that differ a little each, and the same with their rows rotated."""
    rng = np.random.default_rng(3)
    now = np.resize(FACES, (count, K, 2)) + rng.normal(0, 3, (count, K, 2)).astype(np.float32)
    return now, np.roll(now, 1, axis=0)


def test_exchanged_rows_of_a_whole_dataset_take_no_time() -> None:
    """Of points that most faces do not have, too: the median is over those that both have."""
    now, then = shuffled(1200)
    now[::3, 4:] = np.nan
    started = time.process_time()
    assert told(now, then).startswith("1,200 images would get the labels that others have now")
    assert time.process_time() - started < 10  # 0.5 s; with a median for each pair 50 s


def test_looking_for_exchanged_rows_can_be_stopped() -> None:
    now, then = shuffled(40)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        import_changes.changes(labels(now), then, labels(then).states, 0.0, stop)


def test_a_cheaper_explanation_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_changes, "_exchanged", lambda *_: pytest.fail("not needed"))
    assert "to the right" in told(FACES, FACES + np.array([2, 0]))
