"""Trainings go by a version of the labels: exactly its labels, to the end, on one frozen split."""

from __future__ import annotations

import json
from itertools import pairwise

import keras
import numpy as np
import pytest
from training_helper import NAME, put_tiny, tiny_config

from fkd.cli import main
from fkd.dataset import Dataset
from fkd.errors import UserError
from fkd.groups import read_groups
from fkd.labels.at import labels_at
from fkd.labels.point import Edit, PointLabel
from fkd.labels.states import Origin, State
from fkd.labels.store import LabelStore
from fkd.labels.tags import EXCLUDED, give, undo
from fkd.models import zoo
from fkd.models.layers import HeatmapReadout
from fkd.registry import datasets_folder, open_named
from fkd.storage import DatasetWriter
from fkd.training import loop, worker
from fkd.training.create import make_config
from fkd.training.examples import targets_of
from fkd.training.runs import all_runs, create_run
from fkd.training.status import FINISHED, STOPPED


def small(schema):
    inputs = keras.Input((schema.height, schema.width, 1))
    x = keras.layers.Conv2D(4, 8, 8, activation="relu")(inputs)
    maps = [keras.layers.Conv2D(len(schema), 1)(x) for _ in range(2)]
    return keras.Model(inputs, HeatmapReadout(8)(maps))


@pytest.fixture
def dataset(tiny_drawn):
    return put_tiny(tiny_drawn)


@pytest.fixture
def store(dataset):
    """Version 1: a point of three training images and one held back was moved. Version 2: another
    was put where a prediction had it."""
    store = LabelStore(dataset)
    store.save([Edit(row, 0, visible(20.0 + row)) for row in (1, 2, 3, 4)], "Ann")
    store.save([Edit(1, 1, visible(70.0, Origin.PREDICTION))], "Ann")
    return store


def visible(x: float, origin: Origin = Origin.EDITED) -> PointLabel:
    return PointLabel(State.VISIBLE, x, 30.0, origin)


@pytest.fixture
def learned(monkeypatch):
    """The targets of each training that began, and those it is validated by."""
    found: list[tuple[np.ndarray, np.ndarray]] = []

    class Watched(loop.Training):
        def __init__(self, run, config, dataset, reporter, examples):
            super().__init__(run, config, dataset, reporter, examples)
            found.append((self.examples.targets, targets_of(self.validation.truth)))

        def _keep_last(self):
            super()._keep_last()
            if self.run.name == "stopped" and self.epoch == 1:
                (self.run.folder / "stop").touch()

    monkeypatch.setitem(zoo.MODELS, "small", small)
    monkeypatch.setattr(loop, "Training", Watched)
    monkeypatch.setattr(worker, "give_way", lambda: None)
    return found


def train(dataset: Dataset, name: str, **settings):
    run = create_run(tiny_config(dataset, model="small", **settings), name)
    worker.main(run.folder)
    return run


def expected(store: LabelStore, version: int, accepted: bool = True):
    """Targets of both parts of the split of ``tiny_config``."""
    points = labels_at(store, version, accepted=accepted).points
    held = np.arange(len(points)) % 4 == 0
    return targets_of(points[~held]), targets_of(points[held])


@pytest.mark.parametrize(("version", "accepted"), [(0, True), (1, True), (2, True), (2, False)])
def test_it_learns_exactly_the_labels_of_its_version(dataset, store, learned, version, accepted):
    run = train(dataset, "one", epochs=1, label_version=version, accepted=accepted)
    assert run.status.state == FINISHED
    [found] = learned
    for part, wanted in zip(found, expected(store, version, accepted), strict=True):
        np.testing.assert_array_equal(part, wanted)
    if version == 2:
        assert (found[0][0, 1, 0] == 70) == accepted


def test_a_resumed_run_keeps_its_version(dataset, store, learned):
    """Whatever is corrected meanwhile, it ends as one that was never stopped."""
    settings = {"epochs": 3, "label_version": 1}
    through = train(dataset, "through", **settings)
    stopped = train(dataset, "stopped", **settings)
    assert (stopped.status.state, stopped.status.epoch) == (STOPPED, 1)
    store.save([Edit(row, 5, visible(30.0)) for row in range(1, 12)], "Bob")
    stopped.clear_requests()
    worker.main(stopped.folder)
    assert stopped.status.state == FINISHED
    assert stopped.config.label_version == 1
    for found in learned:
        np.testing.assert_array_equal(found[0], expected(store, 1)[0])
    errors = [[r.val_rmse_px for r in run.history if r.whole] for run in (through, stopped)]
    np.testing.assert_allclose(*errors, rtol=1e-4)


