"""Stopped, killed, two at once, no space: never half a dataset."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingest_helper import check, entries, state, whole
from kaggle_helper import Tables, run_fkd, run_python, start_python, write_tables
from limits_helper import small_disk

from fkd.errors import Cancelled
from fkd.registry import dataset_names, locked, open_named


@pytest.mark.parametrize("step", range(4))
def test_a_cancelled_ingest_leaves_nothing(tables: Tables, other_tables: Tables, step: int) -> None:
    left = step

    def cancel(stage: str, done: int, total: int) -> None:
        nonlocal left
        if stage.startswith("reading"):
            left -= 1
            if left < 0:
                raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        whole("new", tables, progress=cancel)
    assert entries() == set()
    whole("faces", other_tables)
    before, left = state("faces"), step
    with pytest.raises(Cancelled):
        whole("faces", tables, overwrite=True, progress=cancel)
    assert state("faces") == before
    assert entries() == {"faces"}


DIE = """
import os, signal, sys
from pathlib import Path
from fkd.ingest import ingest
left = int(sys.argv[2])
def die(stage, done, total):
    global left
    left -= stage.startswith("reading")
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
ingest("faces", Path(sys.argv[1]), overwrite=True, progress=die)
"""


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_killed_ingest_leaves_the_old_dataset_and_the_next_one_clears_up(
    tables: Tables, other_tables: Tables, step: int
) -> None:
    whole("faces", other_tables)
    before = state("faces")
    assert run_python("-c", DIE, tables.folder, step).returncode == -signal.SIGKILL
    assert state("faces") == before
    assert dataset_names() == ["faces"]
    assert entries() > {"faces"}  # what the dead process wrote is there still, out of sight
    assert whole("faces", tables, overwrite=True).created
    check(open_named("faces"), tables)
    assert entries() == {"faces"}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return write_tables(tmp_path_factory.mktemp("many"), 300, 20)


def test_killed_at_any_moment_there_is_no_half_dataset(many: Tables) -> None:
    began = time.monotonic()
    assert run_fkd("ingest", "timed", many.folder).returncode == 0
    whole_run = time.monotonic() - began
    killed, chance = 0, random.Random(0)
    for i in range(6):
        name = f"faces{i}"
        with start_python("-m", "fkd", "ingest", name, many.folder) as child:
            # From before the first file to the last rename.
            time.sleep(chance.uniform(0.3, 0.8) * whole_run)
            child.kill()
            child.communicate()
        killed += child.returncode == -signal.SIGKILL
        for found in dataset_names():
            check(open_named(found), many)  # whole, or not there
    assert killed >= 3
    names = {f"faces{i}" for i in range(6)}
    for name in names:
        check(whole(name, many).dataset, many)
    assert entries() == {"timed", *names}


def test_two_processes_may_ingest_the_same_at_once(many: Tables) -> None:
    children = [start_python("-m", "fkd", "ingest", "faces", many.folder) for _ in range(2)]
    results = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0], results
    said = sorted("nothing to do" in out for out, _ in results)
    assert said == [False, True]  # one has written it, the other has found it
    check(open_named("faces"), many)
    assert entries() == {"faces"}


def test_of_two_different_ones_at_once_one_wins(tables: Tables, other_tables: Tables) -> None:
    folders = (tables.folder, other_tables.folder)
    with locked("faces"):  # both are at the door before either goes in
        children = [start_python("-m", "fkd", "ingest", "faces", folder) for folder in folders]
        time.sleep(1)
    for child in children:
        child.communicate(timeout=120)
    assert sorted(child.returncode for child in children) == [0, 2]
    winner = tables if children[0].returncode == 0 else other_tables
    check(open_named("faces"), winner)
    assert entries() == {"faces"}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "48k") as place:
        yield place


def test_a_full_disk_is_one_clear_line(tiny_disk: Path, tables: Tables) -> None:
    result = run_fkd("ingest", "faces", tables.folder, FKD_HOME=str(tiny_disk))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "fkd: The disk is full. Free space and try again; nothing is left half-written."
    ]
    assert [p.name for p in (tiny_disk / "datasets").iterdir()] == [".faces.lock"]


LIMITED = """
import resource, signal, sys
from fkd.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [100, 20_000])
def test_a_write_that_fails_is_one_line_and_leaves_what_was_there(
    tables: Tables, other_tables: Tables, limit: int
) -> None:
    whole("faces", other_tables)
    before = state("faces")
    result = run_python(
        *("-c", LIMITED, limit, "ingest", "faces", tables.folder, "--overwrite"),
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == ["fkd: File too large"]
    assert state("faces") == before
    assert entries() == {"faces"}
