"""Which models can be named, and what is said of what is none."""

from __future__ import annotations

import pytest
from evaluation_helper import labelled, make_run

from fkd.errors import UserError
from fkd.models.sources import trained_model


@pytest.mark.parametrize(
    "name",
    [
        *("/tmp/model.keras", "models/mine", "C:\\models\\mine", "../one", "./one"),
        *("model.keras", "model.h5", "Model.H5", "m.hdf5", "m.onnx", "m.tflite", "m.pt"),
    ],
)
def test_models_made_elsewhere_are_not_taken(name):
    with pytest.raises(UserError) as refused:
        trained_model(name)
    assert str(refused.value) == (
        f"'{name}' is the path of a file, and models made elsewhere are not taken: name a run that "
        "was trained here ('fkd runs' lists them), or 'bundled'."
    )


@pytest.mark.parametrize("name", ["gone", "compact-1", "a.b", "", "*"])
def test_other_names_are_of_no_run(name):
    with pytest.raises(UserError, match="There is no run"):
        trained_model(name)


def test_a_run_may_be_called_like_a_file():
    assert make_run(labelled(), "mine.keras") == trained_model("mine.keras")