def test_a_version_that_is_gone_is_one_sentence(dataset, learned):
    run = train(dataset, "one", label_version=5)
    assert run.status.state == "failed"
    assert "no version 5; the latest is 0" in run.status.reason


# The command line


def summary(name: str, capsys) -> dict:
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    return next(row for row in json.loads(capsys.readouterr().out) if row["name"] == name)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("options", "version", "accepted", "words"),
    [
        ([], 2, True, "version 2"),
        (["--labels", "original"], 0, True, "as ingested"),
        (["--labels", "1"], 1, True, "version 1"),
        (["--without-accepted"], 2, False, "version 2, without accepted predictions"),
    ],
)
def test_the_command_line_says_which(
    dataset, monkeypatch, capsys, options, version, accepted, words
):
    monkeypatch.setattr("fkd.training.launcher.launch", lambda run: None)
    assert main(["train", "--dataset", NAME, "--name", "one", "--detach", *options]) == 0
    config = all_runs()[0].config
    assert (config.label_version, config.accepted) == (version, accepted)
    found = summary("one", capsys)
    keys = ("labels", "label_version", "accepted")
    assert tuple(found[key] for key in keys) == (words, version, accepted)
    assert main(["runs"]) == 0
    assert words in capsys.readouterr().out


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("word", ["3", "-1", "newest"])
def test_a_version_that_there_is_not_is_refused(dataset, capsys, word):
    assert main(["train", "--dataset", NAME, f"--labels={word}"]) == 2
    assert "version" in capsys.readouterr().err
    assert not all_runs()


# The frozen split


def test_corrections_leave_the_split_as_it_is(dataset, store, tmp_path):
    """Even where whole images lose their labels, or change from few points to all."""
    people = tmp_path / "people.csv"
    people.write_text("row,person\n" + "".join(f"{row},p{row // 2}\n" for row in range(24)))
    groups = read_groups(people, dataset)
    before = make_config(dataset, seed=3, groups=groups)
    removed = PointLabel(State.MISSING, origin=Origin.REMOVED)
    store.save([Edit(5, k, removed) for k in range(15)], "Ann")
    store.save([Edit(row, k, visible(40.0)) for row in range(24) for k in range(15)], "Ann")
    for version in range(store.head() + 1):
        after = make_config(dataset, seed=3, groups=groups, settings={"label_version": version})
        assert after.split.digest == before.split.digest


def test_excluded_images_are_in_neither_part_and_move_no_other(dataset):
    before, store = make_config(dataset, seed=3).split, LabelStore(dataset)
    out = [int(before.training[0]), int(before.training[2]), int(before.validation[1])]
    step = give(store, out, EXCLUDED, "Ann")
    after = make_config(dataset, seed=3).split
    assert after.training.tolist() == [r for r in before.training.tolist() if r not in out]
    assert after.validation.tolist() == [r for r in before.validation.tolist() if r not in out]
    undo(store, step.number, "Ann")
    assert make_config(dataset, seed=3).split.digest == before.digest
    give(store, before.training, EXCLUDED, "Ann")
    with pytest.raises(UserError, match=r"All images of the training part .* are excluded"):
        make_config(dataset, seed=3)


def test_images_that_come_to_labels_change_no_side_of_the_others(tiny_drawn, tmp_path):
    full = put_tiny(tiny_drawn)
    points = np.array(full.keypoints)
    points[::3] = np.nan
    folder = datasets_folder() / "some"
    folder.mkdir(parents=True)
    with DatasetWriter(folder, "some", full.schema) as writer:
        writer.add_training(np.asarray(full.images), points, np.asarray(full.rows))
        writer.finish(fingerprint="some", origin="demo", sources={}, rejected_rows=0)
    dataset = open_named("some")
    store = LabelStore(dataset)
    splits = [make_config(dataset).split]
    for row in range(0, 24, 3):
        store.save([Edit(row, 0, visible(40.0))], "Ann")
        splits.append(make_config(dataset, settings={"label_version": store.head()}).split)
    for earlier, later in pairwise(splits):
        assert set(earlier.training) <= set(later.training)
        assert set(earlier.validation) <= set(later.validation)
        assert len(later.training) + len(later.validation) == 1 + len(earlier.training) + len(
            earlier.validation
        )
