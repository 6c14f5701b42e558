import numpy as np
import pytest
from statistics_helper import SCHEMA, faces, four_points, pictures

from fkd.statistics.coordinates import (
    coordinate_summary,
    mean_face,
    outside_image,
    point_density,
)
from fkd.statistics.missing import FEW, MANY, SOURCE_NAMES


def test_summary_ignores_missing_points():
    keypoints = faces(20)
    keypoints[:5, 0] = np.nan
    table = coordinate_summary(keypoints, SCHEMA)
    assert list(table.index) == list(SCHEMA.coordinate_names)
    row = table.loc[SCHEMA.names[0] + "_x"]
    values = keypoints[5:, 0, 0].astype(float)
    assert row["count"] == 15
    assert row["mean"] == pytest.approx(values.mean())
    assert row["std"] == pytest.approx(values.std(ddof=1))
    assert (row["min"], row["50%"], row["max"]) == pytest.approx(
        (values.min(), np.median(values), values.max())
    )


def test_summary_by_source_has_a_block_for_each_source():
    table = coordinate_summary(np.concatenate([faces(3), four_points(faces(4))]), SCHEMA, True)
    name = SCHEMA.coordinate_names[0]
    assert table.loc[(SOURCE_NAMES[MANY], name), "count"] == 3
    assert table.loc[(SOURCE_NAMES[FEW], name), "count"] == 4
    assert np.isnan(table.loc[(SOURCE_NAMES[FEW], SCHEMA.coordinate_names[4]), "mean"])


def test_summary_of_nothing():
    nothing = np.full((2, len(SCHEMA), 2), np.nan, np.float32)
    for by_source in (False, True):
        table = coordinate_summary(nothing, SCHEMA, by_source)
        assert (table["count"] == 0).all()
        assert table["mean"].isna().all()


def test_the_border_of_the_image_is_half_a_pixel_out():
    keypoints = np.full((1, len(SCHEMA), 2), 10.0, np.float32)
    keypoints[0, 0] = -0.5, -0.5
    keypoints[0, 1] = SCHEMA.width - 0.5, 10
    keypoints[0, 2] = 10, SCHEMA.height - 0.51
    keypoints[0, 3] = 10, -0.51
    keypoints[0, 4] = np.nan
    assert np.flatnonzero(outside_image(keypoints, SCHEMA)[0]).tolist() == [1, 3]


def test_density_is_laid_out_as_an_image_and_counts_points_outside():
    keypoints = np.full((5, len(SCHEMA), 2), np.nan, np.float32)
    keypoints[:3, 0] = 70, 20
    keypoints[3, 0] = -2, 20
    density = point_density(keypoints, 0, SCHEMA, bins=4)
    assert density.counts[0, 2] == 3
    assert density.counts.sum() == 3
    assert density.outside == 1
    assert (density.x_edges[0], density.x_edges[-1]) == (-0.5, SCHEMA.width - 0.5)


def test_mean_face():
    images = pictures(6)
    mean = mean_face(images, [5, 1, 1])
    expected = images[[5, 1, 1]].astype(float).mean(axis=0)
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    assert mean.dtype == np.float32
    with pytest.raises(ValueError, match="no rows"):
        mean_face(images, [])
