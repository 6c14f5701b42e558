"""Models are compiled once; whatever happens to what is kept of that, they open."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from inference_helper import drawn

from fkd.errors import UserError
from fkd.inference import compiled, loading
from fkd.inference.loading import open_pipeline
from fkd.inference.reference import NOTE
from fkd.models.sources import BUNDLED, TrainedModel, trained_model


@pytest.fixture
def model(tmp_path, monkeypatch) -> TrainedModel:
    """A copy of the bundled model, in a home of its own."""
    monkeypatch.setenv("FKD_HOME", str(tmp_path / "home"))
    path = Path(shutil.copy(trained_model(BUNDLED).path, tmp_path / "copy.keras"))
    return TrainedModel(BUNDLED, path)


def test_the_second_time_keras_builds_nothing(model, monkeypatch):
    first = open_pipeline(model)
    [kept] = compiled.folder().iterdir()
    monkeypatch.setattr(loading, "_from_keras", lambda *_: pytest.fail("built again"))
    second = open_pipeline(model)
    assert second.predict(drawn()[0]) == pytest.approx(first.predict(drawn()[0]), abs=1e-4)
    assert second.reference.score == first.reference.score
    assert kept.suffix == ".graph"


@pytest.mark.parametrize("spoil", [b"", b"nonsense", None])
def test_what_is_kept_may_be_damaged(model, spoil):
    predicted = open_pipeline(model).predict(drawn()[0][:2])
    [kept] = compiled.folder().iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if spoil is None else spoil)
    assert open_pipeline(model).predict(drawn()[0][:2]) == pytest.approx(predicted, abs=1e-4)
    assert len(kept.read_bytes()) == len(whole)  # written anew


def test_what_it_learned_is_its_own_or_not_known(model, tmp_path):
    """The bundled model stands in for what faces look like, not for what was learned."""
    assert open_pipeline(model).reference.learned.min() > 0
    other = replace(model, name="other", path=tmp_path / "other.keras")
    with zipfile.ZipFile(model.path) as old, zipfile.ZipFile(other.path, "w") as new:
        for name in old.namelist():
            if name != NOTE:
                new.writestr(name, old.read(name))
    found = open_pipeline(other).reference
    assert found.learned is None
    assert found.taught.all()
    assert np.array_equal(found.points, open_pipeline(model).reference.points)


def test_another_content_is_another_model(model, monkeypatch):
    open_pipeline(model)
    [before] = compiled.folder().iterdir()
    with zipfile.ZipFile(model.path, "a") as file:
        file.writestr("more.txt", "x")
    open_pipeline(model)
    assert len(list(compiled.folder().iterdir())) == 2
    assert before.name != compiled.name_of(model)


def test_a_home_that_cannot_be_written_to_does_no_harm(model, tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")
    assert open_pipeline(model).predict(drawn()[0][:1]).shape[0] == 1


def test_a_model_that_is_gone(model):
    model.path.unlink()
    with pytest.raises(UserError, match="cannot be read: No such file"):
        open_pipeline(model)
