from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaggle_helper import random_images, random_keypoints, run_python, start_python

from fkd import registry
from fkd.errors import UserError
from fkd.keypoints import KAGGLE_15
from fkd.registry import check_name, dataset_names, locked, open_named, remove, staged
from fkd.storage import DatasetWriter


def fill(stage: Path, name: str = "faces", rows: int = 2) -> None:
    rng = np.random.default_rng(rows)
    with DatasetWriter(stage, name, KAGGLE_15) as writer:
        writer.add_training(random_images(rng, rows), random_keypoints(rng, rows), np.arange(rows))
        writer.finish()


def register(name: str = "faces", rows: int = 2) -> Path:
    with locked(name) as target, staged(target) as stage:
        fill(stage, name, rows)
    return target


def fail_with(error: type[BaseException]) -> None:
    """An error when the new dataset is as good as written."""
    with locked("faces") as target, staged(target) as stage:
        fill(stage, rows=5)
        raise error


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def entries() -> set[str]:
    """What lies among the datasets, locks left out."""
    return {p.name for p in registry.datasets_folder().iterdir() if p.suffix != ".lock"}


@pytest.mark.parametrize("name", ["a", "9", "Kaggle_2013-v1.0", "a" * 64])
def test_plain_names_are_fine(name: str) -> None:
    assert check_name(name) == name


HOSTILE = [".", "..", "../x", "a/b", "/a", "a\\b", ".x", "-x", "_x", "a" * 65]
HOSTILE += ["a b", "a\n", "a\0", "é", "a~1", "a*", "C:"]


def test_an_empty_name_is_no_name() -> None:
    with pytest.raises(UserError, match="needs a name"):
        check_name("")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_everywhere(name: str, fkd_home: Path) -> None:
    def lock() -> None:
        with locked(name):
            pass

    calls = (check_name, registry.manifest, open_named, remove)
    for call in (*(lambda c=c: c(name) for c in calls), lock):
        with pytest.raises(UserError, match="cannot name a dataset"):
            call()
    assert not fkd_home.exists() or entries() == set()


@given(st.text(max_size=70))
def test_a_name_that_is_let_through_is_one_visible_folder(name: str) -> None:
    with suppress(UserError):
        check_name(name)
        assert Path(name).name == name
        assert name.isascii()
        assert name[0] not in ".-~"


def test_without_datasets_there_are_none() -> None:
    assert dataset_names() == []
    with pytest.raises(UserError, match=r"no dataset 'faces'.*None is registered yet"):
        open_named("faces")


def test_registered_datasets_are_listed_and_opened() -> None:
    register("b", 1)
    register("a", 2)
    assert dataset_names() == ["a", "b"]
    assert len(open_named("a")) == 2
    assert registry.manifest("b")["rows"] == 1
    with pytest.raises(UserError, match=r"no dataset 'c'. Registered: a, b\."):
        open_named("c")


def test_only_folders_with_a_manifest_are_listed() -> None:
    target = register("a")
    folder = target.parent
    (folder / "file.txt").write_text("no dataset")
    (folder / "empty").mkdir()
    target.rename(folder / ".hidden")
    register("b")
    assert dataset_names() == ["b"]
    for name in ("empty", "file.txt"):
        with pytest.raises(UserError, match="no dataset"):
            open_named(name)


def test_a_dataset_is_its_owner_s_alone() -> None:
    assert register().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_the_target_as_before(error: type[BaseException]) -> None:
    target = register()
    before = contents(target)
    with pytest.raises(error):
        fail_with(error)
    assert contents(target) == before
    assert entries() == {"faces"}


def test_an_error_leaves_no_target_where_there_was_none() -> None:
    with pytest.raises(RuntimeError):
        fail_with(RuntimeError)
    assert entries() == set()


def test_a_failing_last_step_leaves_the_target_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    target = register()
    before = contents(target)
    rename = Path.rename

    def fail(self: Path, to: Path) -> Path:
        if self.name.startswith(".incoming"):
            raise OSError(5, "Input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="Input"), locked("faces") as folder, staged(folder) as stage:
        fill(stage, rows=5)
    assert target.exists()
    assert contents(target) == before


def test_success_replaces_the_whole_target() -> None:
    target = register(rows=2)
    (target / "rejected.csv").write_text("of the old one")
    old = open_named("faces")
    expected = np.array(old.images)
    register(rows=3)
    assert len(open_named("faces")) == 3
    assert not (target / "rejected.csv").exists()
    assert entries() == {"faces"}
    np.testing.assert_array_equal(old.images, expected)  # readers keep what they have mapped


def test_leftovers_of_killed_writers_are_cleared_and_others_kept() -> None:
    target = register()
    folder = target.parent
    (folder / ".incoming-faces~abcdefgh").mkdir()
    (folder / ".incoming-faces~abcdefgh" / "images.npy").write_bytes(b"half")
    (folder / ".outgoing-faces~abcdefgh").mkdir()
    (folder / ".incoming-faces2~abcdefgh").mkdir()
    before = contents(target)
    with locked("faces"):
        assert entries() == {"faces", ".incoming-faces2~abcdefgh"}
    assert contents(target) == before


def test_an_interrupted_replacement_brings_the_old_one_back() -> None:
    target = register()
    before = contents(target)
    target.rename(target.with_name(".outgoing-faces~abcdefgh"))
    (target.parent / ".incoming-faces~abcdefgh").mkdir()
    with locked("faces") as folder:
        assert contents(folder) == before
    assert entries() == {"faces"}


KILLED = """
import os, signal, sys
from pathlib import Path
from fkd.registry import locked, staged
rename, left = Path.rename, int(sys.argv[1])
def die(self, to):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, to)
Path.rename = die
with locked("faces") as target, staged(target) as stage:
    (stage / "manifest.json").write_text("new")
"""


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_writer_killed_while_replacing_leaves_the_old_or_the_new(renames: int) -> None:
    before = contents(register())
    child = run_python("-c", KILLED, renames)
    assert child.returncode == (-signal.SIGKILL if renames < 2 else 0)
    with locked("faces") as target:
        after = contents(target)
    assert after == (before if renames < 2 else {"manifest.json": b"new"})
    assert entries() == {"faces"}


def test_the_lock_is_held_across_processes_and_freed_by_death() -> None:
    code = "import time\nfrom fkd.registry import locked\nwith locked('faces'):\n"
    code += "    print('held', flush=True)\n    time.sleep(60)"
    with start_python("-c", code) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        got = threading.Event()

        def wait() -> None:
            with locked("faces"):
                got.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.3)
        with locked("other"):  # another name has another lock
            pass
        child.kill()
        waiting.join(10)
        assert got.is_set()


def test_removal_leaves_nothing() -> None:
    register("faces")
    register("faces2")
    remove("faces")
    assert entries() == {"faces2"}
    with pytest.raises(UserError, match="no dataset 'faces'"):
        remove("faces")
    register("faces")  # the name is free again
    assert dataset_names() == ["faces", "faces2"]


def test_of_two_removals_at_once_the_second_finds_nothing() -> None:
    target = register()
    errors: list[BaseException] = []

    def second() -> None:
        try:
            remove("faces")
        except BaseException as error:
            errors.append(error)

    with locked("faces"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)  # it now waits for the lock
        target.rename(target.with_name(".incoming-faces~abcdefgh"))
    thread.join(10)
    with pytest.raises(UserError, match="no dataset"):
        raise errors[0]


def test_the_workspace_is_where_fkd_home_says(fkd_home: Path) -> None:
    assert register() == fkd_home / "datasets" / "faces"
    assert os.environ["FKD_HOME"] == str(fkd_home)
