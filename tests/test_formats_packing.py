from __future__ import annotations

from pathlib import Path

import pytest
from exchange_helper import files_of
from limits_helper import small_disk

from fkd.errors import UserError
from fkd.formats.packing import packing

NAMES = ["out", "out.zip", "new/folders/out", "new/out.zip"]


def fill(path: Path) -> None:
    with packing(path) as package:
        package.put("a/1.png", b"png")
        with package.open("b.txt") as stream:
            stream.write(b"te")
            stream.write(b"xt")


@pytest.mark.parametrize("name", NAMES)
def test_files_are_put_into_a_folder_or_zip(tmp_path: Path, name: str) -> None:
    fill(tmp_path / name)
    assert files_of(tmp_path / name) == {"a/1.png": b"png", "b.txt": b"text"}
    assert not list(tmp_path.rglob(".incoming*"))


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out")
    assert (tmp_path / "out" / "b.txt").read_text() == "text"


def test_equal_content_makes_equal_zips(tmp_path: Path) -> None:
    fill(tmp_path / "a.zip")
    fill(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, name: str) -> None:
    fill(tmp_path / name)
    before = files_of(tmp_path / name)
    with pytest.raises(UserError, match="is not overwritten"):
        fill(tmp_path / name)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is not overwritten"):
        fill(tmp_path / "file")
    assert files_of(tmp_path / name) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    def put_one_too() -> None:
        with packing(tmp_path / "out") as package:
            package.put("a", b"new")
            (tmp_path / "out" / "a").write_text("mine")

    with pytest.raises(UserError, match="Nothing is left half-written"):
        put_one_too()
    assert files_of(tmp_path) == {"out/a": b"mine"}


@pytest.mark.parametrize("name", ["out", "out.zip"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, UserError])
def test_a_failure_leaves_nothing(tmp_path: Path, name: str, error: type[BaseException]) -> None:
    def fail() -> None:
        with packing(tmp_path / name) as package:
            package.put("a", b"1")
            raise error("stop")

    with pytest.raises(error, match="stop"):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_full_disk_is_one_clear_line(tmp_path: Path, name: str) -> None:
    def fill_up(path: Path) -> None:
        with packing(path) as package:
            for i in range(9):
                package.put(f"{i}.png", bytes(4096))

    with small_disk(tmp_path / "disk", "16k") as disk:
        with pytest.raises(UserError) as caught:
            fill_up(disk / name)
        assert str(caught.value).endswith(
            "cannot be written: No space left on device. Nothing is left half-written."
        )
        assert list(disk.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="cannot be written"):
        fill(tmp_path / "file" / "out")
