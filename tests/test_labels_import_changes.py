"""What an import would change, and what is recognised behind it: drawn faces with known faults."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fkd.keypoints import KAGGLE_15
from fkd.labels.import_changes import best_order, changes, explain, unusual_order
from fkd.labels.states import Labels, State
from fkd.synthetic.parallel import render_blocks

((_, FACES),) = list(render_blocks(3, 0, 12))
K = len(KAGGLE_15)


def labels(points: np.ndarray) -> Labels:
    points = np.asarray(points, np.float32)
    states = np.where(np.isfinite(points[..., 0]), State.VISIBLE, State.MISSING).astype(np.uint8)
    return Labels(KAGGLE_15, np.arange(len(points)), points, states, np.zeros_like(states))


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
    assert "Left and right seem to be exchanged" in told(now, now[:, KAGGLE_15.mirror_order])


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
