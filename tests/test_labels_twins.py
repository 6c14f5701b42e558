from __future__ import annotations

from dataclasses import replace

import numpy as np
from evaluation_helper import labelled
from statistics_helper import pictures

from fkd.labels.twins import Twins, find_twins
from fkd.measures import compute

ROWS = 12


def dataset():
    """Image 3 is image 2 once more, image 5 is image 4 two pixels further left; the test image
    is image 7."""
    images = pictures(ROWS)
    images[3] = images[2]
    images[5] = np.roll(images[4], -2, axis=1)
    made = replace(labelled(ROWS), images=images)
    points = made.keypoints.copy()
    points[5] = points[4] - (2, 0)
    return replace(
        made, keypoints=points, test_images=images[7:8].copy(), test_image_ids=np.array([1])
    )


def test_labels_are_carried_both_ways():
    given = dataset()
    measures = compute(given)
    twins = find_twins(given, measures, given.keypoints)
    pairs = dict(zip(twins.at.tolist(), twins.of.tolist(), strict=True))
    assert pairs == {2: 3, 3: 2, 4: 5, 5: 4}
    carried = dict(zip(twins.at.tolist(), twins.points, strict=True))
    np.testing.assert_array_equal(carried[2], given.keypoints[3])
    np.testing.assert_allclose(carried[4], given.keypoints[4], atol=0.6)
    np.testing.assert_allclose(carried[5], given.keypoints[5], atol=0.6)


def test_pairs_without_labels_are_left_out():
    given = dataset()
    measures = compute(given)
    points = given.keypoints.copy()
    points[[2, 3]] = np.nan
    assert set(find_twins(given, measures, points).at.tolist()) == {4, 5}
    assert len(find_twins(given, measures, np.full_like(points, np.nan))) == 0
    assert len(Twins.none(3)) == 0
