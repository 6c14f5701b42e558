from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from evaluation_helper import no_bundled_model, output_of, split_of, store_validation
from training_helper import NAME, put_tiny, tiny_config

from fkd.cli import main
from fkd.cli import suspects as verb
from fkd.demo import DemoSpec, make_demo
from fkd.labels.folds import fold_name
from fkd.registry import open_named
from fkd.training.runs import create_run, open_run
from fkd.training.status import FINISHED, Status


@pytest.fixture
def tiny(tiny_drawn, monkeypatch):
    """The tiny dataset, registered; no model has seen it, and none is there."""
    no_bundled_model(monkeypatch)
    return put_tiny(tiny_drawn)


def fkd(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(word) for word in words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def trained(dataset, name: str = "one", start: int = 0, error: float = 1.0) -> None:
    """A run whose predictions are the truth, moved by up to ``error`` px; sure of everything."""
    run = create_run(tiny_config(dataset, epochs=1), name)
    config = json.loads((run.folder / "config.json").read_text())
    config["split"] = split_of(dataset, 4, start).to_json()
    (run.folder / "config.json").write_text(json.dumps(config))
    run.best.write_bytes(b"no weights")
    Status(
        FINISHED, heartbeat=time.time(), epoch=1, epochs=1, best_epoch=1, best_rmse_px=2.0
    ).write(run.folder)
    output = output_of(dataset, error)
    output[..., 2] = 1.0
    from fkd.models.sources import trained_model

    store_validation(trained_model(name), dataset, output)


def test_without_a_model_the_shape_is_what_there_is(tiny, capsys):
    code, out, err = fkd(capsys, "suspects", NAME)
    assert code == 0
    assert "24 of 24 images have no prediction" in err
    assert "--folds 4" in err
    assert out == "No label looks wrong, and none can be added.\n"


def test_json_has_reason_source_and_fix(tiny, capsys):
    trained(tiny)
    code, out, err = fkd(capsys, "suspects", NAME, "--json")
    assert code == 0
    assert "reference model of 6 images: run 'one' (RMSE " in err
    assert "px on 6 validation images, has not seen them)" in err
    assert "18 of 24 images have no prediction" in err
    found = json.loads(out)
    assert found
    for suspect in found:
        assert suspect["kind"] == "missing"
        assert suspect["source"] == "run 'one'"
        assert suspect["standing"].endswith("px on 6 validation images, has not seen this image")
        row = tiny.keypoints[tiny.position(suspect["row"])]
        here = np.isfinite(row).all(axis=1)
        names = np.array(tiny.schema.names)
        assert set(suspect["keypoints"]) <= set(names[~here])
        assert set(suspect["fix"]) == set(suspect["keypoints"]) | set(names[here])


def test_kinds_and_limit(tiny, capsys):
    trained(tiny)
    every = json.loads(fkd(capsys, "suspects", NAME, "--json", "--limit", 0)[1])
    one = json.loads(fkd(capsys, "suspects", NAME, "--json", "--limit", 1)[1])
    assert one == every[:1]
    assert len(every) > 1
    code, out, _ = fkd(capsys, "suspects", NAME, "--kind", "missing", "--limit", 1)
    assert code == 0
    assert f"Missing labels: {len(every)} images" in out
    assert "of their places" in out
    assert "run 'one'" in out
    assert json.loads(fkd(capsys, "suspects", NAME, "--kind", "wrong", "--json")[1]) == []


def test_models_are_taken_in_the_order_given(tiny, capsys):
    trained(tiny, "one")
    trained(tiny, "two")
    for first, second in (("one", "two"), ("two", "one")):
        options = ("--model", first, "--model", second, "--json")
        found = json.loads(fkd(capsys, "suspects", NAME, *options)[1])
        assert {s["source"] for s in found} == {f"run '{first}'"}


def test_a_bad_run_judges_only_if_it_is_named(tiny, capsys):
    trained(tiny, "good")
    before = fkd(capsys, "suspects", NAME, "--json")[1]
    trained(tiny, "bad", 1, error=38.0)
    code, out, err = fkd(capsys, "suspects", NAME, "--json")
    assert (code, out) == (0, before)
    assert "not a reference model: run 'bad': RMSE" in err
    code, _, err = fkd(capsys, "suspects", NAME, "--model", "bad", "--json")
    assert code == 0
    assert "reference model of 6 images: run 'bad'" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochs", 3], "about the runs of --folds"),
        (["--groups", "people.csv"], "about the runs of --folds"),
        (["--folds", 2, "--model", "one"], "leave --model out"),
        (["--limit", -1], "0 or more"),
        (["--model", "nobody"], "There is no run 'nobody'"),
        (["--folds", 99], "between 2 and 20"),
    ],
)
def test_wrong_options_say_how_it_goes(tiny, capsys, options, said):
    code, out, err = fkd(capsys, "suspects", NAME, *options)
    assert (code, out) == (2, "")
    assert said in err


def test_a_run_on_other_data_is_refused(tiny, capsys):
    make_demo("drawn", DemoSpec(rows=8))
    trained(open_named("drawn"), "stranger")
    code, _, err = fkd(capsys, "suspects", NAME, "--model", "stranger")
    assert code == 2
    assert "was trained on 'drawn'" in err


def test_stopping_says_that_it_goes_on_later(tiny, capsys, monkeypatch):
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fkd.labels.folds.train_folds", stopped)
    code, _, err = fkd(capsys, "suspects", NAME, "--folds", 2)
    assert code == 2
    assert "Run the same command to go on" in err


@pytest.mark.slow
def test_folds_are_trained_once_and_cover_everything(tiny, capsys, tmp_path: Path):
    people = tmp_path / "people.csv"
    people.write_text("row,person\n" + "".join(f"{row},{row // 2}\n" for row in tiny.rows))
    options = ("--folds", 2, "--epochs", 1, "--groups", people, "--json")
    code, out, err = fkd(capsys, "suspects", NAME, *options)
    assert code == 0, err
    assert "have no prediction" not in err
    runs = [open_run(fold_name(NAME, number)) for number in (1, 2)]
    assert all(run.config.grouped for run in runs)
    done = [run.status.heartbeat for run in runs]
    assert fkd(capsys, "suspects", NAME, *options)[:2] == (0, out)
    assert [run.status.heartbeat for run in runs] == done


@pytest.mark.slow
def test_the_demo_is_judged_by_the_bundled_model(capsys):
    make_demo("demo", DemoSpec(rows=60))
    code, out, _ = fkd(capsys, "suspects", "demo", "--json", "--limit", 0)
    assert code == 0
    found = json.loads(out)
    assert {s["source"] for s in found} == {"Bundled model"}
    # The labels are exact: nothing is surely wrong, and many points could be added.
    assert sum(s["kind"] == "wrong" for s in found) <= 2
    assert sum(s["kind"] == "missing" for s in found) >= 20


def test_the_verb_knows_every_kind():
    from fkd.labels.suspects import KINDS

    assert tuple(KINDS) == verb._KINDS
