from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fkd.evaluation.predictions import Predictions
from fkd.labels.unseen import SHAPE_ONLY, Source, Unseen
from fkd.models.sources import BUNDLED


def test_what_is_known_already_stays():
    first, second = Source("one", 1.0, 4), Source("two", 2.0, 4)
    points = np.ones((2, 3, 2), np.float32)
    found = Predictions("one", np.arange(2), points)
    unseen = Unseen.none(3, 3).joined(np.array([0, 1]), found, first)
    unseen = unseen.joined(np.array([1, 2]), replace(found, points=2 * points), second)
    assert [unseen.source_of(at) for at in range(3)] == [first, first, second]
    assert unseen.points[:, 0, 0].tolist() == [1, 1, 2]
    assert np.isnan(unseen.expected).all()
    assert Unseen.none(3, 3).source_of(0) == SHAPE_ONLY


def test_a_source_says_how_good_it_is_and_what_it_has_seen():
    run = Source("one", 1.384, 1286)
    assert run.title == "run 'one'"
    assert run.standing() == "RMSE 1.38 px on 1,286 validation images, has not seen this image"
    bundled = Source(BUNDLED, 0.771, 1, may_have_seen=True)
    assert bundled.title == "Bundled model"
    assert bundled.standing("them") == "RMSE 0.77 px on 1 labelled image, may have seen them"
    assert Source("one").standing() == "has not seen this image"
    assert SHAPE_ONLY.title == "the usual shape of faces"
    assert SHAPE_ONLY.standing() == ""


def test_shapes_must_match():
    nothing = Unseen.none(3, 2)
    with pytest.raises(ValueError, match="do not match"):
        replace(nothing, expected=nothing.expected[:2])
