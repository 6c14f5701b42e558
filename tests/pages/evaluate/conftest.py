"""The runs that the Evaluate page is tried with."""

from __future__ import annotations

import pytest
from evaluation_helper import (
    make_run,
    output_of,
    store_all,
    store_validation,
)


@pytest.fixture
def model(dataset):
    """A run off by up to 6 px that left the predictions of its validation part."""
    model = make_run(dataset, "one")
    store_validation(model, dataset, output_of(dataset, 6))
    return model


@pytest.fixture
def other(dataset):
    """A closer run on the same split that was asked about all images."""
    model = make_run(dataset, "two")
    store_all(model, dataset, output_of(dataset, 3, seed=1))
    return model
