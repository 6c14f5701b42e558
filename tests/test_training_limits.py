"""A full disk and too little memory, for real: failed in words, the last checkpoint kept."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress

from limits_helper import enlarge, memory_limit, small_disk
from training_helper import children_of, new_run, put_tiny, wait_for

from fkd.models.saving import load_model
from fkd.settings import home
from fkd.training.launcher import launch, resume
from fkd.training.runs import runs_folder
from fkd.training.status import FAILED, FINISHED, RUNNING


def test_a_full_disk_fails_in_words_and_the_run_goes_on_with_more_room(tiny_drawn):
    # Room for one checkpoint of each kind, not for the next one beside it.
    with small_disk(runs_folder(), "24m"):
        run = new_run(put_tiny(tiny_drawn), epochs=4)
        launch(run)
        status = wait_for(run, FAILED)
        assert status.reason.startswith("The disk is full. Free space, then resume.")
        assert status.reason.endswith("The last good checkpoint is kept.")
        assert load_model(run.last, compile=True).optimizer.iterations > 0
        assert load_model(run.best) is not None
        assert not list(run.folder.glob(".*incoming*"))
        enlarge(runs_folder(), "96m")
        resume(run)
        wait_for(run, FINISHED)
        assert [row.epoch for row in run.history if row.whole] == [1, 2, 3, 4]


def test_a_disk_that_something_else_fills_fails_in_words(tiny_drawn):
    """Not even the log can be written to then."""
    with small_disk(runs_folder(), "96m") as disk:
        run = new_run(put_tiny(tiny_drawn), epochs=400)
        launch(run)
        wait_for(run, RUNNING, epoch=1)
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(1 << 12))
        status = wait_for(run, FAILED)
        assert status.reason.startswith("The disk is full. Free space, then resume.")
        (disk / "filler").unlink()
        assert load_model(run.last) is not None
        while children_of(run):
            time.sleep(0.05)


def test_a_run_killed_for_want_of_memory_fails_in_words(tiny_drawn):
    with memory_limit(250) as group:
        run = new_run(put_tiny(tiny_drawn), epochs=400)
        launch(run)
        wait_for(run, RUNNING)
        for pid in children_of(run):
            (group / "cgroup.procs").write_text(str(pid))
        status = wait_for(run, FAILED)
        assert status.reason.startswith("The training ran out of memory.")
        while children_of(run):
            time.sleep(0.05)
    shutil.rmtree(home())
