from __future__ import annotations

import numpy as np
import pytest
from training_helper import put_tiny

from fkd.errors import UserError
from fkd.labels import folds
from fkd.labels.folds import EPOCHS, fold_configs, fold_name, train_folds
from fkd.labels.store import LabelStore
from fkd.labels.tags import EXCLUDED, give
from fkd.training.runs import Run, create_run, run_names
from fkd.training.status import CRASHED, FAILED, FINISHED, RUNNING, STOPPED, Status


@pytest.fixture
def dataset(tiny_drawn):
    return put_tiny(tiny_drawn)


class Launcher:
    """Takes the place of what trains: each run launched ends in ``state``."""

    def __init__(self) -> None:
        self.state, self.launched = FINISHED, []

    def __call__(self, run: Run) -> None:
        self.launched.append(run.name)
        run.best.write_bytes(b"no weights")
        Status(self.state, epochs=EPOCHS).attended().write(run.folder)


@pytest.fixture
def launcher(monkeypatch):
    made = Launcher()
    monkeypatch.setattr(folds, "launch", made)
    monkeypatch.setattr(folds, "_POLL_S", 0)
    return made


def test_the_folds_cover_every_image_once(dataset):
    configs = fold_configs(dataset, 3)
    held = np.concatenate([config.split.validation for config in configs])
    np.testing.assert_array_equal(np.sort(held), dataset.rows)
    for config in configs:
        assert not np.intersect1d(config.split.training, config.split.validation).size
        assert (config.epochs, config.grouped, config.model) == (EPOCHS, False, "compact")


def test_excluded_images_teach_no_fold_and_are_judged_all_the_same(dataset):
    out = dataset.rows[[1, 5]]
    give(LabelStore(dataset), out, EXCLUDED, "Ann")
    splits = [config.split for config in fold_configs(dataset, 3)]
    assert not any(np.isin(out, split.training).any() for split in splits)
    assert np.isin(out, np.concatenate([split.validation for split in splits])).all()


def test_groups_stay_in_one_fold(dataset):
    people = np.arange(len(dataset)) // 4
    configs = fold_configs(dataset, 3, groups=people, settings={"epochs": 2}, seed=1)
    for config in configs:
        sides = [set(people[rows]) for rows in (config.split.training, config.split.validation)]
        assert not sides[0] & sides[1]
        assert (config.epochs, config.grouped, config.seed) == (2, True, 1)


def test_the_runs_are_ordinary_ones(dataset, launcher):
    models = train_folds(dataset, fold_configs(dataset, 3))
    assert launcher.launched == ["tiny-fold-1", "tiny-fold-2", "tiny-fold-3"]
    assert [model.name for model in models] == launcher.launched
    assert set(run_names()) == set(launcher.launched)


def test_finished_ones_are_taken_and_others_go_on(dataset, launcher):
    configs = fold_configs(dataset, 3)
    launcher.state = FAILED
    with pytest.raises(UserError, match=r"'tiny-fold-1' failed\. Run the same command"):
        train_folds(dataset, configs)
    assert run_names() == ["tiny-fold-1"]
    launcher.state = FINISHED
    launcher.launched.clear()
    train_folds(dataset, configs)
    train_folds(dataset, configs)
    assert launcher.launched == ["tiny-fold-1", "tiny-fold-2", "tiny-fold-3"]


@pytest.mark.parametrize("state", [STOPPED, CRASHED])
def test_what_was_stopped_goes_on(dataset, launcher, state):
    configs = fold_configs(dataset, 2)
    run = create_run(configs[0], fold_name("tiny", 1))
    heartbeat = 0.0 if state == CRASHED else 9e9
    Status(RUNNING if state == CRASHED else state, heartbeat=heartbeat).write(run.folder)
    train_folds(dataset, configs)
    assert launcher.launched == ["tiny-fold-1", "tiny-fold-2"]


def test_a_run_of_another_configuration_is_not_taken(dataset, launcher):
    train_folds(dataset, fold_configs(dataset, 2))
    with pytest.raises(UserError, match=r"'tiny-fold-1' .* \(epochs 12, now 5\)"):
        train_folds(dataset, fold_configs(dataset, 2, settings={"epochs": 5}))
    assert len(launcher.launched) == 2


def test_whoever_watches_can_stop_it(dataset, launcher):
    launcher.state = RUNNING
    seen = []

    def progress(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        if stage.startswith("training fold"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_folds(dataset, fold_configs(dataset, 2), progress)
    assert seen[-1] == ("training fold 1 of 2", 0, 100)
    assert Run(folds.runs_folder() / "tiny-fold-1").stop_requested
    assert len(launcher.launched) == 1


def test_too_few_images_or_a_long_name(dataset):
    with pytest.raises(UserError, match="between 2 and 20"):
        fold_configs(dataset, 1)
    with pytest.raises(UserError, match="cannot be parted into 2 folds"):
        fold_configs(dataset, 2, groups=np.zeros(len(dataset), np.int64))
    assert len(fold_name("x" * 64, 20)) <= 64
