"""Files are replaced whole or not at all, whoever else writes them."""

from __future__ import annotations

import os
import threading
import time

import pytest

from fkd.files import INCOMING, LEFT_S, open_plain, replace_text, replacing, sweep


def test_a_failed_replacement_leaves_the_old_text_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "note.txt"
    replace_text(path, "old")
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        replace_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_threads_that_replace_one_file_do_not_meet(tmp_path):
    path, errors = tmp_path / "status.json", []

    def write(text: str) -> None:
        try:
            for _ in range(50):
                replace_text(path, text)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(letter * 5000,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert path.read_text() in {letter * 5000 for letter in "abcd"}
    assert [p.name for p in tmp_path.iterdir()] == ["status.json"]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    path = tmp_path / "a.npy"

    def write() -> None:
        with replacing(path) as beside:
            assert beside.suffix == ".npy"
            beside.write_text("half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write()
    assert not list(tmp_path.iterdir())


def test_sweeping_takes_only_what_is_old(tmp_path):
    old = time.time() - LEFT_S - 5
    for name in ("1-a.json", "2-b.json"):
        (tmp_path / f"{INCOMING}{name}").write_text("half")
    (tmp_path / f"{INCOMING}folder").mkdir()
    (tmp_path / f"{INCOMING}folder" / "x").write_text("half")
    (tmp_path / "kept.json").write_text("{}")
    for name in (f"{INCOMING}1-a.json", f"{INCOMING}folder", "kept.json"):
        os.utime(tmp_path / name, (old, old))
    sweep(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {f"{INCOMING}2-b.json", "kept.json"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_only_plain_files_are_opened(tmp_path):
    (tmp_path / "file").write_bytes(b"what is in it")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link"):
        with open_plain(tmp_path / name) as file:
            assert file.read() == b"what is in it"
    with pytest.raises(OSError, match="link"):
        open_plain(tmp_path / "link", follow=False)
    with pytest.raises(ValueError, match="a pipe"):  # at once, though nobody writes to it
        open_plain(tmp_path / "pipe")
    with pytest.raises(ValueError, match="a folder"):
        open_plain(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_plain(tmp_path / "none")
