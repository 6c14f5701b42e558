"""What is no file is never opened for long, whatever names it."""

from __future__ import annotations

import os
import socket
import threading
import time
import zipfile
from pathlib import Path

import pytest
from kaggle_helper import run_fkd

from fkd import groups
from fkd.demo import DemoSpec, make_demo
from fkd.errors import UserError
from fkd.formats.bundle import open_bundle
from fkd.formats.source import open_table
from fkd.inference.decode import read_photo
from fkd.inference.sources import from_paths
from fkd.keypoints import KAGGLE_15
from fkd.labels.exchange import read
from fkd.labels.formats import FORMATS
from fkd.user_files import is_user_file, open_user_file, read_user_file

ENDLESS = [
    p for p in ("/dev/zero", "/dev/urandom", "/proc/kcore", "/proc/kmsg") if os.path.exists(p)
]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def odd(tmp_path: Path, pipe: Path) -> list[Path]:
    """Things that are no files, and links to them."""
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "pipe-link").symlink_to(pipe)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.close()
    names = ("link", "pipe", "pipe-link", "loop", "socket")
    return [*(tmp_path / name for name in names), *map(Path, ENDLESS)]


def test_what_is_no_file_is_refused_by_everything_that_opens(odd: list[Path]) -> None:
    dataset, _ = make_demo("tiny", DemoSpec(rows=2))
    for path in odd:
        assert not is_user_file(path)
        for use in (
            lambda path=path: open_user_file(path),
            lambda path=path: open_table(path, "training").__enter__(),
            lambda path=path: open_bundle(path).__enter__(),
            lambda path=path: read_photo(path),
            lambda path=path: [source.load() for source in from_paths([path])],
            lambda path=path: groups.read_groups(path, dataset),
            *(lambda path=path, form=form: read(path, form, KAGGLE_15) for form in FORMATS),
        ):
            began = time.monotonic()
            with pytest.raises(UserError) as caught:
                use()
            assert "\n" not in str(caught.value)
            assert time.monotonic() - began < 5


def test_a_pipe_among_labels_is_not_waited_for(tmp_path: Path, pipe: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    pipe.rename(folder / "0.pts")
    (folder / "1.pts").write_text("version: 1\n")
    for form in ("pts", "coco", "yolo-pose", "kaggle"):
        with pytest.raises(UserError):
            read(folder, form, KAGGLE_15)


def test_a_pipe_that_takes_the_place_of_a_file_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a\n")
    real = os.open

    def swapped(name: object, *arguments: object) -> int:
        if name == path:
            path.unlink()
            os.mkfifo(path)
        return real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(UserError, match="is a pipe"):
        open_user_file(path)


def test_a_file_that_grows_is_read_within_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "grows"
    path.write_bytes(b"x" * 100)
    assert read_user_file(path, 100) == b"x" * 100
    assert read_user_file(path, 99) is None
    with open_user_file(path)[0] as stream:
        path.write_bytes(b"x" * 1000)
        assert stream.read(101) == b"x" * 101


def test_files_are_still_files(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("training.csv", "x")
    link = tmp_path / "link.zip"
    link.symlink_to(path)
    for one in (path, link):
        assert is_user_file(one)
        stream, size = open_user_file(one)
        with stream:
            assert len(stream.read()) == size
    with pytest.raises(UserError, match="is a folder"):
        open_user_file(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        open_user_file(tmp_path / "none")
    with pytest.raises(UserError, match="cannot be read"):
        open_user_file(str(path) + "\0")


@pytest.mark.parametrize("verb", [("ingest", "x"), ("predict",), ("import", "x")])
@pytest.mark.parametrize("path", ENDLESS[:2])
def test_the_command_line_ends_at_once_with_one_line(verb: tuple[str, ...], path: str) -> None:
    more = ("--format", "coco") if verb[0] == "import" else ()
    done = threading.Event()
    threading.Timer(60, done.set).start()
    result = run_fkd(*verb, path, *more)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "not a file" in result.stderr or "neither a folder nor a zip" in result.stderr
