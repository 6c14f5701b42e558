"""A training killed with SIGKILL, again and again, at random moments."""

from __future__ import annotations

import random
import time
import zipfile
from dataclasses import replace

import pytest
from training_helper import kill_all, new_run, put_tiny, wait_for, whole_epochs

from fkd.training.launcher import launch, resume
from fkd.training.status import CRASHED, FINISHED, RUNNING, Status


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kills", "epochs"), [(4, 20), pytest.param(20, 60, marks=pytest.mark.thorough)]
)
def test_killed_again_and_again_it_loses_nothing_beyond_the_last_checkpoint(
    tiny_drawn, kills, epochs
):
    run = new_run(put_tiny(tiny_drawn), epochs=epochs)
    chance = random.Random(1)
    launch(run)
    killed_times = 0
    for number in range(kills):
        status = wait_for(run, RUNNING, FINISHED)
        if status.state == FINISHED:
            break
        # From before the first batch to some epochs on.
        time.sleep(chance.uniform(0, 10))
        if run.status.state == FINISHED:
            break
        kill_all(run)
        killed_times += 1
        killed = time.monotonic()
        epochs_kept = whole_epochs(run)
        if number:  # the first time it is waited for; then time is made to have passed
            (run.folder / "heartbeat").unlink(missing_ok=True)
            replace(Status.read(run.folder), heartbeat=0.0).write(run.folder)
        status = wait_for(run, CRASHED, seconds=15)
        assert time.monotonic() - killed < 15
        if run.last.exists():
            for path in (run.last, run.best):
                with zipfile.ZipFile(path) as file:
                    assert file.testzip() is None
            assert run.status.best_epoch >= 1 or epochs_kept == [1]
        resume(run)
        status = wait_for(run, RUNNING, FINISHED)
        if status.stage == "training":
            # At most the epoch that was under way has to be done again.
            assert len(whole_epochs(run)) >= len(epochs_kept) - 1
    assert killed_times >= 2
    assert wait_for(run, FINISHED, seconds=240).epoch == epochs
    assert whole_epochs(run) == list(range(1, epochs + 1))
    steps = [row.step for row in run.history]
    assert steps == sorted(steps)
    assert run.sample_epochs() == list(range(1, epochs + 1))
