from __future__ import annotations

import numpy as np
import pytest
from statistics_helper import SCHEMA, faces, four_points

from fkd.labels.deviations import NOISE_PX, compare, compare_with_usual
from fkd.statistics.missing import FEW, MANY

ROWS = 300


def noisy(spread: float = 1.0, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (ROWS, len(SCHEMA), 2))


def test_the_bias_is_removed_by_keypoint_and_source():
    truth = faces(ROWS)
    labels = truth + noisy(0.5)
    labels[:, 2] += (3, 0)
    labels[::2] = four_points(labels[::2])
    labels[::2] += (0, 2)
    deviations = compare(labels, truth, SCHEMA)
    away = deviations.of(labels)
    for rows in (slice(0, None, 2), slice(1, None, 2)):
        here = np.isfinite(away[rows]).any(axis=(0, 2))
        np.testing.assert_allclose(np.nanmedian(away[rows][:, here], axis=0), 0, atol=1e-6)
    # Where a source lacks a point, the other's offset is the best guess.
    np.testing.assert_allclose((deviations.expected - truth)[0, 2], (3, 0), atol=0.2)
    np.testing.assert_allclose((deviations.expected - truth)[0, 0], (0, 2), atol=0.2)
    assert deviations.source.tolist() == [FEW, MANY] * (ROWS // 2)


def test_a_few_wrong_labels_do_not_bend_it():
    truth = faces(ROWS)
    clean = compare(truth + noisy(), truth, SCHEMA)
    labels = truth + noisy()
    labels[:15] += 20
    bent = compare(labels, truth, SCHEMA)
    np.testing.assert_allclose(bent.expected, clean.expected, atol=0.3)
    spread = [np.sqrt(np.diag(of.models[MANY].scale)) for of in (clean, bent)]
    np.testing.assert_allclose(spread[1], spread[0], rtol=0.5)


def test_where_the_model_is_unsure_a_label_may_lie_farther_off():
    errors = np.ones((ROWS, len(SCHEMA)))
    errors[::8] = 2.0
    truth = faces(ROWS)
    labels = truth + noisy() * errors[..., None]
    deviations = compare(labels, truth, SCHEMA, errors)
    np.testing.assert_allclose(deviations.unit[1], 1)
    assert deviations.unit[0].mean() == pytest.approx(2, rel=0.15)
    # Errors that say nothing change nothing.
    np.testing.assert_allclose(compare(truth + noisy(), truth, SCHEMA, errors).unit, 1, atol=0.2)
    unknown = np.full_like(errors, np.nan)
    assert (compare(labels, truth, SCHEMA, unknown).unit == 1).all()


def test_labels_equal_to_the_predictions_leave_room_for_noise():
    truth = faces(ROWS)
    deviations = compare(truth, truth, SCHEMA)
    assert (np.diag(deviations.models[MANY].scale) >= NOISE_PX**2).all()


def test_without_predictions_the_usual_place_is_what_is_expected():
    labels = faces(ROWS)
    deviations = compare_with_usual(labels, SCHEMA)
    np.testing.assert_allclose(
        deviations.expected[0], np.median(labels.astype(float), axis=0), atol=1e-6
    )
    assert (deviations.unit == 1).all()


def test_nothing_at_all():
    empty = np.full((3, len(SCHEMA), 2), np.nan, np.float32)
    assert len(compare_with_usual(empty, SCHEMA)) == 3
    assert len(compare(empty[:0], empty[:0], SCHEMA)) == 0
