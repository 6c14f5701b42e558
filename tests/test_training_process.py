"""Trainings in processes of their own: watched, stopped, resumed, killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from training_helper import (
    children_of,
    new_run,
    put_tiny,
    tiny_config,
    wait_for,
    whole_epochs,
)

from fkd.child import environment
from fkd.models.saving import load_model
from fkd.training.launcher import launch, resume
from fkd.training.machine import machine
from fkd.training.runs import Run, create_run, open_run
from fkd.training.status import (
    CANCELLED,
    CRASHED,
    FINISHED,
    QUEUED,
    RUNNING,
    STAGES,
    STOPPED,
    STOPPING,
    Status,
)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def dataset(tiny_drawn):
    return put_tiny(tiny_drawn)


def fkd(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fkd", *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def test_stop_resume_and_the_queue(dataset):
    """The first run is stopped early; the second, which waited, then starts by itself and is
    cancelled; the first goes on to its end."""
    first = new_run(dataset, epochs=400, patience=0)
    second = new_run(dataset, epochs=400)
    launch(first)
    launch(second)
    wait_for(first, RUNNING, epoch=2)
    waiting = second.status
    assert waiting.state == QUEUED
    assert waiting.stage == f"waiting for {first.name}"
    first.request_stop()
    status = wait_for(first, STOPPED, seconds=30)
    done = status.epoch
    assert status.best_epoch >= 1
    assert load_model(first.best) is not None
    assert whole_epochs(first) == list(range(1, done + 1))

    wait_for(second, RUNNING, epoch=1)
    second.request_stop(cancel=True)
    wait_for(second, CANCELLED, seconds=30)
    assert not second.best.exists()

    shorter = replace(first.config, epochs=done + 2).to_json()
    (first.folder / "config.json").write_text(json.dumps(shorter))
    resume(first)
    status = wait_for(first, FINISHED)
    assert status.epoch == done + 2
    assert whole_epochs(first) == list(range(1, done + 3))
    assert status.elapsed > 0


def test_a_worker_alone_killed_is_seen_at_once(dataset):
    run = new_run(dataset, epochs=400)
    launch(run)
    worker = wait_for(run, RUNNING).pid
    os.kill(worker, signal.SIGKILL)
    wait_for(run, CRASHED, seconds=5)
    assert "killed" in run.status.reason
    run.delete()


def test_it_outlives_whoever_started_it(dataset):
    """Started from a process that ends; its group is told to end, as with a closed terminal."""
    done = fkd("train", "--dataset", "tiny", "--epochs", "400", "--batch", "4", "--detach")
    assert done.returncode == 0, done.stderr
    assert "is queued" in done.stdout
    run = open_run("compact-1")
    wait_for(run, RUNNING)
    for pid in children_of(run):
        assert os.getsid(pid) != os.getsid(0)
    assert fkd("stop", "compact-1").returncode == 0
    wait_for(run, STOPPED, seconds=60)
    done = fkd("stop", "compact-1")
    assert done.returncode == 2
    assert "is stopped; there is nothing to stop" in done.stderr


def test_attached_it_shows_how_it_ended_and_evaluate_scores_it(dataset):
    done = fkd("train", "--dataset", "tiny", "--epochs", "1", "--batch", "4", "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert "Run 'mine' finished; best epoch 1" in done.stdout
    listed = json.loads(fkd("runs", "--json").stdout)
    assert [(r["name"], r["state"], r["epoch"]) for r in listed] == [("mine", "finished", 1)]
    assert "mine" in fkd("runs").stdout
    scores = json.loads(fkd("evaluate", "mine", "--json").stdout)
    assert scores["split"] == "validation"
    assert scores["rmse_px"] == pytest.approx(listed[0]["best_rmse_px"], rel=1e-4)
    assert set(scores["per_keypoint"]) == set(dataset.schema.names)
    whole = json.loads(fkd("evaluate", "mine", "--split", "all", "--json").stdout)
    assert whole["n_images"] == len(dataset)
    done = fkd("resume", "mine")
    assert done.returncode == 2
    assert "is finished; it cannot go on" in done.stderr


def test_a_folder_with_a_configuration_is_all_that_a_training_needs(dataset, tmp_path):
    run = create_run(tiny_config(dataset, epochs=1))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(run.folder / "config.json", folder)
    done = fkd("train", str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Run 'elsewhere' finished.\n")
    assert Run(folder).status.state == FINISHED
    done = fkd("train", str(folder))
    assert done.returncode == 2
    assert "is finished; it cannot go on" in done.stderr


def test_a_stopped_folder_goes_on_in_the_foreground_and_a_kill_is_no_success(dataset):
    run = new_run(dataset, epochs=400)
    (run.folder / "stop").touch()
    Status(STOPPED).write(run.folder)
    command = [sys.executable, "-m", "fkd", "train", str(run.folder)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        worker = wait_for(run, RUNNING, STOPPED, QUEUED, epoch=1).pid
        refused = fkd("train", str(run.folder))
        assert refused.returncode == 2
        assert "is running already" in refused.stderr
        os.kill(worker, signal.SIGKILL)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 2
    assert "crashed. The process ended without a word" in said


def test_a_relative_workspace_is_the_same_for_the_child(dataset, monkeypatch):
    home = Path(os.environ["FKD_HOME"])
    monkeypatch.chdir(home.parent)
    monkeypatch.setenv("FKD_HOME", home.name)
    assert environment()["FKD_HOME"] == str(home)


def test_two_devices_train_together(dataset, monkeypatch):
    """Data-parallel training, here on the processor taken for two devices."""
    monkeypatch.setenv("FKD_CPU_DEVICES", "2")
    run = new_run(dataset, epochs=2)
    launch(run)
    wait_for(run, FINISHED)
    assert "2 devices" in run.read_log()
    assert whole_epochs(run) == [1, 2]


def test_a_training_that_loads_or_compiles_ends_as_soon_as_it_is_asked(dataset):
    run = new_run(dataset, epochs=400)
    launch(run)
    wait_for(run, RUNNING)
    run.request_stop()
    asked = time.monotonic()
    assert run.status.state in {STOPPING, STOPPED}
    status = wait_for(run, STOPPED, seconds=30)
    assert time.monotonic() - asked < 5
    assert status.reason == "Stopped before its first batch; there are no weights yet."
    assert status.best is None
    resume(run)
    status = wait_for(run, RUNNING, epoch=1)
    assert set(status.began) == set(STAGES)
    assert status.machine == machine()
    run.request_stop(cancel=True)
    wait_for(run, CANCELLED, seconds=30)
